package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/config"
)

// TestTrainInSeveralEnvironments trains with three at once, and goes on with the
// same; another number is refused, for it would learn something else.
func TestTrainInSeveralEnvironments(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	out := must(t, tiny(dir, "--envs", "3")...)
	if !strings.Contains(out, "episode 5/6") || !strings.Contains(out, "done: 6 episodes") {
		t.Errorf("%s", out)
	}
	must(t, tiny(dir, "--envs", "3", "--episodes", "7")...)
	code, _, errs := orrery(t, tiny(dir, "--envs", "2", "--episodes", "8")...)
	if code != exitUsage || !strings.Contains(errs, "learn.envs 3 -> 2") {
		t.Errorf("exit code %d\n%s", code, errs)
	}
}

func TestImpossibleNumbersOfEnvironmentsAreRefused(t *testing.T) {
	for want, args := range map[string][]string{
		"envs is 65; it must lie in [1, 64]": {"--envs", "65"},
		"envs is 0; it must lie in [1, 64]":  {"--envs", "0"},
		"take fewer":                         {"--envs", "64", "--set", "plan.candidates=10000", "--set", "plan.iterations=1000", "--set", "plan.horizon=1000"},
	} {
		if _, known := availableMemory(); want == "take fewer" && !known {
			continue // nothing to compare with
		}
		dir := filepath.Join(t.TempDir(), "run")
		code, _, errs := orrery(t, tiny(dir, args...)...)
		if code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("%q: exit code %d\n%s", args, code, errs)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%q: a directory was made", args)
		}
	}
}

// TestRunsFromBeforeTheSettingGoOn: a stored configuration that does not name
// learn.envs is one environment's.
func TestRunsFromBeforeTheSettingGoOn(t *testing.T) {
	run, err := config.ReadStored("stored", strings.NewReader("preset: tiny\nlearn: {episodes: 7}\n"))
	if err != nil || run.Learn.Envs != 1 {
		t.Errorf("%d environments, %v", run.Learn.Envs, err)
	}
}

func TestBenchCollect(t *testing.T) {
	var r collectBench
	parse(t, &r, quick("collect", "--count", "1", "--envs", "1,3", "--decisions", "4", "--delay", "5ms", "--busy", "1ms")...)
	if len(r.Collect) != 2 || r.Collect[1].Envs != 3 || r.Collect[0].Speedup != 1 {
		t.Fatalf("%+v", r)
	}
	for _, c := range r.Collect {
		// Four decisions of an episode cost four delays at least.
		if c.Decision.Min < 6e-3 || c.EnvSteps <= 0 || c.EnvSteps*c.Decision.Median < float64(c.Envs) {
			t.Errorf("%+v", c)
		}
	}
}

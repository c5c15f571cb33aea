package main

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orrery-rl/orrery/metrics"
)

// recordedEpisodes is a directory with n episodes of toy-dot.
func recordedEpisodes(t *testing.T, n string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	must(t, tiny(dir, "--episodes", n, "--set", "learn.seed_episodes="+n, "--quiet")...)
	return filepath.Join(dir, "episodes")
}

func TestTrainOffline(t *testing.T) {
	data, dir := recordedEpisodes(t, "11"), filepath.Join(t.TempDir(), "run")
	args := func(more ...string) []string {
		return append([]string{"train", "--preset", "tiny", "--offline", data, "--env", "toy-dot", "--run", dir, "--updates", "12",
			"--set", "learn.offline.validate_every=5", "--set", "learn.log_every=4"}, more...)
	}
	out := must(t, args()...)
	for _, want := range []string{"10 episodes of 510 records to learn from, 1 of 51 held out", "evaluated in toy-dot", "update 5/12  held out: image", "update 12/12  evaluation", "done: 12 updates", "orrery eval " + dir} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing from\n%s", want, out)
		}
	}
	if entries, err := os.ReadDir(filepath.Join(dir, "episodes")); err == nil {
		t.Errorf("%d episodes in the run's directory", len(entries))
	}
	if text := must(t, "eval", dir, "-n", "2"); !strings.Contains(text, "12 updates") {
		t.Errorf("%s", text)
	}
	if out := must(t, args("--updates", "14")...); !strings.Contains(out, "going on after 12 updates") || !strings.Contains(out, "done: 14 updates") {
		t.Errorf("%s", out)
	}
	code, _, errs := orrery(t, tiny(dir)...)
	if code != exitUsage || !strings.Contains(errs, "learn.offline.episodes") {
		t.Errorf("resumed as a run that collects: exit code %d: %s", code, errs)
	}
	// Its configuration alone is enough to go on.
	if out := must(t, "train", "--config", filepath.Join(dir, configName), "--run", dir, "--updates", "15"); !strings.Contains(out, "done: 15 updates") {
		t.Errorf("%s", out)
	}
}

// TestTrainOfflineWithoutAnEnvironment: the sizes are those of the episodes, and
// there are no evaluations; it can be fine-tuned from, and from it.
func TestTrainOfflineWithoutAnEnvironment(t *testing.T) {
	data, base := recordedEpisodes(t, "3"), t.TempDir()
	first, second := filepath.Join(base, "first"), filepath.Join(base, "second")
	code, out, errs := orrery(t, "train", "--preset", "tiny", "--set", "env.image_size=32", "--offline", data, "--run", first, "--updates", "6")
	if code != exitOK || !strings.Contains(out, "no evaluations") || strings.Contains(out, "orrery eval") || !strings.Contains(errs, "no episodes are held out") {
		t.Errorf("exit code %d:\n%s%s", code, out, errs)
	}
	for _, e := range measured(t, first) {
		if e.Kind == metrics.KindEvaluation || e.Kind == metrics.KindValidation {
			t.Errorf("%+v", e)
		}
	}
	code, _, errs = orrery(t, "eval", first)
	if code != exitUsage || !strings.Contains(errs, "--env") {
		t.Errorf("eval without an environment: exit code %d: %s", code, errs)
	}
	if out := must(t, "eval", first, "-n", "1", "--env", "toy-dot"); !strings.Contains(out, "toy-dot after 0 episodes") {
		t.Errorf("eval with an environment: %s", out)
	}
	if code, _, errs := orrery(t, "train", "--from", first, "--run", filepath.Join(base, "nowhere"), "--episodes", "3"); code != exitUsage || !strings.Contains(errs, "name it with --env") {
		t.Errorf("collecting without an environment: exit code %d: %s", code, errs)
	}
	// The environment may be named later: it only judges.
	if out := must(t, "train", "--preset", "tiny", "--offline", data, "--run", first, "--updates", "8", "--env", "toy-dot"); !strings.Contains(out, "update 8/8  evaluation") {
		t.Errorf("%s", out)
	}
	must(t, "train", "--offline", data, "--from", first, "--freeze", "encoder", "--run", second, "--updates", "4", "--quiet", "--env", "toy-dot")
	if !reflect.DeepEqual(group(newest(t, first), "encoder/"), group(newest(t, second), "encoder/")) {
		t.Error("the frozen encoder has moved")
	}
	if reflect.DeepEqual(group(newest(t, first), "decoder/"), group(newest(t, second), "decoder/")) {
		t.Error("nothing was learned")
	}
	// And what was learned offline goes on while collecting.
	must(t, "train", "--from", second, "--run", filepath.Join(base, "third"), "--episodes", "3", "--quiet")
}

func TestOfflineMistakes(t *testing.T) {
	data, dir := recordedEpisodes(t, "2"), filepath.Join(t.TempDir(), "run")
	for want, args := range map[string][]string{
		"--updates needs --offline":               {"--updates", "5"},
		"--updates is 0":                          {"--offline", data, "--updates", "0"},
		"--updates says how long":                 {"--offline", data, "--episodes", "9"},
		"--envs says in how many":                 {"--offline", data, "--envs", "2"},
		"--dry-run and --force are for":           {"--offline", data, "--dry-run"},
		"is not estimated":                        {"--offline", data, "--force"},
		"holds no episodes":                       {"--offline", t.TempDir()},
		"given twice":                             {"--offline", data + "," + data},
		"did you mean":                            {"--offline", data, "--env", "toy-dto"},
		"ActionRepeat is 99999999":                {"--offline", data, "--env", "toy-dot", "--set", "env.action_repeat=99999999"},
		"takes actions of size 1, the episodes 2": {"--offline", data, "--env", "cartpole-swingup"},
		"chunk_length to at most 51":              {"--offline", data, "--set", "learn.chunk_length=60"},
		"hold_out is 1":                           {"--offline", data, "--set", "learn.offline.hold_out=1"},
		"the model has no part \"rsm\"":           {"--offline", data, "--freeze", "rsm"},
	} {
		code, _, errs := orrery(t, append([]string{"train", "--preset", "tiny", "--run", dir}, args...)...)
		if code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("%v: exit code %d, want %q in %s", args, code, want, errs)
		}
		if _, err := os.Stat(filepath.Join(dir, configName)); err == nil {
			t.Fatalf("%v: a configuration was stored", args)
		}
	}
}

// TestKilledOfflineRunsEndIdentically kills processes with SIGKILL as soon as they
// have saved something, and compares what is left with a run left alone.
func TestKilledOfflineRunsEndIdentically(t *testing.T) {
	data, base := recordedEpisodes(t, "11"), t.TempDir()
	killed, whole := filepath.Join(base, "killed"), filepath.Join(base, "whole")
	args := func(dir string) []string {
		return []string{"train", "--preset", "tiny", "--offline", data, "--run", dir, "--updates", "400", "--quiet"}
	}
	if out, err := command(args(whole)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	seen := ""
	for range 3 {
		cmd := command(args(killed)...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			if names, _ := filepath.Glob(filepath.Join(killed, "snapshots", "*.safetensors")); len(names) > 0 && slices.Max(names) > seen {
				seen = slices.Max(names)
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("no snapshot appears")
			}
		}
		_ = cmd.Process.Kill()
		if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() >= 0 {
			t.Fatalf("it was not killed: %v", err)
		}
	}
	if out, err := command(args(killed)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	sameRun(t, killed, whole)
}

// TestPrintConfigOfOfflineRuns: the size of images is the episodes', as when it runs.
func TestPrintConfigOfOfflineRuns(t *testing.T) {
	data := recordedEpisodes(t, "2")
	for _, preset := range []string{"tiny", "paper"} {
		if out := must(t, "train", "--preset", preset, "--offline", data, "--print-config"); !strings.Contains(out, "image_size: 16") {
			t.Errorf("%s:\n%s", preset, out)
		}
	}
}

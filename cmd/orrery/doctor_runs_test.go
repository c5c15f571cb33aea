package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/internal/diagnose"
	"github.com/orrery-rl/orrery/report"
)

// TestDoctorReadsRuns: directories and files, several at once, in words and as
// JSON.
func TestDoctorReadsRuns(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	must(t, tiny(dir, "--quiet")...)
	if text := must(t, "doctor", dir); !strings.Contains(text, dir+": 6 episodes") || !strings.Contains(text, "too early to tell") || !strings.Contains(text, "too early to judge: ") {
		t.Errorf("%s", text)
	}
	results := filepath.Join("..", "..", "results")
	small, ssm := filepath.Join(results, "cartpole-swingup-small"), filepath.Join(results, "cartpole-ablations", "ssm.jsonl")
	text := must(t, "doctor", small, ssm)
	for _, want := range []string{small + ": 130 episodes, 130000 env_steps, 7500 updates\nhealthy: ", ssm + ": 60 episodes", "warning no-better-than-random: ", "found ", "likely ", "try ", "not measured in this run: "} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing from\n%s", want, text)
		}
	}
	var all []diagnosis
	if err := json.Unmarshal([]byte(must(t, "doctor", small, ssm, "--json")), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || !all[0].Healthy || all[1].Healthy || all[0].Counters.Updates != 7500 || len(all[0].Findings) != 0 || len(all[1].Findings) != 2 || all[1].Run != ssm {
		t.Errorf("%+v", all)
	}
}

// TestDoctorJudgesOfflineRunsByTheirUpdates.
func TestDoctorJudgesOfflineRunsByTheirUpdates(t *testing.T) {
	run, err := config.Preset("small")
	if err != nil {
		t.Fatal(err)
	}
	if s := report.DiagnoseSettings(run); s.Episodes != 130 || s.Updates != 0 || s.FreeNats != 3 || s.Horizon != 12 {
		t.Errorf("%+v", s)
	}
	run.Learn.Offline.Episodes = []string{"x"}
	if s := report.DiagnoseSettings(run); s.Episodes != 0 || s.Updates != 7500 {
		t.Errorf("%+v", s)
	}
}

func TestDoctorMistakes(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "metrics.jsonl")
	for want, path := range map[string]string{"no such file": filepath.Join(dir, "nothing"), "holds no run": dir} {
		if code, _, errs := orrery(t, "doctor", path); code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("%s: exit code %d: %s", path, code, errs)
		}
	}
	if err := os.WriteFile(empty, []byte("not an event\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := orrery(t, "doctor", dir); code != exitUsage || !strings.Contains(errs, "holds no events") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// TestAdviceCanBeFollowed: the settings that rules recommend exist and are valid,
// and so do the commands.
func TestAdviceCanBeFollowed(t *testing.T) {
	setting, command := regexp.MustCompile(`--set ([a-z_.]+=[^\s,;:)]+)`), regexp.MustCompile(`orrery ([a-z]+)`)
	commands := must(t, "--help")
	some := 0
	for _, r := range diagnose.Rules() {
		for _, try := range r.Try {
			for _, m := range setting.FindAllStringSubmatch(try, -1) {
				some++
				must(t, "train", "--print-config", "--set", m[1])
			}
			for _, m := range command.FindAllStringSubmatch(try, -1) {
				if !strings.Contains(commands, "\n  "+m[1]+" ") {
					t.Errorf("%s recommends orrery %s, which does not exist", r.ID, m[1])
				}
			}
		}
	}
	if some < 10 {
		t.Errorf("%d settings: the test does not see them", some)
	}
}

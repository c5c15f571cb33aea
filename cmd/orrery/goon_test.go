package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRunsGoOnWithTheirSettings: --run alone takes them all from the run; what is
// typed overrides them, and is all that contradicts.
func TestRunsGoOnWithTheirSettings(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	must(t, tiny(dir, "--episodes", "3", "--seed", "7", "--set", "model.deter_size=24", "--quiet")...)
	before := storedText(t, dir)
	if out := must(t, "train", "--run", dir, "--episodes", "4"); !strings.Contains(out, "going on after 3 episodes") {
		t.Errorf("%s", out)
	}
	if after, want := storedText(t, dir), strings.Replace(before, "episodes: 3", "episodes: 4", 1); after != want {
		t.Errorf("the configuration has become\n%s\nwant\n%s", after, want)
	}
	if out := must(t, "train", "--run", dir); !strings.Contains(out, "done: 4 episodes") {
		t.Errorf("%s", out)
	}
	for name, c := range map[string]struct {
		args    []string
		changed string
	}{
		"a seed":   {[]string{"--seed", "8"}, "\n  seed 7 -> 8\nstart"},
		"a size":   {[]string{"--set", "model.deter_size=16"}, "\n  model.deter_size 24 -> 16\nstart"},
		"a preset": {[]string{"--preset", "tiny"}, "\n  model.deter_size 24 -> 16\n  seed 7 -> 0\nstart"},
	} {
		code, _, errs := orrery(t, append([]string{"train", "--run", dir}, c.args...)...)
		if code != exitUsage || !strings.Contains(errs, c.changed) || !strings.HasSuffix(errs, "orrery train --run "+dir+"\n") {
			t.Errorf("%s: exit code %d: %s", name, code, errs)
		}
	}
}

// TestFewerEpisodesThanThereAreAreRefused: the configuration is left alone.
func TestFewerEpisodesThanThereAreAreRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	must(t, tiny(dir, "--episodes", "4", "--quiet")...)
	before := storedText(t, dir)
	code, _, errs := orrery(t, "train", "--run", dir, "--episodes", "3")
	if code != exitUsage || !strings.Contains(errs, dir+" has 4 episodes already") || !strings.Contains(errs, "at least --episodes 4") {
		t.Errorf("exit code %d: %s", code, errs)
	}
	if after := storedText(t, dir); after != before {
		t.Errorf("the configuration has become\n%s", after)
	}
}

// TestRefusedRunsLeaveNothing: nor the directories above; but what was there stays.
func TestRefusedRunsLeaveNothing(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "runs", "new")
	for name, args := range map[string][]string{
		"a part that is none": tiny(dir, "--freeze", "planner"),
		"nobody's terminal":   {"collect", "--policy", "human", "--env", "toy-dot", "--out", dir},
	} {
		if code, _, errs := orrery(t, args...); code == exitOK {
			t.Errorf("%s: accepted: %s", name, errs)
		}
		if left, err := os.ReadDir(base); err != nil || len(left) > 0 {
			t.Errorf("%s: left %v (%v)", name, left, err)
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if code, _, _ := orrery(t, tiny(dir, "--freeze", "planner")...); code == exitOK {
		t.Error("accepted")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("a directory of the user's is gone: %v", err)
	}
}

// TestMissingRunsNameThoseThatAreThere: beside the missing one, or in the directory
// given instead.
func TestMissingRunsNameThoseThatAreThere(t *testing.T) {
	base := t.TempDir()
	for _, name := range []string{"a", "b"} {
		if err := os.MkdirAll(filepath.Join(base, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(base, name, configName), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range []string{"eval", "plot", "report", "doctor", "video", "tensorboard"} {
		for _, path := range []string{filepath.Join(base, "nope"), base} {
			code, _, errs := orrery(t, command, path)
			if code != exitUsage || !strings.Contains(errs, path+" holds no run: there is no ") || !strings.Contains(errs, "train one with: orrery train --run "+path) || !strings.Contains(errs, "runs in "+base+": a, b\n") {
				t.Errorf("%s %s: exit code %d: %s", command, path, code, errs)
			}
		}
	}
	for command, file := range map[string]string{"eval": "w.safetensors", "doctor": "history.jsonl", "plot": "history.jsonl"} {
		if code, _, errs := orrery(t, command, filepath.Join(base, file)); code != exitUsage || strings.Contains(errs, "train one with") {
			t.Errorf("%s: exit code %d: a file is trained: %s", command, code, errs)
		}
	}
}

// storedText is the stored configuration of a run.
func storedText(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, configName))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/checkpoint"
)

// group are the tensors of a snapshot whose names begin with prefix.
func group(s *checkpoint.Snapshot, prefix string) (out []checkpoint.Tensor) {
	for _, p := range s.Params {
		if strings.HasPrefix(p.Name, prefix) {
			out = append(out, p)
		}
	}
	return out
}

// TestRunsStartFromTrainedOnes: with the model and the environment of the source,
// frozen parts and all, and go on without it.
func TestRunsStartFromTrainedOnes(t *testing.T) {
	base := t.TempDir()
	source, dir, moved := filepath.Join(base, "source"), filepath.Join(base, "tuned"), filepath.Join(base, "moved")
	must(t, tiny(source, "--episodes", "3", "--set", "model.deter_size=24", "--quiet")...)
	args := func(more ...string) []string {
		return append([]string{"train", "--from", source, "--run", dir, "--seed", "3", "--freeze", "encoder,decoder"}, more...)
	}
	out := must(t, args("--episodes", "3")...)
	if !strings.Contains(out, "starting from "+source+", after 5 updates") || !strings.Contains(out, "toy-dot, preset tiny") {
		t.Errorf("%s", out)
	}
	before, after := newest(t, source), newest(t, dir)
	if !reflect.DeepEqual(group(before, "encoder/"), group(after, "encoder/")) || !reflect.DeepEqual(group(before, "decoder/"), group(after, "decoder/")) {
		t.Error("frozen parts have moved")
	}
	if reflect.DeepEqual(group(before, "rssm/"), group(after, "rssm/")) {
		t.Error("nothing was learned")
	}
	text, err := os.ReadFile(filepath.Join(dir, configName))
	if err != nil || !strings.Contains(string(text), "from: "+source) || !strings.Contains(string(text), "from_sha256: ") {
		t.Errorf("%v:\n%s", err, text)
	}
	// Without the source, and without naming it.
	if err := os.Rename(source, moved); err != nil {
		t.Fatal(err)
	}
	must(t, args("--episodes", "4", "--quiet")...)
	must(t, args("--from", source+"/", "--episodes", "4", "--quiet")...) // another way to write the same
	if out := must(t, "train", "--run", dir, "--seed", "3", "--freeze", "encoder,decoder", "--episodes", "5"); !strings.Contains(out, "going on after 4 episodes") {
		t.Errorf("%s", out)
	}
	if again, err := os.ReadFile(filepath.Join(dir, configName)); err != nil || strings.Replace(string(text), "episodes: 3", "episodes: 5", 1) != string(again) {
		t.Errorf("%v: the configuration has become\n%s", err, again)
	}
	code, _, errs := orrery(t, "train", "--from", moved, "--run", dir, "--seed", "3", "--freeze", "encoder,decoder")
	if code != exitUsage || !strings.Contains(errs, "learn.from") {
		t.Errorf("another source: exit code %d: %s", code, errs)
	}
	if out := must(t, "train", "--run", dir); !strings.Contains(out, "done: 5 episodes") { // frozen as before
		t.Errorf("%s", out)
	}
	code, _, errs = orrery(t, "train", "--run", dir, "--set", "learn.freeze=[]")
	if code != exitUsage || !strings.Contains(errs, `learn.freeze ["encoder","decoder"] -> (unset)`) {
		t.Errorf("thawed: exit code %d: %s", code, errs)
	}
}

// TestFineTuningMistakes: nothing is written, and the reason is named.
func TestFineTuningMistakes(t *testing.T) {
	base := t.TempDir()
	source, dir, file := filepath.Join(base, "source"), filepath.Join(base, "tuned"), filepath.Join(base, "w.safetensors")
	must(t, tiny(source, "--episodes", "2", "--quiet")...)
	must(t, "export", source, "-o", file)
	for want, args := range map[string][]string{
		"--from needs --run":    {"--from", source},
		"are the same":          {"--from", source, "--run", source + "/."},
		"no such file":          {"--from", filepath.Join(base, "missing"), "--run", dir},
		"no part \"planner\"":   {"--from", file, "--run", dir, "--freeze", "planner"},
		"for actions of 2":      {"--from", file, "--run", dir, "--env", "cartpole-swingup"},
		"\"rssm/input/kernel\"": {"--from", file, "--run", dir, "--set", "model.hidden_size=20"},
	} {
		code, _, errs := orrery(t, append([]string{"train", "--quiet"}, args...)...)
		if code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("%v: exit code %d, want %q in %s", args, code, want, errs)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Fatalf("%v: it has left a directory", args)
		}
	}
	must(t, "train", "--from", file, "--run", dir, "--episodes", "2", "--quiet")
}

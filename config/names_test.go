package config

import (
	"errors"
	"strings"
	"testing"
)

// TestMistakesAreToldInWordsOfSettings: what is meant, and where, without the
// types of the program.
func TestMistakesAreToldInWordsOfSettings(t *testing.T) {
	for assignment, want := range map[string]string{
		"learn.batch=3":             "--set learn.batch=3: no setting learn.batch; did you mean learn.batch_size? (orrery train --print-config lists them)",
		"learn.batchsize=3":         "did you mean learn.batch_size?",
		"batch_size=3":              "did you mean learn.batch_size?",
		"episodes=3":                "did you mean learn.episodes?",
		"zzzzzz=3":                  "no setting zzzzzz (orrery",
		"learn.batch_size=many":     `learn.batch_size is "many"; it must be a whole number`,
		"learn.batch_size=1.5":      `learn.batch_size is "1.5"; it must be a whole number`,
		"seed=-1":                   `seed is "-1"; it must be a whole number, 0 or more`,
		"watch.live=perhaps":        `watch.live is "perhaps"; it must be true or false`,
		"plan.deadline=soon":        `plan.deadline is "soon"; it must be a duration`,
		"model.reward_layers=[x]":   "model.reward_layers is a list; it must be a list of whole numbers, for example [200, 200]",
		"learn=3":                   `learn is a group of settings and cannot be "3"; name one of them, for example learn.episodes`,
		"learn.batch_size.a=3":      "learn.batch_size is a group; it must be a whole number",
		"optimiser.learning_rate=[": "cannot be read as YAML",
	} {
		_, err := SetLayer(assignment)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", assignment, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "yaml:") || strings.Contains(err.Error(), "Config")) {
			t.Errorf("%s speaks of the program: %v", assignment, err)
		}
	}
}

func TestMistakesInFilesHaveLines(t *testing.T) {
	_, err := ReadLayer("my.yaml", strings.NewReader("seed: 3\nlearn:\n  batch: 3\n  episodes: x\n"))
	if !errors.Is(err, ErrInvalid) {
		t.Fatal(err)
	}
	for _, want := range []string{"my.yaml: line 3: no setting learn.batch; did", "my.yaml: line 4: learn.episodes is \"x\"; it"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	if _, err := ReadLayer("my.yaml", strings.NewReader("- 3\n")); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "line 1: it is a list, and no settings") {
		t.Error(err)
	}
}

// TestEverySettingHasItsName: what is printed is what is listed.
func TestEverySettingHasItsName(t *testing.T) {
	values, err := flatten(preset(t, "paper"))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, name := range Names() {
		listed[name] = true
	}
	for name := range values {
		if !listed[name] {
			t.Errorf("%s is not listed", name)
		}
	}
}

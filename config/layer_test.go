package config

import (
	"errors"
	"strings"
	"testing"
)

func file(t *testing.T, text string) Layer {
	t.Helper()
	l, err := ReadLayer("file", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func set(t *testing.T, assignment string) Layer {
	t.Helper()
	l, err := SetLayer(assignment)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestAPresetIsItsValues: whichever layer names it, all layers lie over the
// values of the preset named last.
func TestAPresetIsItsValues(t *testing.T) {
	for name, layers := range map[string][]Layer{
		"in a file":         {file(t, "preset: tiny\nlearn: {episodes: 9}\n")},
		"set":               {file(t, "learn: {episodes: 9}\n"), set(t, "preset=tiny")},
		"set before a file": {set(t, "preset=tiny"), file(t, "learn: {episodes: 9}\n")},
		"the last of two":   {file(t, "preset: paper\n"), set(t, "learn.episodes=9"), set(t, "preset=tiny")},
	} {
		got, err := Compose("small", layers...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := preset(t, "tiny")
		want.Learn.Episodes = 9
		if changes, err := Diff(want, got); err != nil || len(changes) > 0 || got.Learn.Episodes != 9 || got.Learn.BatchSize != want.Learn.BatchSize {
			t.Errorf("%s: %v %v", name, changes, err)
		}
	}
	if _, err := Compose("small", set(t, "preset=smal")); !errors.Is(err, ErrInvalid) {
		t.Errorf("an unknown preset: %v", err)
	}
	run := preset(t, "small")
	if err := run.Set("preset=tiny"); !errors.Is(err, ErrInvalid) || run.Preset != "small" {
		t.Errorf("the label alone was changed to %s (%v)", run.Preset, err)
	}
}

func TestSettingsWithoutAValueAreRefused(t *testing.T) {
	for _, assignment := range []string{"learn.episodes=", "learn.episodes=null", "learn.episodes=~", "env.name=", "learn=", "preset="} {
		name, _, _ := strings.Cut(assignment, "=")
		if _, err := SetLayer(assignment); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), name+" has no value") {
			t.Errorf("--set %s: %v", assignment, err)
		}
	}
	_, err := ReadLayer("my.yaml", strings.NewReader("seed: 3\nlearn:\n  episodes:\n"))
	if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "line 3: learn.episodes has no value") {
		t.Errorf("a file: %v", err)
	}
	run, err := Compose("small", set(t, `backend.path=""`))
	if err != nil || run.Backend.Path != "" {
		t.Errorf("the empty text: %v", err)
	}
}

func TestOneDocumentAFile(t *testing.T) {
	for _, text := range []string{"seed: 1\n---\nseed: 2\n", "seed: 1\n---\nnonsense: [\n"} {
		if _, err := ReadLayer("my.yaml", strings.NewReader(text)); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "my.yaml has more than one document") {
			t.Errorf("%q: %v", text, err)
		}
	}
	run, err := Compose("small", file(t, "---\n# all of it\nseed: 7\n"))
	if err != nil || run.Seed != 7 {
		t.Errorf("one document after its line: seed %d, %v", run.Seed, err)
	}
	if _, err := Compose("small", file(t, ""), file(t, "# nothing\n")); err != nil {
		t.Errorf("empty files: %v", err)
	}
}

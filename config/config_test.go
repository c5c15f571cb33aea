package config

import (
	"bytes"
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/learn"
)

func preset(t testing.TB, name string) Run {
	t.Helper()
	run, err := Preset(name)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestPresetsAreValid(t *testing.T) {
	for _, name := range []string{"paper", "small", "tiny"} {
		if err := preset(t, name).Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Preset("smal"); !errors.Is(err, ErrInvalid) {
		t.Errorf("unknown preset: %v", err)
	}
}

func TestYAMLRoundTrips(t *testing.T) {
	run := preset(t, "paper")
	run.Seed = 1<<64 - 1
	text, err := run.YAML()
	if err != nil {
		t.Fatal(err)
	}
	var again Run
	if err := again.Read("printed", bytes.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	if changes, err := Diff(run, again); err != nil || len(changes) > 0 {
		t.Fatalf("printed and read again: %v, %v", changes, err)
	}
	if !reflect.DeepEqual(again.Learn, run.Learn) {
		t.Fatalf("%+v, want %+v", again.Learn, run.Learn)
	}
}

// TestStoredConfigsOfOlderVersions: a setting that is not in the document has
// its preset's value, and the rest is the document's.
func TestStoredConfigsOfOlderVersions(t *testing.T) {
	run := preset(t, "tiny")
	run.Learn.Episodes = 77
	text, err := run.YAML()
	if err != nil {
		t.Fatal(err)
	}
	older := strings.Replace(string(text), "  transition: rssm\n", "", 1)
	objective := regexp.MustCompile(`  objective:\n(    .*\n)+`)
	if older == string(text) || !objective.MatchString(older) {
		t.Fatalf("no transition or no objective in\n%s", text)
	}
	older = objective.ReplaceAllString(older, "")
	stored, err := ReadStored("config.yaml", strings.NewReader(older))
	if err != nil {
		t.Fatal(err)
	}
	if changes, err := Diff(stored, run); err != nil || len(changes) > 0 || stored.Learn.Episodes != 77 {
		t.Fatalf("%v %v, %d episodes", changes, err, stored.Learn.Episodes)
	}
	if _, err := ReadStored("bad", strings.NewReader("nonsense: 1\n")); !errors.Is(err, ErrInvalid) {
		t.Errorf("an unknown setting: %v", err)
	}
}

func TestLayersOverrideOnlyWhatTheyName(t *testing.T) {
	run := preset(t, "small")
	before := run
	if err := run.Read("file", strings.NewReader("learn:\n  episodes: 7\nenv: {name: cartpole-balance}\n")); err != nil {
		t.Fatal(err)
	}
	if err := run.Set("plan.horizon=5"); err != nil {
		t.Fatal(err)
	}
	if run.Learn.Episodes != 7 || run.Env.Name != "cartpole-balance" || run.Plan.Horizon != 5 {
		t.Fatalf("%+v", run)
	}
	before.Learn.Episodes, before.Env.Name, before.Plan.Horizon = 7, "cartpole-balance", 5
	if changes, err := Diff(before, run); err != nil || len(changes) > 0 {
		t.Fatalf("other settings moved: %v %v", changes, err)
	}
	if err := run.Read("empty", strings.NewReader("")); err != nil {
		t.Fatalf("an empty document: %v", err)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for input, want := range map[string]string{
		"learn.episods=3":   "episods",
		"learn.episodes=x":  "learn.episodes=x",
		"no-assignment":     "name=value",
		"plan.horizon=[1]":  "plan.horizon",
		"model.gru=unknown": "",
	} {
		run := preset(t, "small")
		err := run.Set(input)
		if want == "" {
			if err == nil {
				err = run.Validate()
			}
			want = "gru"
		}
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("--set %s: %v", input, err)
		}
	}
}

func TestValidateReportsEverything(t *testing.T) {
	run := preset(t, "small")
	run.Env.BitDepth, run.Learn.BatchSize, run.Plan.Elites, run.Optimiser.LearningRate = 9, 0, 0, -1
	err := run.Validate()
	for _, want := range []string{"bit_depth is 9", "batch_size is 0", "elites is 0", "learning_rate is -1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not reported by: %v", want, err)
		}
	}
}

func TestDiffKnowsWhatMayChange(t *testing.T) {
	old := preset(t, "small")
	next := old
	next.Learn.Episodes, next.Backend.Threads, next.Replay.MemoryMiB = 500, 1, 64
	next.Model.DeterSize, next.Seed = 400, 1<<60+1
	changes, err := Diff(old, next)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range changes {
		got = append(got, c.String())
	}
	want := "model.deter_size 200 -> 400, seed 0 -> 1152921504606846977"
	if strings.Join(got, ", ") != want {
		t.Fatalf("%v, want %s", got, want)
	}
}

// TestOfflineStaysOffline: the episodes may lie elsewhere, and there may be more
// updates, but a run collects its own episodes or it does not.
func TestOfflineStaysOffline(t *testing.T) {
	old, next := preset(t, "small"), preset(t, "small")
	old.Learn.Offline = learn.OfflineConfig{Episodes: []string{"a"}, Updates: 5}
	next.Learn.Offline = learn.OfflineConfig{Episodes: []string{"b", "c"}, Updates: 7, SaveEvery: 2}
	next.Env.Name, next.Env.ActionRepeat = "elsewhere", 3 // it only judges
	if changes, err := Diff(old, next); err != nil || len(changes) > 0 {
		t.Errorf("%v, %v", changes, err)
	}
	changes, err := Diff(old, preset(t, "small"))
	if err != nil || len(changes) != 1 || changes[0].String() != `learn.offline.episodes ["a"] -> (unset)` {
		t.Errorf("%v, %v", changes, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("learn:\n  episodes: 7\n")
	f.Add("a: &a [*a]\n")
	f.Add("learn: &a {freeze: [*a], offline: *a}\n")
	for _, name := range []string{"paper", "tiny"} {
		f.Add(printed(f, preset(f, name)))
	}
	f.Fuzz(func(t *testing.T, text string) {
		run := preset(t, "tiny")
		if err := run.Read("fuzz", strings.NewReader(text)); err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("%v does not match ErrInvalid", err)
			}
			return
		}
		if err := run.Validate(); err != nil && !errors.Is(err, ErrInvalid) {
			t.Fatalf("%v does not match ErrInvalid", err)
		}
		first := printed(t, run)
		var again Run
		if err := again.Read("what was printed", strings.NewReader(first)); err != nil {
			t.Fatalf("what was read is not read again: %v\n%s", err, first)
		}
		if second := printed(t, again); second != first {
			t.Fatalf("printed again:\n%s\nwant\n%s", second, first)
		}
	})
}

func printed(t testing.TB, run Run) string {
	t.Helper()
	text, err := run.YAML()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestDifferencesNameEverything, also what a run may change.
func TestDifferencesNameEverything(t *testing.T) {
	old, next := preset(t, "small"), preset(t, "small")
	next.Learn.Episodes, next.Seed, next.Backend.Threads = 7, 1<<63, 3
	changes, err := Differences(old, next)
	if err != nil || len(changes) != 3 {
		t.Fatalf("%v, %v", changes, err)
	}
	if got := changes[2].String(); got != "seed 0 -> 9223372036854775808" {
		t.Errorf("%s", got)
	}
}

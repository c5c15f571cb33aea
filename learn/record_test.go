package learn

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/plan"
)

// record records n episodes of e into dir.
func record(t testing.TB, dir string, e env.Env, p Policy, seed uint64, n int) ([]Recorded, error) {
	t.Helper()
	return recordUntil(t, context.Background(), dir, e, p, seed, n)
}

// recordUntil is record that a context may end.
func recordUntil(t testing.TB, ctx context.Context, dir string, e env.Env, p Policy, seed uint64, n int) ([]Recorded, error) {
	t.Helper()
	store := storeFor(t, dir, e)
	defer store.Close()
	var told []Recorded
	err := Record(ctx, Recording{Env: e, Policy: p, Store: store, Seed: seed, Episodes: n, Told: func(r Recorded) { told = append(told, r) }})
	return told, err
}

// bytesOf are the files of a directory without their times.
func bytesOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := files(t, dir)
	for name, text := range out {
		out[name] = text[strings.Index(text, "PK"):]
	}
	return out
}

// TestRecordingsDependOnSeedAndNumber: two sittings record what one does, another
// seed something else.
func TestRecordingsDependOnSeedAndNumber(t *testing.T) {
	e := newToy(t)
	p := RandomPolicy(plan.CEM, e.Spec().Action)
	whole, parts, other := t.TempDir(), t.TempDir(), t.TempDir()
	told, err := record(t, whole, e, p, 3, 4)
	if err != nil || len(told) != 4 || told[3].Number != 3 || told[3].Decisions != 50 || told[3].EnvSteps != 50 {
		t.Fatalf("%+v, %v", told, err)
	}
	for _, n := range []int{1, 3} {
		if _, err := record(t, parts, e, p, 3, n); err != nil {
			t.Fatal(err)
		}
	}
	if !maps.Equal(bytesOf(t, parts), bytesOf(t, whole)) {
		t.Error("two sittings differ from one")
	}
	if _, err := record(t, other, e, p, 4, 4); err != nil {
		t.Fatal(err)
	}
	a, b := bytesOf(t, whole), bytesOf(t, other)
	for name := range a {
		if a[name] == b[name] {
			t.Errorf("%s is the same for another seed", name)
		}
	}
	if first, second := a["000000.npz"], a["000001.npz"]; first == second {
		t.Error("episodes repeat")
	}
}

// TestRecordedAgentsAddTheirNoise: the same agent without noise records something
// else, and the data can be learned from.
func TestRecordedAgentsAddTheirNoise(t *testing.T) {
	p := parts(t, t.TempDir(), newToy(t))
	if _, err := train(t, context.Background(), p); err != nil {
		t.Fatal(err)
	}
	learner, err := NewLearner(p.Backend, p.Model, p.Optimiser, 2, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer learner.Close()
	values := p.Model.InitParams(rng.New(1, "init"))
	if err := learner.SetState(values, zeros(values), zeros(values)); err != nil {
		t.Fatal(err)
	}
	var dirs []string
	for _, noise := range []float64{0, 0.5} {
		a, err := agent.New(p.Backend, p.Model, agent.Config{Plan: p.Plan, BitDepth: 5, ActionNoise: noise}, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		a.SetParams(learner.Params())
		dir := t.TempDir()
		if _, err := record(t, dir, newToy(t), AgentPolicy(a), 1, 2); err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, dir)
	}
	if maps.Equal(bytesOf(t, dirs[0]), bytesOf(t, dirs[1])) {
		t.Error("noise makes no difference")
	}
	openData(t, dirs...)
}

// TestDiscreteRecordingsAreOneHot.
func TestDiscreteRecordingsAreOneHot(t *testing.T) {
	p := RandomPolicy(plan.Categorical, env.ActionSpec{Size: 3})
	seen := map[string]bool{}
	if err := p.Begin(rng.New(1, "x")); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		a, err := p.Act(context.Background(), env.Observation{})
		if err != nil {
			t.Fatal(err)
		}
		seen[fmt.Sprint(a)] = true
	}
	if len(seen) != 3 || !seen["[1 0 0]"] || !seen["[0 1 0]"] || !seen["[0 0 1]"] {
		t.Errorf("%v", seen)
	}
}

// quitting is a policy that quits at a decision, counted over all episodes.
type quitting struct {
	Policy
	left int
}

func (q *quitting) Act(ctx context.Context, obs env.Observation) ([]float32, error) {
	if q.left--; q.left < 0 {
		return nil, ErrQuit
	}
	return q.Policy.Act(ctx, obs)
}

// TestWhoQuitsKeepsWholeEpisodes.
func TestWhoQuitsKeepsWholeEpisodes(t *testing.T) {
	e, dir := newToy(t), t.TempDir()
	told, err := record(t, dir, e, &quitting{RandomPolicy(plan.CEM, e.Spec().Action), 120}, 1, 5)
	if !errors.Is(err, ErrQuit) || len(told) != 2 {
		t.Errorf("%d episodes, %v", len(told), err)
	}
	if names := slices.Sorted(maps.Keys(files(t, dir))); !slices.Equal(names, []string{"000000.npz", "000001.npz"}) {
		t.Errorf("%v", names)
	}
}

// TestRecordingsSurviveBreaks: an episode that breaks once is the same when it is
// played again; an environment that always breaks ends the recording.
func TestRecordingsSurviveBreaks(t *testing.T) {
	e := newToy(t)
	p := RandomPolicy(plan.CEM, e.Spec().Action)
	whole, again := t.TempDir(), t.TempDir()
	if _, err := record(t, whole, e, p, 1, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := record(t, again, &breaksOnce{Env: e, at: 70}, p, 1, 2); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(bytesOf(t, whole), bytesOf(t, again)) {
		t.Error("the repeated episode is another one")
	}
	if _, err := record(t, t.TempDir(), broken{e}, p, 1, 2); !errors.Is(err, env.ErrBroken) || !strings.Contains(err.Error(), "5 times in a row") {
		t.Errorf("%v", err)
	}
}

// TestRecordingsThatAreInterruptedSayThat, although it broke the environment.
func TestRecordingsThatAreInterruptedSayThat(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	e := dying{broken{newToy(t)}, cancel}
	p := RandomPolicy(plan.CEM, e.Spec().Action)
	if _, err := recordUntil(t, ctx, t.TempDir(), e, p, 1, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

type breaksOnce struct {
	env.Env
	at int
}

func (b *breaksOnce) Step(ctx context.Context, action []float32) (env.Transition, error) {
	if b.at--; b.at == 0 {
		return env.Transition{}, fmt.Errorf("%w: once", env.ErrBroken)
	}
	return b.Env.Step(ctx, action)
}

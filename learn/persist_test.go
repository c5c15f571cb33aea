package learn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/env"
)

// fragile breaks in the third decision of chosen resets, counted from 1.
type fragile struct {
	env.Env
	breaks  func(reset int, seed uint64) bool
	resets  int
	steps   int
	seed    uint64
	blasted int
}

func (f *fragile) Reset(ctx context.Context, seed uint64) (env.Observation, error) {
	f.resets++
	f.steps, f.seed = 0, seed
	return f.Env.Reset(ctx, seed)
}

func (f *fragile) Step(ctx context.Context, action []float32) (env.Transition, error) {
	f.steps++
	if f.steps == 3 && f.breaks(f.resets, f.seed) {
		f.blasted++
		return env.Transition{}, fmt.Errorf("simulator: %w", env.ErrBroken)
	}
	return f.Env.Step(ctx, action)
}

// TestBrokenEpisodesLeaveNoTrace: a run whose simulator dies now and then ends
// with the same weights and episodes as one where it never does.
func TestBrokenEpisodesLeaveNoTrace(t *testing.T) {
	whole, broken := t.TempDir(), t.TempDir()
	healthy := parts(t, whole, newToy(t))
	healthy.Schedule.EvalEpisodes = 1
	want, err := train(t, context.Background(), healthy)
	if err != nil {
		t.Fatal(err)
	}
	// A random episode, one of the planner's, and the first evaluation.
	bad := &fragile{Env: newToy(t), breaks: func(reset int, _ uint64) bool { return reset == 2 || reset == 5 }}
	judged := &fragile{Env: newToy(t), breaks: func(reset int, _ uint64) bool { return reset == 1 }}
	var log bytes.Buffer
	p := parts(t, broken, bad)
	p.NewEnv = func() (env.Env, error) { return judged, nil }
	p.Schedule.EvalEpisodes = 1 // they share one environment
	p.Log = slog.New(slog.NewTextHandler(&log, nil))
	got, err := train(t, context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	if bad.blasted != 2 || judged.blasted != 1 {
		t.Fatalf("%d episodes and %d evaluations broke, want 2 and 1", bad.blasted, judged.blasted)
	}
	if lines := strings.Count(log.String(), "level=WARN"); lines != 3 {
		t.Errorf("%d warnings, want 3:\n%s", lines, log.String())
	}
	if got != want {
		t.Errorf("counters %+v, want %+v", got, want)
	}
	sameRun(t, broken, whole)
}

// TestEpisodeThatAlwaysBreaksIsReplaced by one from another seed.
func TestEpisodeThatAlwaysBreaksIsReplaced(t *testing.T) {
	var cursed uint64
	bad := &fragile{Env: newToy(t)}
	bad.breaks = func(reset int, seed uint64) bool {
		if reset == 3 {
			cursed = seed
		}
		return cursed != 0 && seed == cursed
	}
	counters, err := train(t, context.Background(), parts(t, t.TempDir(), bad))
	if err != nil || counters.Episodes != 6 {
		t.Fatalf("%+v, %v; want six episodes", counters, err)
	}
	if bad.blasted != 2 || bad.resets != 8 {
		t.Errorf("%d breaks in %d resets, want 2 in 8", bad.blasted, bad.resets)
	}
}

// TestBrokenEnvironmentCostsOneEvaluationEpisode: of three that are evaluated at
// once, one breaks. The others are not played again, and nothing remains of it.
func TestBrokenEnvironmentCostsOneEvaluationEpisode(t *testing.T) {
	whole, broken := t.TempDir(), t.TempDir()
	p := parts(t, whole, newToy(t))
	p.Schedule.EvalEpisodes = 3
	if _, err := train(t, context.Background(), p); err != nil {
		t.Fatal(err)
	}
	var made []*fragile
	p = parts(t, broken, newToy(t))
	p.Schedule.EvalEpisodes = 3
	p.NewEnv = func() (env.Env, error) {
		n := len(made)
		made = append(made, &fragile{Env: newToy(t), breaks: func(reset int, _ uint64) bool { return n == 1 && reset == 1 }})
		return made[n], nil
	}
	if _, err := train(t, context.Background(), p); err != nil {
		t.Fatal(err)
	}
	if made[0].resets == 0 || made[1].resets != made[0].resets+1 || made[2].resets != made[0].resets || made[1].blasted != 1 {
		t.Errorf("%d, %d and %d resets", made[0].resets, made[1].resets, made[2].resets)
	}
	sameRun(t, broken, whole)
}

// TestGivesUpInTheEnd when nothing helps.
func TestGivesUpInTheEnd(t *testing.T) {
	bad := &fragile{Env: newToy(t), breaks: func(reset int, _ uint64) bool { return reset > 1 }}
	counters, err := train(t, context.Background(), parts(t, t.TempDir(), bad))
	if !errors.Is(err, env.ErrBroken) || !strings.Contains(err.Error(), "5 times in a row") {
		t.Errorf("error %v, want ErrBroken after 5 times", err)
	}
	if bad.resets != 1+maxBroken || counters.Episodes != 1 {
		t.Errorf("%d resets and %d episodes, want %d and 1", bad.resets, counters.Episodes, 1+maxBroken)
	}
}

// TestOtherErrorsAreNotRepeated: only a broken environment is.
func TestOtherErrorsAreNotRepeated(t *testing.T) {
	bad := &fragile{Env: newToy(t), breaks: func(int, uint64) bool { return false }}
	failing := &failingStep{Env: bad}
	if _, err := train(t, context.Background(), parts(t, t.TempDir(), failing)); !errors.Is(err, errSpilled) {
		t.Errorf("error %v, want the environment's own", err)
	}
	if bad.resets != 1 {
		t.Errorf("%d resets, want 1", bad.resets)
	}
}

var errSpilled = errors.New("spilled")

type failingStep struct{ env.Env }

func (failingStep) Step(context.Context, []float32) (env.Transition, error) {
	return env.Transition{}, errSpilled
}

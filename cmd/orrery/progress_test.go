package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/metrics"
)

// TestProgressCountsTheUpdatesOfThisProcess: those before a run went on are not
// its first ones.
func TestProgressCountsTheUpdatesOfThisProcess(t *testing.T) {
	run, err := config.Preset("tiny")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	p := newProgress(&out, run, false)
	p.opened(metrics.Counters{Updates: 100, Episodes: 5})
	for _, n := range []int64{125, 150} {
		if err := p.Write(metrics.Event{Kind: metrics.KindUpdate, Counters: metrics.Counters{Updates: n, Episodes: 5}, Values: map[string]float64{}}); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Count(out.String(), "updates done") != 1 || !strings.Contains(out.String(), "first 25 updates done") {
		t.Errorf("%s", &out)
	}
}

// TestProgressPrintsNothingThatWasNotMeasured: a model without images has no
// image loss, which is not 0.
func TestProgressPrintsNothingThatWasNotMeasured(t *testing.T) {
	got := losses(map[string]float64{"loss/vector:nats": 1.5, "loss/kl:nats": 3})
	if want := "  vector 1.500  kl 3.00"; got != want || losses(nil) != "" {
		t.Errorf("%q, want %q", got, want)
	}
	var out bytes.Buffer
	p := newOfflineProgress(newProgress(&out, config.Run{}, false))
	e := metrics.Event{Kind: metrics.KindValidation, Values: map[string]float64{"validation/vector:nats": 1.5, "validation/kl:nats": 3}}
	if err := p.Write(e); err != nil || !strings.HasSuffix(out.String(), "held out: vector 1.500 kl 3.00\n") {
		t.Errorf("%q, %v", &out, err)
	}
}

// endsAfter is an environment of one second whose episode ends early.
type endsAfter struct {
	env.Env
	left int
}

func (e *endsAfter) Spec() env.Spec { return env.Spec{MaxEnvSteps: 100, ActionRepeat: 2} }

func (e *endsAfter) Step(context.Context, []float32) (env.Transition, error) {
	e.left--
	return env.Transition{Terminated: e.left == 0}, nil
}

// TestPlayingCountsWhatIsLeft: episodes that end early have no decisions left, and
// without a terminal little is said.
func TestPlayingCountsWhatIsLeft(t *testing.T) {
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		p := newPlaying(newProgress(&out, config.Run{}, false), "filming", 2)
		a, b := p.watch(&endsAfter{left: 10}), p.watch(&endsAfter{left: 35})
		for range 35 {
			time.Sleep(time.Second)
			for _, e := range []env.Env{a, b} {
				if e.(*watched).taken == 10 && e == a {
					continue
				}
				if _, err := e.Step(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
	if want := "filming 2 episodes: decision 40 of 60  ETA 15s\n"; out.String() != want {
		t.Errorf("%q, want %q", &out, want)
	}
}

// TestProgressForetellsFromPlannedEpisodes: a run that goes on says nothing
// before two of its episodes, whose pace then counts.
func TestProgressForetellsFromPlannedEpisodes(t *testing.T) {
	run, err := config.Preset("tiny")
	if err != nil {
		t.Fatal(err)
	}
	run.Learn.Episodes = 130
	var out bytes.Buffer
	p := newProgress(&out, run, false)
	at, c := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), metrics.Counters{Episodes: 6, Updates: 100}
	p.opened(c)
	write := func(kind string) {
		if err := p.Write(metrics.Event{Kind: kind, Time: at, Counters: c, Values: map[string]float64{}, Text: map[string]string{"policy": "planner"}}); err != nil {
			t.Fatal(err)
		}
	}
	for write(metrics.KindRun); c.Episodes < 8; {
		if strings.Contains(out.String(), "ETA") {
			t.Errorf("too early to tell:\n%s", &out)
		}
		at, c.Episodes, c.Updates = at.Add(time.Minute), c.Episodes+1, c.Updates+25
		write(metrics.KindEpisode)
	}
	if !strings.HasSuffix(out.String(), "ETA 2h2m0s\n") {
		t.Errorf("122 episodes of a minute are left:\n%s", &out)
	}
}

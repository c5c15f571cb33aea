package learn

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/metrics/live"
	"github.com/orrery-rl/orrery/worldmodel"
)

// complete changes a model into one that has every term of the objective.
func complete(c *worldmodel.Config) {
	c.Observe, c.ContinueHead = worldmodel.ObserveBoth, true
	c.Objective.GlobalKLScale = 0.1
	c.Objective.Overshooting, c.Objective.OvershootingDistance = worldmodel.OvershootingClean, 2
	c.Objective.OvershootingScale, c.Objective.OvershootingRewardScale = 1, 1
}

// events trains a short run of a model, watched, and returns what it told.
func events(t *testing.T, change func(*worldmodel.Config)) []metrics.Event {
	t.Helper()
	dir, e := t.TempDir(), newToy(t)
	p := short(t, dir, &longer{Env: e}, variant(t, e, change))
	p.Plan.Iterations, p.Schedule.LogEvery, p.Schedule.Episodes = 3, 1, 4
	p.Live = live.Discard{}
	if _, err := train(t, context.Background(), p); err != nil {
		t.Fatal(err)
	}
	return allEvents(t, dir)
}

// longer makes an episode of two, so that dreams are as long as they can be.
type longer struct {
	env.Env
	seed  uint64
	again bool
}

func (e *longer) Spec() env.Spec {
	s := e.Env.Spec()
	s.MaxEnvSteps *= 2
	return s
}

func (e *longer) Reset(ctx context.Context, seed uint64) (env.Observation, error) {
	e.seed, e.again = seed, false
	return e.Env.Reset(ctx, seed)
}

func (e *longer) Step(ctx context.Context, action []float32) (env.Transition, error) {
	tr, err := e.Env.Step(ctx, action)
	if err == nil && tr.Truncated && !e.again {
		e.again, tr.Truncated = true, false
		_, err = e.Env.Reset(ctx, e.seed+1)
	}
	return tr, err
}

// offlineEvents trains a model offline and returns what that told.
func offlineEvents(t *testing.T, change func(*worldmodel.Config)) []metrics.Event {
	t.Helper()
	p := offline(t, t.TempDir(), openData(t, recorded(t, 7)))
	p.Model = variant(t, newToy(t), change)
	if err := trainOffline(t, context.Background(), p); err != nil {
		t.Fatal(err)
	}
	return allEvents(t, p.Dir)
}

func allEvents(t *testing.T, dir string) (all []metrics.Event) {
	t.Helper()
	for e, err := range metrics.ReadFile(vfs.OS(), filepath.Join(dir, MetricsName)) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// TestCatalogueIsWhatRunsTell: everything that runs emit is described, and they
// emit everything that is described.
func TestCatalogueIsWhatRunsTell(t *testing.T) {
	told := map[string]bool{}
	for _, change := range []func(*worldmodel.Config){complete, func(c *worldmodel.Config) { c.Diagnostic = true }} {
		for _, e := range slices.Concat(events(t, change), offlineEvents(t, change)) {
			for name, v := range e.Values {
				told[name] = true
				m, ok := metrics.Lookup(name)
				if !ok {
					t.Errorf("%s event: %s is not in the catalogue", e.Kind, name)
				}
				if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 && m.Unit() != "nats" && m.Unit() != "reward" {
					t.Errorf("%s event: %s is %v", e.Kind, name, v)
				}
			}
		}
	}
	for _, m := range metrics.Catalogue() {
		if !told[m.Name] {
			t.Errorf("%s is in the catalogue and no run emits it", m.Name)
		}
	}
}

// TestSearchesAreTold: episodes of the planner have statistics that fit each
// other, random ones have none.
func TestSearchesAreTold(t *testing.T) {
	for _, e := range events(t, func(*worldmodel.Config) {}) {
		if e.Kind != metrics.KindEpisode {
			continue
		}
		best, ok := e.Values["plan/best:reward"]
		if ok != (e.Text["policy"] == "planner") {
			t.Fatalf("%s: statistics of a search: %v", e.Text["policy"], ok)
		}
		elite, mean, gain, std := e.Values["plan/elite:reward"], e.Values["plan/mean:reward"], e.Values["plan/gain:reward"], e.Values["plan/std:1"]
		if ok && !(best > elite && elite > mean && gain != 0 && std > 0 && std < 1) {
			t.Errorf("best %v, elite %v, mean %v, gain %v, std %v", best, elite, mean, gain, std)
		}
	}
}

// TestMeansAndShares: two updates are averaged, and one of them was clipped.
func TestMeansAndShares(t *testing.T) {
	var a average
	a.add(Stats{Losses: []float64{1, 10}, GradNorm: 3}, 5)
	a.add(Stats{Losses: []float64{3, 30}, GradNorm: 7}, 5)
	got := a.take([]string{"total", "image"})
	want := map[string]float64{"loss/total:nats": 2, "loss/image:nats": 20, "grad/norm:1": 5, "grad/clipped:ratio": 0.5}
	for name, v := range want {
		if got[name] != v || len(got) != len(want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	if a.add(Stats{Losses: []float64{1}, GradNorm: 7}, 0); a.take([]string{"total"})["grad/clipped:ratio"] != 0 {
		t.Error("without a clip an update was clipped")
	}
}

// TestParamNorm compares with the norm of what was set.
func TestParamNorm(t *testing.T) {
	e := newToy(t)
	p := parts(t, t.TempDir(), e)
	l, err := NewLearner(p.Backend, p.Model, p.Optimiser, 2, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	values, sum := p.Model.InitParams(rng.New(1, "init")), 0.0
	for _, tensor := range values {
		for _, v := range tensor {
			sum += float64(v) * float64(v)
		}
	}
	if err := l.SetState(values, zeros(values), zeros(values)); err != nil {
		t.Fatal(err)
	}
	if got, err := l.paramNorm(); err != nil || math.Abs(got-math.Sqrt(sum)) > 1e-9*got {
		t.Errorf("%v, want %v (%v)", got, math.Sqrt(sum), err)
	}
}

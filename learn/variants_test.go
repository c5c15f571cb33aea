package learn

import (
	"context"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/toy"
	"github.com/orrery-rl/orrery/internal/optim"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/worldmodel"
)

// variant makes a tiny model of an environment.
func variant(t testing.TB, e env.Env, change func(*worldmodel.Config)) *worldmodel.Model {
	t.Helper()
	cfg, err := worldmodel.PresetConfig("tiny")
	if err != nil {
		t.Fatal(err)
	}
	change(&cfg)
	s := e.Spec()
	m, err := worldmodel.New(cfg, worldmodel.Dims{Height: s.Image.Height, Width: s.Image.Width, Channels: s.Image.Channels,
		ActionSize: s.Action.Size, VectorSize: s.VectorSize})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// eachVariant runs a test for every transition and everything it may observe.
func eachVariant(t *testing.T, test func(t *testing.T, change func(*worldmodel.Config))) {
	for _, kind := range []worldmodel.Transition{worldmodel.RSSM, worldmodel.SSM, worldmodel.Deterministic, worldmodel.DRNN} {
		for _, seen := range []worldmodel.Modality{worldmodel.ObserveImage, worldmodel.ObserveVector, worldmodel.ObserveBoth} {
			t.Run(string(kind)+"/"+string(seen), func(t *testing.T) {
				test(t, func(c *worldmodel.Config) { c.Transition, c.Observe = kind, seen })
			})
		}
	}
}

// short is a run of three episodes.
func short(t testing.TB, dir string, e env.Env, m *worldmodel.Model) Parts {
	t.Helper()
	p := parts(t, dir, newToy(t))
	p.Env, p.Model = e, m
	p.Schedule.Episodes, p.Schedule.SeedEpisodes, p.Schedule.UpdatesPerCollect = 3, 2, 2
	p.Schedule.EvalEpisodes, p.Schedule.BatchSize, p.Schedule.ChunkLength = 1, 2, 4
	p.Plan.Horizon, p.Plan.Candidates, p.Plan.Iterations = 2, 16, 1
	return p
}

// TestEveryVariantTrains: each model collects, learns, evaluates, is saved,
// and goes on from what was saved.
func TestEveryVariantTrains(t *testing.T) {
	eachVariant(t, func(t *testing.T, change func(*worldmodel.Config)) {
		dir, e := t.TempDir(), newToy(t)
		p := short(t, dir, e, variant(t, e, change))
		if _, err := train(t, context.Background(), p); err != nil {
			t.Fatal(err)
		}
		p.Schedule.Episodes = 4
		counters, err := train(t, context.Background(), p)
		if err != nil || counters.Episodes != 4 || counters.Updates != 4 {
			t.Fatalf("%+v, %v", counters, err)
		}
	})
}

// TestLossFallsForEveryVariant overfits one batch of random play.
func TestLossFallsForEveryVariant(t *testing.T) {
	eachVariant(t, func(t *testing.T, change func(*worldmodel.Config)) {
		e := newToy(t)
		m := variant(t, e, change)
		l := newLearner(t, newBackend(t), m, optim.DefaultConfig(), 2, 8)
		out, err := single(context.Background(), e, 1, 16, drawn(uniform(e.Spec().Action, rng.New(1, "a"))))
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range out.episode.Images[:len(l.Batch().Images)] {
			l.Batch().Images[i] = float32(v)/256 - 0.5
		}
		copy(l.Batch().Vectors, out.episode.Vectors)
		copy(l.Batch().Actions, out.episode.Actions)
		copy(l.Batch().Rewards, out.episode.Rewards)
		rng.New(1, "noise").FillNormal(l.Noise())
		first, last := lossAfter(t, l, 1, 1), lossAfter(t, l, 2, 100)
		if !(last < first/2) {
			t.Errorf("the loss went from %v to %v", first, last)
		}
	})
}

// lossAfter makes updates number first to last and returns the last one's total.
func lossAfter(t *testing.T, l *Learner, first, last int64) float64 {
	t.Helper()
	var stats Stats
	for number := first; number <= last; number++ {
		var err error
		if stats, err = l.Update(context.Background(), number); err != nil {
			t.Fatal(err)
		}
	}
	return stats.Losses[0]
}

// blind is an environment without its image.
type blind struct{ env.Env }

func (b blind) Spec() env.Spec {
	s := b.Env.Spec()
	s.Image = env.ImageSpec{}
	return s
}

func (b blind) Reset(ctx context.Context, seed uint64) (env.Observation, error) {
	o, err := b.Env.Reset(ctx, seed)
	return env.Observation{Vector: o.Vector}, err
}

func (b blind) Step(ctx context.Context, action []float32) (env.Transition, error) {
	t, err := b.Env.Step(ctx, action)
	t.Image = nil
	return t, err
}

// TestTrainingWithoutAnyImage: an environment that draws nothing is enough for
// a model of vectors.
func TestTrainingWithoutAnyImage(t *testing.T) {
	e := blind{newToy(t)}
	p := short(t, t.TempDir(), e, variant(t, e, func(c *worldmodel.Config) { c.Observe = worldmodel.ObserveVector }))
	p.NewEnv = func() (env.Env, error) { return blind{newToy(t)}, nil }
	if counters, err := train(t, context.Background(), p); err != nil || counters.Episodes != 3 {
		t.Fatalf("%+v, %v", counters, err)
	}
}

// choice is a task that ends after its only decision.
func choice(t testing.TB) env.Env {
	t.Helper()
	r := env.NewRegistry()
	if err := toy.Register(r); err != nil {
		t.Fatal(err)
	}
	e, err := r.New("toy-choice", env.Options{Height: imageSize, Width: imageSize})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestContinueHeadLearnsTheEnd: after a few episodes of one decision the head
// tells first records from last ones, and all heads' losses are in the
// catalogue.
func TestContinueHeadLearnsTheEnd(t *testing.T) {
	dir, e := t.TempDir(), choice(t)
	p := short(t, dir, e, variant(t, e, func(c *worldmodel.Config) { c.ContinueHead, c.Diagnostic = true, true }))
	p.NewEnv = func() (env.Env, error) { return choice(t), nil }
	p.Optimiser.LearningRate = 5e-3
	p.Schedule.ChunkLength, p.Schedule.BatchSize, p.Schedule.UpdatesPerCollect, p.Schedule.LogEvery = 2, 8, 60, 10
	if _, err := train(t, context.Background(), p); err != nil {
		t.Fatal(err)
	}
	seen, last := map[string]bool{}, math.Inf(1)
	for event, err := range metrics.ReadFile(vfs.OS(), filepath.Join(dir, MetricsName)) {
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range event.Values {
			if _, known := metrics.Lookup(name); !known && strings.HasPrefix(name, "loss/") {
				t.Errorf("%s is not in the catalogue", name)
			}
			if seen[name] = true; name == "loss/continue:nats" {
				last = v
			}
		}
	}
	if !seen["loss/diagnostic:nats"] || !(last < 0.3) { // ln 2 is knowing nothing
		t.Errorf("continue loss %v, logged %v", last, seen)
	}
}

// TestDreamNeedsImages: a model of both dreams, one of vectors says why not.
func TestDreamNeedsImages(t *testing.T) {
	e, b := newToy(t), newBackend(t)
	for seen, fails := range map[worldmodel.Modality]bool{worldmodel.ObserveBoth: false, worldmodel.ObserveVector: true} {
		m := variant(t, e, func(c *worldmodel.Config) { c.Observe = seen })
		l, err := NewLearner(b, m, optim.DefaultConfig(), 1, 2)
		if err != nil {
			t.Fatal(err)
		}
		params := m.InitParams(rng.New(1, "init"))
		if err := l.SetState(params, zeros(params), zeros(params)); err != nil {
			t.Fatal(err)
		}
		trajectory, err := PlayRandom(context.Background(), e, 1, 5)
		if err != nil {
			t.Fatal(err)
		}
		d, err := Dream(context.Background(), b, m, l.Params(), trajectory, 2, 5, rng.New(1, "dream"))
		if (err != nil) != fails || err == nil && len(d.Imagined) != 5 {
			t.Errorf("%s: %v", seen, err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

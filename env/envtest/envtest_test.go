package envtest

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/rng"
)

// walk is a small correct environment: a position that actions move, noise from
// the seed, 20 env steps.
type walk struct {
	position float32
	noise    *rng.Stream
}

func (w *walk) Spec() env.Spec {
	return env.Spec{
		Name: "walk", ActionRepeat: 1, VectorSize: 1, VectorNames: []string{"x"},
		Image:  env.ImageSpec{Height: 2, Width: 2, Channels: 1},
		Action: env.ActionSpec{Size: 1, Low: []float32{-1}, High: []float32{1}},
	}
}

func (w *walk) observe() env.Observation {
	return env.Observation{Image: []byte{byte(w.position), 0, 0, 0}, Vector: []float32{w.position}}
}

func (w *walk) Reset(_ context.Context, seed uint64) (env.Observation, error) {
	w.noise = rng.New(seed, "walk")
	w.position = w.noise.Float32()
	return w.observe(), nil
}

func (w *walk) Step(_ context.Context, action []float32) (env.Transition, error) {
	w.position += action[0] + w.noise.Float32()
	return env.Transition{Observation: w.observe(), Reward: float64(action[0]), EnvSteps: 1}, nil
}

func (w *walk) Close() error { return nil }

func guarded(t *testing.T) env.Env {
	t.Helper()
	e, err := env.Standard(&walk{}, env.Options{}, 20)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestCorrectEnvironmentPasses(t *testing.T) {
	if err := Check(context.Background(), guarded(t)); err != nil {
		t.Error(err)
	}
}

// broken changes one behaviour of a correct environment.
type broken struct {
	env.Env
	spec  func(env.Spec) env.Spec
	reset func(ctx context.Context, seed uint64) (env.Observation, error)
	step  func(ctx context.Context, action []float32) (env.Transition, error)
	close func() error
}

func (b *broken) Spec() env.Spec {
	if b.spec != nil {
		return b.spec(b.Env.Spec())
	}
	return b.Env.Spec()
}

func (b *broken) Reset(ctx context.Context, seed uint64) (env.Observation, error) {
	if b.reset != nil {
		return b.reset(ctx, seed)
	}
	return b.Env.Reset(ctx, seed)
}

func (b *broken) Step(ctx context.Context, action []float32) (env.Transition, error) {
	if b.step != nil {
		return b.step(ctx, action)
	}
	return b.Env.Step(ctx, action)
}

func (b *broken) Close() error {
	if b.close != nil {
		return b.close()
	}
	return b.Env.Close()
}

// changing alters every transition of inner.
func changing(inner env.Env, change func(*env.Transition)) *broken {
	b := &broken{Env: inner}
	b.step = func(ctx context.Context, action []float32) (env.Transition, error) {
		t, err := inner.Step(ctx, action)
		if err == nil {
			change(&t)
		}
		return t, err
	}
	return b
}

// breakages lists, for each broken environment, a rule that must be reported.
var breakages = []struct {
	name, rule string
	make       func(inner env.Env) env.Env
}{
	{"spec without a name", "the spec is consistent", func(inner env.Env) env.Env {
		return &broken{Env: inner, spec: func(s env.Spec) env.Spec { s.Name = ""; return s }}
	}},
	{"spec that changes", "the spec does not change", func(inner env.Env) env.Env {
		calls := 0
		return &broken{Env: inner, spec: func(s env.Spec) env.Spec { calls++; s.MaxEnvSteps += calls; return s }}
	}},
	{"image of another size", "observations and rewards match the spec", func(inner env.Env) env.Env {
		return changing(inner, func(t *env.Transition) { t.Image = append(t.Image, 0) })
	}},
	{"vector with NaN", "observations and rewards match the spec", func(inner env.Env) env.Env {
		return changing(inner, func(t *env.Transition) { t.Vector[0] = float32(math.NaN()) })
	}},
	{"infinite reward", "observations and rewards match the spec", func(inner env.Env) env.Env {
		return changing(inner, func(t *env.Transition) { t.Reward = math.Inf(-1) })
	}},
	{"no env steps", "observations and rewards match the spec", func(inner env.Env) env.Env {
		return changing(inner, func(t *env.Transition) { t.EnvSteps = 0 })
	}},
	{"no checks at all: first step", "a step before the first reset is an error", bare},
	{"no checks at all: actions", "actions that the spec does not allow are refused", bare},
	{"no checks at all: context", "a cancelled context is respected", bare},
	{"no checks at all: close", "close can be repeated and ends everything", bare},
	{"bounds refused", "all allowed actions are accepted", func(inner env.Env) env.Env {
		b := &broken{Env: inner}
		b.step = func(ctx context.Context, a []float32) (env.Transition, error) {
			if a[0] == 1 {
				return env.Transition{}, errors.New("too much")
			}
			return inner.Step(ctx, a)
		}
		return b
	}},
	{"seed ignored", "different seeds give different episodes", func(inner env.Env) env.Env {
		return &broken{Env: inner, reset: func(ctx context.Context, _ uint64) (env.Observation, error) {
			return inner.Reset(ctx, 1)
		}}
	}},
	{"seed not enough", "equal seeds give equal episodes", func(inner env.Env) env.Env {
		episodes := uint64(0)
		return &broken{Env: inner, reset: func(ctx context.Context, seed uint64) (env.Observation, error) {
			episodes++
			return inner.Reset(ctx, seed+episodes)
		}}
	}},
	{"one buffer for all images", "observations belong to the caller", func(inner env.Env) env.Env {
		buffer := make([]byte, inner.Spec().Image.Size())
		return changing(inner, func(t *env.Transition) { copy(buffer, t.Image); t.Image = buffer })
	}},
	{"image kept and reused", "observations belong to the caller", func(inner env.Env) env.Env {
		var first env.Observation
		b := &broken{Env: inner}
		b.reset = func(ctx context.Context, seed uint64) (env.Observation, error) {
			o, err := inner.Reset(ctx, seed)
			if seed == 7 && first.Image == nil {
				first = o
			}
			if seed == 7 {
				return first, err
			}
			return o, err
		}
		return b
	}},
	{"action overwritten", "actions belong to the caller", func(inner env.Env) env.Env {
		b := &broken{Env: inner}
		b.step = func(ctx context.Context, a []float32) (env.Transition, error) {
			t, err := inner.Step(ctx, a)
			if len(a) > 0 {
				a[0] = 0
			}
			return t, err
		}
		return b
	}},
	{"action kept", "actions belong to the caller", func(inner env.Env) env.Env {
		var last []float32
		b := &broken{Env: inner}
		b.step = func(ctx context.Context, a []float32) (env.Transition, error) {
			t, err := inner.Step(ctx, a)
			if len(last) > 0 {
				t.Reward += float64(last[0])
			}
			last = a
			return t, err
		}
		return b
	}},
	{"runs past its limit", "episodes end as the spec says, and a reset starts a new one", func(inner env.Env) env.Env {
		return changing(inner, func(t *env.Transition) { t.Truncated = false })
	}},
	{"truncated too early", "episodes end as the spec says, and a reset starts a new one", func(inner env.Env) env.Env {
		return &broken{Env: inner, spec: func(s env.Spec) env.Spec { s.MaxEnvSteps = 500; return s }}
	}},
	{"step after the end allowed", "episodes end as the spec says, and a reset starts a new one", func(inner env.Env) env.Env {
		b := &broken{Env: inner}
		b.step = func(ctx context.Context, a []float32) (env.Transition, error) {
			t, err := inner.Step(ctx, a)
			if errors.Is(err, env.ErrEnded) {
				return env.Transition{EnvSteps: 1}, nil
			}
			return t, err
		}
		return b
	}},
	{"second close fails", "close can be repeated and ends everything", func(inner env.Env) env.Env {
		closed := false
		return &broken{Env: inner, close: func() error {
			if closed {
				return errors.New("already closed")
			}
			closed = true
			return inner.Close()
		}}
	}},
	{"panics on long actions", "actions that the spec does not allow are refused", func(inner env.Env) env.Env {
		b := &broken{Env: inner}
		b.step = func(ctx context.Context, a []float32) (env.Transition, error) {
			if len(a) > 1 {
				panic("index out of range")
			}
			return inner.Step(ctx, a)
		}
		return b
	}},
}

// bare is the environment without any guard.
func bare(env.Env) env.Env { return &walk{noise: rng.New(0, "walk")} }

func TestEachBreakageIsReportedUnderItsRule(t *testing.T) {
	for _, b := range breakages {
		t.Run(b.name, func(t *testing.T) {
			rules := violated(Check(context.Background(), b.make(guarded(t))))
			if !slices.Contains(rules, b.rule) {
				t.Errorf("reported %q, want %q among them", rules, b.rule)
			}
		})
	}
}

// violated lists the rules of all violations in err.
func violated(err error) []string {
	var rules []string
	var v *Violation
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			if errors.As(e, &v) {
				rules = append(rules, v.Rule)
			}
		}
	}
	return rules
}

func TestCheckStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	closed := false
	e := &broken{Env: guarded(t), close: func() error { closed = true; return nil }}
	if err := Check(ctx, e); !errors.Is(err, context.Canceled) || !closed {
		t.Errorf("error %v, closed %v; want a cancelled context and a closed environment", err, closed)
	}
}

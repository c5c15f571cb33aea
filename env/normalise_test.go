package env_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/orrery-rl/orrery/env"
)

// wide declares the bounds [0, 10] and [-3, -1] and remembers its actions.
type wide struct{ got []float32 }

func (w *wide) Spec() env.Spec {
	return env.Spec{Name: "wide", VectorSize: 1, VectorNames: []string{"x"}, ActionRepeat: 1,
		Action: env.ActionSpec{Size: 2, Low: []float32{0, -3}, High: []float32{10, -1}}}
}

func (w *wide) Reset(context.Context, uint64) (env.Observation, error) {
	return env.Observation{Vector: []float32{0}}, nil
}

func (w *wide) Step(_ context.Context, action []float32) (env.Transition, error) {
	w.got = slices.Clone(action)
	return env.Transition{Observation: env.Observation{Vector: []float32{0}}, EnvSteps: 1}, nil
}

func (w *wide) Close() error { return nil }

func TestNormaliseActionsMapsBounds(t *testing.T) {
	inner := &wide{}
	e := env.NormaliseActions(inner)
	if s := e.Spec().Action; !slices.Equal(s.Low, []float32{-1, -1}) || !slices.Equal(s.High, []float32{1, 1}) {
		t.Fatalf("bounds %v %v", s.Low, s.High)
	}
	for _, test := range [][2][]float32{{{-1, -1}, {0, -3}}, {{1, 1}, {10, -1}}, {{0, 0.5}, {5, -1.5}}} {
		if _, err := e.Step(context.Background(), test[0]); err != nil || !slices.Equal(inner.got, test[1]) {
			t.Errorf("%v became %v, want %v (%v)", test[0], inner.got, test[1], err)
		}
	}
	if _, err := e.Step(context.Background(), []float32{0, 1.5}); !errors.Is(err, env.ErrAction) {
		t.Errorf("an action outside [-1, 1]: %v", err)
	}
	if again := env.NormaliseActions(e); again != e {
		t.Error("normalised twice")
	}
}

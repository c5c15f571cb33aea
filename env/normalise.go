package env

import (
	"context"
	"fmt"
	"slices"
)

// NormaliseActions presents e with actions in [-1, 1] in every component, which
// is what agents choose, and maps them linearly to the bounds e declares. An
// environment whose bounds are [-1, 1] already is returned as it is.
func NormaliseActions(e Env) Env {
	a := e.Spec().Action
	for i := range a.Low {
		if a.Low[i] != -1 || a.High[i] != 1 {
			return &normalised{e}
		}
	}
	return e
}

type normalised struct{ Env }

// Spec is the inner environment's, with the bounds of the outside.
func (n *normalised) Spec() Spec {
	s := n.Env.Spec()
	s.Action.Low = slices.Repeat([]float32{-1}, s.Action.Size)
	s.Action.High = slices.Repeat([]float32{1}, s.Action.Size)
	return s
}

// Step maps the action and hands it on.
func (n *normalised) Step(ctx context.Context, action []float32) (Transition, error) {
	if err := n.Spec().Action.Check(action); err != nil {
		return Transition{}, fmt.Errorf("env: %s: %w", n.Env.Spec().Name, err)
	}
	inner := n.Env.Spec().Action
	mapped := make([]float32, len(action))
	for i, v := range action {
		// Clipped, because rounding may step over a bound.
		mapped[i] = min(max(inner.Low[i]+(v+1)/2*(inner.High[i]-inner.Low[i]), inner.Low[i]), inner.High[i])
	}
	return n.Env.Step(ctx, mapped)
}

package env

import (
	"context"
	"fmt"
)

// ActionRepeat wraps inner so that one Step applies its action n times: the
// rewards are summed, the observation is that after the last env step, and
// repetition stops early when the episode ends. If inner is a [Repeater] only
// that last observation is built, so that an image is drawn once per decision.
//
// Wrapping twice multiplies. It fails with [ErrOptions] if n < 1.
func ActionRepeat(inner Env, n int) (Env, error) {
	if n < 1 {
		return nil, fmt.Errorf("env: %w: action repeat is %d, want at least 1", ErrOptions, n)
	}
	return &actionRepeat{Env: inner, n: n}, nil
}

type actionRepeat struct {
	Env
	n int
}

func (r *actionRepeat) Spec() Spec {
	spec := r.Env.Spec()
	spec.ActionRepeat *= r.n
	return spec
}

func (r *actionRepeat) Step(ctx context.Context, action []float32) (Transition, error) {
	return stepRepeated(ctx, r.Env, action, r.n)
}

// stepRepeated takes n steps of e with one action, without the observations in
// between where e can leave them out.
func stepRepeated(ctx context.Context, e Env, action []float32, n int) (Transition, error) {
	if repeater, ok := e.(Repeater); ok {
		return repeater.StepRepeated(ctx, action, n)
	}
	var sum Transition
	for range n {
		t, err := e.Step(ctx, action)
		if err != nil {
			return Transition{}, err
		}
		t.Reward += sum.Reward
		t.EnvSteps += sum.EnvSteps
		sum = t
		if t.Ended() {
			break
		}
	}
	return sum, nil
}

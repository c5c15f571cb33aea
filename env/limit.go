package env

import (
	"context"
	"fmt"
)

// TimeLimit wraps inner so that an episode is truncated after maxEnvSteps env
// steps. Truncated is not Terminated: the task could go on, and a model must
// not learn that reward stops there. A transition that terminates on the very
// last env step stays Terminated.
//
// Wrap inner before ActionRepeat, so that the limit counts simulator steps even
// when the repeat does not divide it. It fails with [ErrOptions] if
// maxEnvSteps < 1.
func TimeLimit(inner Env, maxEnvSteps int) (Env, error) {
	if maxEnvSteps < 1 {
		return nil, fmt.Errorf("env: %w: time limit is %d env steps, want at least 1", ErrOptions, maxEnvSteps)
	}
	return &timeLimit{Env: inner, max: maxEnvSteps, repeat: inner.Spec().ActionRepeat}, nil
}

type timeLimit struct {
	Env
	max    int
	repeat int // env steps of one Step of the wrapped environment
	taken  int // env steps of this episode
	ended  bool
}

func (l *timeLimit) Spec() Spec {
	spec := l.Env.Spec()
	spec.MaxEnvSteps = l.max
	return spec
}

func (l *timeLimit) Reset(ctx context.Context, seed uint64) (Observation, error) {
	obs, err := l.Env.Reset(ctx, seed)
	if err == nil {
		l.taken, l.ended = 0, false
	}
	return obs, err
}

func (l *timeLimit) Step(ctx context.Context, action []float32) (Transition, error) {
	return l.StepRepeated(ctx, action, 1)
}

// StepRepeated implements [Repeater], so that a time limit between a simulator
// and ActionRepeat does not cost the simulator its shortcut.
func (l *timeLimit) StepRepeated(ctx context.Context, action []float32, n int) (Transition, error) {
	if l.ended {
		return Transition{}, ErrEnded
	}
	left := (l.max - l.taken + l.repeat - 1) / l.repeat
	t, err := stepRepeated(ctx, l.Env, action, min(n, left))
	if err != nil {
		return Transition{}, err
	}
	l.taken += t.EnvSteps
	if l.taken >= l.max && !t.Terminated {
		t.Truncated = true
	}
	l.ended = t.Ended()
	return t, nil
}

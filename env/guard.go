package env

import (
	"context"
	"fmt"
	"math"
)

// Guard wraps inner so that it keeps the contract of [Env] on everything that
// can be checked from outside: the order of calls, actions, cancelled contexts,
// the shape of what inner returns and finite rewards. Inner then needs no such
// checks of its own. A refused call changes nothing. A call that fails within
// inner ends the episode, because nobody knows how far inner got; the next call
// must then be Reset.
//
// Guard fails if the Spec of inner is not valid.
func Guard(inner Env) (Env, error) {
	spec := inner.Spec()
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	return &guard{inner: inner, spec: spec, refuse: ErrNotReset}, nil
}

type guard struct {
	inner  Env
	spec   Spec
	refuse error // why Step is refused now; nil while an episode runs
	closed bool
}

func (g *guard) Spec() Spec { return g.spec }

func (g *guard) Reset(ctx context.Context, seed uint64) (Observation, error) {
	if g.closed {
		return Observation{}, g.wrap("reset", ErrClosed)
	}
	if err := ctx.Err(); err != nil {
		return Observation{}, g.wrap("reset", err)
	}
	g.refuse = ErrNotReset
	obs, err := g.inner.Reset(ctx, seed)
	if err == nil {
		err = g.spec.CheckObservation(obs)
	}
	if err != nil {
		return Observation{}, g.wrap("reset", err)
	}
	g.refuse = nil
	return obs, nil
}

func (g *guard) Step(ctx context.Context, action []float32) (Transition, error) {
	if err := g.admit(ctx, action); err != nil {
		return Transition{}, g.wrap("step", err)
	}
	t, err := g.inner.Step(ctx, action)
	if err == nil {
		err = g.checkTransition(t)
	}
	if err != nil {
		g.refuse = ErrNotReset
		return Transition{}, g.wrap("step", err)
	}
	if t.Ended() {
		g.refuse = ErrEnded
	}
	return t, nil
}

// admit decides whether a Step may reach inner; a refusal leaves the episode
// as it was.
func (g *guard) admit(ctx context.Context, action []float32) error {
	if g.closed {
		return ErrClosed
	}
	if g.refuse != nil {
		return g.refuse
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return g.spec.Action.Check(action)
}

func (g *guard) checkTransition(t Transition) error {
	if math.IsNaN(t.Reward) || math.IsInf(t.Reward, 0) {
		return fmt.Errorf("%w: the reward is %g", ErrSpec, t.Reward)
	}
	if t.EnvSteps < 1 {
		return fmt.Errorf("%w: the transition reports %d env steps, want at least 1", ErrSpec, t.EnvSteps)
	}
	return g.spec.CheckObservation(t.Observation)
}

func (g *guard) Close() error {
	if g.closed {
		return nil
	}
	g.closed = true
	return g.inner.Close()
}

func (g *guard) wrap(call string, err error) error {
	return fmt.Errorf("env: %s: %s: %w", g.spec.Name, call, err)
}

// Package envtest checks whether an environment keeps the contract of env.Env.
//
// [Check] needs no testing.T, so the same code serves a test and a command. A
// test of your own environment is
//
//	if err := envtest.Check(ctx, myEnv); err != nil {
//		t.Error(err)
//	}
//
// The checks use a few dozen decisions of several episodes. They cannot prove
// that an environment is right; they find what usually goes wrong.
package envtest

import (
	"context"
	"errors"
	"fmt"

	"github.com/orrery-rl/orrery/env"
)

// shortEpisode is the number of decisions of the episodes that are compared.
const shortEpisode = 12

// maxEpisode bounds the search for the end of an episode without a limit.
const maxEpisode = 2000

// Violation is one broken rule of the contract.
type Violation struct {
	Rule string // what the contract demands, in a few words
	Err  error  // what was seen instead
}

// Error implements error.
func (v *Violation) Error() string { return v.Rule + ": " + v.Err.Error() }

// Unwrap returns what was seen.
func (v *Violation) Unwrap() error { return v.Err }

// Check runs e, which must not have been reset yet, through the contract of
// env.Env, closes it, and returns all
// violations joined (each a [*Violation]), or nil. If ctx ends first, the
// result is an error that wraps ctx.Err().
//
// A task that is deterministic by nature, without any randomness to seed, is
// reported under the rule "different seeds give different episodes" unless its
// observations or rewards differ between seeds.
func Check(ctx context.Context, e env.Env) error {
	spec := e.Spec()
	if err := spec.Validate(); err != nil {
		return errors.Join(&Violation{Rule: "the spec is consistent", Err: err}, closeOnce(e))
	}
	c := &checker{ctx: ctx, env: e, spec: spec}
	for _, rule := range []struct {
		name  string
		check func() error
	}{
		{"a step before the first reset is an error", c.stepNeedsReset},
		{"the spec does not change", c.specIsConstant},
		{"observations and rewards match the spec", c.outputsMatchSpec},
		{"actions that the spec does not allow are refused", c.badActionsRefused},
		{"all allowed actions are accepted", c.boundsAccepted},
		{"equal seeds give equal episodes", c.equalSeedsAgree},
		{"different seeds give different episodes", c.seedsMatter},
		{"observations belong to the caller", c.observationsAreOwned},
		{"actions belong to the caller", c.actionsAreNotKept},
		{"a cancelled context is respected", c.cancellation},
		{"episodes end as the spec says, and a reset starts a new one", c.endOfEpisode},
		{"close can be repeated and ends everything", c.closing},
	} {
		if err := ctx.Err(); err != nil {
			return errors.Join(fmt.Errorf("envtest: stopped: %w", err), closeOnce(e))
		}
		if err := protect(rule.check); err != nil {
			c.found = append(c.found, &Violation{Rule: rule.name, Err: err})
		}
	}
	return errors.Join(c.found...)
}

func closeOnce(e env.Env) error {
	if err := e.Close(); err != nil {
		return &Violation{Rule: "close succeeds", Err: err}
	}
	return nil
}

// protect turns a panic of the environment into a finding, so that the other
// rules are still checked.
func protect(check func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the environment panicked: %v", p)
		}
	}()
	return check()
}

// checker carries what the rules share.
type checker struct {
	ctx   context.Context
	env   env.Env
	spec  env.Spec
	found []error
}

// mix64 is a fixed hash that serves as the source of test actions.
func mix64(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// action is the i-th of a fixed sequence of actions spread over the bounds.
func (c *checker) action(i int) []float32 {
	a := make([]float32, c.spec.Action.Size)
	for k := range a {
		share := float32(mix64(uint64(i*len(a)+k))>>40) * 0x1p-24
		low, high := c.spec.Action.Low[k], c.spec.Action.High[k]
		a[k] = min(max(low+(high-low)*share, low), high)
	}
	return a
}

// record plays one short episode and returns all that was observed.
func (c *checker) record(seed uint64) ([]env.Transition, error) {
	first, err := c.env.Reset(c.ctx, seed)
	if err != nil {
		return nil, fmt.Errorf("reset with seed %d: %w", seed, err)
	}
	seen := []env.Transition{{Observation: first}}
	for i := range shortEpisode {
		t, err := c.env.Step(c.ctx, c.action(i))
		if err != nil {
			return nil, fmt.Errorf("step %d with seed %d: %w", i, seed, err)
		}
		seen = append(seen, t)
		if t.Ended() {
			break
		}
	}
	return seen, nil
}

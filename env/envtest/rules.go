package envtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/orrery-rl/orrery/env"
)

func (c *checker) specIsConstant() error {
	if _, err := c.record(1); err != nil {
		return err
	}
	if now := c.env.Spec(); !reflect.DeepEqual(now, c.spec) {
		return fmt.Errorf("it was %+v, after an episode it is %+v", c.spec, now)
	}
	return nil
}

func (c *checker) outputsMatchSpec() error {
	seen, err := c.record(2)
	if err != nil {
		return err
	}
	var errs []error
	for i, t := range seen {
		if err := c.checkOutput(t, i == 0); err != nil {
			errs = append(errs, fmt.Errorf("observation %d: %w", i, err))
			break // later ones would repeat it
		}
	}
	return errors.Join(errs...)
}

func (c *checker) checkOutput(t env.Transition, first bool) error {
	if err := c.spec.CheckObservation(t.Observation); err != nil {
		return err
	}
	if math.IsNaN(t.Reward) || math.IsInf(t.Reward, 0) {
		return fmt.Errorf("the reward is %g", t.Reward)
	}
	if first {
		return nil
	}
	if t.EnvSteps < 1 || t.EnvSteps > c.spec.ActionRepeat {
		return fmt.Errorf("EnvSteps is %d, want 1 to ActionRepeat %d", t.EnvSteps, c.spec.ActionRepeat)
	}
	if t.EnvSteps < c.spec.ActionRepeat && !t.Ended() {
		return fmt.Errorf("EnvSteps is %d although the episode goes on, want ActionRepeat %d", t.EnvSteps, c.spec.ActionRepeat)
	}
	return nil
}

// stepNeedsReset can only be seen on a fresh environment; Check calls it
// before any Reset.
func (c *checker) stepNeedsReset() error {
	_, err := c.env.Step(c.ctx, c.action(0))
	return wantError(err, env.ErrNotReset, "Step before Reset")
}

// wantError demands that err wraps want.
func wantError(err, want error, what string) error {
	switch {
	case err == nil:
		return fmt.Errorf("%s succeeded, want an error that wraps %q", what, want)
	case !errors.Is(err, want):
		return fmt.Errorf("%s failed with %q, which does not wrap %q", what, err, want)
	}
	return nil
}

func (c *checker) badActionsRefused() error {
	good := c.action(0)
	with := func(v float32) []float32 {
		bad := slices.Clone(good)
		bad[len(bad)-1] = v
		return bad
	}
	last := len(good) - 1
	var errs []error
	for _, bad := range []struct {
		name   string
		action []float32
	}{
		{"an action with NaN", with(float32(math.NaN()))},
		{"an infinite action", with(float32(math.Inf(1)))},
		{"an action above its bound", with(c.spec.Action.High[last] + 1)},
		{"an action below its bound", with(c.spec.Action.Low[last] - 1)},
		{"an action with a component too many", append(slices.Clone(good), good[0])},
		{"an action with a component too few", good[:last]},
	} {
		if _, err := c.env.Reset(c.ctx, 3); err != nil {
			return fmt.Errorf("reset: %w", err)
		}
		_, err := c.env.Step(c.ctx, bad.action)
		errs = append(errs, wantError(err, env.ErrAction, bad.name))
	}
	return errors.Join(errs...)
}

func (c *checker) boundsAccepted() error {
	for _, a := range [][]float32{c.spec.Action.Low, c.spec.Action.High} {
		if _, err := c.env.Reset(c.ctx, 4); err != nil {
			return fmt.Errorf("reset: %w", err)
		}
		if _, err := c.env.Step(c.ctx, slices.Clone(a)); err != nil {
			return fmt.Errorf("action %v: %w", a, err)
		}
	}
	return nil
}

func (c *checker) equalSeedsAgree() error {
	first, err := c.record(5)
	if err != nil {
		return err
	}
	if _, err := c.record(6); err != nil { // something else in between
		return err
	}
	second, err := c.record(5)
	if err != nil {
		return err
	}
	if len(first) != len(second) {
		return fmt.Errorf("with seed 5 the episode had %d observations, then %d", len(first), len(second))
	}
	for i := range first {
		if what := difference(first[i], second[i]); what != "" {
			return fmt.Errorf("with seed 5 and equal actions, %s of observation %d differs between two episodes", what, i)
		}
	}
	return nil
}

// difference names the first field in which a and b differ, "" if none.
func difference(a, b env.Transition) string {
	switch {
	case !bytes.Equal(a.Image, b.Image):
		return "the image"
	case !slices.Equal(a.Vector, b.Vector):
		return "the vector"
	case a.Reward != b.Reward:
		return "the reward"
	case a.Terminated != b.Terminated || a.Truncated != b.Truncated:
		return "the end"
	case a.EnvSteps != b.EnvSteps:
		return "EnvSteps"
	}
	return ""
}

func (c *checker) seedsMatter() error {
	const seeds = 8
	first, err := c.record(0)
	if err != nil {
		return err
	}
	for seed := uint64(1); seed < seeds; seed++ {
		other, err := c.record(seed)
		if err != nil {
			return err
		}
		if !slices.EqualFunc(first, other, func(a, b env.Transition) bool { return difference(a, b) == "" }) {
			return nil
		}
	}
	return fmt.Errorf("seeds 0 to %d give the same %d observations and rewards", seeds-1, len(first))
}

func (c *checker) observationsAreOwned() error {
	want, err := c.record(7)
	if err != nil {
		return err
	}
	got, err := c.env.Reset(c.ctx, 7)
	if err != nil {
		return err
	}
	for i := 1; i < len(want); i++ {
		image, vector := bytes.Clone(got.Image), slices.Clone(got.Vector)
		t, err := c.env.Step(c.ctx, c.action(i-1))
		if err != nil {
			return err
		}
		if !bytes.Equal(image, got.Image) || !slices.Equal(vector, got.Vector) {
			return fmt.Errorf("step %d overwrote the observation returned before it", i)
		}
		scribble(got)
		if what := difference(t, want[i]); what != "" {
			return fmt.Errorf("after the caller wrote into earlier observations, %s of observation %d changed", what, i)
		}
		got = t.Observation
	}
	return c.resetKeepsNothing(want[0].Observation)
}

// resetKeepsNothing writes into a first observation and asks for it again.
func (c *checker) resetKeepsNothing(want env.Observation) error {
	got, err := c.env.Reset(c.ctx, 7)
	if err != nil {
		return err
	}
	want = env.Observation{Image: bytes.Clone(want.Image), Vector: slices.Clone(want.Vector)}
	scribble(got)
	again, err := c.env.Reset(c.ctx, 7)
	if err != nil {
		return err
	}
	if difference(env.Transition{Observation: again}, env.Transition{Observation: want}) != "" {
		return errors.New("after the caller wrote into the first observation, the next reset returned a different one")
	}
	return nil
}

func scribble(o env.Observation) {
	for i := range o.Image {
		o.Image[i] ^= 0xff
	}
	for i := range o.Vector {
		o.Vector[i] += 1e6
	}
}

func (c *checker) actionsAreNotKept() error {
	want, err := c.record(8)
	if err != nil {
		return err
	}
	if _, err := c.env.Reset(c.ctx, 8); err != nil {
		return err
	}
	for i := 1; i < len(want); i++ {
		action := c.action(i - 1)
		t, err := c.env.Step(c.ctx, action)
		if err != nil {
			return err
		}
		if !slices.Equal(action, c.action(i-1)) {
			return fmt.Errorf("step %d changed the action it was given", i)
		}
		for k := range action {
			action[k] = c.spec.Action.High[k]
		}
		if what := difference(t, want[i]); what != "" {
			return fmt.Errorf("after the caller changed an earlier action, %s of observation %d changed", what, i)
		}
	}
	return nil
}

func (c *checker) cancellation() error {
	cancelled, cancel := context.WithCancel(c.ctx)
	cancel()
	_, err := c.env.Reset(cancelled, 9)
	errs := []error{wantError(err, context.Canceled, "Reset with a cancelled context")}
	if _, err := c.env.Reset(c.ctx, 9); err != nil {
		return errors.Join(append(errs, fmt.Errorf("reset after a cancelled one: %w", err))...)
	}
	_, err = c.env.Step(cancelled, c.action(0))
	return errors.Join(append(errs, wantError(err, context.Canceled, "Step with a cancelled context"))...)
}

func (c *checker) endOfEpisode() error {
	want, err := c.record(10)
	if err != nil {
		return err
	}
	last, steps, err := c.playToEnd(10)
	if err != nil {
		return err
	}
	if !last.Ended() {
		return nil // no end in sight and none promised
	}
	var errs []error
	if limit := c.spec.MaxEnvSteps; limit > 0 && last.Truncated && !last.Terminated && steps != limit {
		errs = append(errs, fmt.Errorf("the episode was truncated after %d env steps, MaxEnvSteps is %d", steps, limit))
	}
	_, err = c.env.Step(c.ctx, c.action(0))
	errs = append(errs, wantError(err, env.ErrEnded, "Step after the end"))
	again, err := c.env.Reset(c.ctx, 10)
	switch {
	case err != nil:
		errs = append(errs, fmt.Errorf("reset after the end: %w", err))
	case difference(env.Transition{Observation: again}, want[0]) != "":
		errs = append(errs, errors.New("reset after the end returned another first observation than before, with the same seed"))
	}
	return errors.Join(errs...)
}

// playToEnd plays until the episode ends, or long enough to know that it does
// not.
func (c *checker) playToEnd(seed uint64) (last env.Transition, steps int, err error) {
	if _, err := c.env.Reset(c.ctx, seed); err != nil {
		return last, 0, err
	}
	for i := 0; !last.Ended() && i < maxEpisode; i++ {
		if last, err = c.env.Step(c.ctx, c.action(i)); err != nil {
			return last, steps, fmt.Errorf("decision %d: %w", i, err)
		}
		if steps += last.EnvSteps; c.spec.MaxEnvSteps > 0 && steps >= c.spec.MaxEnvSteps && !last.Ended() {
			return last, steps, fmt.Errorf("the episode goes on after %d env steps, MaxEnvSteps is %d", steps, c.spec.MaxEnvSteps)
		}
	}
	return last, steps, nil
}

func (c *checker) closing() error {
	var errs []error
	for _, which := range []string{"first", "second"} {
		if err := c.env.Close(); err != nil {
			errs = append(errs, fmt.Errorf("the %s Close failed: %w", which, err))
		}
	}
	_, err := c.env.Reset(c.ctx, 11)
	errs = append(errs, wantError(err, env.ErrClosed, "Reset after Close"))
	_, err = c.env.Step(c.ctx, c.action(0))
	errs = append(errs, wantError(err, env.ErrClosed, "Step after Close"))
	return errors.Join(errs...)
}

package learn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/replay"
)

// policy chooses an action for each take, given what its environment shows. It is
// the action that will be executed and stored: already clipped, noise included.
// Those for takes that are over are ignored.
type policy func(ctx context.Context, takes []*take) ([][]float32, error)

// outcome is one episode as played, with what it cost.
type outcome struct {
	episode   *replay.Episode // empty if it was not to be recorded
	envSteps  int64
	decisions int64
	ret       float64 // undiscounted return
}

// take is an episode while it is being played.
type take struct {
	env  env.Env
	seed uint64
	// record keeps what happens, in the incoming-action convention: record 0 is
	// the reset image with zero action and reward, record i holds the image, the
	// action that led to it and the reward it earned.
	record bool
	// length ends a recorded take at so many records; 0 does not.
	length int
	// alone means that an environment that breaks ends this take only.
	alone bool

	obs  env.Observation
	out  outcome
	over bool
	err  error // why it broke off
	// after is told the reward of the next step, and then forgotten; or nil.
	after func(reward float64)
}

// rollout plays episodes side by side: act decides for all of them, then all
// environments step at the same time. Which of them is faster changes nothing. It
// returns the first error, but that of a broken environment only if its take is
// not alone.
func rollout(ctx context.Context, takes []*take, act policy) error {
	together(takes, func(t *take, _ int) { t.reset(ctx) })
	for {
		if err := failure(takes); err != nil {
			return err
		}
		if !slices.ContainsFunc(takes, func(t *take) bool { return !t.over }) {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		actions, err := act(ctx, takes)
		if err != nil {
			return err
		}
		together(takes, func(t *take, i int) { t.step(ctx, actions[i]) })
	}
}

// together calls f for all takes that are not over, at the same time, and returns
// when all are done.
func together(takes []*take, f func(t *take, i int)) {
	var running sync.WaitGroup
	for i, t := range takes {
		switch {
		case t.over:
		case len(takes) == 1:
			f(t, i)
		default:
			running.Go(func() { f(t, i) })
		}
	}
	running.Wait()
}

// failure is the error that ends all takes, if there is one.
func failure(takes []*take) error {
	for _, t := range takes {
		if t.err != nil && !(t.alone && errors.Is(t.err, env.ErrBroken)) {
			return t.err
		}
	}
	return nil
}

func (t *take) reset(ctx context.Context) {
	spec := t.env.Spec()
	if t.obs, t.err = t.env.Reset(ctx, t.seed); t.err != nil {
		t.err, t.over = fmt.Errorf("learn: reset %s with seed %d: %w", spec.Name, t.seed, t.err), true
		return
	}
	t.out.episode = &replay.Episode{}
	t.keep(make([]float32, spec.Action.Size), 0, 1)
}

func (t *take) step(ctx context.Context, action []float32) {
	step, err := t.env.Step(ctx, action)
	if err != nil {
		t.err, t.over = fmt.Errorf("learn: decision %d in %s: %w", t.out.decisions, t.env.Spec().Name, err), true
		return
	}
	goesOn := float32(1)
	if step.Terminated {
		goesOn = 0
	}
	t.obs, t.over = step.Observation, step.Ended()
	t.keep(action, float32(step.Reward), goesOn)
	if t.over { // the replay may hold the images for long: without room to grow
		t.out.episode.Images = slices.Concat(t.out.episode.Images)
	}
	t.out.decisions++
	t.out.envSteps += int64(step.EnvSteps)
	t.out.ret += step.Reward
	if t.after != nil {
		t.after(step.Reward)
		t.after = nil
	}
}

// keep appends a record, if there is to be one.
func (t *take) keep(action []float32, reward, goesOn float32) {
	if !t.record {
		return
	}
	ep := t.out.episode
	ep.Images = append(ep.Images, t.obs.Image...)
	ep.Vectors = append(ep.Vectors, t.obs.Vector...)
	ep.Actions = append(ep.Actions, action...)
	ep.Rewards = append(ep.Rewards, reward)
	ep.Continues = append(ep.Continues, goesOn)
	t.over = t.over || t.length > 0 && ep.Len() >= t.length
}

// single plays one episode from a seed, to its end or to length records if length
// is not 0.
func single(ctx context.Context, e env.Env, seed uint64, length int, act policy) (outcome, error) {
	t := &take{env: e, seed: seed, record: true, length: length}
	err := rollout(ctx, []*take{t}, act)
	return t.out, err
}

// chosen is the policy for a single take that p chooses the actions of.
func chosen(p Policy) policy {
	return func(ctx context.Context, takes []*take) ([][]float32, error) {
		action, err := p.Act(ctx, takes[0].obs)
		return [][]float32{action}, err
	}
}

// drawn is the policy whose actions are drawn, for each take by a function of its
// own.
func drawn(draw ...func() []float32) policy {
	return func(context.Context, []*take) ([][]float32, error) {
		actions := make([][]float32, len(draw))
		for i, d := range draw {
			actions[i] = d()
		}
		return actions, nil
	}
}

// uniform draws every component uniformly between its bounds.
func uniform(spec env.ActionSpec, stream *rng.Stream) func() []float32 {
	return func() []float32 {
		action := make([]float32, spec.Size)
		for i := range action {
			action[i] = spec.Low[i] + (spec.High[i]-spec.Low[i])*stream.Float32()
		}
		return action
	}
}

// acted is the policy of an agent whose environment rows[i] is that of take i;
// its other environments must rest.
func acted(a *agent.Agent, rows []int) policy {
	obs := make([]env.Observation, a.Envs())
	return func(ctx context.Context, takes []*take) ([][]float32, error) {
		for i, t := range takes {
			if t.over {
				a.Rest(rows[i])
			}
			obs[rows[i]] = t.obs
		}
		all, err := a.Act(ctx, obs)
		if err != nil {
			return nil, err
		}
		actions := make([][]float32, len(takes))
		for i, row := range rows {
			actions[i] = all[row]
		}
		return actions, nil
	}
}

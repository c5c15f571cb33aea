package learn

import (
	"context"
	"fmt"

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/rng"
)

// Evaluation is the outcome of noise-free episodes.
type Evaluation struct {
	// Returns holds the undiscounted return of each episode, in order.
	Returns []float64
	// EnvSteps and Decisions count what the episodes took together.
	EnvSteps, Decisions int64
}

// Evaluate plays one episode in each environment at the same time, planning for
// all of them in one batch. envs[i] starts from seeds[i]; a.Envs() must equal
// len(envs). Whatever randomness the agent needs for episode i (dequantisation,
// posterior sample, candidates) is drawn from a stream of its own derived from
// seeds[i], so that the result of one episode does not depend on the others.
// The agent must not add exploration noise; nothing is stored.
func Evaluate(ctx context.Context, a *agent.Agent, envs []env.Env, seeds []uint64) (Evaluation, error) {
	if len(envs) != a.Envs() || len(seeds) != len(envs) {
		return Evaluation{}, fmt.Errorf("learn: evaluate %d environments with %d seeds by an agent for %d", len(envs), len(seeds), a.Envs())
	}
	if err := checkNoiseFree("evaluate", a); err != nil {
		return Evaluation{}, err
	}
	streams := make([]*rng.Stream, len(envs))
	for i, seed := range seeds {
		streams[i] = rng.New(seed, "evaluate")
	}
	if err := a.Begin(streams); err != nil {
		return Evaluation{}, err
	}
	ev := Evaluation{Returns: make([]float64, len(envs))}
	obs := make([]env.Observation, len(envs))
	running := make([]bool, len(envs))
	for i, e := range envs {
		var err error
		if obs[i], err = e.Reset(ctx, seeds[i]); err != nil {
			return Evaluation{}, fmt.Errorf("learn: evaluate: reset with seed %d: %w", seeds[i], err)
		}
		running[i] = true
	}
	for left := len(envs); left > 0; {
		actions, err := a.Act(ctx, obs)
		if err != nil {
			return Evaluation{}, err
		}
		ended, err := ev.step(ctx, envs, actions, obs, running)
		if err != nil {
			return Evaluation{}, err
		}
		left -= ended
	}
	return ev, nil
}

// step advances every environment that still runs and returns how many ended.
// An ended one keeps its last observation: its rows of the batch go on being
// computed, and ignored.
func (ev *Evaluation) step(ctx context.Context, envs []env.Env, actions [][]float32, obs []env.Observation, running []bool) (ended int, err error) {
	for i, e := range envs {
		if !running[i] {
			continue
		}
		t, err := e.Step(ctx, actions[i])
		if err != nil {
			return 0, fmt.Errorf("learn: evaluate: episode %d: %w", i, err)
		}
		ev.Returns[i] += t.Reward
		ev.EnvSteps += int64(t.EnvSteps)
		ev.Decisions++
		obs[i] = t.Observation
		if t.Terminated || t.Truncated {
			running[i] = false
			ended++
		}
	}
	return ended, nil
}

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
// all of them in one batch; the environments step side by side, each in a
// goroutine. envs[i] starts from seeds[i]; a.Envs() must equal len(envs).
// Whatever randomness the agent needs for episode i (dequantisation, posterior
// sample, candidates) is drawn from a stream of its own derived from seeds[i], so
// that the result of one episode does not depend on the others. The agent must
// not add exploration noise; nothing is stored. The agent keeps these streams: what
// it was begun with before is gone, and it needs Begin again to act elsewhere.
func Evaluate(ctx context.Context, a *agent.Agent, envs []env.Env, seeds []uint64) (Evaluation, error) {
	if len(envs) != a.Envs() || len(seeds) != len(envs) {
		return Evaluation{}, fmt.Errorf("learn: evaluate %d environments with %d seeds by an agent for %d", len(envs), len(seeds), a.Envs())
	}
	if err := checkNoiseFree("evaluate", a); err != nil {
		return Evaluation{}, err
	}
	takes, rows, streams := make([]*take, len(envs)), make([]int, len(envs)), make([]*rng.Stream, len(envs))
	for i, seed := range seeds {
		takes[i], rows[i], streams[i] = &take{env: envs[i], seed: seed}, i, rng.New(seed, "evaluate")
	}
	if err := a.Begin(streams); err != nil {
		return Evaluation{}, err
	}
	if err := rollout(ctx, takes, acted(a, rows)); err != nil {
		return Evaluation{}, fmt.Errorf("learn: evaluate: %w", err)
	}
	var ev Evaluation
	for _, t := range takes {
		ev.Returns = append(ev.Returns, t.out.ret)
		ev.EnvSteps += t.out.envSteps
		ev.Decisions += t.out.decisions
	}
	return ev, nil
}

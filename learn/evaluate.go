package learn

import (
	"context"
	"fmt"
	"slices"

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
	takes, rows := make([]*take, len(envs)), make([]int, len(envs))
	for i, seed := range seeds {
		takes[i], rows[i] = &take{env: envs[i], seed: seed}, i
	}
	if err := evaluateRows(ctx, a, takes, rows); err != nil {
		return Evaluation{}, err
	}
	return evaluationOf(takes), nil
}

// evaluateRows plays the takes at some rows of an agent; its other environments
// rest, which changes nothing for these.
func evaluateRows(ctx context.Context, a *agent.Agent, takes []*take, rows []int) error {
	some, streams := make([]*take, len(rows)), make([]*rng.Stream, len(takes))
	for k, i := range rows {
		some[k], streams[i] = takes[i], rng.New(takes[i].seed, "evaluate")
	}
	if err := a.Begin(streams); err != nil {
		return err
	}
	if err := rollout(ctx, some, acted(a, rows)); err != nil {
		return fmt.Errorf("learn: evaluate: %w", err)
	}
	return nil
}

func evaluationOf(takes []*take) (ev Evaluation) {
	for _, t := range takes {
		ev.Returns = append(ev.Returns, t.out.ret)
		ev.EnvSteps += t.out.envSteps
		ev.Decisions += t.out.decisions
	}
	return ev
}

// judged plays the evaluation episodes, and those whose environment breaks again.
// seed is that of episode i after so many failed attempts; again is told of each,
// from 1, and ends the evaluation with the error it returns.
func (t *trainer) judged(ctx context.Context, seed func(i, failed int) uint64, again func(attempt int, err error) error) (Evaluation, error) {
	takes, left := make([]*take, t.parts.Schedule.EvalEpisodes), make([]int, t.parts.Schedule.EvalEpisodes)
	for i := range left {
		left[i] = i
	}
	for failed := 0; ; failed++ {
		for _, i := range left {
			takes[i] = &take{env: t.others[i], seed: seed(i, failed), alone: true}
		}
		if err := evaluateRows(ctx, t.judge, takes, left); err != nil {
			return Evaluation{}, err
		}
		left = slices.DeleteFunc(left, func(i int) bool { return takes[i].err == nil })
		if len(left) == 0 {
			return evaluationOf(takes), nil
		}
		if err := again(failed+1, takes[left[0]].err); err != nil {
			return Evaluation{}, err
		}
	}
}

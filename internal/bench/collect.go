package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/metrics"
)

// CollectConfig is what collecting episodes is measured with.
type CollectConfig struct {
	// Open makes the parts of a run that collects in so many environments, in a
	// directory of its own, and says how to release them.
	Open func(envs int) (learn.Parts, func() error, error)
	// Envs are the numbers of environments to compare.
	Envs []int
	// Decisions is the length of an episode.
	Decisions int
	// Count is how often each number is measured, in turns.
	Count int
	// Delay is what a decision takes longer in the environment, asleep; Busy what
	// it takes longer using a processor.
	Delay, Busy time.Duration
}

// CollectReport is what collecting costs with a number of environments.
type CollectReport struct {
	Envs int `json:"envs"`
	// Decision is the time from one decision of an environment to its next.
	Decision Spread `json:"decision"`
	// EnvSteps is how many are collected a second, all environments together, in
	// the median, and Speedup how many times the first number's.
	EnvSteps float64 `json:"env_steps_per_second"`
	Speedup  float64 `json:"speedup"`
}

// Collect measures collecting episodes with the planner, without updates.
func Collect(ctx context.Context, cfg CollectConfig, report Report) ([]CollectReport, error) {
	if cfg.Count < 1 || cfg.Decisions < 1 || len(cfg.Envs) == 0 {
		return nil, fmt.Errorf("bench: %d repetitions of %d decisions in %d numbers of environments; measure at least 1", cfg.Count, cfg.Decisions, len(cfg.Envs))
	}
	times, steps := make([][]time.Duration, len(cfg.Envs)), 0.0
	for range cfg.Count {
		for i, n := range cfg.Envs {
			report.say("collecting in %d environments", n)
			took, each, err := cfg.once(ctx, n)
			if err != nil {
				return nil, err
			}
			times[i], steps = append(times[i], took/time.Duration(cfg.Decisions)), float64(each)/float64(cfg.Decisions)
		}
	}
	out := make([]CollectReport, len(cfg.Envs))
	for i, n := range cfg.Envs {
		decision := NewSpread(times[i])
		out[i] = CollectReport{Envs: n, Decision: decision, EnvSteps: per(float64(n)*steps, decision.Median)}
		out[i].Speedup = per(out[i].EnvSteps, out[0].EnvSteps)
	}
	return out, nil
}

// once is the time that a batch of episodes takes, and the env steps of each.
func (c CollectConfig) once(ctx context.Context, envs int) (took time.Duration, steps int64, err error) {
	p, release, err := c.Open(envs)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, release()) }()
	if p.Env, err = c.slow(p.Env); err != nil {
		return 0, 0, err
	}
	another := p.NewEnv
	p.NewEnv = func() (env.Env, error) {
		e, err := another()
		if err != nil {
			return nil, err
		}
		return c.slow(e)
	}
	p.Schedule.Envs, p.Schedule.SeedEpisodes, p.Schedule.Episodes = envs, 1, 1+envs
	p.Schedule.UpdatesPerCollect, p.Schedule.BatchSize, p.Schedule.ChunkLength = 1, 1, 2
	p.Schedule.EvalEvery, p.Schedule.EvalEpisodes = 0, 1
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	watch := &collected{want: 1 + envs, stop: stop}
	p.Listeners = []metrics.Sink{watch}
	r, err := learn.Open(ctx, p)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := r.Train(ctx); watch.seen < watch.want {
		return 0, 0, errors.Join(err, ctx.Err())
	}
	return watch.took, watch.steps, nil
}

// collected listens until all episodes are there, and sums what those of the
// planner took.
type collected struct {
	want, seen int
	took       time.Duration
	steps      int64 // of one episode
	before     int64
	stop       func()
}

// Write implements metrics.Sink.
func (c *collected) Write(e metrics.Event) error {
	if e.Kind != metrics.KindEpisode {
		return nil
	}
	if c.seen++; e.Text["policy"] == "planner" {
		c.took += time.Duration((e.Values["split/plan:seconds"] + e.Values["split/env:seconds"]) * float64(time.Second))
	}
	c.steps, c.before = e.Counters.EnvSteps-c.before, e.Counters.EnvSteps
	if c.seen == c.want {
		c.stop() // without the evaluation at the end
	}
	return nil
}

// Close implements metrics.Sink.
func (c *collected) Close() error { return nil }

// slow shortens the episodes of an environment and makes its steps take longer.
func (c CollectConfig) slow(e env.Env) (env.Env, error) {
	limited, err := env.TimeLimit(e, c.Decisions*e.Spec().ActionRepeat)
	return slowed{limited, c.Delay, c.Busy}, err
}

type slowed struct {
	env.Env
	delay, busy time.Duration
}

// Step implements env.Env.
func (s slowed) Step(ctx context.Context, action []float32) (env.Transition, error) {
	time.Sleep(s.delay)
	for end := time.Now().Add(s.busy); time.Now().Before(end); {
		continue
	}
	return s.Env.Step(ctx, action)
}

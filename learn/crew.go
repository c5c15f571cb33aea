package learn

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/rng"
)

// crew is some of the environments that collect, with an agent that plans for all
// of them in one batch.
type crew struct {
	agent *agent.Agent
	envs  []env.Env
}

// makeCrews divides the collecting environments into two crews, if there are
// several: while one plans, the environments of the other step. Who is in which
// follows from their number alone.
func (r *Run) makeCrews(acting agent.Config) error {
	n := r.cfg.Envs
	envs := slices.Concat([]env.Env{r.Env}, r.others[:n-1])
	for _, some := range [][]env.Env{envs[:(n+1)/2], envs[(n+1)/2:]} {
		if len(some) == 0 {
			continue
		}
		a, err := agent.New(r.Backend, r.Model, acting, len(some))
		if err != nil {
			return err
		}
		r.crews = append(r.crews, &crew{a, some})
	}
	return nil
}

// job is an episode to be collected, in the environment at a row of its crew.
type job struct {
	*take
	crew     *crew
	row      int
	number   int64 // of the episode
	failed   int   // attempts
	searched searches
}

// jobs are the next n episodes, one for each of the first n environments.
func (r *Run) jobs(n int) []*job {
	var jobs []*job
	for _, c := range r.crews {
		for row := range c.envs {
			jobs = append(jobs, &job{crew: c, row: row, number: r.counters.Episodes + int64(len(jobs))})
		}
	}
	return jobs[:n]
}

// jobStream is the source of randomness of its kind for a job's next attempt.
func (r *Run) jobStream(kind string, j *job) *rng.Stream {
	return r.stream(versionOf(kind, versionAt(j.failed)), j.number)
}

// prepare readies jobs for an attempt.
func (r *Run) prepare(jobs []*job) {
	for _, j := range jobs {
		seed := env.TaskSeed(r.jobStream("reset", j).Uint64(), j.number, len(r.Env.Spec().Tasks))
		j.take = &take{env: j.crew.envs[j.row], seed: seed, record: true, alone: true}
		j.searched = searches{}
	}
}

// playJobs plays jobs, until none is left whose environment broke.
func (r *Run) playJobs(ctx context.Context, jobs []*job, m manner) error {
	for left := jobs; len(left) > 0; {
		r.prepare(left)
		if err := r.attempt(ctx, left, m); err != nil {
			return err
		}
		var broken []*job
		for _, j := range left {
			if j.err == nil {
				continue
			}
			j.failed++
			if err := r.again(ctx, m.what, j.number, j.failed, j.err); err != nil {
				return err
			}
			broken = append(broken, j)
		}
		left = broken
	}
	return nil
}

// attempt plays each job once, those of each crew in a goroutine of its own; all
// have ended when it returns.
func (r *Run) attempt(ctx context.Context, jobs []*job, m manner) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var running sync.WaitGroup
	var turn sync.Mutex
	errs := make([]error, len(r.crews))
	for i, c := range r.crews {
		own := slices.DeleteFunc(slices.Clone(jobs), func(j *job) bool { return j.crew != c })
		if len(own) == 0 {
			continue
		}
		running.Go(func() {
			if errs[i] = r.work(ctx, c, own, m, &turn); errs[i] != nil {
				stop()
			}
		})
	}
	running.Wait()
	// What stopped the others is the cause, not that they were stopped.
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return errors.Join(errs...)
}

// work plays the jobs of a crew. Crews take turns in planning, which is what lets
// them share the backend and the stopwatch.
func (r *Run) work(ctx context.Context, c *crew, jobs []*job, m manner, turn sync.Locker) error {
	takes := make([]*take, len(jobs))
	for i, j := range jobs {
		takes[i] = j.take
	}
	var act policy
	planning := func(f func() error) error {
		turn.Lock()
		defer turn.Unlock()
		return r.watch.time(phasePlan, f)
	}
	err := planning(func() (err error) {
		act, err = m.begin(r, c, jobs)
		return err
	})
	if err != nil {
		return err
	}
	return rollout(ctx, takes, func(ctx context.Context, takes []*take) (actions [][]float32, err error) {
		err = planning(func() error {
			if actions, err = act(ctx, takes); err == nil {
				r.showDecision(c, jobs, actions, m)
			}
			return err
		})
		return actions, err
	})
}

// manner is a way of acting while collecting.
type manner struct {
	what, policy string // the episode in messages and in events
	planned      bool
	// begin starts the episodes of some jobs of a crew.
	begin func(*Run, *crew, []*job) (policy, error)
}

// What events call a manner.
const (
	policyRandom  = "random"
	policyPlanner = "planner"
)

// actRandomly draws every action.
func actRandomly() manner {
	return manner{"random episode", policyRandom, false, func(r *Run, _ *crew, jobs []*job) (policy, error) {
		draw := make([]func() []float32, len(jobs))
		for i, j := range jobs {
			draw[i] = random(r.Plan.Method, r.Env.Spec().Action, r.jobStream("random", j))
		}
		return drawn(draw...), nil
	}}
}

// actPlanned plans, and explores by noise.
func actPlanned() manner {
	return manner{"episode", policyPlanner, true, func(r *Run, c *crew, jobs []*job) (policy, error) {
		rows, streams := make([]int, len(jobs)), make([]*rng.Stream, len(c.envs))
		for i, j := range jobs {
			rows[i], streams[j.row] = j.row, r.jobStream("act", j)
		}
		act := acted(c.agent, rows)
		return func(ctx context.Context, takes []*take) ([][]float32, error) {
			actions, err := act(ctx, takes)
			for _, j := range jobs {
				if err == nil && !j.over {
					j.searched.add(c.agent, j.row)
				}
			}
			return actions, err
		}, c.agent.Begin(streams)
	}}
}

package learn

import (
	"context"
	"fmt"
	"maps"
	"math"
	"time"

	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/replay"
)

// collectRandom adds seed episodes of random actions.
func (r *Run) collectRandom(ctx context.Context) error {
	return r.collectAtOnce(ctx, r.atOnce(r.cfg.SeedEpisodes), actRandomly())
}

// collect adds episodes acted by the planner with exploration noise, or at random
// if that is what the schedule says, one in each environment.
func (r *Run) collect(ctx context.Context) error {
	for _, c := range r.crews {
		c.agent.SetParams(r.learner.Params())
	}
	m := actPlanned()
	if r.cfg.RandomCollection {
		m.policy = policyRandom
	}
	return r.collectAtOnce(ctx, r.atOnce(r.cfg.Episodes), m)
}

// atOnce is how many episodes are collected next, if there are to be until.
func (r *Run) atOnce(until int) int {
	return int(min(int64(r.cfg.Envs), int64(until)-r.counters.Episodes))
}

// collectAtOnce plays n episodes and appends them to the replay, in a fixed order.
// The counters move only when all have ended, so episodes that break off leave no
// trace.
func (r *Run) collectAtOnce(ctx context.Context, n int, m manner) error {
	jobs := r.jobs(n)
	err := r.watch.rest(phaseEnv, phasePlan, func() error { return r.playJobs(ctx, jobs, m) })
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.store(context.WithoutCancel(ctx), jobs, m)
}

// store appends collected episodes to the replay and records them: all of them,
// because a run that goes on from a snapshot collects as many again.
func (r *Run) store(ctx context.Context, jobs []*job, m manner) error {
	events := make([]metrics.Event, len(jobs))
	var decisions int64
	for i, j := range jobs {
		r.watchEnds(j.out.episode)
		err := r.watch.time(phaseIO, func() error {
			_, err := r.replay.Append(ctx, j.out.episode)
			return err
		})
		if err != nil {
			return fmt.Errorf("learn: store episode %d: %w", j.number, err)
		}
		r.counters.Episodes++
		r.counters.EnvSteps += j.out.envSteps
		r.counters.Decisions += j.out.decisions
		decisions += j.out.decisions
		events[i] = r.episodeEvent(j, m)
	}
	if m.planned {
		last := len(jobs) - 1
		maps.Copy(events[last].Values, r.look(ctx, jobs[last]))
	}
	times := r.timeValues(len(jobs), decisions)
	for _, e := range events {
		maps.Copy(e.Values, times)
		if err := r.metrics.Record(e); err != nil {
			return err
		}
	}
	return nil
}

// watchEnds warns, once, when an episode really ended and the model does not
// learn that: it will imagine rewards beyond the end.
func (r *Run) watchEnds(ep *replay.Episode) {
	if r.warned || r.Model.Config().ContinueHead || ep.Continues[ep.Len()-1] == 1 {
		return
	}
	r.warned = true
	r.Log.Warn("an episode really ended, but the model does not learn where episodes end and will plan beyond it; a new run with model.continue_head=true does",
		"env", r.Env.Spec().Name, "episode", r.counters.Episodes)
}

// episodeEvent describes an episode that was just stored, without its times.
func (r *Run) episodeEvent(j *job, m manner) metrics.Event {
	values := map[string]float64{
		"return/train:reward":      j.out.ret,
		"episode/length:decisions": float64(j.out.decisions),
		"action/abs:1":             meanAbs(j.out.episode.Actions),
		"replay/episodes:episodes": float64(r.replay.Episodes()),
		"replay/records:records":   float64(r.replay.Records()),
		"replay/memory:bytes":      float64(r.replay.Memory()),
		"process/memory:bytes":     processMemory(),
	}
	j.searched.report(values, r.Plan.Method)
	text := map[string]string{"policy": m.policy}
	if tasks := r.Env.Spec().Tasks; len(tasks) > 1 {
		text["task"] = tasks[j.number%int64(len(tasks))]
	}
	return metrics.Event{Kind: metrics.KindEpisode, Counters: r.counters, Values: values, Text: text}
}

// timeValues tells where the time since the previous episodes' events went, for
// each of the episodes since, which took so many decisions together.
func (r *Run) timeValues(episodes int, decisions int64) map[string]float64 {
	values, split := map[string]float64{}, r.watch.take()
	for p, d := range split {
		values["split/"+phaseNames[p]+":seconds"] = d.Seconds() / float64(episodes)
	}
	values["time/plan:seconds"] = split[phasePlan].Seconds() / float64(decisions)
	values["time/env:seconds"] = split[phaseEnv].Seconds() / float64(decisions)
	if r.saving > 0 {
		values["time/snapshot:seconds"] = r.saving.Seconds()
	}
	now := r.Now()
	if wall := now.Sub(r.told.at).Seconds(); wall > 0 {
		values["rate/updates:per_second"] = float64(r.counters.Updates-r.told.updates) / wall
		values["rate/env_steps:per_second"] = float64(r.counters.EnvSteps-r.told.envSteps) / wall
	}
	r.told = told{at: now, updates: r.counters.Updates, envSteps: r.counters.EnvSteps}
	return values
}

// told is the moment of the previous episode's event, or of the start.
type told struct {
	at                time.Time
	updates, envSteps int64
}

func meanAbs(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += math.Abs(float64(v))
	}
	return sum / float64(max(len(x), 1))
}

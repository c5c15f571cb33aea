package learn

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/replay"
)

// collectRandom adds a seed episode of random actions.
func (r *Run) collectRandom(ctx context.Context) error {
	return r.persist(ctx, "random episode", func(version int) error {
		act := random(r.Plan.Method, r.Env.Spec().Action, r.stream(versionOf("random", version), r.counters.Episodes))
		return r.collectWith(ctx, act, "random", version, &searches{})
	})
}

// collect adds an episode acted by the planner with exploration noise.
func (r *Run) collect(ctx context.Context) error {
	r.actor.SetParams(r.learner.Params())
	return r.persist(ctx, "episode", func(version int) error { return r.collectPlanned(ctx, version) })
}

func (r *Run) collectPlanned(ctx context.Context, version int) error {
	if err := r.actor.Begin([]*rng.Stream{r.stream(versionOf("act", version), r.counters.Episodes)}); err != nil {
		return err
	}
	var searched searches
	act := func(ctx context.Context, obs env.Observation) ([]float32, error) {
		actions, err := r.actor.Act(ctx, []env.Observation{obs})
		if err != nil {
			return nil, err
		}
		searched.add(r.actor)
		return actions[0], nil
	}
	return r.collectWith(ctx, act, "planner", version, &searched)
}

// collectWith plays one episode, in a version for persist, and appends it to the
// replay. The counters move only when the episode is stored, so one that breaks
// off leaves no trace.
func (r *Run) collectWith(ctx context.Context, act policy, name string, version int, searched *searches) error {
	number := r.counters.Episodes
	timed := func(ctx context.Context, obs env.Observation) (action []float32, err error) {
		err = r.watch.time(phasePlan, func() error {
			action, err = act(ctx, obs)
			return err
		})
		return action, err
	}
	tasks := r.Env.Spec().Tasks
	seed := env.TaskSeed(r.stream(versionOf("reset", version), number).Uint64(), number, len(tasks))
	out, err := rollout(ctx, timedEnv{r.Env, &r.watch}, seed, 0, timed)
	if err != nil {
		return err
	}
	r.watchEnds(out.episode)
	err = r.watch.time(phaseIO, func() error {
		_, err := r.replay.Append(ctx, out.episode)
		return err
	})
	if err != nil {
		return fmt.Errorf("learn: store episode %d: %w", number, err)
	}
	r.counters.Episodes++
	r.counters.EnvSteps += out.envSteps
	r.counters.Decisions += out.decisions
	text := map[string]string{"policy": name}
	if len(tasks) > 1 {
		text["task"] = tasks[number%int64(len(tasks))]
	}
	values := r.episodeValues(out)
	searched.report(values, r.Plan.Method)
	return r.metrics.Record(metrics.Event{Kind: metrics.KindEpisode, Counters: r.counters, Values: values, Text: text})
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

// episodeValues are the metrics of a collected episode, with what happened since
// the previous one.
func (r *Run) episodeValues(out outcome) map[string]float64 {
	values := map[string]float64{
		"return/train:reward":      out.ret,
		"episode/length:decisions": float64(out.decisions),
		"action/abs:1":             meanAbs(out.episode.Actions),
		"replay/episodes:episodes": float64(r.replay.Episodes()),
		"replay/records:records":   float64(r.replay.Records()),
		"replay/memory:bytes":      float64(r.replay.Memory()),
		"process/memory:bytes":     processMemory(),
	}
	r.timeValues(values, out.decisions)
	return values
}

// timeValues adds where the time since the previous episode's event went.
func (r *Run) timeValues(values map[string]float64, decisions int64) {
	split := r.watch.take()
	for p, d := range split {
		values["split/"+phaseNames[p]+":seconds"] = d.Seconds()
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

// timedEnv attributes the time of an environment to phaseEnv.
type timedEnv struct {
	env.Env
	watch *stopwatch
}

func (e timedEnv) Reset(ctx context.Context, seed uint64) (obs env.Observation, err error) {
	err = e.watch.time(phaseEnv, func() error {
		obs, err = e.Env.Reset(ctx, seed)
		return err
	})
	return obs, err
}

func (e timedEnv) Step(ctx context.Context, action []float32) (t env.Transition, err error) {
	err = e.watch.time(phaseEnv, func() error {
		t, err = e.Env.Step(ctx, action)
		return err
	})
	return t, err
}

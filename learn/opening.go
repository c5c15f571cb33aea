package learn

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/replay"
)

// compileUpdate builds the graph of an update.
func (t *trainer) compileUpdate() (err error) {
	p, s := t.parts, t.parts.Schedule
	t.learner, err = NewLearner(p.Backend, p.Model, p.Optimiser, s.BatchSize, s.ChunkLength, s.Freeze...)
	return err
}

// samplerOf draws chunks from a replay.
func (t *trainer) samplerOf(s *replay.Store) (*replay.Sampler, error) {
	return replay.NewSampler(s, t.stream("sample", 0), replay.SamplerConfig{
		BatchSize: t.parts.Schedule.BatchSize, ChunkLength: t.parts.Schedule.ChunkLength, BitDepth: t.parts.BitDepth,
	})
}

// makeEnvs adds n environments made by NewEnv, which must fit the model and pass
// a check.
func (t *trainer) makeEnvs(n int, check func(env.Spec) error) error {
	for range n {
		e, err := t.parts.NewEnv()
		if err != nil {
			return err
		}
		t.others = append(t.others, e)
		if err := errors.Join(checkModel(t.parts.Model.Dims(), e.Spec()), check(e.Spec())); err != nil {
			return fmt.Errorf("learn: %w: NewEnv: %w", ErrParts, err)
		}
	}
	return nil
}

// makeJudge makes the agent of evaluations.
func (t *trainer) makeJudge() (err error) {
	p := t.parts
	t.judge, err = agent.New(p.Backend, p.Model, agent.Config{Plan: p.Plan, BitDepth: p.BitDepth}, p.Schedule.EvalEpisodes)
	return err
}

// openEvents opens the event file, which from now on continues at the counters,
// where events of the untold kinds have not happened yet, and tells of the start.
func (t *trainer) openEvents(untold []string, values map[string]float64, text map[string]string) (err error) {
	path := filepath.Join(t.parts.Dir, MetricsName)
	if t.events, _, err = metrics.OpenJSONL(t.parts.FS, path, t.counters, untold...); err != nil {
		return err
	}
	// Of events that had been told before the snapshot: the file was damaged since.
	if t.gone = max(0, t.gone-t.events.Events()); t.gone > 0 {
		t.parts.Log.Warn("events are missing: the run goes on, its curves have a gap", "file", path, "missing", t.gone)
	}
	t.metrics = metrics.NewRecorder(t.events, t.parts.Log, t.parts.Listeners...)
	t.told = told{at: t.parts.Now(), updates: t.counters.Updates, envSteps: t.counters.EnvSteps}
	values["time/compile:seconds"] = t.compiling.Seconds()
	text["backend"] = t.parts.Backend.Description()
	maps.Copy(text, t.parts.About)
	return t.metrics.Record(metrics.Event{Kind: metrics.KindRun, Counters: t.counters, Values: values, Text: text})
}

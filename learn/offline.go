package learn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"time"

	"github.com/gomlx/compute"

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/optim"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/plan"
	"github.com/orrery-rl/orrery/replay"
	"github.com/orrery-rl/orrery/worldmodel"
)

// OfflineParts is what training from given episodes is made of. Everything is
// required unless it says otherwise; OpenOffline takes none of it over except by
// name.
type OfflineParts struct {
	// FS and Dir say where the run lives.
	FS  vfs.FS
	Dir string
	// Data are the episodes.
	Data *Data
	// NewEnv makes an environment to evaluate in; nil if there is none.
	NewEnv func() (env.Env, error)
	// Backend executes the graphs.
	Backend compute.Backend
	// Model, Optimiser and BitDepth say what is learned, Plan how it acts in
	// evaluations.
	Model     *worldmodel.Model
	Optimiser optim.Config
	Plan      plan.Config
	BitDepth  int
	// Schedule says how long, and how often to look; see OfflineConfig.
	Schedule Config
	// Seed is where all randomness derives from.
	Seed uint64
	// Config is the effective configuration, stored in every snapshot.
	Config json.RawMessage
	// About says what should be known of this process; it goes into the event of
	// this start. It may be nil.
	About map[string]string
	// From are weights that a new run starts with; nil for random ones.
	From *Weights
	// Listeners are shown every event, beside the run's own event file; Close
	// closes them, and so does an OpenOffline that fails.
	Listeners []metrics.Sink
	// Log receives what deserves a person's attention; nil discards it.
	Log *slog.Logger
	// Now is the clock; nil is time.Now. It is used for reporting only.
	Now func() time.Time
}

// Offline is a run that learns a world model from given episodes and collects
// none: open it, Train it, Close it. Its counters but updates stay 0. It is not
// safe for concurrent use.
type Offline struct {
	OfflineParts
	schedule  OfflineConfig
	learner   *Learner
	sampler   *replay.Sampler
	validator *validator   // nil without episodes held out
	judge     *agent.Agent // nil without an environment
	judgeEnvs []env.Env
	events    *metrics.JSONL
	metrics   *metrics.Recorder
	counters  metrics.Counters
	mark      offlineMark
	saved     int64 // updates in the last snapshot, or -1
	gone      int   // events that snapshots count and the file has lost
	losses    average
	pace      pace
	told      told
	compiling time.Duration
}

// offlineMark is what a snapshot of an offline run holds beside a milestone: what
// the run learns from, and at which update it last looked at how it is doing.
type offlineMark struct {
	Episodes  int    `json:"episodes"`
	HeldOut   int    `json:"held_out"`
	Records   int    `json:"records"`
	SHA256    string `json:"sha256"`
	Validated int64  `json:"validated"`
	Evaluated int64  `json:"evaluated"`
}

const offlineKey = "offline"

// OpenOffline compiles the graphs and restores the newest whole snapshot in Dir,
// or starts a new run. Parts that cannot work, and other episodes than those that
// a run has learned from, are refused with ErrParts before anything is written.
func OpenOffline(ctx context.Context, p OfflineParts) (*Offline, error) {
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	if p.Now == nil {
		p.Now = time.Now
	}
	o := &Offline{OfflineParts: p, schedule: p.Schedule.OfflineSchedule(), saved: -1}
	if err := p.validate(); err != nil {
		return nil, errors.Join(err, o.Close())
	}
	for _, step := range []func(context.Context) error{o.compile, o.openEnvs, o.tidy, o.restore, o.openEvents} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, o.Close())
		}
	}
	return o, nil
}

// validate reports everything about the parts that can be known to fail later.
func (p OfflineParts) validate() error {
	err := errors.Join(p.Schedule.Validate(), p.Optimiser.Validate(), p.Plan.Validate(), checkStart(p.Model, p.Schedule.Freeze, p.From))
	have, want := p.Data.Dims(), p.Model.Dims()
	if want.VectorSize == 0 {
		have.VectorSize = 0
	}
	if have != want {
		err = errors.Join(err, fmt.Errorf("the model is for %+v, the episodes have %+v; make the model from the Dims of the Data", want, have))
	}
	if err != nil {
		return fmt.Errorf("learn: %w: %w", ErrParts, err)
	}
	return nil
}

func (o *Offline) compile(context.Context) (err error) {
	start := o.Now()
	defer func() { o.compiling = o.Now().Sub(start) }()
	if o.learner, err = NewLearner(o.Backend, o.Model, o.Optimiser, o.Schedule.BatchSize, o.Schedule.ChunkLength, o.Schedule.Freeze...); err != nil {
		return err
	}
	if o.sampler, err = o.samplerOf(o.Data.Train); err != nil {
		return err
	}
	if o.Data.HeldOut == nil {
		o.Log.Warn("no episodes are held out, so that nothing will tell whether the model learns them by heart",
			"episodes", o.Data.Train.Episodes(), "learn.offline.hold_out", o.schedule.HoldOut)
		return nil
	}
	sampler, err := o.samplerOf(o.Data.HeldOut)
	if err != nil {
		return err
	}
	o.validator, err = newValidator(o.Backend, o.Model, o.learner, sampler, o.Data.HeldOut.Records())
	return err
}

func (o *Offline) samplerOf(s *replay.Store) (*replay.Sampler, error) {
	return replay.NewSampler(s, o.stream("sample", 0), replay.SamplerConfig{
		BatchSize: o.Schedule.BatchSize, ChunkLength: o.Schedule.ChunkLength, BitDepth: o.BitDepth,
	})
}

// openEnvs makes what evaluations need.
func (o *Offline) openEnvs(context.Context) (err error) {
	if o.NewEnv == nil {
		return nil
	}
	for range o.Schedule.EvalEpisodes {
		e, err := o.NewEnv()
		if err != nil {
			return err
		}
		o.judgeEnvs = append(o.judgeEnvs, e)
		if err := errors.Join(checkModel(o.Model.Dims(), e.Spec()), checkActions(e.Spec()), checkLength(2, e.Spec())); err != nil {
			return fmt.Errorf("learn: %w: NewEnv: %w", ErrParts, err)
		}
	}
	o.judge, err = agent.New(o.Backend, o.Model, agent.Config{Plan: o.Plan, BitDepth: o.BitDepth}, o.Schedule.EvalEpisodes)
	return err
}

// tidy removes what interrupted writes have left beside the run's own files.
func (o *Offline) tidy(context.Context) error { return tidy(o.FS, o.Dir) }

// openEvents opens the event file, which from now on continues at the counters.
func (o *Offline) openEvents(context.Context) (err error) {
	if err := vfs.MakeDirDurable(o.FS, o.Dir); err != nil {
		return err
	}
	o.events, _, err = metrics.OpenJSONL(o.FS, filepath.Join(o.Dir, MetricsName), o.counters, o.mark.untold(o.counters)...)
	if err != nil {
		return err
	}
	if o.gone = max(0, o.gone-o.events.Events()); o.gone > 0 {
		o.Log.Warn("events that had been told are gone from the file", "file", filepath.Join(o.Dir, MetricsName), "missing", o.gone)
	}
	o.metrics = metrics.NewRecorder(o.events, o.Log, o.Listeners...)
	o.told = told{at: o.Now(), updates: o.counters.Updates}
	text := map[string]string{"env": o.envName(), "backend": o.Backend.Description(), "mode": "offline"}
	maps.Copy(text, o.About)
	return o.metrics.Record(metrics.Event{
		Kind: metrics.KindRun, Counters: o.counters, Text: text,
		Values: map[string]float64{
			"time/compile:seconds":     o.compiling.Seconds(),
			"replay/episodes:episodes": float64(o.mark.Episodes),
			"replay/records:records":   float64(o.mark.Records),
		},
	})
}

func (o *Offline) envName() string {
	if len(o.judgeEnvs) == 0 {
		return "offline"
	}
	return o.judgeEnvs[0].Spec().Name
}

// stream is the source of randomness number n of its kind.
func (o *Offline) stream(kind string, n int64) *rng.Stream {
	return rng.New(o.Seed, fmt.Sprintf("%s/%d", kind, n))
}

// Counters says how far the run has come.
func (o *Offline) Counters() metrics.Counters { return o.counters }

// Updates is how many updates the run makes in all.
func (o *Offline) Updates() int64 { return int64(o.schedule.Updates) }

// restore continues from the newest whole snapshot, or begins.
func (o *Offline) restore(ctx context.Context) error {
	held, _ := o.Data.Held()
	o.mark = offlineMark{Episodes: o.Data.Train.Episodes(), HeldOut: held, Records: o.Data.Train.Records(), SHA256: o.Data.SHA256}
	s, err := o.newest(ctx)
	if errors.Is(err, checkpoint.ErrNone) {
		params, err := initial(o.Model, o.From, o.stream("init", 0))
		if err != nil {
			return err
		}
		return o.learner.SetState(params, zeros(params), zeros(params))
	}
	if err != nil {
		return err
	}
	if err := o.resume(s); err != nil || !s.passed {
		return err
	}
	return checkpoint.Drop(o.FS, filepath.Join(o.Dir, snapshotsDir), s.Counters)
}

// resume takes up a snapshot.
func (o *Offline) resume(s offlineSaved) error {
	p, mark := s.milestone, s.mark
	if mark.SHA256 != o.mark.SHA256 {
		return fmt.Errorf("learn: %w: the run in %s learns from other episodes: %d of %d records and %d held out, not %d of %d and %d (or other values in them); restore these, or start a new run (with --from %[2]s to continue from its weights)",
			ErrParts, o.Dir, mark.Episodes, mark.Records, mark.HeldOut, o.mark.Episodes, o.mark.Records, o.mark.HeldOut)
	}
	if p.Seed != o.Seed {
		return fmt.Errorf("learn: %w: the run in %s has seed %d, not %d", ErrParts, o.Dir, p.Seed, o.Seed)
	}
	var state [3][][]float32
	for i, group := range [][]checkpoint.Tensor{s.Params, s.AdamM, s.AdamV} {
		var err error
		if state[i], err = fit(group, o.Model); err != nil {
			return fmt.Errorf("learn: snapshot %s: %w", s.path, err)
		}
	}
	o.counters, o.mark, o.losses, o.saved, o.gone = metrics.Counters(s.Counters), mark, p.Losses, s.Counters.Updates, p.Events
	return o.learner.SetState(state[0], state[1], state[2])
}

// snapshot saves the whole run; an interruption does not keep it from being
// written.
func (o *Offline) snapshot(ctx context.Context) error {
	if err := stillThere(o.FS, o.Dir); err != nil {
		return err
	}
	params, m, v, err := o.learner.State()
	if err != nil {
		return err
	}
	extra := map[string]json.RawMessage{}
	for key, value := range map[string]any{
		milestoneKey: milestone{Seed: o.Seed, Dims: o.Model.Dims(), Events: o.events.Events() + o.gone, Losses: o.losses}, offlineKey: o.mark,
	} {
		if extra[key], err = json.Marshal(value); err != nil {
			return err
		}
	}
	if err := o.events.Sync(); err != nil {
		return err
	}
	err = checkpoint.Save(context.WithoutCancel(ctx), o.FS, filepath.Join(o.Dir, snapshotsDir), &checkpoint.Snapshot{
		Counters: checkpoint.Counters(o.counters),
		Params:   named(o.Model, params), AdamM: named(o.Model, m), AdamV: named(o.Model, v),
		Config: o.Config, Extra: extra,
	})
	if err == nil {
		o.saved = o.counters.Updates
	}
	return err
}

// Close releases graphs and environments. It does not save; Train does. The data
// belong to the caller.
func (o *Offline) Close() error {
	var errs []error
	if o.metrics != nil {
		errs = append(errs, o.metrics.Close())
	} else {
		for _, l := range o.Listeners {
			errs = append(errs, l.Close())
		}
	}
	for _, e := range o.judgeEnvs {
		errs = append(errs, e.Close())
	}
	if o.judge != nil {
		errs = append(errs, o.judge.Close())
	}
	if o.validator != nil {
		o.validator.close()
	}
	if o.learner != nil {
		errs = append(errs, o.learner.Close())
	}
	return errors.Join(errs...)
}

package learn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/gomlx/compute"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/optim"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/plan"
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
	trainer
	schedule  OfflineConfig
	validator *validator // nil without episodes held out
	mark      offlineMark
	saved     int64 // updates in the last snapshot, or -1
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
	p.Log, p.Now = orDefault(p.Log, p.Now)
	o := &Offline{OfflineParts: p, trainer: newTrainer(p.common()), schedule: p.Schedule.OfflineSchedule(), saved: -1}
	o.beside = o.resources
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

// common is what the parts have in common with those of runs that collect.
func (p OfflineParts) common() Parts {
	return Parts{
		FS: p.FS, Dir: p.Dir, NewEnv: p.NewEnv, Backend: p.Backend, Model: p.Model, Optimiser: p.Optimiser, Plan: p.Plan,
		BitDepth: p.BitDepth, Schedule: p.Schedule, Seed: p.Seed, Config: p.Config, From: p.From, About: p.About,
		Listeners: p.Listeners, Log: p.Log, Now: p.Now,
	}
}

// validate reports everything about the parts that can be known to fail later.
func (p OfflineParts) validate() error {
	err := errors.Join(p.Schedule.Validate(), p.Optimiser.Validate(), checkPlan(p.Plan, p.Data.Schema.ActionSize), checkStart(p.Model, p.Schedule.Freeze, p.From))
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
	if err := o.compileUpdate(); err != nil {
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

// openEnvs makes what evaluations need.
func (o *Offline) openEnvs(context.Context) error {
	if o.NewEnv == nil {
		return nil
	}
	err := o.makeEnvs(o.Schedule.EvalEpisodes, func(spec env.Spec) error {
		return errors.Join(checkActions(spec), checkLength(2, spec))
	})
	if err != nil {
		return err
	}
	return o.makeJudge()
}

// openEvents makes the run's directory, and tells of the start.
func (o *Offline) openEvents(context.Context) error {
	if err := vfs.MakeDirDurable(o.FS, o.Dir); err != nil {
		return err
	}
	values := map[string]float64{"replay/episodes:episodes": float64(o.mark.Episodes), "replay/records:records": float64(o.mark.Records)}
	return o.trainer.openEvents(o.mark.untold(o.counters), values, map[string]string{"env": o.envName(), "mode": "offline"})
}

func (o *Offline) envName() string {
	if len(o.others) == 0 {
		return "offline"
	}
	return o.others[0].Spec().Name
}

// Updates is how many updates the run makes in all.
func (o *Offline) Updates() int64 { return int64(o.schedule.Updates) }

// Close releases graphs and environments. It does not save; Train does. The data
// belong to the caller.
func (o *Offline) Close() error {
	if o.validator != nil {
		o.validator.close()
	}
	return o.close()
}

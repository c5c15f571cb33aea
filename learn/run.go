package learn

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/gomlx/compute"

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/optim"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/metrics/live"
	"github.com/orrery-rl/orrery/plan"
	"github.com/orrery-rl/orrery/replay"
	"github.com/orrery-rl/orrery/worldmodel"
)

// Parts is what a run is made of. Everything is required unless it says
// otherwise; Open takes none of it over except by name.
type Parts struct {
	// FS and Dir say where the run lives.
	FS  vfs.FS
	Dir string
	// Env is the environment that training episodes are collected in.
	Env env.Env
	// NewEnv makes another one of the same kind, for evaluation and to collect
	// several episodes at once. They act in goroutines of their own.
	NewEnv func() (env.Env, error)
	// Backend executes the graphs.
	Backend compute.Backend
	// Model, Optimiser, Plan and BitDepth say what is learned and how it acts.
	Model     *worldmodel.Model
	Optimiser optim.Config
	Plan      plan.Config
	BitDepth  int
	// Schedule is Algorithm 1's.
	Schedule Config
	// ReplayMemory is the replay's budget in bytes.
	ReplayMemory int64
	// Seed is where all randomness derives from.
	Seed uint64
	// Accept, if it is not nil, is told what the run will take before anything is
	// written, and ends Open with the error it returns.
	Accept func(Projection) error
	// Config is the effective configuration, stored in every snapshot.
	Config json.RawMessage
	// From are weights that a new run starts with, in place of random ones; nil
	// otherwise. A run that is restored does not look at them.
	From *Weights
	// About says what should be known of this process; it goes into the event of
	// its start.
	About map[string]string
	// Listeners are shown every event, beside the run's own event file; Close
	// closes them, and so does an Open that fails.
	Listeners []metrics.Sink
	// Live is shown decisions and episodes while they are collected; nil shows and
	// computes nothing. It does not influence the run.
	Live live.Sink
	// Log receives what deserves a person's attention; nil discards it.
	Log *slog.Logger
	// Now is the clock; nil is time.Now. It is used for reporting only.
	Now func() time.Time
}

// Run is a training run: open it, Train it, Close it. It is not safe for
// concurrent use.
type Run struct {
	Parts
	trainer
	cfg     Config
	crews   []*crew  // that collect
	watched bool     // Live was given
	lookout *lookout // nil if nothing is to be seen
	replay  *replay.Store
	warned  bool // that the model does not learn where episodes end
}

// Open compiles the graphs and restores the newest whole snapshot in
// Parts.Dir, or starts a new run when there is none. Episodes beyond the
// snapshot, which nothing has learned from, are dropped and will be collected
// again. Parts that cannot work are refused with ErrParts before anything is
// computed or written.
func Open(ctx context.Context, p Parts) (*Run, error) {
	p.Log, p.Now = orDefault(p.Log, p.Now)
	watched := p.Live != nil
	if !watched {
		p.Live = live.Discard{}
	}
	r := &Run{Parts: p, trainer: newTrainer(p), watched: watched, cfg: p.Schedule}
	if err := p.validate(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	for _, step := range []func(context.Context) error{r.compile, r.accept, r.tidy, r.openReplay, r.restore, r.openEvents} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, r.Close())
		}
	}
	return r, nil
}

// compile builds the graphs of a run: update, collecting agents, evaluating
// agent.
func (r *Run) compile(context.Context) (err error) {
	start := r.Now()
	defer func() { r.compiling = r.Now().Sub(start) }()
	if err := r.compileUpdate(); err != nil {
		return err
	}
	collecting := agent.Config{Plan: r.Plan, BitDepth: r.BitDepth, ActionNoise: r.cfg.ActionNoise}
	if r.cfg.RandomCollection {
		collecting = randomly(collecting)
	}
	// Those that collect and those that are evaluated in are the same, for they do so
	// at different times.
	if err := r.makeEnvs(max(r.cfg.Envs-1, r.cfg.EvalEpisodes), checkActions); err != nil {
		return err
	}
	if err := r.makeCrews(collecting); err != nil {
		return err
	}
	if r.watched {
		if r.lookout, err = newLookout(r.Backend, r.Model, r.Env.Spec()); err != nil {
			return err
		}
	}
	return r.makeJudge()
}

// randomly is an agent that explores only: discrete actions are drawn as such.
func randomly(c agent.Config) agent.Config {
	if c.Plan.Method == plan.Categorical {
		c.Plan.Iterations, c.ActionNoise = 0, 1
		return c
	}
	c.Plan.Method, c.ActionNoise = plan.Random, 0
	return c
}

func (r *Run) openReplay(ctx context.Context) (err error) {
	spec := r.Env.Spec()
	schema := replay.Schema{
		Height: spec.Image.Height, Width: spec.Image.Width, Channels: spec.Image.Channels,
		ActionSize: spec.Action.Size, VectorSize: spec.VectorSize,
	}
	r.replay, err = replay.Open(ctx, r.FS, filepath.Join(r.Dir, episodesDir), schema, replay.Config{MemoryBudget: r.ReplayMemory}, r.Log)
	if err != nil {
		return err
	}
	r.sampler, err = r.samplerOf(r.replay)
	return err
}

// openEvents tells of the start, and of what runs where.
func (r *Run) openEvents(context.Context) error {
	return r.trainer.openEvents(untold(r.evaluated, r.counters), map[string]float64{}, map[string]string{"env": r.Env.Spec().Name})
}

// Close releases graphs, environments made by NewEnv, and the replay. It does
// not save; Train does.
func (r *Run) Close() error {
	var errs []error
	if r.replay != nil {
		errs = append(errs, r.replay.Close())
	}
	for _, c := range r.crews {
		errs = append(errs, c.agent.Close())
	}
	if r.lookout != nil {
		r.lookout.program.Close()
	}
	return r.close(errs...)
}

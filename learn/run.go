package learn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"path/filepath"
	"time"

	"github.com/gomlx/compute"

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/optim"
	"github.com/orrery-rl/orrery/internal/rng"
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
	cfg       Config
	learner   *Learner
	crews     []*crew // that collect
	judge     *agent.Agent
	watched   bool      // Live was given
	lookout   *lookout  // nil if nothing is to be seen
	others    []env.Env // made by NewEnv: some collect, some are evaluated in
	replay    *replay.Store
	sampler   *replay.Sampler
	events    *metrics.JSONL
	metrics   *metrics.Recorder
	counters  metrics.Counters
	evaluated int64 // episodes at the last evaluation
	watch     stopwatch
	losses    average
	pace      pace
	told      told
	compiling time.Duration
	saving    time.Duration // of the last snapshot
	warned    bool          // that the model does not learn where episodes end
	gone      int           // events that snapshots count and the file has lost
}

// Open compiles the graphs and restores the newest whole snapshot in
// Parts.Dir, or starts a new run when there is none. Episodes beyond the
// snapshot, which nothing has learned from, are dropped and will be collected
// again. Parts that cannot work are refused with ErrParts before anything is
// computed or written.
func Open(ctx context.Context, p Parts) (*Run, error) {
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	if p.Now == nil {
		p.Now = time.Now
	}
	watched := p.Live != nil
	if !watched {
		p.Live = live.Discard{}
	}
	r := &Run{Parts: p, watched: watched, cfg: p.Schedule, watch: stopwatch{now: p.Now}}
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

// tidy removes what interrupted writes have left beside the run's own files.
func (r *Run) tidy(context.Context) error { return tidy(r.FS, r.Dir) }

func tidy(fsys vfs.FS, dir string) error {
	if err := vfs.RemoveTemps(fsys, dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("learn: %w", err)
	}
	return nil
}

// compile builds the graphs of a run: update, collecting agents, evaluating
// agent.
func (r *Run) compile(context.Context) (err error) {
	start := r.Now()
	defer func() { r.compiling = r.Now().Sub(start) }()
	if r.learner, err = NewLearner(r.Backend, r.Model, r.Optimiser, r.cfg.BatchSize, r.cfg.ChunkLength, r.cfg.Freeze...); err != nil {
		return err
	}
	acting := agent.Config{Plan: r.Plan, BitDepth: r.BitDepth}
	collecting := acting
	collecting.ActionNoise = r.cfg.ActionNoise
	if r.cfg.RandomCollection {
		collecting = randomly(collecting)
	}
	if err := r.makeEnvs(); err != nil {
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
	r.judge, err = agent.New(r.Backend, r.Model, acting, r.cfg.EvalEpisodes)
	return err
}

// makeEnvs makes the environments beside Env: those that collect and those that
// are evaluated in are the same, for they do so at different times.
func (r *Run) makeEnvs() error {
	for range max(r.cfg.Envs-1, r.cfg.EvalEpisodes) {
		e, err := r.NewEnv()
		if err != nil {
			return err
		}
		r.others = append(r.others, e)
		if err := errors.Join(checkModel(r.Model.Dims(), e.Spec()), checkActions(e.Spec())); err != nil {
			return fmt.Errorf("learn: %w: NewEnv: %w", ErrParts, err)
		}
	}
	return nil
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
	r.sampler, err = replay.NewSampler(r.replay, r.stream("sample", 0),
		replay.SamplerConfig{BatchSize: r.cfg.BatchSize, ChunkLength: r.cfg.ChunkLength, BitDepth: r.BitDepth})
	return err
}

// openEvents opens the event file, which from now on continues at the counters.
func (r *Run) openEvents(context.Context) (err error) {
	r.events, _, err = metrics.OpenJSONL(r.FS, filepath.Join(r.Dir, MetricsName), r.counters, untold(r.evaluated, r.counters)...)
	if err != nil {
		return err
	}
	r.missEvents()
	r.metrics = metrics.NewRecorder(r.events, r.Log, r.Listeners...)
	r.told = told{at: r.Now(), updates: r.counters.Updates, envSteps: r.counters.EnvSteps}
	return r.metrics.Record(metrics.Event{
		Kind: metrics.KindRun, Counters: r.counters,
		Values: map[string]float64{"time/compile:seconds": r.compiling.Seconds()},
		Text:   r.aboutStart(),
	})
}

// aboutStart says what runs where.
func (r *Run) aboutStart() map[string]string {
	text := map[string]string{"env": r.Env.Spec().Name, "backend": r.Backend.Description()}
	maps.Copy(text, r.About)
	return text
}

// missEvents says how many events are gone that had been told before the
// snapshot: the file was damaged since. Nothing is learned from them.
func (r *Run) missEvents() {
	if r.gone = max(0, r.gone-r.events.Events()); r.gone > 0 {
		r.Log.Warn("events are missing: the run goes on, its curves have a gap",
			"file", filepath.Join(r.Dir, MetricsName), "missing", r.gone)
	}
}

// stream is the source of randomness number n of its kind: update n, training
// episode n, or episode n of an evaluation, which is the same in all evaluations.
func (r *Run) stream(kind string, n int64) *rng.Stream {
	return rng.New(r.Seed, fmt.Sprintf("%s/%d", kind, n))
}

// Counters says how far the run has come.
func (r *Run) Counters() metrics.Counters { return r.counters }

// Close releases graphs, environments made by NewEnv, and the replay. It does
// not save; Train does.
func (r *Run) Close() error {
	var errs []error
	if r.metrics != nil {
		errs = append(errs, r.metrics.Close())
	} else {
		for _, l := range r.Listeners {
			errs = append(errs, l.Close())
		}
	}
	if r.replay != nil {
		errs = append(errs, r.replay.Close())
	}
	for _, e := range r.others {
		errs = append(errs, e.Close())
	}
	for _, c := range r.crews {
		errs = append(errs, c.agent.Close())
	}
	if r.lookout != nil {
		r.lookout.program.Close()
	}
	if r.judge != nil {
		errs = append(errs, r.judge.Close())
	}
	if r.learner != nil {
		errs = append(errs, r.learner.Close())
	}
	return errors.Join(errs...)
}

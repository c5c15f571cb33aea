package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gomlx/compute"

	"github.com/orrery-rl/orrery/internal/optim"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/replay"
	"github.com/orrery-rl/orrery/worldmodel"
)

// UpdateConfig is the update to measure.
type UpdateConfig struct {
	Model     worldmodel.Config
	Dims      worldmodel.Dims
	Optimiser optim.Config
	// BatchSize (B) and ChunkLength (L) are the shape of a batch.
	BatchSize, ChunkLength int
	BitDepth               int
	// Count is the number of measured updates, at least 1; one more comes first
	// and is not counted.
	Count int
	// Profile measures every step of the graph, too.
	Profile bool
	// Dir is an empty directory on disk for the episodes that are sampled.
	Dir string
	// Began is when the program started, for UpdateReport.FirstUpdate; time that
	// the caller spent on something else may be added to it.
	Began time.Time
}

// UpdateReport is what updates cost.
type UpdateReport struct {
	BatchSize   int    `json:"batch_size"`
	ChunkLength int    `json:"chunk_length"`
	Parameters  int    `json:"parameters"`
	Backend     string `json:"backend"`
	// Build is the time from nothing to a graph that can run; Compile is the
	// backend's part of it.
	Build   float64 `json:"build_seconds"`
	Compile float64 `json:"compile_seconds"`
	// FirstUpdate is the time from the start of the program to the end of the
	// first update.
	FirstUpdate float64 `json:"first_update_seconds"`
	// Total is a whole update; it is the sum of Sample (a batch from the replay,
	// dequantised), Noise (of the posterior), Graph and Rest.
	Total  Spread `json:"total"`
	Sample Spread `json:"sample"`
	Noise  Spread `json:"noise"`
	Graph  Spread `json:"graph"`
	Rest   Spread `json:"rest"`

	Work GraphWork `json:"work"`
	// FLOPS and Bandwidth are Work by the median time of the graph.
	FLOPS     float64 `json:"flops_per_second"`
	Bandwidth float64 `json:"bytes_per_second"`
	Process   Process `json:"process"`
	// Steps are the graph's with their times, if a profile was wanted and the
	// backend offers it.
	Steps []Step `json:"steps,omitempty"`
}

// Update measures updates of a new world model on episodes of random pixels.
func Update(ctx context.Context, backend compute.Backend, cfg UpdateConfig, report Report) (r UpdateReport, err error) {
	if cfg.Count < 1 {
		return r, fmt.Errorf("bench: %d updates; measure at least 1", cfg.Count)
	}
	u, err := newUpdates(ctx, backend, cfg, report)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, u.close()) }()
	report.say("first update")
	if _, err := u.one(ctx); err != nil {
		return r, err
	}
	first := time.Since(cfg.Began)
	native := u.watch.cost("update").native()
	if cfg.Profile && native != nil {
		native.Profile(true)
	}
	report.say("%d updates", cfg.Count)
	if err := u.measure(ctx); err != nil {
		return r, err
	}
	r = u.report()
	r.FirstUpdate = first.Seconds()
	if cfg.Profile && native != nil {
		r.Steps = steps(native)
	}
	return r, nil
}

// updates is a learner with its data.
type updates struct {
	cfg     UpdateConfig
	watch   *watch
	store   *replay.Store
	sampler *replay.Sampler
	learner *learn.Learner
	build   time.Duration
	number  int64
	params  int

	parts   []updateTime
	process Process
}

// updateTime says where the time of one update went.
type updateTime struct{ sample, noise, graph, rest time.Duration }

func newUpdates(ctx context.Context, backend compute.Backend, cfg UpdateConfig, report Report) (u *updates, err error) {
	u = &updates{cfg: cfg, watch: newWatch(backend)}
	defer func() {
		if err != nil {
			err = errors.Join(err, u.close())
		}
	}()
	model, err := worldmodel.New(cfg.Model, cfg.Dims)
	if err != nil {
		return u, err
	}
	report.say("compiling the update of [%d, %d, %d, %d, %d]", cfg.BatchSize, cfg.ChunkLength, cfg.Dims.Height, cfg.Dims.Width, cfg.Dims.Channels)
	start := time.Now()
	if u.learner, err = learn.NewLearner(u.watch, model, cfg.Optimiser, cfg.BatchSize, cfg.ChunkLength); err != nil {
		return u, err
	}
	u.build = time.Since(start)
	params := model.InitParams(rng.New(1, "bench/params"))
	for _, p := range params {
		u.params += len(p)
	}
	if err := u.learner.SetState(params, zeros(params), zeros(params)); err != nil {
		return u, err
	}
	return u, u.openReplay(ctx)
}

func zeros(like [][]float32) [][]float32 {
	out := make([][]float32, len(like))
	for i, p := range like {
		out[i] = make([]float32, len(p))
	}
	return out
}

// openReplay fills a replay with a few episodes to sample from.
func (u *updates) openReplay(ctx context.Context) (err error) {
	data := ReplayConfig{
		Dims: u.cfg.Dims, Dir: u.cfg.Dir, Episodes: 4, Records: max(126, u.cfg.ChunkLength+1), MemoryBytes: 1 << 30,
		BatchSize: u.cfg.BatchSize, ChunkLength: u.cfg.ChunkLength, BitDepth: u.cfg.BitDepth,
	}
	if u.store, err = data.open(ctx); err != nil {
		return err
	}
	if _, err := data.fill(ctx, u.store); err != nil {
		return err
	}
	u.sampler, err = data.sampler(u.store)
	return err
}

// one makes an update and says where its time went.
func (u *updates) one(ctx context.Context) (t updateTime, err error) {
	start := time.Now()
	if err := u.sampler.Sample(ctx, u.learner.Batch()); err != nil {
		return t, err
	}
	sampled := time.Now()
	u.number++
	rng.New(uint64(u.number), "bench/posterior").FillNormal(u.learner.Noise())
	rng.New(uint64(u.number), "bench/rollout").FillNormal(u.learner.RolloutNoise())
	filled := time.Now()
	if _, err := u.learner.Update(ctx, u.number); err != nil {
		return t, err
	}
	t.sample, t.noise, t.graph = sampled.Sub(start), filled.Sub(sampled), u.watch.cost("update").last
	t.rest = time.Since(filled) - t.graph
	return t, nil
}

func (u *updates) measure(ctx context.Context) error {
	before := used()
	for range u.cfg.Count {
		t, err := u.one(ctx)
		if err != nil {
			return err
		}
		u.parts = append(u.parts, t)
	}
	u.process = process(before, u.cfg.Count)
	return nil
}

func (u *updates) report() UpdateReport {
	cost := u.watch.cost("update")
	r := UpdateReport{
		BatchSize: u.cfg.BatchSize, ChunkLength: u.cfg.ChunkLength, Parameters: u.params, Backend: u.watch.Description(),
		Build: u.build.Seconds(), Compile: cost.compile.Seconds(), Work: cost.work(),
		Sample:  spreadOf(u.parts, func(t updateTime) time.Duration { return t.sample }),
		Noise:   spreadOf(u.parts, func(t updateTime) time.Duration { return t.noise }),
		Graph:   spreadOf(u.parts, func(t updateTime) time.Duration { return t.graph }),
		Rest:    spreadOf(u.parts, func(t updateTime) time.Duration { return t.rest }),
		Total:   spreadOf(u.parts, func(t updateTime) time.Duration { return t.sample + t.noise + t.graph + t.rest }),
		Process: u.process,
	}
	r.FLOPS = per(float64(r.Work.FLOPs), r.Graph.Median)
	r.Bandwidth = per(float64(r.Work.Read+r.Work.Written), r.Graph.Median)
	return r
}

// spreadOf summarises one part of every measurement.
func spreadOf[T any](parts []T, part func(T) time.Duration) Spread {
	durations := make([]time.Duration, len(parts))
	for i, p := range parts {
		durations[i] = part(p)
	}
	return NewSpread(durations)
}

func (u *updates) close() error {
	var errs []error
	if u.store != nil {
		errs = append(errs, u.store.Close())
	}
	if u.learner != nil {
		errs = append(errs, u.learner.Close())
	}
	return errors.Join(errs...)
}

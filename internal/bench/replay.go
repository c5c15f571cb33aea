package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/replay"
	"github.com/orrery-rl/orrery/worldmodel"
)

// ReplayConfig is the replay to measure.
type ReplayConfig struct {
	Dims worldmodel.Dims
	// Dir is an empty directory on the disk to measure.
	Dir string
	// Episodes of Records records are written and sampled from.
	Episodes, Records int
	// MemoryBytes is how much of the images may stay in memory.
	MemoryBytes            int64
	BatchSize, ChunkLength int
	BitDepth               int
	// Count is the number of measured batches, at least 1.
	Count int
}

// ReplayReport is what storing and sampling costs.
type ReplayReport struct {
	EpisodeBytes int64   `json:"episode_bytes"`
	Append       Spread  `json:"append"`
	AppendRate   float64 `json:"append_bytes_per_second"`
	// Memory and Disk are batches sampled from images in memory, and with memory for
	// one episode only, from the disk (or the system's cache of it).
	Memory SampleReport `json:"memory"`
	Disk   SampleReport `json:"disk"`
	// Dequantise is the part of it that turns bytes into numbers.
	Dequantise SampleReport `json:"dequantise"`
}

// SampleReport is what a batch costs.
type SampleReport struct {
	Batch   Spread  `json:"batch"`
	Batches float64 `json:"batches_per_second"`
	// ImageRate is bytes of stored images a second; the batch's are four times
	// as large.
	ImageRate float64 `json:"image_bytes_per_second"`
}

// Replay measures appending, sampling and dequantising.
func Replay(ctx context.Context, cfg ReplayConfig, report Report) (r ReplayReport, err error) {
	if cfg.Count < 1 {
		return r, fmt.Errorf("bench: %d batches; measure at least 1", cfg.Count)
	}
	report.say("writing %d episodes of %d records", cfg.Episodes, cfg.Records)
	store, err := cfg.open(ctx)
	if err != nil {
		return r, err
	}
	appends, err := cfg.fill(ctx, store)
	if err != nil {
		return r, errors.Join(err, store.Close())
	}
	r.Append = NewSpread(appends)
	r.EpisodeBytes = int64(cfg.Records) * int64(cfg.schema().ImageSize()+4*(cfg.Dims.ActionSize+cfg.Dims.VectorSize+2))
	r.AppendRate = per(float64(r.EpisodeBytes), r.Append.Median)
	report.say("sampling %d batches of [%d, %d] from memory", cfg.Count, cfg.BatchSize, cfg.ChunkLength)
	r.Memory, err = cfg.sample(ctx, store)
	if err := errors.Join(err, store.Close()); err != nil {
		return r, err
	}
	if r.Dequantise, err = cfg.dequantise(ctx); err != nil {
		return r, err
	}
	report.say("sampling %d batches from the disk", cfg.Count)
	cfg.MemoryBytes = 0
	if store, err = cfg.open(ctx); err != nil {
		return r, err
	}
	r.Disk, err = cfg.sample(ctx, store)
	return r, errors.Join(err, store.Close())
}

func (c ReplayConfig) schema() replay.Schema {
	d := c.Dims
	return replay.Schema{Height: d.Height, Width: d.Width, Channels: d.Channels, ActionSize: d.ActionSize, VectorSize: d.VectorSize}
}

func (c ReplayConfig) open(ctx context.Context) (*replay.Store, error) {
	return replay.Open(ctx, vfs.OS(), c.Dir, c.schema(), replay.Config{MemoryBudget: c.MemoryBytes}, slog.New(slog.DiscardHandler))
}

func (c ReplayConfig) sampler(store *replay.Store) (*replay.Sampler, error) {
	return replay.NewSampler(store, rng.New(1, "bench/sample"), replay.SamplerConfig{
		BatchSize: c.BatchSize, ChunkLength: c.ChunkLength, BitDepth: c.BitDepth,
	})
}

// fill appends the episodes and returns how long each took.
func (c ReplayConfig) fill(ctx context.Context, store *replay.Store) (took []time.Duration, err error) {
	stream := rng.New(1, "bench/episodes")
	for range c.Episodes {
		ep := c.episode(stream)
		start := time.Now()
		if _, err := store.Append(ctx, ep); err != nil {
			return nil, err
		}
		took = append(took, time.Since(start))
	}
	return took, nil
}

// episode has random pixels, actions and rewards.
func (c ReplayConfig) episode(stream *rng.Stream) *replay.Episode {
	ep := &replay.Episode{
		Images: make([]byte, c.Records*c.schema().ImageSize()), Actions: make([]float32, c.Records*c.Dims.ActionSize),
		Rewards: make([]float32, c.Records), Continues: make([]float32, c.Records),
		Vectors: make([]float32, c.Records*c.Dims.VectorSize),
	}
	for i := range ep.Images {
		ep.Images[i] = byte(stream.Uint64())
	}
	stream.FillUniform(ep.Actions[c.Dims.ActionSize:])
	stream.FillUniform(ep.Rewards[1:])
	stream.FillUniform(ep.Vectors)
	for i := range ep.Continues {
		ep.Continues[i] = 1
	}
	return ep
}

func (c ReplayConfig) sample(ctx context.Context, store *replay.Store) (SampleReport, error) {
	sampler, err := c.sampler(store)
	if err != nil {
		return SampleReport{}, err
	}
	var batch replay.Batch
	return c.repeat(func() error { return sampler.Sample(ctx, &batch) })
}

func (c ReplayConfig) dequantise(ctx context.Context) (SampleReport, error) {
	n := c.BatchSize * c.ChunkLength * c.schema().ImageSize()
	src, dst, stream := make([]byte, n), make([]float32, n), rng.New(1, "bench/dequantise")
	return c.repeat(func() error { return errors.Join(ctx.Err(), replay.Dequantise(dst, src, c.BitDepth, stream)) })
}

// repeat times f, whose first call does not count.
func (c ReplayConfig) repeat(f func() error) (r SampleReport, err error) {
	took := make([]time.Duration, c.Count+1)
	for i := range took {
		start := time.Now()
		if err := f(); err != nil {
			return r, err
		}
		took[i] = time.Since(start)
	}
	r.Batch = NewSpread(took[1:])
	r.Batches = per(1, r.Batch.Median)
	r.ImageRate = r.Batches * float64(c.BatchSize*c.ChunkLength*c.schema().ImageSize())
	return r, nil
}

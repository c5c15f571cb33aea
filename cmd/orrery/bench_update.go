package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/internal/bench"
)

type benchUpdateOptions struct {
	benchOptions
	batch, length int
	against       string
	againstSize   string
}

func newBenchUpdate(a *app) *cobra.Command {
	o := &benchUpdateOptions{}
	cmd := &cobra.Command{
		Use: "update", Short: "Measure whole updates of the world model", Args: exactArgs(),
		Long: `Update measures optimiser steps as training makes them: a batch is sampled from
a replay of random pixels, the posterior's noise is drawn, and the graph of loss,
gradient, clipping and Adam runs.

--against measures the same update on another backend, at a size that it can
finish (--against-size), and ours at that size too.`,
		Example: `  orrery bench update
  orrery bench update --preset paper --count 5
  orrery bench update --batch 16 --length 20 --threads 1 --json
  orrery bench update --preset paper --against go
  ORRERY_CPU=avx2 orrery bench update`,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), a, cmd) },
	}
	o.register(cmd, 5)
	registerBatch(cmd, &o.batch, &o.length)
	cmd.Flags().StringVar(&o.against, "against", "", "backend to compare with, for example go")
	cmd.Flags().StringVar(&o.againstSize, "against-size", "2x4", "batch size x chunk length of the comparison")
	return cmd
}

func registerBatch(cmd *cobra.Command, batch, length *int) {
	cmd.Flags().IntVar(batch, "batch", 0, "chunks in a batch (0: the preset's)")
	cmd.Flags().IntVar(length, "length", 0, "records in a chunk (0: the preset's)")
}

// updateBench is what bench update prints; its JSON form is stable.
type updateBench struct {
	Machine bench.Machine      `json:"machine"`
	Preset  string             `json:"preset"`
	Update  bench.UpdateReport `json:"update"`
	Against *againstBench      `json:"against,omitempty"`
}

// againstBench sets two backends beside each other.
type againstBench struct {
	Ours   bench.UpdateReport `json:"ours"`
	Theirs bench.UpdateReport `json:"theirs"`
	// Speedup is the ratio of the median times of a whole update.
	Speedup float64 `json:"speedup"`
}

func (o *benchUpdateOptions) run(ctx context.Context, a *app, cmd *cobra.Command) error {
	var batch, length int
	if o.against != "" {
		if _, err := fmt.Sscanf(o.againstSize, "%dx%d", &batch, &length); err != nil || batch < 1 || length < 2 {
			return fmt.Errorf("%w: --against-size is %q; write batch x length, for example 2x4", errUsage, o.againstSize)
		}
	}
	b, err := o.start(ctx, a, cmd)
	if err != nil {
		return err
	}
	defer b.backend.Finalize()
	b.resize(o.batch, o.length)
	out := updateBench{Machine: b.machine, Preset: b.config.Preset}
	if out.Update, err = b.update(ctx, a, b.began); err != nil {
		return err
	}
	if o.against != "" {
		b.resize(batch, length)
		if out.Against, err = b.against(ctx, a, o.against); err != nil {
			return err
		}
	}
	if o.json {
		return a.printJSON(out)
	}
	return out.print(a.out)
}

// resize changes the shape of a batch; 0 keeps it.
func (b *benchRun) resize(batch, length int) {
	if batch > 0 {
		b.config.Learn.BatchSize = batch
	}
	if length > 0 {
		b.config.Learn.ChunkLength = length
	}
}

func (b *benchRun) updateConfig(began time.Time) bench.UpdateConfig {
	return bench.UpdateConfig{
		Model: b.config.Model, Dims: b.dims, Optimiser: b.config.Optimiser,
		BatchSize: b.config.Learn.BatchSize, ChunkLength: b.config.Learn.ChunkLength, BitDepth: b.config.Env.BitDepth,
		Count: b.count, Began: began,
	}
}

func (b *benchRun) update(ctx context.Context, a *app, began time.Time) (r bench.UpdateReport, err error) {
	if err := b.config.Validate(); err != nil {
		return r, err
	}
	cfg := b.updateConfig(began)
	err = withTempDir("", func(dir string) error {
		cfg.Dir = dir
		r, err = bench.Update(ctx, b.backend, cfg, a.progress())
		return err
	})
	return r, err
}

// against measures the present size on this backend and on another.
func (b *benchRun) against(ctx context.Context, a *app, name string) (*againstBench, error) {
	other := *b
	var err error
	if other.backend, err = openBackend(config.Backend{Name: name, Threads: b.config.Backend.Threads}, slog.New(slog.DiscardHandler)); err != nil {
		return nil, err
	}
	defer other.backend.Finalize()
	out := &againstBench{}
	if out.Ours, err = b.update(ctx, a, time.Now()); err != nil {
		return nil, err
	}
	if out.Theirs, err = other.update(ctx, a, time.Now()); err != nil {
		return nil, err
	}
	out.Speedup = out.Theirs.Total.Median / out.Ours.Total.Median
	return out, nil
}

func (u updateBench) print(w io.Writer) error {
	printMachine(w, u.Machine)
	r := u.Update
	fmt.Fprintf(w, "\nupdate, preset %s, %d x %d records, %d parameters, %s\n", u.Preset, r.BatchSize, r.ChunkLength, r.Parameters, r.Backend)
	t := table(w)
	fmt.Fprintf(t, "update\t%s, median of %d\n", spread(r.Total), r.Total.Count)
	fmt.Fprintf(t, "  sampling\t%s\n", spread(r.Sample))
	fmt.Fprintf(t, "  noise\t%s\n", spread(r.Noise))
	fmt.Fprintf(t, "  graph\t%s\n", spread(r.Graph))
	fmt.Fprintf(t, "  rest\t%s\n", spread(r.Rest))
	printWork(t, r.Work)
	printRate(t, r.FLOPS, r.Bandwidth, r.Process, u.Machine)
	printProcess(t, r.Process, "an update")
	fmt.Fprintf(t, "start\tgraph built in %s (%s of it the backend's); first update done %s after the start\n",
		duration(r.Build), duration(r.Compile), duration(r.FirstUpdate))
	if c := u.Against; c != nil {
		fmt.Fprintf(t, "against\tat %d x %d: ours %s, %s %s: %.1f times as fast\n", c.Ours.BatchSize, c.Ours.ChunkLength,
			spread(c.Ours.Total), c.Theirs.Backend, spread(c.Theirs.Total), c.Speedup)
	}
	return t.Flush()
}

package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/internal/bench"
	"github.com/orrery-rl/orrery/worldmodel"
)

type benchReplayOptions struct {
	json                     bool
	batch, length, count     int
	episodes, records, pixel int
	dir                      string
}

func newBenchReplay(a *app) *cobra.Command {
	o := &benchReplayOptions{}
	cmd := &cobra.Command{
		Use: "replay", Short: "Measure storing episodes and sampling batches", Args: exactArgs(),
		Long: `Replay writes episodes of random pixels durably, one file each, samples batches
from images in memory and from the disk, and dequantises them. Files that were
just written are in the system's cache: the disk itself may be slower.`,
		Example: `  orrery bench replay
  orrery bench replay --batch 50 --length 50 --episodes 50 --dir /mnt/slow --json`,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), a) },
	}
	registerJSON(cmd, &o.json)
	f := cmd.Flags()
	f.IntVar(&o.batch, "batch", 32, "chunks in a batch")
	f.IntVar(&o.length, "length", 32, "records in a chunk")
	f.IntVar(&o.count, "count", 20, "measured batches; one more comes first and does not count")
	f.IntVar(&o.episodes, "episodes", 20, "episodes to write and to sample from")
	f.IntVar(&o.records, "records", 126, "records in an episode")
	f.IntVar(&o.pixel, "size", 64, "height and width of the images in pixels")
	f.StringVar(&o.dir, "dir", "", "an existing directory on the disk to measure (default: the system's for temporary files)")
	return cmd
}

func (o *benchReplayOptions) run(ctx context.Context, a *app) error {
	for name, value := range map[string]int{"batch": o.batch, "length": o.length, "count": o.count, "episodes": o.episodes, "size": o.pixel} {
		if err := atLeastOne(name, value); err != nil {
			return err
		}
	}
	if o.records < max(2, o.length) {
		return fmt.Errorf("%w: --records is %d; it must be at least 2 and --length, %d", errUsage, o.records, o.length)
	}
	preset, err := config.Preset("paper")
	if err != nil {
		return err
	}
	var r bench.ReplayReport
	err = withTempDir(o.dir, func(dir string) (err error) {
		r, err = bench.Replay(ctx, bench.ReplayConfig{
			Dims: worldmodel.Dims{Height: o.pixel, Width: o.pixel, Channels: 3, ActionSize: 1}, Dir: dir,
			Episodes: o.episodes, Records: o.records, MemoryBytes: 1 << 40, BatchSize: o.batch, ChunkLength: o.length,
			BitDepth: preset.Env.BitDepth, Count: o.count,
		}, a.progress())
		return err
	})
	if err != nil {
		return err
	}
	if o.json {
		return a.printJSON(r)
	}
	return o.print(a.out, r)
}

func (o *benchReplayOptions) print(w io.Writer, r bench.ReplayReport) error {
	fmt.Fprintf(w, "%d episodes of %d records of %dx%d pixels (%s each), batches of %d x %d, one thread\n",
		o.episodes, o.records, o.pixel, o.pixel, size(float64(r.EpisodeBytes)), o.batch, o.length)
	t := table(w)
	fmt.Fprintln(t, "\ttime\ta second\timages")
	fmt.Fprintf(t, "append an episode\t%s\t%.1f\t%sB/s\n", spread(r.Append), 1/r.Append.Median, giga(r.AppendRate))
	for _, s := range []struct {
		name string
		bench.SampleReport
	}{{"sample from memory", r.Memory}, {"sample from disk", r.Disk}, {"of it dequantising", r.Dequantise}} {
		fmt.Fprintf(t, "%s\t%s\t%.1f\t%sB/s\n", s.name, spread(s.Batch), s.Batches, giga(s.ImageRate))
	}
	return t.Flush()
}

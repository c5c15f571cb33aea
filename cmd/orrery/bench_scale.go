package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/internal/bench"
)

type benchScaleOptions struct {
	benchOptions
	batch, length int
	over          string
	values        []int
}

// scaled are the sizes that bench scale varies, with the values it tries.
func scaled() map[string][]int {
	return map[string][]int{
		"batch": {8, 16, 32, 64}, "length": {8, 16, 32, 64}, "image": {32, 64, 96, 128}, "threads": {1, 2},
		"candidates": {100, 200, 400, 800}, "envs": {1, 2, 4, 8},
	}
}

func newBenchScale(a *app) *cobra.Command {
	o := &benchScaleOptions{}
	names := strings.Join(slices.Sorted(maps.Keys(scaled())), ", ")
	cmd := &cobra.Command{
		Use: "scale", Short: "Measure cost against batch, length, image size, threads, candidates, environments", Args: exactArgs(),
		Long: `Scale measures updates (or, over candidates and envs, plans) of several sizes,
each in its turn, with everything else as the preset says.`,
		Example: `  orrery bench scale --over batch
  orrery bench scale --over threads --values 1,2,4 --preset paper --batch 10
  orrery bench scale --over envs --json`,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), a, cmd) },
	}
	o.register(cmd, 3)
	registerBatch(cmd, &o.batch, &o.length)
	cmd.Flags().StringVar(&o.over, "over", "batch", "what to vary: "+names)
	cmd.Flags().IntSliceVar(&o.values, "values", nil, "values to try (default: some for each)")
	return cmd
}

// scaleBench is what bench scale prints; its JSON form is stable.
type scaleBench struct {
	Machine bench.Machine `json:"machine"`
	Preset  string        `json:"preset"`
	Over    string        `json:"over"`
	Points  []scalePoint  `json:"points"`
}

// scalePoint is one size; Update or Plan is set.
type scalePoint struct {
	Value  int                 `json:"value"`
	Update *bench.UpdateReport `json:"update,omitempty"`
	Plan   *bench.PlanReport   `json:"plan,omitempty"`
}

func (o *benchScaleOptions) run(ctx context.Context, a *app, cmd *cobra.Command) error {
	values, ok := scaled()[o.over]
	if !ok {
		return fmt.Errorf("%w: --over is %q; choose %s", errUsage, o.over, strings.Join(slices.Sorted(maps.Keys(scaled())), ", "))
	}
	if len(o.values) > 0 {
		values = o.values
	}
	for _, v := range values {
		if err := atLeastOne("values", v); err != nil {
			return err
		}
	}
	b, err := o.start(ctx, a, cmd)
	if err != nil {
		return err
	}
	defer b.backend.Finalize()
	b.resize(o.batch, o.length)
	out := scaleBench{Machine: b.machine, Preset: b.config.Preset, Over: o.over}
	for _, v := range values {
		point, err := b.at(ctx, a, o.over, v)
		if err != nil {
			return fmt.Errorf("%s %d: %w", o.over, v, err)
		}
		out.Points = append(out.Points, point)
	}
	if o.json {
		return a.printJSON(out)
	}
	return out.print(a.out)
}

// at measures with one size changed.
func (b benchRun) at(ctx context.Context, a *app, over string, value int) (scalePoint, error) {
	p, envs, err := scalePoint{Value: value}, 1, error(nil)
	switch over {
	case "batch":
		b.resize(value, 0)
	case "length":
		b.resize(0, value)
	case "image":
		b.config.Env.ImageSize = value
		if b.dims, err = a.dims(b.config); err != nil {
			return p, err
		}
	case "threads":
		b.config.Backend.Threads = value
		if b.backend, err = openBackend(b.config.Backend, slog.New(slog.DiscardHandler)); err != nil {
			return p, err
		}
		defer b.backend.Finalize()
	case "candidates":
		b.search(searchFlags{candidates: value})
	case "envs":
		envs = value
	}
	if over == "candidates" || over == "envs" {
		r, err := b.plan(ctx, a, envs, time.Now())
		p.Plan = &r
		return p, err
	}
	r, err := b.update(ctx, a, time.Now())
	p.Update = &r
	return p, err
}

func (s scaleBench) print(w io.Writer) error {
	printMachine(w, s.Machine)
	fmt.Fprintf(w, "\npreset %s\n", s.Preset)
	t := table(w)
	fmt.Fprintf(t, "%s\twhole\tgraph\tGFLOP\tGFLOP/s\tcores busy\tmemory of the graph\tbuilt in\n", s.Over)
	for _, p := range s.Points {
		c := p.columns()
		fmt.Fprintf(t, "%d\t%s\t%s\t%.2f\t%.1f\t%.2f\t%s\t%s\n", p.Value, duration(c.total), duration(c.graph),
			float64(c.work.FLOPs)/1e9, c.flops/1e9, c.cores, size(float64(c.work.Arena+c.work.Scratch)), duration(c.build))
	}
	return t.Flush()
}

// scaleColumns are what is printed of a point.
type scaleColumns struct {
	total, graph, flops, cores, build float64
	work                              bench.GraphWork
}

func (p scalePoint) columns() scaleColumns {
	if r := p.Plan; r != nil {
		return scaleColumns{r.Total.Median, r.Search.Median, r.FLOPS, r.Process.Cores, r.Build, r.Work}
	}
	r := p.Update
	return scaleColumns{r.Total.Median, r.Graph.Median, r.FLOPS, r.Process.Cores, r.Build, r.Work}
}

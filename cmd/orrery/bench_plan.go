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

type benchPlanOptions struct {
	benchOptions
	search  searchFlags
	against string
}

// searchFlags change the planner's search; 0 keeps the preset's.
type searchFlags struct{ envs, candidates, iterations, horizon int }

func (s *searchFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVar(&s.envs, "envs", 1, "environments that are planned for at once")
	f.IntVar(&s.candidates, "candidates", 0, "candidates in an iteration (0: the preset's)")
	f.IntVar(&s.iterations, "iterations", 0, "iterations (0: the preset's)")
	f.IntVar(&s.horizon, "horizon", 0, "depth in decisions (0: the preset's)")
}

func newBenchPlan(a *app) *cobra.Command {
	o := &benchPlanOptions{}
	cmd := &cobra.Command{
		Use: "plan", Short: "Measure whole decisions of the agent", Args: exactArgs(),
		Long: `Plan measures decisions as an agent makes them: the image is dequantised, the
filter's graph takes it in, the candidates' noise is drawn, and the planner's
graph searches.`,
		Example: `  orrery bench plan
  orrery bench plan --preset paper --count 10
  orrery bench plan --preset paper --envs 8 --candidates 500
  orrery bench plan --preset tiny --against go`,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), a, cmd) },
	}
	o.register(cmd, 10)
	o.search.register(cmd)
	cmd.Flags().StringVar(&o.against, "against", "", "backend to compare with at the same size, for example go")
	return cmd
}

// planBench is what bench plan prints; its JSON form is stable.
type planBench struct {
	Machine bench.Machine     `json:"machine"`
	Preset  string            `json:"preset"`
	Plan    bench.PlanReport  `json:"plan"`
	Against *bench.PlanReport `json:"against,omitempty"`
}

func (o *benchPlanOptions) run(ctx context.Context, a *app, cmd *cobra.Command) error {
	if err := atLeastOne("envs", o.search.envs); err != nil {
		return err
	}
	b, err := o.start(ctx, a, cmd)
	if err != nil {
		return err
	}
	defer b.backend.Finalize()
	b.search(o.search)
	out := planBench{Machine: b.machine, Preset: b.config.Preset}
	if out.Plan, err = b.plan(ctx, a, o.search.envs, b.began); err != nil {
		return err
	}
	if o.against != "" {
		if out.Against, err = b.planAgainst(ctx, a, o.search.envs, o.against); err != nil {
			return err
		}
	}
	if o.json {
		return a.printJSON(out)
	}
	return out.print(a.out)
}

// search changes the planner's search. Elites keep their share of the
// candidates.
func (b *benchRun) search(s searchFlags) {
	p := &b.config.Plan
	if s.candidates > 0 {
		p.Elites = max(1, p.Elites*s.candidates/p.Candidates)
		p.Candidates = s.candidates
	}
	if s.iterations > 0 {
		p.Iterations = s.iterations
	}
	if s.horizon > 0 {
		p.Horizon = s.horizon
	}
}

func (b *benchRun) planConfig(envs int, began time.Time) bench.PlanConfig {
	return bench.PlanConfig{
		Model: b.config.Model, Dims: b.dims, Plan: b.config.Plan, Envs: envs, BitDepth: b.config.Env.BitDepth,
		Count: b.count, Began: began,
	}
}

func (b *benchRun) plan(ctx context.Context, a *app, envs int, began time.Time) (bench.PlanReport, error) {
	if err := b.config.Validate(); err != nil {
		return bench.PlanReport{}, err
	}
	return bench.Plan(ctx, b.backend, b.planConfig(envs, began), a.progress())
}

func (b *benchRun) planAgainst(ctx context.Context, a *app, envs int, name string) (*bench.PlanReport, error) {
	other := *b
	var err error
	if other.backend, err = openBackend(config.Backend{Name: name, Threads: b.config.Backend.Threads}, slog.New(slog.DiscardHandler)); err != nil {
		return nil, err
	}
	defer other.backend.Finalize()
	r, err := other.plan(ctx, a, envs, time.Now())
	return &r, err
}

func (p planBench) print(w io.Writer) error {
	printMachine(w, p.Machine)
	r := p.Plan
	fmt.Fprintf(w, "\nplan, preset %s, %d environments, %d candidates x %d iterations x %d decisions, %s\n",
		p.Preset, r.Envs, r.Candidates, r.Iterations, r.Horizon, r.Backend)
	t := table(w)
	fmt.Fprintf(t, "decision\t%s, median of %d\n", spread(r.Total), r.Total.Count)
	fmt.Fprintf(t, "  filter\t%s\n", spread(r.Filter))
	fmt.Fprintf(t, "  search\t%s\n", spread(r.Search))
	fmt.Fprintf(t, "  rest\t%s\n", spread(r.Rest))
	fmt.Fprintf(t, "rate\t%.0f imagined decisions a second\n", r.ModelSteps)
	printWork(t, r.Work)
	printRate(t, r.FLOPS, r.Bandwidth, r.Process, p.Machine)
	printProcess(t, r.Process, "a decision")
	fmt.Fprintf(t, "start\tgraphs built in %s; first action %s after the start\n", duration(r.Build), duration(r.FirstPlan))
	if o := p.Against; o != nil {
		fmt.Fprintf(t, "against\t%s: %s: %.1f times as fast\n", o.Backend, spread(o.Total), o.Total.Median/r.Total.Median)
	}
	return t.Flush()
}

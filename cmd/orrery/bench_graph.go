package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/internal/bench"
)

type benchGraphOptions struct {
	benchOptions
	batch, length int
	search        searchFlags
	profile       int
	all           bool
	top           int
}

func newBenchGraph(a *app) *cobra.Command {
	o := &benchGraphOptions{}
	cmd := &cobra.Command{
		Use: "graph update|plan", Short: "Show the schedule of a graph, and where its time goes", Args: exactArgs("update or plan"),
		Long: `Graph prints the schedule that the cpu backend compiled: each kind of step with
its shapes, how often it occurs, its work and its bytes (operands from memory and
results, once each). --all prints every step in order, with how it is done and
what was fused. --profile runs the graph and adds how long each step took at
least.`,
		Example: `  orrery bench graph update --preset paper
  orrery bench graph update --preset paper --profile 3 --top 20
  orrery bench graph plan --all > plan.txt`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), a, cmd, args[0]) },
	}
	o.registerCommon(cmd)
	registerBatch(cmd, &o.batch, &o.length)
	o.search.register(cmd)
	cmd.Flags().IntVar(&o.profile, "profile", 0, "measure each step, the shortest of this many executions")
	cmd.Flags().BoolVar(&o.all, "all", false, "every step in order instead of groups of equal ones")
	cmd.Flags().IntVar(&o.top, "top", 0, "print only this many groups, the most expensive first (0: all)")
	return cmd
}

// graphBench is what bench graph prints; its JSON form is stable.
type graphBench struct {
	Machine bench.Machine   `json:"machine"`
	Graph   string          `json:"graph"`
	Work    bench.GraphWork `json:"work"`
	// Seconds is the sum of the steps' times.
	Seconds float64      `json:"seconds"`
	Steps   []bench.Step `json:"steps"`
}

func (o *benchGraphOptions) run(ctx context.Context, a *app, cmd *cobra.Command, graph string) error {
	if graph != "update" && graph != "plan" {
		return fmt.Errorf("%w: no graph %q; choose update or plan", errUsage, graph)
	}
	if err := atLeastOne("envs", o.search.envs); err != nil {
		return err
	}
	o.count = max(1, o.profile)
	b, err := o.start(ctx, a, cmd)
	if err != nil {
		return err
	}
	defer b.backend.Finalize()
	b.resize(o.batch, o.length)
	b.search(o.search)
	if err := b.config.Validate(); err != nil {
		return err
	}
	out := graphBench{Machine: b.machine, Graph: graph}
	if out.Steps, out.Work, err = o.steps(ctx, a, b, graph); err != nil {
		return err
	}
	for _, s := range out.Steps {
		out.Seconds += s.Seconds
	}
	if !o.all {
		out.Steps = bench.GroupSteps(out.Steps)
	}
	if o.json {
		return a.printJSON(out)
	}
	return out.print(a.out, o.top)
}

// steps compiles the graph, and runs it if a profile is wanted.
func (o *benchGraphOptions) steps(ctx context.Context, a *app, b *benchRun, graph string) ([]bench.Step, bench.GraphWork, error) {
	update, plan := b.updateConfig(b.began), b.planConfig(o.search.envs, b.began)
	switch {
	case b.config.Backend.Name != "cpu":
		return nil, bench.GraphWork{}, fmt.Errorf("%w: %w", config.ErrInvalid, bench.ErrNoSchedule)
	case graph == "update" && o.profile < 1:
		return bench.UpdateSteps(b.backend, update)
	case graph == "plan" && o.profile < 1:
		return bench.PlanSteps(b.backend, plan)
	case graph == "plan":
		plan.Profile = true
		r, err := bench.Plan(ctx, b.backend, plan, a.progress())
		return r.Steps, r.Work, err
	}
	var r bench.UpdateReport
	err := withTempDir("", func(dir string) (err error) {
		update.Profile, update.Dir = true, dir
		r, err = bench.Update(ctx, b.backend, update, a.progress())
		return err
	})
	return r.Steps, r.Work, err
}

func (g graphBench) print(w io.Writer, top int) error {
	printMachine(w, g.Machine)
	fmt.Fprintln(w)
	t := table(w)
	fmt.Fprint(t, "count\tMFLOP\tMiB read\tMiB written")
	if g.Seconds > 0 {
		fmt.Fprint(t, "\ttime\tshare\tGFLOP/s\tGB/s")
	}
	fmt.Fprintln(t, "\tstep")
	for i, s := range g.Steps {
		if top > 0 && i == top {
			break
		}
		g.printStep(t, s)
	}
	printWork(t, g.Work)
	if g.Seconds > 0 {
		fmt.Fprintf(t, "time\t%s in the steps\n", duration(g.Seconds))
	}
	return t.Flush()
}

func (g graphBench) printStep(t io.Writer, s bench.Step) {
	fmt.Fprintf(t, "%d\t%.1f\t%.2f\t%.2f", s.Count, float64(s.FLOPs)/1e6, float64(s.Read)/(1<<20), float64(s.Written)/(1<<20))
	if g.Seconds > 0 {
		fmt.Fprintf(t, "\t%s\t%s\t%.1f\t%.1f", duration(s.Seconds), share(s.Seconds, g.Seconds), s.FLOPS()/1e9, s.Bandwidth()/1e9)
	}
	what := s.Text
	if what == "" {
		what = s.What
	}
	fmt.Fprintf(t, "\t%s\n", what)
}

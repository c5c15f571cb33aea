package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/internal/bench"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/plan"
)

type benchPlannersOptions struct {
	settings
	json       bool
	planners   []string
	candidates []int
	actions    int
	envs       int
	decisions  int
	run        string
	played     int
	evalSeed   uint64
}

func newBenchPlanners(a *app) *cobra.Command {
	o := &benchPlannersOptions{}
	cmd := &cobra.Command{
		Use: "planners", Short: "Compare planners on a known optimum and on a trained agent", Args: exactArgs(),
		Long: `Planners lets each planner follow moving targets whose best actions are known:
the return of a decision is -|a - a*|^2 and the optimum 0. It shows the return
against the model steps and the time of a decision, for several numbers of
candidates. Shooting, which has one iteration, gets the candidates of all.

With --run it plays episodes with a trained agent, too, from the same initial
states for every planner.`,
		Example: `  orrery bench planners
  orrery bench planners --planners cem,icem --candidates 50,200 --actions 6
  orrery bench planners --run runs/cartpole-swingup --eval-episodes 5 --candidates 100,200
  orrery bench planners --set plan.icem.noise_beta=2.5`,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.compare(cmd.Context(), a, cmd) },
	}
	o.registerSizes(cmd)
	registerJSON(cmd, &o.json)
	f := cmd.Flags()
	f.StringSliceVar(&o.planners, "planners", []string{"cem", "cem+warm", "icem", "mppi", "shooting", "random"},
		"planners to compare; cem+warm is cem with a warm start")
	f.IntSliceVar(&o.candidates, "candidates", []int{50, 200, 1000}, "candidates in the first iteration; a tenth are elites")
	f.IntVar(&o.actions, "actions", 1, "components of an action of the known optimum")
	f.IntVar(&o.envs, "envs", 8, "targets that are followed at the same time")
	f.IntVar(&o.decisions, "decisions", 20, "decisions of an episode of the known optimum")
	f.StringVar(&o.run, "run", "", "directory of a run or file of weights to play episodes with")
	f.IntVarP(&o.played, "eval-episodes", "n", 3, "episodes with a trained agent")
	f.Uint64Var(&o.evalSeed, "eval-seed", 1, "seed of these episodes")
	return cmd
}

// plannersBench is what bench planners prints; its JSON form is stable.
type plannersBench struct {
	Horizon int         `json:"horizon"`
	Actions int         `json:"actions"`
	Optimum []knownRow  `json:"known_optimum"`
	Env     string      `json:"env,omitempty"`
	Trained []actingRow `json:"trained,omitempty"`
}

// plannerRow names a planner and the size of its search.
type plannerRow struct {
	Planner    string `json:"planner"`
	Candidates int    `json:"candidates"`
	Iterations int    `json:"iterations"`
}

type knownRow struct {
	plannerRow
	bench.OptimumReport
}

type actingRow struct {
	plannerRow
	Returns     []float64 `json:"returns"`
	Mean        float64   `json:"mean"`
	Std         float64   `json:"std"`
	Evaluations int       `json:"evaluations"` // model steps of a decision
	Seconds     float64   `json:"seconds"`     // of all episodes
}

// search is one planner at one size.
type search struct {
	plannerRow
	plan plan.Config
}

// searches are all planners at all sizes, each of which changes base.
func (o *benchPlannersOptions) searches(base plan.Config) ([]search, error) {
	var out []search
	for _, name := range o.planners {
		for i, n := range o.candidates {
			c := base
			c.Method, c.WarmStart = plan.Method(name), false
			if name == "cem+warm" {
				c.Method, c.WarmStart = plan.CEM, true
			}
			c.Candidates, c.Elites = n, max(1, n/10)
			switch c.Method {
			case plan.Shooting:
				c.Candidates = min(n*c.Iterations, 10_000)
				c.Iterations, c.Elites = 1, 1
			case plan.Random:
				if i > 0 {
					continue // has no candidates
				}
				c.Candidates, c.Iterations, c.Elites = 1, 1, 1
			}
			if err := c.Validate(); err != nil {
				return nil, fmt.Errorf("%w: %s of %d candidates: %w", config.ErrInvalid, name, n, err)
			}
			out = append(out, search{plannerRow{name, c.Candidates, c.Iterations}, c})
		}
	}
	return out, nil
}

func (o *benchPlannersOptions) compare(ctx context.Context, a *app, cmd *cobra.Command) error {
	if slices.Contains(o.planners, string(plan.Categorical)) {
		return fmt.Errorf("%w: categorical plans for discrete actions and has no part in a comparison of continuous ones", errUsage)
	}
	if err := atLeastOne("eval-episodes", o.played); err != nil {
		return err
	}
	run, err := o.compose(cmd)
	if err != nil {
		return err
	}
	out := plannersBench{Horizon: run.Plan.Horizon, Actions: o.actions}
	if out.Optimum, err = o.known(ctx, a, run); err != nil {
		return err
	}
	if o.run != "" {
		if out.Trained, out.Env, err = o.acting(ctx, a, run); err != nil {
			return err
		}
	}
	if o.json {
		return a.printJSON(out)
	}
	return out.print(a.out)
}

// known runs the searches on the known optimum.
func (o *benchPlannersOptions) known(ctx context.Context, a *app, run config.Run) ([]knownRow, error) {
	all, err := o.searches(run.Plan)
	if err != nil {
		return nil, err
	}
	backend, err := openBackend(run.Backend, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	defer backend.Finalize()
	var rows []knownRow
	for _, s := range all {
		a.progress()("%s, %d candidates", s.Planner, s.Candidates)
		r, err := bench.Optimum(ctx, backend, bench.OptimumConfig{Plan: s.plan, Actions: o.actions, Envs: o.envs, Decisions: o.decisions})
		if err != nil {
			return nil, err
		}
		rows = append(rows, knownRow{s.plannerRow, r})
	}
	return rows, nil
}

// acting plays episodes with the searches, whose other settings are the run's own
// plus --set plan.*.
func (o *benchPlannersOptions) acting(ctx context.Context, a *app, run config.Run) (rows []actingRow, env string, err error) {
	t, err := openTrained(ctx, o.run, run.Backend, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	if err := (&evalOptions{sets: o.sets}).change(&t.config, t.model.Dims().ActionSize); err != nil {
		return nil, "", err
	}
	all, err := o.searches(t.config.Plan)
	if err != nil {
		return nil, "", err
	}
	stream := rng.New(o.evalSeed, "eval")
	seeds := make([]uint64, o.played)
	for i := range seeds {
		seeds[i] = stream.Uint64()
	}
	for _, s := range all {
		a.progress()("%s, %d candidates: %d episodes", s.Planner, s.Candidates, len(seeds))
		t.config.Plan = s.plan
		start := time.Now()
		returns, err := t.evaluate(ctx, a, seeds)
		if err != nil {
			return nil, "", err
		}
		row := actingRow{plannerRow: s.plannerRow, Returns: returns, Evaluations: s.plan.Evaluations(), Seconds: time.Since(start).Seconds()}
		row.Mean, row.Std = learn.Moments(returns)
		rows = append(rows, row)
	}
	return rows, t.config.Env.Name, nil
}

func (b plannersBench) print(w io.Writer) error {
	fmt.Fprintf(w, "known optimum, %d decisions x %d components: return is -|a - a*|^2, best 0\n", b.Horizon, b.Actions)
	t := table(w)
	fmt.Fprintln(t, "planner\tcandidates\titerations\tmodel steps\treturn\tstandard error\ttime of a decision")
	for _, r := range b.Optimum {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%.3g\t%.2g\t%s\n", r.Planner, r.Candidates, r.Iterations, r.Evaluations, r.Return, r.Error, duration(r.Seconds))
	}
	if err := t.Flush(); err != nil || b.Trained == nil {
		return err
	}
	fmt.Fprintf(w, "\n%s, %d episodes each\n", b.Env, len(b.Trained[0].Returns))
	fmt.Fprintln(t, "planner\tcandidates\titerations\tmodel steps\tmean return\tdeviation\ttime")
	for _, r := range b.Trained {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%.1f\t%.1f\t%s\n", r.Planner, r.Candidates, r.Iterations, r.Evaluations, r.Mean, r.Std, duration(r.Seconds))
	}
	return t.Flush()
}

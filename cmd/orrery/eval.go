package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/internal/stats"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/plan"
)

type evalOptions struct {
	episodes int
	seed     uint64
	json     bool
	sets     []string
	env      string
	backend  config.Backend
}

func newEval(a *app) *cobra.Command {
	o := &evalOptions{}
	cmd := &cobra.Command{
		Use: "eval RUN|FILE", Short: "Play noise-free episodes with a trained agent", Args: exactArgs("a RUN directory or a weights FILE"),
		Long: `Eval plays episodes from distinct initial states without exploration noise
and prints the return of each, their mean with a 95 % confidence interval (from
four episodes on), and their median. The initial states follow from --seed and differ from those that
training and its own evaluations use.

Instead of a run's directory it takes a file of weights (orrery export, orrery
import) or a single snapshot.`,
		Example: `  orrery eval runs/cartpole-swingup
  orrery eval runs/cartpole-swingup --episodes 20 --json
  orrery eval runs/offline --env cartpole-swingup`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), a, args[0]) },
	}
	cmd.Flags().IntVarP(&o.episodes, "episodes", "n", 10, "number of episodes")
	cmd.Flags().Uint64Var(&o.seed, "seed", 1, "seed of the initial states and the agent's randomness")
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON object")
	cmd.Flags().StringVar(&o.env, "env", "", "environment to play in (default: the one it was trained in)")
	cmd.Flags().StringArrayVar(&o.sets, "set", nil, "a setting of the search as plan.NAME=value; may be repeated")
	registerBackend(cmd, &o.backend)
	return cmd
}

// evalBatch is how many episodes are played at the same time: planning for more
// would save no time and cost memory.
const evalBatch = 10

// evalReport is what eval prints; its JSON form is stable.
type evalReport struct {
	Env           string           `json:"env"`
	Returns       []float64        `json:"returns"`
	Mean          float64          `json:"mean"`
	Median        float64          `json:"median"`
	Std           float64          `json:"std"`
	Interval95    *[2]float64      `json:"interval_95"` // nil for fewer than four episodes
	Counters      metrics.Counters `json:"trained"`
	WeightsSHA256 string           `json:"weights_sha256"`
	// Plan is the search, Changed what --set changed of it, Evaluations the model
	// steps of one decision, and Seconds the time for all episodes.
	Plan        plan.Config `json:"plan"`
	Changed     []string    `json:"changed"`
	Evaluations int         `json:"evaluations"`
	Seconds     float64     `json:"seconds"`
}

func (o *evalOptions) run(ctx context.Context, a *app, dir string) error {
	if o.episodes < 1 {
		return fmt.Errorf("%w: --episodes is %d; it must be at least 1", errUsage, o.episodes)
	}
	t, err := openTrained(ctx, dir, o.backend, slog.New(slog.NewTextHandler(a.err, nil)))
	if err != nil {
		return err
	}
	defer t.close()
	if o.env != "" {
		t.config.Env.Name = o.env
	}
	if err := o.change(&t.config, t.model.Dims().ActionSize); err != nil {
		return err
	}
	start := time.Now()
	returns, err := o.evaluate(ctx, a, t)
	if err != nil {
		return err
	}
	report := newEvalReport(returns, t)
	report.Changed, report.Seconds = o.sets, time.Since(start).Seconds()
	if o.json {
		return a.printJSON(report)
	}
	return report.print(a)
}

// change applies --set to the search, for actions of a number of components.
func (o *evalOptions) change(run *config.Run, actions int) error {
	for _, assignment := range o.sets {
		if !strings.HasPrefix(assignment, "plan.") {
			return fmt.Errorf("%w: --set %s: only plan.* can be changed in a trained agent", errUsage, assignment)
		}
		if err := run.Set(assignment); err != nil {
			return err
		}
	}
	if _, err := plan.New(run.Plan, 1, actions, 0); err != nil {
		return fmt.Errorf("%w: %w", config.ErrInvalid, err)
	}
	return nil
}

// evaluate returns the return of each episode, which does not depend on how many
// are played at the same time.
func (o *evalOptions) evaluate(ctx context.Context, a *app, t *trained) ([]float64, error) {
	var returns []float64
	for batch := range slices.Chunk(evalSeeds(o.seed, o.episodes, t.config), evalBatch) {
		some, err := t.evaluate(ctx, a, batch)
		if err != nil {
			return nil, err
		}
		returns = append(returns, some...)
	}
	return returns, nil
}

// evalSeeds are the seeds of the first episodes of an evaluation.
func evalSeeds(seed uint64, episodes int, run config.Run) []uint64 {
	stream, tasks := rng.New(seed, "eval"), len(strings.Split(run.Env.Name, ","))
	seeds := make([]uint64, episodes)
	for i := range seeds {
		seeds[i] = env.TaskSeed(stream.Uint64(), int64(i), tasks)
	}
	return seeds
}

// evaluate plays an episode from each seed, all at the same time.
func (t *trained) evaluate(ctx context.Context, a *app, seeds []uint64) (returns []float64, err error) {
	envs, err := t.envs(a, len(seeds))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeEnvs(envs)) }()
	return t.play(ctx, envs, seeds)
}

// play plays an episode in each environment, all at the same time, from its
// seed.
func (t *trained) play(ctx context.Context, envs []env.Env, seeds []uint64) (returns []float64, err error) {
	player, err := agent.New(t.backend, t.model, agent.Config{Plan: t.config.Plan, BitDepth: t.config.Env.BitDepth}, len(seeds))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, player.Close()) }()
	player.SetParams(t.params)
	ev, err := learn.Evaluate(ctx, player, envs, seeds)
	if err != nil {
		return nil, err
	}
	return ev.Returns, nil
}

func newEvalReport(returns []float64, t *trained) evalReport {
	s := stats.Summarise(returns)
	r := evalReport{
		Env: t.config.Env.Name, Returns: returns, Mean: s.Mean, Median: s.Median, Std: s.Std,
		Counters: t.counters, WeightsSHA256: t.sha256, Plan: t.config.Plan, Evaluations: t.config.Plan.Evaluations(),
	}
	if low, high, ok := s.Interval95(); ok && !s.FewEpisodes() {
		r.Interval95 = &[2]float64{low, high}
	}
	return r
}

func (r evalReport) print(a *app) error {
	fmt.Fprintf(a.out, "%s after %d episodes, %d env_steps, %d updates\n", r.Env, r.Counters.Episodes, r.Counters.EnvSteps, r.Counters.Updates)
	for i, v := range r.Returns {
		fmt.Fprintf(a.out, "  episode %2d  return %7.1f\n", i+1, v)
	}
	interval := "too few episodes for an interval"
	if r.Interval95 != nil {
		interval = fmt.Sprintf("95 %% interval %.1f to %.1f", r.Interval95[0], r.Interval95[1])
	}
	spread := ""
	if len(r.Returns) > 1 {
		spread = fmt.Sprintf(", median %.1f, standard deviation %.1f", r.Median, r.Std)
	}
	_, err := fmt.Fprintf(a.out, "mean %.1f (%s)%s\n", r.Mean, interval, spread)
	return err
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/bench"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/worldmodel"
)

type benchCollectOptions struct {
	benchOptions
	envs        []int
	decisions   int
	delay, busy time.Duration
}

func newBenchCollect(a *app) *cobra.Command {
	o := &benchCollectOptions{}
	cmd := &cobra.Command{
		Use: "collect", Short: "Measure collecting episodes in several environments at once", Args: exactArgs(),
		Long: `Collect plays short episodes with the planner, as train --envs does, and says how
many env_steps a second that gives, without updates. It shows whether several
environments at once pay with the environment at hand, or with one that is made
slower: --delay lets each step wait, as for a simulator elsewhere, --busy lets it
use a processor.`,
		Example: `  orrery bench collect
  orrery bench collect --env py:gymnasium:Pendulum-v1 --envs 1,2,4
  orrery bench collect --delay 50ms`,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), a, cmd) },
	}
	o.register(cmd, 3)
	f := cmd.Flags()
	f.IntSliceVar(&o.envs, "envs", []int{1, 2, 4}, "numbers of environments to compare")
	f.IntVar(&o.decisions, "decisions", 20, "length of an episode")
	f.DurationVar(&o.delay, "delay", 0, "how much longer each step waits")
	f.DurationVar(&o.busy, "busy", 0, "how much longer each step computes")
	return cmd
}

// collectBench is what bench collect prints; its JSON form is stable.
type collectBench struct {
	Machine bench.Machine         `json:"machine"`
	Preset  string                `json:"preset"`
	Env     string                `json:"env"`
	Delay   float64               `json:"delay_seconds"`
	Busy    float64               `json:"busy_seconds"`
	Collect []bench.CollectReport `json:"collect"`
}

func (o *benchCollectOptions) run(ctx context.Context, a *app, cmd *cobra.Command) error {
	if err := atLeastOne("decisions", o.decisions); err != nil {
		return err
	}
	if o.delay < 0 || o.busy < 0 {
		return fmt.Errorf("%w: --delay is %v and --busy %v; they must not be negative", errUsage, o.delay, o.busy)
	}
	b, err := o.start(ctx, a, cmd)
	if err != nil {
		return err
	}
	defer b.backend.Finalize()
	out := collectBench{Machine: b.machine, Preset: b.config.Preset, Env: b.config.Env.Name, Delay: o.delay.Seconds(), Busy: o.busy.Seconds()}
	out.Collect, err = bench.Collect(ctx, bench.CollectConfig{
		Open: func(int) (learn.Parts, func() error, error) { return b.collectParts(a) },
		Envs: o.envs, Decisions: o.decisions, Count: b.count, Delay: o.delay, Busy: o.busy,
	}, a.progress())
	if err != nil {
		return err
	}
	if o.json {
		return a.printJSON(out)
	}
	return out.print(a.out)
}

// collectParts are the parts of a run in a temporary directory.
func (b *benchRun) collectParts(a *app) (p learn.Parts, release func() error, err error) {
	model, err := worldmodel.New(b.config.Model, b.dims)
	if err != nil {
		return p, nil, err
	}
	e, err := a.openEnv(b.config)
	if err != nil {
		return p, nil, err
	}
	dir, err := os.MkdirTemp("", "orrery-bench-")
	if err != nil {
		return p, nil, errors.Join(err, e.Close())
	}
	p = learn.Parts{
		FS: vfs.OS(), Dir: dir, Env: e, NewEnv: func() (env.Env, error) { return a.openEnv(b.config) },
		Backend: b.backend, Model: model, Optimiser: b.config.Optimiser, Plan: b.config.Plan, BitDepth: b.config.Env.BitDepth,
		Schedule: b.config.Learn, ReplayMemory: int64(b.config.Replay.MemoryMiB) << 20, Seed: b.config.Seed,
	}
	return p, func() error { return errors.Join(e.Close(), os.RemoveAll(dir)) }, nil
}

func (c collectBench) print(w io.Writer) error {
	printMachine(w, c.Machine)
	fmt.Fprintf(w, "\ncollecting in %s, preset %s, each step %s longer asleep and %s longer at work\n", c.Env, c.Preset, duration(c.Delay), duration(c.Busy))
	t := table(w)
	fmt.Fprintln(t, "environments\tfrom decision to decision\tenv_steps/s\ttimes the first")
	for _, r := range c.Collect {
		fmt.Fprintf(t, "%d\t%s\t%.1f\t%.2f\n", r.Envs, spread(r.Decision), r.EnvSteps, r.Speedup)
	}
	return t.Flush()
}

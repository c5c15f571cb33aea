package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/bench"
)

type benchEnvOptions struct {
	json     bool
	size     int
	duration time.Duration
}

func newBenchEnv(a *app) *cobra.Command {
	o := &benchEnvOptions{}
	cmd := &cobra.Command{
		Use: "env [NAME]", Short: "Measure an environment with and without rendering",
		Long: `Env plays uniformly random actions in three ways: with action repeat 1, where
every env step is drawn; with the environment's own; and bare, with a picture of
8x8 pixels once in 200 steps. From the first and the last follow the costs of an
env step and of a frame.`,
		Example: `  orrery bench env
  orrery bench env cartpole-balance --size 128 --json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return exactArgs("a NAME")(cmd, args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), a, append(args, "cartpole-swingup")[0])
		},
	}
	registerJSON(cmd, &o.json)
	cmd.Flags().IntVar(&o.size, "size", env.DefaultImageSize, "height and width in pixels")
	cmd.Flags().DurationVar(&o.duration, "duration", time.Second, "how long each of the three is measured")
	return cmd
}

func (o *benchEnvOptions) run(ctx context.Context, a *app, name string) error {
	if o.duration <= 0 {
		return fmt.Errorf("%w: --duration is %v; it must be positive", errUsage, o.duration)
	}
	if _, err := a.envs.Entry(name); err != nil {
		return fmt.Errorf("%w: %w; `orrery env list` shows all", errUsage, err)
	}
	open := func(size, repeat int) (env.Env, error) {
		return a.envs.New(name, env.Options{Height: size, Width: size, ActionRepeat: repeat})
	}
	r, err := bench.Env(ctx, bench.EnvConfig{Open: open, Size: o.size, Each: o.duration}, a.progress())
	if err != nil {
		return err
	}
	if o.json {
		return a.printJSON(r)
	}
	return printEnv(a.out, r)
}

func printEnv(w io.Writer, r bench.EnvReport) error {
	fmt.Fprintf(w, "%s, %dx%d pixels, one thread\n", r.Name, r.Size, r.Size)
	t := table(w)
	fmt.Fprintln(t, "\taction repeat\tenv_steps/s\tframes/s\tallocated a decision")
	for i, rate := range []bench.EnvRate{r.EveryStep, r.Default, r.Bare} {
		fmt.Fprintf(t, "%s\t%d\t%.0f\t%.0f\t%s\n", []string{"a frame every step", "default", "bare"}[i], rate.ActionRepeat, rate.Steps, rate.Frames, size(float64(rate.AllocBytes)))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "an env step takes %s, a frame %s\n", duration(r.StepSeconds), duration(r.FrameSeconds))
	return err
}

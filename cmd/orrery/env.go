package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/envtest"
	"github.com/orrery-rl/orrery/internal/media"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/learn"
)

func newEnv(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "env", Short: "List, check and show environments",
		Long: `Environments are called by a name of the list, or are programs of yours:
exec:COMMAND speaks the protocol of docs/remote-environments.md, py:gymnasium:ID
and py:dm_control:DOMAIN-TASK run Python's.`,
		Example: `  orrery env list
  orrery env check "exec:python3 env/remote/examples/dot.py"
  orrery env show py:gymnasium:Pendulum-v1`,
	}
	cmd.AddCommand(newEnvList(a), newEnvCheck(a), newEnvShow(a), newEnvSheet(a))
	return cmd
}

func newEnvList(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the environments", Args: exactArgs(),
		Long: `List shows the names that this program knows, and the forms of those that it
starts a program for. All of them go where a NAME or --env is asked for.`,
		Example: `  orrery env list
  orrery env show cartpole-swingup
  orrery env show py:gymnasium:Pendulum-v1
  orrery train --env "exec:python3 env/remote/examples/dot.py"`,
		RunE: func(*cobra.Command, []string) error {
			w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\tACTION REPEAT\tDESCRIPTION")
			for _, name := range a.envs.Names() {
				e, err := a.envs.Entry(name)
				if err != nil {
					return err
				}
				fmt.Fprintf(w, "%s\t%d\t%s\n", e.Name, max(1, e.DefaultActionRepeat), e.Description)
			}
			for _, s := range a.envs.Schemes() {
				fmt.Fprintf(w, "%s\t\t%s\n", s.Usage, s.Description)
			}
			return w.Flush()
		},
	}
}

func newEnvCheck(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "check NAME", Short: "Test that an environment keeps its contract", Args: exactArgs("a NAME"),
		Long: `Check plays a few episodes and reports every way in which the environment
breaks the contract that learning relies on: determinism for a seed, shapes and
ranges as declared, errors for what is not allowed, ownership of observations.`,
		Example: `  orrery env check cartpole-swingup
  orrery env check "exec:python3 env/remote/examples/dot.py"
  orrery env check py:gymnasium:Pendulum-v1`,
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := a.envs.New(args[0], env.Options{})
			if err != nil {
				return fmt.Errorf("%w: %w", errUsage, err)
			}
			limit := learn.CheckLimit(e.Spec())
			findings := envtest.Check(cmd.Context(), e) // which closes it
			if findings == nil {
				_, err := fmt.Fprintf(a.out, "%s keeps the contract\n", args[0])
				if limit != nil {
					fmt.Fprintf(a.out, "fine, but training needs a limit: %v\n", limit)
				}
				return err
			}
			lines := strings.Split(findings.Error(), "\n")
			for _, line := range lines {
				fmt.Fprintln(a.out, "-", line)
			}
			return fmt.Errorf("%s breaks the contract in %d ways", args[0], len(lines))
		},
	}
}

type showOptions struct {
	size, seed, decisions int
	out                   string
}

func newEnvShow(a *app) *cobra.Command {
	o := &showOptions{}
	cmd := &cobra.Command{
		Use: "show NAME", Short: "Write a PNG and a short GIF of random actions", Args: exactArgs("a NAME"),
		Example: `  orrery env show cartpole-swingup
  orrery env show cartpole-balance --size 256 -o /tmp/balance
  orrery env show "exec:python3 env/remote/examples/dot.py" -o dot`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), a, args[0]) },
	}
	cmd.Flags().IntVar(&o.size, "size", 256, "height and width in pixels")
	cmd.Flags().IntVar(&o.seed, "seed", 0, "seed of the initial state and the actions")
	cmd.Flags().IntVar(&o.decisions, "decisions", 60, "length of the animation in decisions")
	cmd.Flags().StringVarP(&o.out, "out", "o", "", "path of both files, with or without an ending (default: the environment's name)")
	return cmd
}

func (o *showOptions) run(ctx context.Context, a *app, name string) error {
	e, err := a.envs.New(name, env.Options{Height: o.size, Width: o.size})
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	frames, err := randomFrames(ctx, e, uint64(o.seed), o.decisions)
	if err := errors.Join(err, e.Close()); err != nil {
		return err
	}
	if o.out == "" {
		o.out = fileName(name)
	}
	o.out = strings.TrimSuffix(strings.TrimSuffix(o.out, ".png"), ".gif")
	if err := writeFile(a, o.out+".png", func(w io.Writer) error { return png.Encode(w, frames[0]) }); err != nil {
		return err
	}
	return writeFile(a, o.out+".gif", func(w io.Writer) error { return media.WriteGIF(w, frames, 80*time.Millisecond) })
}

// randomFrames plays uniformly random actions and returns what the camera saw.
func randomFrames(ctx context.Context, e env.Env, seed uint64, decisions int) ([]*image.RGBA, error) {
	spec, stream := e.Spec(), rng.New(seed, "show")
	obs, err := e.Reset(ctx, seed)
	if err != nil {
		return nil, err
	}
	var frames []*image.RGBA
	for {
		frame, err := frameOf(obs, spec)
		if err != nil {
			return nil, err
		}
		frames = append(frames, frame)
		if len(frames) > decisions {
			return frames, nil
		}
		action := make([]float32, spec.Action.Size)
		for i := range action {
			low, high := spec.Action.Low[i], spec.Action.High[i]
			action[i] = low + (high-low)*stream.Float32()
		}
		t, err := e.Step(ctx, action)
		if err != nil {
			return nil, err
		}
		if obs = t.Observation; t.Ended() {
			return frames, nil
		}
	}
}

func frameOf(obs env.Observation, spec env.Spec) (*image.RGBA, error) {
	return media.FromHWC(obs.Image, spec.Image.Height, spec.Image.Width, spec.Image.Channels)
}

// writeFile writes a file durably and says so.
func writeFile(a *app, path string, write func(io.Writer) error) error {
	if err := vfs.WriteFileDurable(vfs.OS(), path, write); err != nil {
		return err
	}
	_, err := fmt.Fprintln(a.out, "wrote", path)
	return err
}

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/internal/film"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/learn"
)

type dreamOptions struct {
	context, length, scale int
	seed                   uint64
	out                    string
	random                 bool
	backend                config.Backend
}

func newDream(a *app) *cobra.Command {
	o := &dreamOptions{}
	cmd := &cobra.Command{
		Use: "dream RUN|FILE", Short: "Film what the model predicts without looking", Args: exactArgs("a RUN directory or a weights FILE"),
		Long: `Dream plays an episode, shows the model the first frames of a piece of it and
lets it predict the rest from the actions alone. The film has the real frames
above, the model's below, and the rewards as curves: received (light) and
predicted (orange). A border marks the frames that the model saw.

The ending of --out chooses the format: .gif; .png or .apng, animated PNG, which
browsers play and which loses nothing; .mp4 where ffmpeg is installed.`,
		Example: `  orrery dream runs/cartpole-swingup
  orrery dream runs/cartpole-swingup --context 10 --length 80 -o dream.png
  orrery dream runs/cartpole-swingup --random -o dream.mp4`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), a, args[0]) },
	}
	f := cmd.Flags()
	f.IntVar(&o.context, "context", 5, "frames the model sees")
	f.IntVar(&o.length, "length", 60, "frames in all")
	f.IntVar(&o.scale, "scale", 3, "enlargement of each pixel")
	f.Uint64Var(&o.seed, "seed", 2, "seed of the episode")
	f.BoolVar(&o.random, "random", false, "act randomly instead of planning")
	f.StringVarP(&o.out, "out", "o", "dream.gif", "file to write")
	registerBackend(cmd, &o.backend)
	return cmd
}

func (o *dreamOptions) run(ctx context.Context, a *app, dir string) error {
	if o.context < 1 || o.length <= o.context || o.scale < 1 || o.scale > 16 {
		return fmt.Errorf("%w: want 1 <= --context (%d) < --length (%d) and --scale (%d) in [1, 16]", errUsage, o.context, o.length, o.scale)
	}
	format, err := filmFormat(o.out)
	if err != nil {
		return err
	}
	t, err := openTrained(ctx, dir, o.backend, slog.New(slog.NewTextHandler(a.err, nil)))
	if err != nil {
		return err
	}
	defer t.close()
	dream, err := o.dream(ctx, a, t)
	if err != nil {
		return err
	}
	frames, err := film.Dream(dream, o.context, o.scale)
	if err != nil {
		return err
	}
	return writeFile(a, o.out, func(w io.Writer) error { return format.Write(ctx, w, frames, 100*time.Millisecond) })
}

// dream plays an episode and lets the model dream of it.
func (o *dreamOptions) dream(ctx context.Context, a *app, t *trained) (*learn.DreamResult, error) {
	episode, err := o.play(ctx, a, t)
	if err != nil {
		return nil, err
	}
	return learn.Dream(ctx, t.backend, t.model, t.params, episode.Head(o.length), o.context, t.config.Env.BitDepth, rng.New(o.seed, "dream"))
}

// play collects the episode to dream about.
func (o *dreamOptions) play(ctx context.Context, a *app, t *trained) (*learn.Trajectory, error) {
	e, err := t.env(a)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	if o.random {
		return learn.PlayRandom(ctx, e, o.seed, o.length)
	}
	player, err := agent.New(t.backend, t.model, agent.Config{Plan: t.config.Plan, BitDepth: t.config.Env.BitDepth}, 1)
	if err != nil {
		return nil, err
	}
	defer player.Close()
	player.SetParams(t.params)
	return learn.Play(ctx, player, e, o.seed, o.length)
}

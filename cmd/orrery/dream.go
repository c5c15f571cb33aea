package main

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/media"
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
		Use: "dream RUN|FILE", Short: "Write a GIF of what the model predicts without looking", Args: exactArgs("a RUN directory or a weights FILE"),
		Long: `Dream plays an episode, shows the model the first frames of a piece of it and
lets it predict the rest from the actions alone. The GIF has the real frames
above, the model's below, and the rewards as curves: received (light) and
predicted (orange). A border marks the frames that the model saw.`,
		Example: `  orrery dream runs/cartpole-swingup
  orrery dream runs/cartpole-swingup --context 10 --length 80 -o dream.gif`,
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
	t, err := openTrained(ctx, dir, o.backend, slog.New(slog.NewTextHandler(a.err, nil)))
	if err != nil {
		return err
	}
	defer t.close()
	episode, err := o.play(ctx, a, t)
	if err != nil {
		return err
	}
	dream, err := learn.Dream(ctx, t.backend, t.model, t.params, episode.Head(o.length), o.context, t.config.Env.BitDepth, rng.New(o.seed, "dream"))
	if err != nil {
		return err
	}
	frames, err := o.compose(dream)
	if err != nil {
		return err
	}
	return writeFile(a, o.out, func(w io.Writer) error { return media.WriteGIF(w, frames, 100*time.Millisecond) })
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

var (
	realColor  = color.RGBA{200, 205, 215, 255}
	dreamColor = color.RGBA{255, 150, 60, 255}
)

// compose mounts every moment: real above, dream below, curves beneath.
func (o *dreamOptions) compose(d *learn.DreamResult) ([]*image.RGBA, error) {
	low, high := 0.0, 0.1
	for _, r := range slices.Concat(d.Rewards, d.PredictedRewards) {
		low, high = min(low, r), max(high, r)
	}
	var frames []*image.RGBA
	for i := range d.Real {
		real, err := frameOf(env.Observation{Image: d.Real[i]}, d.Spec)
		if err != nil {
			return nil, err
		}
		imagined, err := frameOf(env.Observation{Image: d.Imagined[i]}, d.Spec)
		if err != nil {
			return nil, err
		}
		if i < o.context {
			outline(imagined)
		}
		curve := media.Curve(d.Spec.Image.Width*o.scale, 16*o.scale, len(d.Real), low, high,
			media.Series{Values: d.Rewards[:i+1], Color: realColor},
			media.Series{Values: d.PredictedRewards[:i+1], Color: dreamColor})
		frames = append(frames, media.Stack(o.scale, background, media.Scale(real, o.scale), media.Scale(imagined, o.scale), curve))
	}
	return frames, nil
}

// outline draws a one-pixel border: the model saw this frame.
func outline(img *image.RGBA) {
	b := img.Bounds()
	for x := b.Min.X; x < b.Max.X; x++ {
		img.SetRGBA(x, b.Min.Y, dreamColor)
		img.SetRGBA(x, b.Max.Y-1, dreamColor)
	}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		img.SetRGBA(b.Min.X, y, dreamColor)
		img.SetRGBA(b.Max.X-1, y, dreamColor)
	}
}

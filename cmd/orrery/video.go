package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/film"
	"github.com/orrery-rl/orrery/internal/media"
)

type videoOptions struct {
	episodes, size, speed int
	seed                  uint64
	out                   string
	backend               config.Backend
}

func newVideo(a *app) *cobra.Command {
	o := &videoOptions{}
	cmd := &cobra.Command{
		Use: "video RUN|FILE", Short: "Film evaluation episodes of a trained agent", Args: exactArgs("a RUN directory or a weights FILE"),
		Long: `Video films noise-free episodes, one after the other, with the number of the
episode, the decision and the return so far beneath. They are the first episodes
that eval plays with the same --seed.

The agent sees small images; for the film a second copy of the environment draws
larger ones of the same states. --size 0 films what the agent sees, enlarged.

The ending of --out chooses the format: .gif; .png or .apng, animated PNG, which
browsers play and which loses nothing; .mp4 where ffmpeg is installed.`,
		Example: `  orrery video runs/cartpole-swingup
  orrery video runs/cartpole-swingup -n 3 --seed 7 -o episodes.mp4
  orrery video runs/cartpole-swingup --size 0 -o seen.png`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), a, args[0]) },
	}
	f := cmd.Flags()
	f.IntVarP(&o.episodes, "episodes", "n", 1, "number of episodes, 1 to 10")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the initial states and the agent's randomness")
	f.IntVar(&o.size, "size", 256, "height and width of the picture in pixels; 0 films what the agent sees")
	f.IntVar(&o.speed, "speed", 80, "milliseconds that a decision is shown for")
	f.StringVarP(&o.out, "out", "o", "video.gif", "file to write")
	registerBackend(cmd, &o.backend)
	return cmd
}

func (o *videoOptions) run(ctx context.Context, a *app, path string) error {
	if o.episodes < 1 || o.episodes > evalBatch || o.size < 0 || o.size > 1024 || o.speed < 10 || o.speed > 10_000 {
		return fmt.Errorf("%w: want --episodes (%d) in [1, %d], --size (%d) in [0, 1024] and --speed (%d) in [10, 10000]",
			errUsage, o.episodes, evalBatch, o.size, o.speed)
	}
	format, err := filmFormat(o.out)
	if err != nil {
		return err
	}
	t, err := openTrained(ctx, path, o.backend, slog.New(slog.NewTextHandler(a.err, nil)))
	if err != nil {
		return err
	}
	defer t.close()
	p := newProgress(a.out, t.config, false)
	defer p.clear()
	frames, err := o.film(ctx, a, t, p)
	if err != nil {
		return err
	}
	return writeFile(a, o.out, func(w io.Writer) error {
		p.show("writing %d frames", len(frames))
		defer p.clear()
		return format.Write(ctx, w, frames, time.Duration(o.speed)*time.Millisecond)
	})
}

// film plays the episodes, all at the same time, and joins what was filmed.
func (o *videoOptions) film(ctx context.Context, a *app, t *trained, p *progress) (frames []*image.RGBA, err error) {
	var cameras []*film.Camera
	defer func() {
		for _, c := range cameras {
			err = errors.Join(err, c.Close())
		}
	}()
	var envs []env.Env
	playing := newPlaying(p, "filming", o.episodes)
	for range o.episodes {
		camera, err := o.camera(a, t)
		if err != nil {
			return nil, err
		}
		cameras, envs = append(cameras, camera), append(envs, playing.watch(camera))
	}
	returns, err := t.play(ctx, envs, evalSeeds(o.seed, o.episodes, t.config))
	if err != nil {
		return nil, err
	}
	for i, c := range cameras {
		p.line("episode %d returned %.1f", i+1, returns[i])
		p.show("drawing episode %d of %d", i+1, o.episodes)
		one, err := c.Frames(fmt.Sprintf("episode %d", i+1), o.scale(c))
		if err != nil {
			return nil, err
		}
		frames = append(frames, one...)
	}
	return frames, nil
}

// camera films a copy of the run's environment.
func (o *videoOptions) camera(a *app, t *trained) (*film.Camera, error) {
	e, err := t.env(a)
	if err != nil {
		return nil, err
	}
	var twin env.Env
	if o.size > 0 {
		larger := t.config
		larger.Env.ImageSize, larger.Env.BitDepth = o.size, 8
		if twin, err = a.openEnv(larger); err != nil {
			return nil, errors.Join(err, e.Close())
		}
	}
	c, err := film.NewCamera(e, twin)
	if err != nil {
		err = errors.Join(err, e.Close())
		if twin != nil {
			err = errors.Join(err, twin.Close())
		}
		return nil, err
	}
	return c, nil
}

// scale enlarges what the agent sees to about 256 pixels; a twin's pictures have
// the size asked for.
func (o *videoOptions) scale(c *film.Camera) int {
	if o.size > 0 {
		return 1
	}
	return max(1, 256/max(c.Spec().Image.Width, 1))
}

// filmFormat tells how to write a film, before any work is done for it.
func filmFormat(path string) (media.Format, error) {
	format, err := media.FormatOf(path)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errUsage, err)
	}
	return format, nil
}

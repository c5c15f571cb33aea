package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/internal/film"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/metrics/tensorboard"
)

type tensorboardOptions struct {
	out     string
	dream   bool
	backend config.Backend
}

func newTensorboard(a *app) *cobra.Command {
	o := &tensorboardOptions{}
	cmd := &cobra.Command{
		Use: "tensorboard RUN", Short: "Write a run's metrics as files that TensorBoard reads", Args: exactArgs("a RUN directory"),
		Long: `Tensorboard writes what a run has recorded as an event file for TensorBoard:
every metric against env_steps with its description, strips of frames of the
first and every tenth episode as far as they are there, and the configuration.
With --dream it adds what the newest weights predict, which takes the
environment.

It can be given again at any time, and replaces what it wrote before.
orrery train --tensorboard keeps the same file up to date as it trains.`,
		Example: `  orrery tensorboard runs/cartpole-swingup && tensorboard --logdir runs
  orrery tensorboard results/cartpole-swingup-small -o /tmp/board`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), a, args[0]) },
	}
	cmd.Flags().StringVarP(&o.out, "out", "o", "", "directory to write to (default: RUN/tensorboard)")
	cmd.Flags().BoolVar(&o.dream, "dream", false, "show a dream of the newest weights, too")
	registerBackend(cmd, &o.backend)
	return cmd
}

func (o *tensorboardOptions) run(ctx context.Context, a *app, dir string) (err error) {
	own := filepath.Join(dir, tensorboardDir)
	if o.out == "" {
		o.out = own
	}
	if same, err := samePath(o.out, own); err != nil {
		return err
	} else if same {
		release, lockErr := lockTraining(dir)
		if lockErr != nil {
			return lockErr
		}
		defer func() { err = errors.Join(err, release()) }()
	}
	run, err := readStored(filepath.Join(dir, configName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	c := tensorboardConfig(dir, o.out, run)
	if err != nil {
		c.Notes = nil // a history without its configuration
	}
	if o.dream {
		picture, at, err := o.dreamStrip(ctx, a, dir)
		if err != nil {
			return err
		}
		c.Pictures = join(c.Pictures, dreamAt(picture, at))
	}
	done, err := tensorboard.Convert(c)
	if errors.Is(err, fs.ErrNotExist) {
		return noRunWith(dir, learn.MetricsName)
	}
	if err != nil {
		return err
	}
	if done.Damaged > 0 {
		fmt.Fprintf(a.err, "orrery: %d damaged lines of %s were left out\n", done.Damaged, c.Source)
	}
	_, err = fmt.Fprintf(a.out, "wrote %s: %d events; look at it with: tensorboard --logdir %s\n", done.Path, done.Events, o.out)
	return err
}

// samePath reports whether two paths lead to one directory, which need not exist.
func samePath(a, b string) (bool, error) {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	if errX == nil && errY == nil {
		return os.SameFile(x, y), nil
	}
	a, errA := filepath.Abs(a)
	b, errB := filepath.Abs(b)
	return a == b, errors.Join(errA, errB)
}

// lockTraining keeps a process from training in a run's directory, where it could
// be writing the same files; one that was kept alone has no lock to take.
func lockTraining(dir string) (release func() error, err error) {
	if _, err := os.Stat(filepath.Join(dir, "lock")); err != nil {
		return func() error { return nil }, nil
	}
	lock, err := checkpoint.Lock(dir)
	if errors.Is(err, checkpoint.ErrLocked) {
		return nil, fmt.Errorf("%w: a process trains in %s (with --tensorboard it keeps these files itself); write elsewhere with --out: %w", errUsage, dir, err)
	}
	if err != nil {
		return nil, err
	}
	return lock.Release, nil
}

// dreamStrip lets the newest weights dream, and says after how many episodes
// they were saved.
func (o *tensorboardOptions) dreamStrip(ctx context.Context, a *app, dir string) (p tensorboard.Picture, at int64, err error) {
	t, err := openTrained(ctx, dir, o.backend, slog.New(slog.NewTextHandler(a.err, nil)))
	if err != nil {
		return p, 0, err
	}
	defer t.close()
	d := dreamOptions{context: 5, length: 60, seed: 2}
	dream, err := d.dream(ctx, a, t)
	if err != nil {
		return p, 0, err
	}
	strip, err := film.DreamStrip(dream, d.context, stripColumns, stripScale)
	return tensorboard.Picture{
		Tag: "dream/strip", Image: strip,
		About: "Above: an episode. Below: what the model predicts of it from the first frames (bordered) and the actions alone.",
	}, t.counters.Episodes, err
}

// dreamAt shows a picture at the episode after which the weights were saved.
func dreamAt(p tensorboard.Picture, episodes int64) func(metrics.Event) ([]tensorboard.Picture, error) {
	return func(e metrics.Event) ([]tensorboard.Picture, error) {
		if e.Kind != metrics.KindEpisode || e.Counters.Episodes != episodes {
			return nil, nil
		}
		return []tensorboard.Picture{p}, nil
	}
}

// join shows the pictures of both.
func join(a, b func(metrics.Event) ([]tensorboard.Picture, error)) func(metrics.Event) ([]tensorboard.Picture, error) {
	return func(e metrics.Event) ([]tensorboard.Picture, error) {
		first, err := a(e)
		second, err2 := b(e)
		return append(first, second...), errors.Join(err, err2)
	}
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/metrics/live"
	"github.com/orrery-rl/orrery/worldmodel"
)

type trainOptions struct {
	settings
	sinks sinkOptions
	dir   string
	from  string
	dash  string
	quiet bool
	offlineOptions
	force, dryRun bool
}

func newTrain(a *app) *cobra.Command {
	o := &trainOptions{}
	cmd := &cobra.Command{
		Use: "train", Short: "Learn a task from images, or go on learning", Args: o.args,
		Long: `Train runs PlaNet's Algorithm 1: a few random episodes, then again and again
some updates of the world model and one episode acted by planning in it. All of
it is kept in the run's directory: configuration, episodes, snapshots, metrics.

The same command again goes on where the run stopped, whatever stopped it, and
so does train --run DIR, which takes every setting that is not typed from the run
that is there. The first Ctrl-C finishes the current step and saves; the second
quits at once.

With --offline it learns the world model from given episodes and collects none;
with --from it starts from trained weights (docs/offline.md has both).`,
		Example: `  orrery train                                        the defaults: cartpole swing-up, preset small
  orrery train --episodes 200                         longer; works for a run that has ended, too
  orrery train --env cartpole-balance --seed 3 --run runs/balance-3
  orrery train --run runs/balance-3 --episodes 300    goes on with that run and its settings, longer
  orrery train --dash                                 with a local web page that shows how it goes
  orrery train --preset paper --set learn.eval_every=50
  orrery train --env py:dm_control:finger-spin --envs 4    four at once, for environments that are slow
  orrery train --print-config > my.yaml; orrery train --config my.yaml
  orrery train --tensorboard --prometheus 9091        watch it with TensorBoard, and with Prometheus at /metrics
  orrery train --from runs/cartpole-swingup --env cartpole-balance --run runs/tuned --freeze encoder,decoder
  orrery train --offline data/cartpole --env cartpole-swingup --updates 5000`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			run, err := o.composeFrom(cmd)
			if err != nil {
				return err
			}
			if o.print {
				return printConfig(a.out, run)
			}
			if len(run.Learn.Offline.Episodes) > 0 {
				return o.trainOffline(cmd.Context(), a, run)
			}
			if run.Env.Name == noEnv {
				return fmt.Errorf("%w: there is no environment to collect in (the weights of --from were learned without one); name it with --env", errUsage)
			}
			return o.train(cmd.Context(), a, run)
		},
	}
	o.register(cmd)
	o.sinks.register(cmd)
	o.registerOffline(cmd)
	cmd.Flags().StringVar(&o.dir, "run", "", "directory of the run (default: runs/ENV); the settings of a run that is there are kept unless typed")
	cmd.Flags().StringVar(&o.from, "from", "", "run or weights file to start from: its model, environment and weights, in a new --run")
	cmd.Flags().BoolVar(&o.force, "force", false, "start although there seems to be too little memory or disk")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "say what memory and disk the run would take, and write nothing")
	registerDash(cmd, &o.dash)
	cmd.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "print nothing but warnings, errors and where --dash is")
	return cmd
}

// args refuses arguments. An address after --dash is one, unlike what was meant.
func (o *trainOptions) args(cmd *cobra.Command, args []string) error {
	if len(args) == 1 && o.dash == anyPort && strings.ContainsAny(args[0], "0123456789") && !strings.ContainsAny(args[0], `/\`) {
		return fmt.Errorf("%w: the address of --dash follows an equals sign: --dash=%s", errUsage, args[0])
	}
	return exactArgs()(cmd, args)
}

func printConfig(w io.Writer, run config.Run) error {
	text, err := run.YAML()
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// train opens everything a run needs, trains, and closes it in reverse.
func (o *trainOptions) train(ctx context.Context, a *app, run config.Run) (err error) {
	if o.dir == "" {
		o.dir = defaultRunDir(run)
	}
	if o.dryRun { // nobody is to be shown anything
		o.dash, o.sinks = "", sinkOptions{}
	}
	from, run, err := o.startingWeights(ctx, run)
	if err != nil {
		return err
	}
	var opened closers
	defer func() { err = errors.Join(err, opened.close()) }()
	parts, err := o.assemble(a, run, &opened)
	if err != nil {
		return err
	}
	parts.From = from
	if err := openDash(ctx, a.out, o.dash, o.dir, parts.Log, &opened); err != nil {
		return err
	}
	progress := newProgress(a.out, run, o.quiet)
	progress.start(o.dir, parts.Backend.Description(), parts.Model.NumParams())
	if from != nil {
		progress.line("starting from %s, after %d updates", run.Learn.From, from.Counters.Updates)
	}
	sinks, err := o.sinks.open(a, o.dir, run, progress, &opened)
	if err != nil {
		return err
	}
	parts.Listeners, parts.About = append(sinks, progress), aboutProcess(run)
	if run.Watch.Live {
		shown := live.NewDir(vfs.OS(), o.dir, live.Config{Log: parts.Log})
		opened.add(shown.Close)
		parts.Live = shown
	}
	parts.Accept = o.fits(progress)
	r, err := learn.Open(ctx, parts)
	if errors.Is(err, errDry) {
		return nil
	}
	if err != nil {
		return err
	}
	opened.add(r.Close)
	if have := r.Counters().Episodes; have > int64(run.Learn.Episodes) {
		return fmt.Errorf("%w: %s has %d episodes already, and learn.episodes is %d; give at least --episodes %d, or go on with its own settings:\n  orrery train --run %s",
			config.ErrInvalid, o.dir, have, run.Learn.Episodes, have, o.dir)
	}
	if err := storeConfig(o.dir, run); err != nil { // only now: what cannot be opened is no run
		return err
	}
	progress.opened(r.Counters())
	return o.report(a, r.Train(ctx), r.Counters())
}

// assemble makes what a run consists of. What can be refused is refused before
// anything is written.
func (o *trainOptions) assemble(a *app, run config.Run, opened *closers) (learn.Parts, error) {
	log := slog.New(slog.NewTextHandler(a.err, nil))
	e, err := a.openEnv(run)
	if err != nil {
		return learn.Parts{}, err
	}
	opened.add(e.Close)
	backend, err := openBackend(run.Backend, log)
	if err != nil {
		return learn.Parts{}, err
	}
	opened.add(func() error { backend.Finalize(); return nil })
	model, err := worldmodel.New(run.Model, dimsOf(e.Spec()))
	if err != nil {
		return learn.Parts{}, fmt.Errorf("%w: %w", config.ErrInvalid, err)
	}
	effective, err := json.Marshal(run)
	if err != nil {
		return learn.Parts{}, err
	}
	p := learn.Parts{
		FS: vfs.OS(), Dir: o.dir, Env: e, NewEnv: func() (env.Env, error) { return a.openEnv(run) },
		Backend: backend, Model: model, Optimiser: run.Optimiser, Plan: run.Plan, BitDepth: run.Env.BitDepth,
		Schedule: run.Learn, ReplayMemory: int64(run.Replay.MemoryMiB) << 20, Seed: run.Seed, Config: effective, Log: log,
	}
	if err := checkEnvs(p); err != nil && !o.force {
		return learn.Parts{}, err
	}
	if o.dryRun {
		return p, nil
	}
	return p, o.occupy(run, opened)
}

// checkEnvs refuses more environments at once than there is memory for, where the
// system says how much there is.
func checkEnvs(p learn.Parts) error {
	need, have := p.CollectingMemory(), int64(math.MaxInt64)
	if free, ok := availableMemory(); ok {
		have = free
	}
	if n := p.Schedule.Envs; n > 1 && need > have {
		return fmt.Errorf("%w: learn.envs is %d: collecting in so many environments takes %s, and %s are free; take fewer",
			config.ErrInvalid, n, size(float64(need)), size(float64(have)))
	}
	return nil
}

// occupy makes the run's directory ours: locked, and not that of another run.
func (o *trainOptions) occupy(run config.Run, opened *closers) error {
	if err := occupyDir(o.dir, opened); err != nil {
		return err
	}
	return checkConfig(o.dir, run)
}

// closers closes what was opened, the last first.
type closers struct{ list []func() error }

func (c *closers) add(f func() error) { c.list = append(c.list, f) }

func (c *closers) close() error {
	var errs []error
	for _, f := range slices.Backward(c.list) {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

// report says how a run ended and how to go on.
func (o *trainOptions) report(a *app, err error, c metrics.Counters) error {
	if o.quiet {
		return err
	}
	switch {
	case errors.Is(err, learn.ErrInterrupted):
		fmt.Fprintf(a.out, "saved after %d episodes and %d updates in %s; the same command goes on\n", c.Episodes, c.Updates, o.dir)
	case errors.Is(err, learn.ErrNonFinite):
		fmt.Fprintf(a.out, "the last good snapshot is kept in %s; a smaller optimiser.learning_rate may help (in a new run)\n", o.dir)
	case err == nil:
		fmt.Fprintf(a.out, "done: %d episodes in %s\n  orrery eval %s     ten noise-free episodes\n  orrery dream %s    what the model predicts\n  orrery plot %s     the learning curve\n",
			c.Episodes, o.dir, o.dir, o.dir, o.dir)
	}
	return err
}

// checkConfig refuses a configuration that contradicts the run that is already
// there, if there is one.
func checkConfig(dir string, run config.Run) error {
	stored, err := readStored(filepath.Join(dir, configName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	changes, err := config.Diff(stored, run)
	if err != nil || len(changes) == 0 {
		return err
	}
	lines := make([]string, len(changes))
	for i, c := range changes {
		lines[i] = "  " + c.String()
	}
	return fmt.Errorf("%w: it contradicts the run in %s:\n%s\nstart a new run with --run DIR, or go on with this one as it is:\n  orrery train --run %s",
		config.ErrInvalid, dir, strings.Join(lines, "\n"), dir)
}

// storeConfig makes run the configuration of the run in dir.
func storeConfig(dir string, run config.Run) error {
	text, err := run.YAML()
	if err != nil {
		return err
	}
	return vfs.WriteFileDurable(vfs.OS(), filepath.Join(dir, configName), func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// since rounds a duration for people.
func since(d time.Duration) string {
	if d >= time.Minute {
		return d.Round(time.Second).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

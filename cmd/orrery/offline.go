package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/worldmodel"
)

// noEnv is the environment of runs that have none.
const noEnv = "none"

// offlineOptions are the flags of training from given episodes.
type offlineOptions struct {
	data    []string
	updates int
}

func (o *offlineOptions) registerOffline(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVar(&o.data, "offline", nil, "learn from the episodes (*.npz) in these directories, and collect none; may be repeated (docs/offline.md)")
	f.IntVar(&o.updates, "updates", 0, "updates in all, with --offline (default: as many as training with the same settings would make)")
}

// beneath lays under everything else that episodes alone have no environment.
func (o *offlineOptions) beneath(s *settings) error {
	if len(o.data) == 0 {
		return nil
	}
	layer, err := config.SetLayer("env.name=" + noEnv)
	s.base = append(s.base, layer)
	return err
}

// adopt puts the flags into the configuration and refuses those that contradict.
func (o *offlineOptions) adopt(cmd *cobra.Command, run *config.Run) error {
	typed := cmd.Flags().Changed
	if len(o.data) > 0 {
		run.Learn.Offline.Episodes = o.data
	}
	offline := len(run.Learn.Offline.Episodes) > 0
	switch {
	case typed("updates") && !offline:
		return fmt.Errorf("%w: --updates needs --offline; a run that collects ends after --episodes", errUsage)
	case typed("updates") && o.updates < 1:
		return fmt.Errorf("%w: --updates is %d; it must be at least 1", errUsage, o.updates)
	case typed("episodes") && offline:
		return fmt.Errorf("%w: --episodes says how many are collected; with --offline none are, and --updates says how long to train", errUsage)
	case typed("envs") && offline:
		return fmt.Errorf("%w: --envs says in how many environments episodes are collected; with --offline none are", errUsage)
	case typed("dry-run") && offline, typed("force") && offline:
		return fmt.Errorf("%w: --dry-run and --force are for runs that collect; what --offline takes is not estimated", errUsage)
	case typed("updates"):
		run.Learn.Offline.Updates = o.updates
	}
	if !offline {
		return nil
	}
	schema, err := learn.DataSchema(vfs.OS(), run.Learn.Offline.Episodes)
	if schema.Height > 0 {
		run.Env.ImageSize = schema.Height // whatever the preset says
	}
	return err
}

// trainOffline opens everything that learning from given episodes needs, trains,
// and closes it in reverse.
func (o *trainOptions) trainOffline(ctx context.Context, a *app, run config.Run) (err error) {
	if o.dir == "" {
		o.dir = defaultOfflineDir(run)
	}
	from, run, err := o.startingWeights(ctx, run)
	if err != nil {
		return err
	}
	var opened closers
	defer func() { err = errors.Join(err, opened.close()) }()
	parts, err := o.assembleOffline(ctx, a, run, &opened)
	if err != nil {
		return err
	}
	parts.From = from
	progress := newOfflineProgress(newProgress(a.out, run, o.quiet))
	progress.start(o.dir, parts)
	if err := openDash(ctx, a.out, o.dash, o.dir, parts.Log, &opened); err != nil {
		return err
	}
	sinks, err := o.sinks.open(a, o.dir, run, progress.progress, &opened)
	if err != nil {
		return err
	}
	parts.Listeners, parts.About = append(sinks, progress), aboutProcess(run)
	r, err := learn.OpenOffline(ctx, parts)
	if err != nil {
		return err
	}
	opened.add(r.Close)
	if have := r.Counters().Updates; have > r.Updates() {
		return fmt.Errorf("%w: %s has %d updates already, and the run ends after %d; give at least --updates %d", config.ErrInvalid, o.dir, have, r.Updates(), have)
	}
	if err := storeConfig(o.dir, run); err != nil { // only now: what cannot be opened is no run
		return err
	}
	progress.opened(r.Counters(), r.Updates())
	return o.reportOffline(a, r.Train(ctx), r.Counters(), parts.NewEnv != nil)
}

func defaultOfflineDir(run config.Run) string {
	if run.Env.Name == noEnv {
		return filepath.Join("runs", "offline")
	}
	return defaultRunDir(run) + "-offline"
}

// assembleOffline makes what a run consists of. What can be refused is refused
// before anything is written.
func (o *trainOptions) assembleOffline(ctx context.Context, a *app, run config.Run, opened *closers) (learn.OfflineParts, error) {
	log := slog.New(slog.NewTextHandler(a.err, nil))
	none := learn.OfflineParts{}
	schedule := run.Learn.OfflineSchedule()
	memory := int64(run.Replay.MemoryMiB) << 20
	data, err := learn.OpenData(ctx, vfs.OS(), schedule.Episodes, learn.DataConfig{ChunkLength: run.Learn.ChunkLength, HoldOut: schedule.HoldOut, Memory: memory}, log)
	if err != nil {
		return none, err
	}
	opened.add(data.Close)
	newEnv, err := a.offlineEnv(run, data, log)
	if err != nil {
		return none, err
	}
	backend, err := openBackend(run.Backend, log)
	if err != nil {
		return none, err
	}
	opened.add(func() error { backend.Finalize(); return nil })
	model, err := worldmodel.New(run.Model, data.Dims())
	if err != nil {
		return none, fmt.Errorf("%w: %w", config.ErrInvalid, err)
	}
	if err := o.occupy(run, opened); err != nil {
		return none, err
	}
	effective, err := json.Marshal(run)
	return learn.OfflineParts{
		FS: vfs.OS(), Dir: o.dir, Data: data, NewEnv: newEnv, Backend: backend, Model: model, Optimiser: run.Optimiser, Plan: run.Plan,
		BitDepth: run.Env.BitDepth, Schedule: run.Learn, Seed: run.Seed, Config: effective, Log: log,
	}, err
}

// offlineEnv makes environments to evaluate in, or is nil where there are none. An
// environment that does not exist, that is asked for what it has not, or that shows
// and takes something else than the episodes, is a mistake; one that does not start
// here is a pity.
func (a *app) offlineEnv(run config.Run, data *learn.Data, log *slog.Logger) (func() (env.Env, error), error) {
	if run.Env.Name == noEnv {
		return nil, nil
	}
	e, err := a.openEnv(run)
	for _, mistake := range []error{env.ErrUnknown, env.ErrOptions, env.ErrSpec} {
		if errors.Is(err, mistake) {
			return nil, fmt.Errorf("%w: %w", config.ErrInvalid, err)
		}
	}
	if err != nil {
		log.Warn("the environment does not start; the run goes on without evaluations", "env", run.Env.Name, "error", err)
		return nil, nil
	}
	have, want := dimsOf(e.Spec()), data.Dims()
	if want.VectorSize == 0 {
		have.VectorSize = 0
	}
	if err := e.Close(); err != nil {
		return nil, err
	}
	if have != want {
		return nil, fmt.Errorf("%w: %s %s; name the environment that they are from, or --env %s to train without evaluations",
			config.ErrInvalid, run.Env.Name, unlike(have, want, "the episodes"), noEnv)
	}
	return func() (env.Env, error) { return a.openEnv(run) }, nil
}

// reportOffline says how a run ended and how to go on.
func (o *trainOptions) reportOffline(a *app, err error, c metrics.Counters, canAct bool) error {
	if o.quiet {
		return err
	}
	switch {
	case errors.Is(err, learn.ErrInterrupted):
		fmt.Fprintf(a.out, "saved after %d updates in %s; the same command goes on\n", c.Updates, o.dir)
	case errors.Is(err, learn.ErrNonFinite):
		fmt.Fprintf(a.out, "the last good snapshot is kept in %s; a smaller optimiser.learning_rate may help (in a new run)\n", o.dir)
	case err == nil:
		fmt.Fprintf(a.out, "done: %d updates in %s\n  orrery doctor %s    what the curves say\n", c.Updates, o.dir, o.dir)
		if canAct {
			fmt.Fprintf(a.out, "  orrery eval %s      ten noise-free episodes\n  orrery dream %s     what the model predicts\n", o.dir, o.dir)
		}
	}
	return err
}

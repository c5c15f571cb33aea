package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/worldmodel"
)

// composeFrom is compose for runs that may start from trained weights, and that may
// learn offline: preset, environment and model are then those of the weights,
// beneath all that is typed. A run that was started so needs neither the weights
// nor --from again.
func (o *trainOptions) composeFrom(cmd *cobra.Command) (config.Run, error) {
	if err := o.beneath(&o.settings); err != nil {
		return config.Run{}, err
	}
	run, err := o.composeWeights(cmd)
	if err != nil {
		return run, err
	}
	return run, o.adopt(cmd, &run)
}

func (o *trainOptions) composeWeights(cmd *cobra.Command) (config.Run, error) {
	stored, err := o.storedRun()
	if err != nil {
		return config.Run{}, err
	}
	if o.from != "" {
		o.from = filepath.Clean(o.from)
	}
	if same(o.from, o.dir) {
		return config.Run{}, fmt.Errorf("%w: --from and --run are the same directory; name a new one with --run", errUsage)
	}
	if stored != nil && !cmd.Flags().Changed("preset") && !cmd.Flags().Changed("config") {
		return o.composeStored(cmd, *stored)
	}
	if stored != nil && (o.from == "" || o.from == filepath.Clean(stored.Learn.From)) {
		o.from = stored.Learn.From
	}
	if o.from == "" {
		return o.compose(cmd)
	}
	if o.dir == "" {
		return config.Run{}, fmt.Errorf("%w: --from needs --run: the directory of the run that starts from %s", errUsage, o.from)
	}
	base := stored
	if base == nil {
		if base, err = o.sourceOf(cmd.Context()); err != nil {
			return config.Run{}, err
		}
	}
	layer, err := sourceLayer(*base)
	if err != nil {
		return config.Run{}, err
	}
	o.base = append(o.base, layer)
	run, err := o.compose(cmd)
	run.Learn.From = o.from
	if stored != nil && stored.Learn.From == o.from {
		run.Learn.FromSHA256 = stored.Learn.FromSHA256
	}
	return run, err
}

// composeStored is compose for a run that goes on: whatever is not typed is as it
// was.
func (o *trainOptions) composeStored(cmd *cobra.Command, stored config.Run) (config.Run, error) {
	text, err := stored.YAML()
	if err != nil {
		return stored, err
	}
	layer, err := config.ReadLayer(filepath.Join(o.dir, configName), bytes.NewReader(text))
	if err != nil {
		return stored, err
	}
	o.base = append(o.base, layer)
	run, err := o.compose(cmd)
	if o.from != "" && o.from != filepath.Clean(stored.Learn.From) {
		run.Learn.From = o.from
	}
	return run, err
}

// storedRun is the configuration of the run in --run, or nil if there is none.
func (o *trainOptions) storedRun() (*config.Run, error) {
	if o.dir == "" {
		return nil, nil
	}
	run, err := readStored(filepath.Join(o.dir, configName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return &run, err
}

// sourceOf is the configuration of what --from names.
func (o *trainOptions) sourceOf(ctx context.Context) (*config.Run, error) {
	_, run, err := loadWeights(ctx, o.from)
	return &run, err
}

func same(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// sourceLayer are the settings that weights bring along.
func sourceLayer(run config.Run) (config.Layer, error) {
	settings := map[string]any{"model": run.Model}
	if _, err := config.Preset(run.Preset); err == nil {
		settings["preset"] = run.Preset
	}
	if run.Env.Name != "" {
		settings["env"] = run.Env
	}
	text, err := yaml.Marshal(settings)
	if err != nil {
		return config.Layer{}, err
	}
	return config.ReadLayer("the configuration of --from", bytes.NewReader(text))
}

// startingWeights loads the weights that a new run starts from, and notes in its
// configuration which they are. It returns nil for a run that has begun.
func (o *trainOptions) startingWeights(ctx context.Context, run config.Run) (*learn.Weights, config.Run, error) {
	if run.Learn.From == "" || begun(o.dir) {
		return nil, run, nil
	}
	weights, source, err := loadWeights(ctx, run.Learn.From)
	if err != nil {
		return nil, run, err
	}
	sum, err := sumOf(weights, source)
	if err != nil {
		return nil, run, err
	}
	if want := run.Learn.FromSHA256; want != "" && want != sum {
		return nil, run, fmt.Errorf("%w: %s holds other weights than the run was started from (sha256 %.12s, not %.12s); restore them, or start a new run with --run DIR",
			config.ErrInvalid, run.Learn.From, sum, want)
	}
	run.Learn.FromSHA256 = sum
	return weights, run, nil
}

// begun reports whether there is a snapshot in the directory of a run.
func begun(dir string) bool {
	entries, err := os.ReadDir(filepath.Join(dir, "snapshots"))
	return err == nil && slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return strings.HasSuffix(e.Name(), weightsSuffix) })
}

// sumOf is the checksum of weights, as eval prints it.
func sumOf(weights *learn.Weights, source config.Run) (string, error) {
	model, err := worldmodel.New(source.Model, weights.Dims)
	if err != nil {
		return "", err
	}
	values, err := weights.Values(model)
	if err != nil {
		return "", err
	}
	return hashWeights(values), nil
}

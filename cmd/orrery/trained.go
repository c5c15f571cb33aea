package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/worldmodel"
)

// trained is a model with its weights, ready to act.
type trained struct {
	config   config.Run
	counters metrics.Counters
	backend  compute.Backend
	model    *worldmodel.Model
	params   []compute.Buffer
	sha256   string // of all weights, in order
}

// openTrained loads the run in the directory path, or the snapshot or weights in
// the file path. What computes is a matter of this machine, not of the run.
func openTrained(ctx context.Context, path string, backend config.Backend, log *slog.Logger) (*trained, error) {
	weights, run, err := loadWeights(ctx, path)
	if err != nil {
		return nil, err
	}
	t := &trained{config: run}
	t.config.Backend = backend
	if t.model, err = worldmodel.New(t.config.Model, weights.Dims); err != nil {
		return nil, err
	}
	values, err := weights.Values(t.model)
	if err != nil {
		return nil, err
	}
	t.counters, t.sha256 = weights.Counters, hashWeights(values)
	if t.backend, err = openBackend(t.config.Backend, log); err != nil {
		return nil, err
	}
	for i, spec := range t.model.ParamSpecs() {
		buf, err := gx.Upload(t.backend, values[i], spec.Dims...)
		if err != nil {
			return nil, errors.Join(err, t.close())
		}
		t.params = append(t.params, buf)
	}
	return t, nil
}

func (t *trained) close() error {
	err := gx.Finalize(t.params...)
	t.backend.Finalize()
	return err
}

// loadWeights loads weights with the configuration of their run: the one in the
// directory of a run, or that in the file.
func loadWeights(ctx context.Context, path string) (*learn.Weights, config.Run, error) {
	var run config.Run
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, run, noRunWith(path, configName)
	}
	if err != nil {
		return nil, run, fmt.Errorf("%w: %w", errUsage, err)
	}
	if info.IsDir() {
		run, err = readStored(filepath.Join(path, configName))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, run, noRunWith(path, configName)
		}
		if err != nil {
			return nil, run, err
		}
	}
	weights, err := learn.LoadWeights(ctx, vfs.OS(), path)
	if err == nil && !info.IsDir() {
		run, err = config.ReadStored("the configuration in "+path, bytes.NewReader(weights.Config))
	}
	return weights, run, err
}

// noRunWith is the error of a path that is not there, or where a file of a run is
// missing, with the runs that are there instead.
func noRunWith(path, file string) error {
	missing, dir := "no "+file, path
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		missing, dir = "no such file or directory", filepath.Dir(path)
	}
	text := fmt.Sprintf("%s holds no run: there is %s", path, missing)
	if ending := filepath.Ext(path); ending != weightsSuffix && ending != ".jsonl" {
		text += fmt.Sprintf(" (train one with: orrery train --run %s)", path)
	}
	if runs := runsIn(dir); len(runs) > 0 {
		text += fmt.Sprintf("; runs in %s: %s", dir, strings.Join(runs, ", "))
	}
	return fmt.Errorf("%w: %s", errUsage, text)
}

// runsIn are the names of the runs in a directory.
func runsIn(dir string) (names []string) {
	found, err := filepath.Glob(filepath.Join(dir, "*", configName))
	if err != nil {
		return nil // a name that is a pattern; the list is a courtesy
	}
	for _, file := range found {
		names = append(names, filepath.Base(filepath.Dir(file)))
	}
	return names
}

// env makes a copy of the run's environment, which must fit the model.
func (t *trained) env(a *app) (env.Env, error) {
	if t.config.Env.Name == "" || t.config.Env.Name == noEnv {
		return nil, fmt.Errorf("%w: the weights do not say what environment they are for; name it with eval --env, or train or import them again with --env", errUsage)
	}
	e, err := a.openEnv(t.config)
	if err != nil {
		return nil, err
	}
	s := e.Spec()
	have, want := dimsOf(s), t.model.Dims()
	if want.VectorSize == 0 { // weights from elsewhere, which do not know of vectors
		have.VectorSize = 0
	}
	if have != want {
		return nil, errors.Join(e.Close(), fmt.Errorf("%w: %s %s", config.ErrInvalid, s.Name, unlike(have, want, "the model is for")))
	}
	return e, nil
}

// unlike says in what an environment's dims are not those that something else,
// such as "the model is for", wants.
func unlike(have, want worldmodel.Dims, other string) string {
	var all []string
	if have.ActionSize != want.ActionSize {
		all = append(all, fmt.Sprintf("takes actions of size %d, %s %d", have.ActionSize, other, want.ActionSize))
	}
	if have.Height != want.Height || have.Width != want.Width || have.Channels != want.Channels {
		all = append(all, fmt.Sprintf("shows images of %dx%dx%d, %s %dx%dx%d", have.Height, have.Width, have.Channels, other, want.Height, want.Width, want.Channels))
	}
	if have.VectorSize != want.VectorSize {
		all = append(all, fmt.Sprintf("has vectors of %d values, %s %d", have.VectorSize, other, want.VectorSize))
	}
	return strings.Join(all, "; it ")
}

// envs makes n copies of the run's environment; closing them is up to the
// caller.
func (t *trained) envs(a *app, n int) ([]env.Env, error) {
	envs := make([]env.Env, n)
	for i := range envs {
		var err error
		if envs[i], err = t.env(a); err != nil {
			return nil, errors.Join(err, closeEnvs(envs[:i]))
		}
	}
	return envs, nil
}

func closeEnvs(envs []env.Env) error {
	var errs []error
	for _, e := range envs {
		errs = append(errs, e.Close())
	}
	return errors.Join(errs...)
}

func hashWeights(params [][]float32) string {
	h := sha256.New()
	var word [4]byte
	for _, p := range params {
		for _, v := range p {
			binary.LittleEndian.PutUint32(word[:], math.Float32bits(v))
			h.Write(word[:])
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"path/filepath"

	"github.com/gomlx/compute"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/worldmodel"
)

// trained is a run's newest snapshot, ready to act.
type trained struct {
	config   config.Run
	counters metrics.Counters
	backend  compute.Backend
	model    *worldmodel.Model
	params   []compute.Buffer
	sha256   string // of all weights, in order
}

// openTrained loads the run in dir. What computes is a matter of this machine, not of
// the run.
func openTrained(ctx context.Context, dir string, backend config.Backend, log *slog.Logger) (*trained, error) {
	t := &trained{}
	var err error
	if t.config, err = readStored(filepath.Join(dir, configName)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: %s holds no run: there is no %s (train one with: orrery train --run %s)", errUsage, dir, configName, dir)
		}
		return nil, err
	}
	t.config.Backend = backend
	weights, err := learn.LoadWeights(ctx, vfs.OS(), dir)
	if err != nil {
		return nil, err
	}
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

// envs makes n copies of the run's environment; closing them is up to the
// caller.
func (t *trained) envs(a *app, n int) ([]env.Env, error) {
	envs := make([]env.Env, n)
	for i := range envs {
		var err error
		if envs[i], err = a.openEnv(t.config); err != nil {
			return nil, err
		}
	}
	return envs, nil
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

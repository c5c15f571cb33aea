package learn

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/worldmodel"
)

// Weights are the parameters of a model with what they were trained on.
type Weights struct {
	// Counters say how long they were trained.
	Counters metrics.Counters
	// Dims are the sizes of images and actions.
	Dims worldmodel.Dims
	// Config is the configuration of the run they come from, as it was given to
	// Parts.
	Config json.RawMessage

	tensors []checkpoint.Tensor
}

// NewWeights joins parameter values, in the model's order, with the model they
// are for.
func NewWeights(model *worldmodel.Model, values [][]float32, config json.RawMessage) *Weights {
	return &Weights{Dims: model.Dims(), Config: config, tensors: named(model, values)}
}

// LoadWeights reads the newest whole snapshot of the run in the directory path,
// or the file path, which is one snapshot or weights that [Weights.Save] wrote.
func LoadWeights(ctx context.Context, fs vfs.FS, path string) (*Weights, error) {
	info, err := fs.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("learn: weights: %w", err)
	}
	if !info.IsDir() {
		return loadWeightsFile(fs, path)
	}
	s, report, err := checkpoint.LoadLatest(ctx, fs, filepath.Join(path, snapshotsDir))
	if err != nil {
		return nil, fmt.Errorf("learn: run %s: %w", path, err)
	}
	w := &Weights{Counters: metrics.Counters(s.Counters), Config: s.Config, tensors: s.Params}
	return w, w.setDims(report.Path, s.Extra)
}

func loadWeightsFile(fs vfs.FS, path string) (*Weights, error) {
	s, err := checkpoint.LoadModel(fs, path)
	if err != nil {
		return nil, fmt.Errorf("learn: %w", err)
	}
	w := &Weights{Counters: metrics.Counters(s.Counters), Config: s.Config, tensors: s.Params}
	return w, w.setDims(path, s.Extra)
}

// setDims reads the sizes from what is stored beside the tensors.
func (w *Weights) setDims(path string, extra map[string]json.RawMessage) error {
	var p milestone
	if err := json.Unmarshal(extra[milestoneKey], &p); err != nil {
		return fmt.Errorf("learn: %s does not say the sizes of images and actions: %w", path, err)
	}
	w.Dims = p.Dims
	return nil
}

// Save writes the weights durably to a file that [LoadWeights] reads, half
// rounded to float16.
func (w *Weights) Save(fs vfs.FS, path string, half bool) error {
	extra, err := json.Marshal(milestone{Dims: w.Dims})
	if err != nil {
		return err
	}
	return checkpoint.SaveWeights(fs, path, &checkpoint.Weights{
		Params: w.tensors, Config: w.Config, Counters: checkpoint.Counters(w.Counters),
		Extra: map[string]json.RawMessage{milestoneKey: extra}, Half: half,
	})
}

// Values returns the parameters in the model's order, or an error that names
// every tensor that does not fit.
func (w *Weights) Values(model *worldmodel.Model) ([][]float32, error) { return fit(w.tensors, model) }

// named gives values in the model's order their names and shapes.
func named(model *worldmodel.Model, values [][]float32) []checkpoint.Tensor {
	out := make([]checkpoint.Tensor, len(values))
	for i, spec := range model.ParamSpecs() {
		out[i] = checkpoint.Tensor{Name: spec.Name, Dims: spec.Dims, Data: values[i]}
	}
	return out
}

// Begin makes the weights the first snapshot of a new run in dir, which starts
// from them instead of random ones, with an optimiser that knows nothing yet.
// seed must be the run's.
func (w *Weights) Begin(ctx context.Context, fs vfs.FS, dir string, seed uint64) error {
	extra, err := json.Marshal(milestone{Seed: seed, Dims: w.Dims})
	if err != nil {
		return err
	}
	moments := make([]checkpoint.Tensor, len(w.tensors))
	for i, t := range w.tensors {
		t.Data = make([]float32, len(t.Data))
		moments[i] = t
	}
	return checkpoint.Save(ctx, fs, filepath.Join(dir, snapshotsDir), &checkpoint.Snapshot{
		Params: w.tensors, AdamM: moments, AdamV: moments,
		Config: w.Config, Extra: map[string]json.RawMessage{milestoneKey: extra},
	})
}

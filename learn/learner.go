package learn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/internal/optim"
	"github.com/orrery-rl/orrery/replay"
	"github.com/orrery-rl/orrery/worldmodel"
)

// ErrNonFinite reports an update whose loss or gradient is not a number or is
// infinite. The parameters are damaged; the last snapshot is not.
var ErrNonFinite = errors.New("not finite")

// Learner holds the parameters of a world model and the optimiser's moments,
// and updates them by one compiled graph: loss, gradient, clipping and Adam.
// It is not safe for concurrent use.
type Learner struct {
	backend compute.Backend
	model   *worldmodel.Model
	program *gx.Program
	// state is the parameters, then Adam's first and second moments, each in
	// the order of the model's ParamSpecs.
	state []compute.Buffer
	// moving are the positions of the parameters that learn; the others are frozen.
	moving []int

	opt optim.Config

	// data is the batch in the order of the model's BatchInputs, then Adam's
	// bias corrections; the slices below are its memory.
	data   []*gx.Staged[float32]
	batch  replay.Batch
	noises []float32 // [B, L, Z]
	// rolloutNoises is [B, L, D, Z], or nil without overshooting.
	rolloutNoises []float32
	corrections   []float32
}

// NewLearner compiles the update for chunks [batchSize, chunkLength]; SetState
// gives it the state of a run: for each parameter its value and both moments.
// The parameters of frozen parts, see [worldmodel.Model.InParts], and their
// moments never change.
func NewLearner(backend compute.Backend, model *worldmodel.Model, opt optim.Config, batchSize, chunkLength int, frozen ...string) (*Learner, error) {
	l := &Learner{backend: backend, model: model, opt: opt}
	var err error
	if l.moving, err = moving(model, frozen); err != nil {
		return nil, err
	}
	inputs := slices.Concat(
		model.ParamInputs("", dtypes.Float32),
		pick(model.ParamInputs("adam/m/", dtypes.Float32), l.moving),
		pick(model.ParamInputs("adam/v/", dtypes.Float32), l.moving))
	data, err := l.allocate(batchSize, chunkLength)
	if err != nil {
		return nil, err
	}
	l.program, err = gx.Compile(backend, "update", append(inputs, data...), func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
		return buildUpdate(model, opt, in, l.moving)
	})
	if err != nil {
		return nil, errors.Join(err, gx.CloseAll(l.data...))
	}
	return l, nil
}

// buildUpdate is the graph of one update. Its inputs are all parameters, both
// moments of the moving ones, and the data; its outputs the moving parameters and
// their moments, the losses in the order of the model's LossNames, and the norm of
// the moving parameters' gradient.
func buildUpdate(model *worldmodel.Model, opt optim.Config, in []*graph.Node, moving []int) []*graph.Node {
	n, k := len(model.ParamSpecs()), len(moving)
	batch, correction := in[n+2*k:len(in)-1], in[len(in)-1]
	net, err := model.Bind(in[:n])
	if err != nil {
		panic(err)
	}
	losses := net.Loss(net.BatchFromNodes(batch))
	params := pick(in[:n], moving)
	grads := graph.Gradient(losses.Total, params...)
	next := opt.Adam(params, grads, in[n:n+k], in[n+k:n+2*k], correction)
	return slices.Concat(next.Params, next.M, next.V, losses.Nodes(), []*graph.Node{next.GradNorm})
}

// allocate makes the buffers that every update reads its data from.
func (l *Learner) allocate(batchSize, chunkLength int) ([]gx.Input, error) {
	inputs := append(l.model.BatchInputs(dtypes.Float32, batchSize, chunkLength),
		gx.Input{Name: "adam/correction", Shape: shapes.Make(dtypes.Float32, 2)})
	l.batch.B, l.batch.L = batchSize, chunkLength
	memory := map[string]*[]float32{
		"images": &l.batch.Images, "vectors": &l.batch.Vectors, "actions": &l.batch.Actions,
		"rewards": &l.batch.Rewards, "continues": &l.batch.Continues, "noise": &l.noises,
		"rollout_noise": &l.rolloutNoises, "adam/correction": &l.corrections,
	}
	for _, in := range inputs {
		staged, err := gx.NewStaged[float32](l.backend, in.Shape.Dimensions...)
		if err != nil {
			return nil, errors.Join(err, gx.CloseAll(l.data...))
		}
		l.data = append(l.data, staged)
		*memory[in.Name] = staged.Data
	}
	return inputs, nil
}

// Batch is what the next Update learns from; the caller fills it in place.
func (l *Learner) Batch() *replay.Batch { return &l.batch }

// Noise is the standard normal noise of the next Update's posterior samples,
// [B, L, Z]; the caller fills it in place.
func (l *Learner) Noise() []float32 { return l.noises }

// RolloutNoise is the standard normal noise of the predictions that the next
// Update's overshooting samples, [B, L, D, Z]; the caller fills it in place. It
// is empty for objectives without overshooting.
func (l *Learner) RolloutNoise() []float32 { return l.rolloutNoises }

// Params are the current parameters in the order of the model's ParamSpecs.
// They are valid until the next Update.
func (l *Learner) Params() []compute.Buffer { return l.state[:len(l.state)/3] }

// SetState replaces parameters and moments, each in the order of the model's
// ParamSpecs; the values are copied. After an error the old ones stay.
func (l *Learner) SetState(params, m, v [][]float32) error {
	specs := l.model.ParamSpecs()
	values := slices.Concat(params, m, v)
	if len(values) != 3*len(specs) {
		return fmt.Errorf("learn: %d state tensors, want %d", len(values), 3*len(specs))
	}
	state := make([]compute.Buffer, len(values))
	for i, data := range values {
		var err error
		if state[i], err = gx.Upload(l.backend, data, specs[i%len(specs)].Dims...); err != nil {
			return errors.Join(fmt.Errorf("learn: %s: %w", specs[i%len(specs)].Name, err), gx.Finalize(state...))
		}
	}
	old := l.state
	l.state = state
	return gx.Finalize(old...)
}

// State returns copies of the parameters and both moments.
func (l *Learner) State() (params, m, v [][]float32, err error) {
	values := make([][]float32, len(l.state))
	for i, buf := range l.state {
		if values[i], err = gx.Download(buf); err != nil {
			return nil, nil, nil, err
		}
	}
	n := len(values) / 3
	return values[:n], values[n : 2*n], values[2*n:], nil
}

// Stats describes one update: the losses in the order of the model's LossNames
// and the norm of the gradient before clipping.
type Stats struct {
	Losses   []float64
	GradNorm float64
}

// Update makes one optimiser step on what Batch, Noise and RolloutNoise hold.
// number is the number of the update, from 1, which Adam's bias correction
// needs. An error that matches ErrNonFinite names the first bad tensor.
func (l *Learner) Update(ctx context.Context, number int64) (Stats, error) {
	for i, c := range l.opt.Correction(int(number)) {
		l.corrections[i] = float32(c)
	}
	data, err := gx.Buffers(l.data...)
	if err != nil {
		return Stats{}, fmt.Errorf("learn: update %d: %w", number, err)
	}
	learned := l.learned()
	inputs := slices.Concat(l.Params(), pick(l.state, learned[len(l.moving):]), data)
	donate := make([]bool, len(inputs))
	for _, i := range l.moving {
		donate[i] = true
	}
	for i := range 2 * len(l.moving) {
		donate[len(l.Params())+i] = true
	}
	out, err := l.program.Run(ctx, inputs, donate)
	if err != nil {
		return Stats{}, fmt.Errorf("learn: update %d: %w", number, err)
	}
	l.state = slices.Clone(l.state) // Params has handed out the old slice
	for i, at := range learned {
		l.state[at] = out[i]
	}
	return l.stats(out[len(learned):], number)
}

// stats reads the scalars of an update and checks that they are finite.
func (l *Learner) stats(scalars []compute.Buffer, number int64) (Stats, error) {
	values := make([]float64, len(scalars))
	for i, buf := range scalars {
		var v [1]float32
		if err := gx.DownloadInto(buf, v[:]); err != nil {
			return Stats{}, err
		}
		values[i] = float64(v[0])
	}
	if err := gx.Finalize(scalars...); err != nil {
		return Stats{}, err
	}
	s := Stats{Losses: values[:len(values)-1], GradNorm: values[len(values)-1]}
	if bad := l.firstNonFinite(s); bad != "" {
		return s, fmt.Errorf("learn: update %d: %s is %w", number, bad, ErrNonFinite)
	}
	return s, nil
}

// firstNonFinite names the first tensor that is not finite, or is empty. A bad
// gradient shows in Adam's first moment, which is where it is looked for.
func (l *Learner) firstNonFinite(s Stats) string {
	names := l.model.LossNames()
	for i := 1; i < len(names); i++ { // the total comes last: a term says more
		if !finite(s.Losses[i]) {
			return "loss " + names[i]
		}
	}
	if finite(s.Losses[0]) && finite(s.GradNorm) {
		return ""
	}
	specs := l.model.ParamSpecs()
	for i, spec := range specs {
		m, err := gx.Download(l.state[len(specs)+i])
		if err != nil || slices.ContainsFunc(m, func(x float32) bool { return !finite(float64(x)) }) {
			return "the gradient of " + spec.Name
		}
	}
	return "the gradient's norm"
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// Close releases the compiled graph and all buffers.
func (l *Learner) Close() error {
	l.program.Close()
	return errors.Join(gx.Finalize(l.state...), gx.CloseAll(l.data...))
}

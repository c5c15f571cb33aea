package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/worldmodel"
)

// filter keeps the posterior state of E environments up to date: one
// StepPosterior per decision (Hafner et al. 2019, section 3).
type filter struct {
	backend compute.Backend
	program *gx.Program
	state   []compute.Buffer // [E, ...] by Model.StateSizes: owned
	sizes   []shapes.Shape   // of state

	// data are the other inputs: action, noise, and what the model sees. The
	// caller fills images and vectors, those that the model sees, before a step.
	data                          []*gx.Staged[float32]
	actions, eps, images, vectors []float32
}

func newFilter(backend compute.Backend, model *worldmodel.Model, envs int) (*filter, error) {
	states := stateInputs(model, envs)
	data := append([]gx.Input{input("action", envs, model.Dims().ActionSize), input("noise", envs, model.Config().StochSize)},
		model.ObservationInputs(dtypes.Float32, envs)...)
	n, k := len(model.ParamSpecs()), len(states)
	inputs := slices.Concat(model.ParamInputs("", dtypes.Float32), states, data)
	program, err := gx.Compile(backend, "filter", inputs, func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
		net, data := bind(model, in[:n]), in[n+k:]
		embed := net.Embed(net.ObservationFromNodes(data[2:]))
		next, _, _ := net.StepPosterior(net.StateFromNodes(in[n:n+k]), data[0], embed, data[1])
		return next.Nodes()
	})
	if err != nil {
		return nil, err
	}
	f := &filter{backend: backend, program: program}
	if err := f.allocate(states, data); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

func (f *filter) allocate(states, data []gx.Input) error {
	memory := map[string]*[]float32{"action": &f.actions, "noise": &f.eps, "images": &f.images, "vectors": &f.vectors}
	for _, in := range data {
		staged, err := gx.NewStaged[float32](f.backend, in.Shape.Dimensions...)
		if err != nil {
			return err
		}
		f.data, *memory[in.Name] = append(f.data, staged), staged.Data
	}
	for _, in := range states {
		f.sizes = append(f.sizes, in.Shape)
	}
	return f.reset()
}

// reset returns every environment to the zero state.
func (f *filter) reset() error {
	var zero []compute.Buffer
	for _, shape := range f.sizes {
		buf, err := gx.Upload(f.backend, make([]float32, shape.Size()), shape.Dimensions...)
		if err != nil {
			return errors.Join(err, gx.Finalize(zero...))
		}
		zero = append(zero, buf)
	}
	return f.replace(zero)
}

func (f *filter) replace(state []compute.Buffer) error {
	old := f.state
	f.state = state
	return gx.Finalize(old...)
}

// step takes the actions executed since the last step and what the caller wrote
// to f.images and f.vectors, and replaces the state.
func (f *filter) step(ctx context.Context, params []compute.Buffer, actions []float32, streams []*rng.Stream) error {
	copy(f.actions, actions)
	each := len(f.eps) / len(streams)
	for i, s := range streams {
		if s != nil {
			s.FillNormal(f.eps[i*each:][:each])
		}
	}
	data, err := gx.Buffers(f.data...)
	if err != nil {
		return err
	}
	out, err := f.program.Run(ctx, slices.Concat(params, f.state, data), nil)
	if err != nil {
		return err
	}
	return f.replace(out)
}

func (f *filter) close() error {
	f.program.Close()
	return errors.Join(gx.Finalize(f.state...), gx.CloseAll(f.data...))
}

// stateInputs are the nodes of the states of envs environments.
func stateInputs(model *worldmodel.Model, envs int) []gx.Input {
	var inputs []gx.Input
	for i, size := range model.StateSizes() {
		inputs = append(inputs, input(fmt.Sprintf("state/%d", i), envs, size))
	}
	return inputs
}

func input(name string, dims ...int) gx.Input {
	return gx.Input{Name: name, Shape: shapes.Make(dtypes.Float32, dims...)}
}

// bind views parameters as a network; its error unwinds to gx.Compile.
func bind(model *worldmodel.Model, params []*graph.Node) *worldmodel.Net {
	net, err := model.Bind(params)
	if err != nil {
		panic(err)
	}
	return net
}

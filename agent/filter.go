package agent

import (
	"context"
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

	// Inputs that the caller fills through their slices.
	action, image, noise compute.Buffer
	actions, images, eps []float32
}

func newFilter(backend compute.Backend, model *worldmodel.Model, envs int) (*filter, error) {
	d, cfg := model.Dims(), model.Config()
	states := stateInputs(model, envs)
	data := []gx.Input{input("action", envs, d.ActionSize),
		input("image", envs, d.Height, d.Width, d.Channels), input("noise", envs, cfg.StochSize)}
	n, k := len(model.ParamSpecs()), len(states)
	inputs := slices.Concat(model.ParamInputs("", dtypes.Float32), states, data)
	program, err := gx.Compile(backend, "filter", inputs, func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
		net, data := bind(model, in[:n]), in[n+k:]
		next, _, _ := net.StepPosterior(net.StateFromNodes(in[n:n+k]), data[0], net.Encode(data[1]), data[2])
		return next.Nodes()
	})
	if err != nil {
		return nil, err
	}
	f := &filter{backend: backend, program: program}
	if err := f.allocate(states, data); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *filter) allocate(states, data []gx.Input) (err error) {
	shared := func(in gx.Input) (buf compute.Buffer, data []float32) {
		if err == nil {
			buf, data, err = gx.NewShared[float32](f.backend, in.Shape.Dimensions...)
		}
		return buf, data
	}
	for _, in := range states {
		buf, _ := shared(in)
		f.state = append(f.state, buf)
	}
	f.action, f.actions = shared(data[0])
	f.image, f.images = shared(data[1])
	f.noise, f.eps = shared(data[2])
	return err
}

// reset returns every environment to the zero state.
func (f *filter) reset() error {
	for _, buf := range f.state {
		state, err := gx.View[float32](buf)
		if err != nil {
			return err
		}
		clear(state)
	}
	return nil
}

// step takes the actions executed since the last step and the images the caller
// wrote to f.images, and replaces the state.
func (f *filter) step(ctx context.Context, params []compute.Buffer, actions []float32, streams []*rng.Stream) error {
	copy(f.actions, actions)
	each := len(f.eps) / len(streams)
	for i, s := range streams {
		s.FillNormal(f.eps[i*each:][:each])
	}
	inputs := slices.Concat(params, f.state, []compute.Buffer{f.action, f.image, f.noise})
	out, err := f.program.Run(ctx, inputs, nil)
	if err != nil {
		return err
	}
	old := f.state
	f.state = out
	return gx.Finalize(old...)
}

func (f *filter) close() error {
	f.program.Close()
	return gx.Finalize(append(f.state, f.action, f.image, f.noise)...)
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

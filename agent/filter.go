package agent

import (
	"context"
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
	backend      compute.Backend
	program      *gx.Program
	deter, stoch compute.Buffer // [E, Hd], [E, Z]: owned

	// Inputs that the caller fills through their slices.
	action, image, noise compute.Buffer
	actions, images, eps []float32
}

func newFilter(backend compute.Backend, model *worldmodel.Model, envs int) (*filter, error) {
	d, cfg := model.Dims(), model.Config()
	inputs := append(model.ParamInputs("", dtypes.Float32),
		input("deter", envs, cfg.DeterSize), input("stoch", envs, cfg.StochSize), input("action", envs, d.ActionSize),
		input("image", envs, d.Height, d.Width, d.Channels), input("noise", envs, cfg.StochSize))
	n := len(model.ParamSpecs())
	program, err := gx.Compile(backend, "filter", inputs, func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
		net := bind(model, in[:n])
		state := worldmodel.State{Deter: in[n], Stoch: in[n+1]}
		next, _, _ := net.StepPosterior(state, in[n+2], net.Encode(in[n+3]), in[n+4])
		return []*graph.Node{next.Deter, next.Stoch}
	})
	if err != nil {
		return nil, err
	}
	f := &filter{backend: backend, program: program}
	if err := f.allocate(inputs[n:]); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *filter) allocate(inputs []gx.Input) (err error) {
	shared := func(in gx.Input) (buf compute.Buffer, data []float32) {
		if err == nil {
			buf, data, err = gx.NewShared[float32](f.backend, in.Shape.Dimensions...)
		}
		return buf, data
	}
	f.deter, _ = shared(inputs[0])
	f.stoch, _ = shared(inputs[1])
	f.action, f.actions = shared(inputs[2])
	f.image, f.images = shared(inputs[3])
	f.noise, f.eps = shared(inputs[4])
	return err
}

// reset returns every environment to the zero state.
func (f *filter) reset() error {
	for _, buf := range []compute.Buffer{f.deter, f.stoch} {
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
	inputs := append(slices.Clone(params), f.deter, f.stoch, f.action, f.image, f.noise)
	out, err := f.program.Run(ctx, inputs, nil)
	if err != nil {
		return err
	}
	old := []compute.Buffer{f.deter, f.stoch}
	f.deter, f.stoch = out[0], out[1]
	return gx.Finalize(old...)
}

func (f *filter) close() error {
	f.program.Close()
	return gx.Finalize(f.deter, f.stoch, f.action, f.image, f.noise)
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

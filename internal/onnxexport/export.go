package onnxexport

import (
	"fmt"
	"math"
	"strconv"

	"github.com/orrery-rl/orrery/internal/format/onnx"
	"github.com/orrery-rl/orrery/worldmodel"
)

// The versions of format and operators: old enough for most runtimes in use.
const (
	formatVersion = 7
	opset         = 13
)

// rows is the name of the first dimension, which may have any size.
const rows = "N"

// Source is a model and its parameters.
type Source struct {
	Model *worldmodel.Model
	// Params are the parameters' values in the order of the model's ParamSpecs.
	Params [][]float32
	// BitDepth is what images are quantised to.
	BitDepth int
	// Metadata is put into every file.
	Metadata map[string]string
}

// File is one of the graphs.
type File struct {
	// Name is filter, imagine or decode.
	Name  string
	Model *onnx.Model
}

// Export returns the graphs.
func Export(s Source) ([]File, error) {
	specs := s.Model.ParamSpecs()
	if len(s.Params) != len(specs) {
		return nil, fmt.Errorf("onnxexport: %d parameters, the model has %d", len(s.Params), len(specs))
	}
	if s.BitDepth < 1 || s.BitDepth > 8 {
		return nil, fmt.Errorf("onnxexport: bit depth %d; it must lie in [1, 8]", s.BitDepth)
	}
	params := map[string]tensor{}
	for i, spec := range specs {
		if len(s.Params[i]) != spec.Size() {
			return nil, fmt.Errorf("onnxexport: parameter %s has %d values, want %d", spec.Name, len(s.Params[i]), spec.Size())
		}
		params[spec.Name] = tensor{spec.Dims, s.Params[i]}
	}
	var files []File
	for _, f := range []struct {
		name, doc string
		build     func(*builder)
	}{
		{"filter", "The state after an action and what was seen after it, and the reward that it predicts.", (*builder).filter},
		{"imagine", "The state after an action, unseen, and the reward that it predicts.", (*builder).imagine},
		{"decode", "What would be seen in a state.", (*builder).decode},
	} {
		b := &builder{cfg: s.Model.Config(), dims: s.Model.Dims(), bits: s.BitDepth, params: params, noise: s.Model.NoiseSize(), used: map[string]bool{}}
		f.build(b)
		b.graph.Name = f.name
		files = append(files, File{f.name, &onnx.Model{
			Opset: opset, IR: formatVersion, Producer: "orrery", Doc: f.doc, Metadata: s.Metadata, Graph: b.graph,
		}})
	}
	return files, nil
}

// part is a piece of the state.
type part struct {
	name string
	size int
}

// parts are the pieces of the state that the transition has.
func (b *builder) parts() []part {
	c := b.cfg
	deter, stoch := part{"deter", c.DeterSize}, part{"stoch", c.StochSize}
	switch c.Transition {
	case worldmodel.SSM:
		return []part{stoch}
	case worldmodel.DRNN:
		return []part{deter, stoch, {"encoder", c.DeterSize}}
	}
	return []part{deter, stoch}
}

// state declares the pieces of the state as inputs.
func (b *builder) state() map[string]string {
	state := map[string]string{}
	for _, p := range b.parts() {
		state[p.name] = b.input(p.name, "the state before; zeros when an episode begins", p.size)
	}
	return state
}

// noiseInput declares the random numbers of the step's sample, if it has one.
func (b *builder) noiseInput() string {
	if b.noise == 0 {
		return ""
	}
	return b.input("noise", "standard normal numbers, or zeros to follow the mean", b.noise)
}

// filter is the step with an observation.
func (b *builder) filter() {
	state := b.state()
	action := b.input("action", "the action that led to what is seen, in [-1, 1]; zeros when an episode begins", b.dims.ActionSize)
	embed := b.embed()
	noise := b.noiseInput()
	next, posterior := b.posterior(state, action, embed, noise)
	b.results(next, posterior)
}

// imagine is the step without one.
func (b *builder) imagine() {
	state := b.state()
	action := b.input("action", "in [-1, 1]", b.dims.ActionSize)
	next, prior := b.prior(state, action, b.noiseInput())
	b.results(next, prior)
}

// results are the next state, the distribution of its stochastic part, and what
// the heads read from it.
func (b *builder) results(next map[string]string, g gaussian) {
	for _, p := range b.parts() {
		b.output("next_"+p.name, "the state after", next[p.name], p.size)
	}
	b.output("mean", "of the stochastic state", g.mean, b.cfg.StochSize)
	b.output("std", "its standard deviation", g.std, b.cfg.StochSize)
	features := b.features(next)
	b.output("reward", "expected, of the action", b.flat(b.mlp("reward", features, b.cfg.RewardLayers)))
	if b.cfg.ContinueHead {
		odds := b.mlp("continue", features, b.cfg.ContinueLayers)
		b.output("continue", "the probability that the task goes on", b.flat(b.op("Sigmoid", odds)))
	}
}

// decode predicts observations.
func (b *builder) decode() {
	features := b.features(b.state())
	d := b.dims
	if b.cfg.Observe != worldmodel.ObserveVector {
		image := b.decoder(features)
		b.output("image", "expected, in [-0.5, 0.5)", image, d.Height, d.Width, d.Channels)
	}
	if b.cfg.Observe == worldmodel.ObserveVector || b.cfg.Observe == worldmodel.ObserveBoth {
		vector := b.mlp("vector_decoder", features, b.cfg.VectorLayers)
		if b.cfg.VectorTransform == worldmodel.Symlog {
			size := b.op("Sub", b.op("Exp", b.op("Abs", vector)), b.scalar(1))
			vector = b.op("Mul", b.op("Sign", vector), size)
		}
		b.output("vector", "expected, in the environment's units", vector, d.VectorSize)
	}
}

// embed declares what is seen and embeds it.
func (b *builder) embed() string {
	var parts []string
	d := b.dims
	if b.cfg.Observe != worldmodel.ObserveVector {
		image := b.declare(onnx.Uint8, "image", "as the camera sees it, RGB", d.Height, d.Width, d.Channels)
		parts = append(parts, b.encoder(b.centred(image)))
	}
	if b.cfg.Observe == worldmodel.ObserveVector || b.cfg.Observe == worldmodel.ObserveBoth {
		vector := b.input("vector", "measurements in the environment's units", d.VectorSize)
		if b.cfg.VectorTransform == worldmodel.Symlog {
			size := b.op("Log", b.op("Add", b.op("Abs", vector), b.scalar(1)))
			vector = b.op("Mul", b.op("Sign", vector), size)
		}
		parts = append(parts, b.mlp("vector_encoder", vector, b.cfg.VectorLayers))
	}
	return b.concat(parts...)
}

// centred maps bytes to the centres of their bins: (floor(x/2^(8-b)) + 1/2)/2^b
// less 1/2.
func (b *builder) centred(image string) string {
	bins := math.Exp2(float64(b.bits))
	x := b.op("Cast", image, onnx.Attribute{Name: "to", Value: int64(onnx.Float)})
	if b.bits < 8 {
		x = b.op("Floor", b.op("Mul", x, b.scalar(bins/256)))
	}
	return b.op("Add", b.op("Mul", x, b.scalar(1/bins)), b.scalar(0.5/bins-0.5))
}

// encoder is the stack of convolutions. Its output is ordered (height, width,
// channel), which ONNX's own order is not.
func (b *builder) encoder(image string) string {
	x := b.transpose(image, 0, 3, 1, 2)
	for i := 1; b.has(layer("encoder/conv", i) + "/kernel"); i++ {
		name := layer("encoder/conv", i)
		kernel := b.weight(name+"/kernel", func(k tensor) tensor { return k.permuted(3, 2, 0, 1) })
		x = b.op("Relu", b.op("Conv", x, kernel, b.weight(name+"/bias", nil), strides()))
	}
	return b.op("Flatten", b.transpose(x, 0, 2, 3, 1), onnx.Attribute{Name: "axis", Value: int64(1)})
}

// decoder is the stack of transposed convolutions.
func (b *builder) decoder(features string) string {
	x := b.dense("decoder/input", features)
	width := b.params["decoder/input/bias"].dims[0]
	x = b.op("Reshape", x, b.shape(0, int64(width), 1, 1))
	for i := 1; b.has(layer("decoder/deconv", i) + "/kernel"); i++ {
		name := layer("decoder/deconv", i)
		kernel := b.weight(name+"/kernel", func(k tensor) tensor {
			if i == 1 { // of one pixel: [in, height, width, out]
				return k.permuted(0, 3, 1, 2)
			}
			return k.reversed().permuted(2, 3, 0, 1)
		})
		if i > 1 {
			x = b.op("Relu", x)
		}
		x = b.op("ConvTranspose", x, kernel, b.weight(name+"/bias", nil), strides())
	}
	return b.transpose(x, 0, 2, 3, 1)
}

func strides() onnx.Attribute { return onnx.Attribute{Name: "strides", Value: []int64{2, 2}} }

func layer(prefix string, i int) string { return prefix + strconv.Itoa(i) }

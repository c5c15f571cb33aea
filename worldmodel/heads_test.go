package worldmodel

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// picture is one image, [height, width, channels], for the plain loops.
type picture struct {
	h, w, c int
	data    []float64
}

func newPicture(h, w, c int) picture { return picture{h, w, c, make([]float64, h*w*c)} }

func (p picture) at(y, x, c int) *float64 { return &p.data[(y*p.w+x)*p.c+c] }

func positive(x []float64) []float64 {
	return apply(func(v float64) float64 { return math.Max(0, v) }, x)
}

// kernelOf returns a layer's kernel, its dimensions and its bias.
func (n naive) kernelOf(name string) (kernel []float64, dims []int, bias []float64) {
	for _, spec := range n.f.m.ParamSpecs() {
		if spec.Name == name+"/kernel" {
			dims = spec.Dims
		}
	}
	return n.f.param(name + "/kernel"), dims, n.f.param(name + "/bias")
}

// taps visits every kernel position and channel pair at every pixel of p.
func taps(p picture, dims []int, visit func(y, x, i, j, in, out int, tap int)) {
	for y := range p.h {
		for x := range p.w {
			for tap := range product(dims) {
				rest, out := tap/dims[3], tap%dims[3]
				rest, in := rest/dims[2], rest%dims[2]
				visit(y, x, rest/dims[1], rest%dims[1], in, out, tap)
			}
		}
	}
}

func (p picture) addBias(bias []float64) picture {
	for i := range p.data {
		p.data[i] += bias[i%p.c]
	}
	return p
}

func (n naive) conv(name string, p picture) picture {
	kernel, dims, bias := n.kernelOf(name)
	y := newPicture((p.h-dims[0])/2+1, (p.w-dims[1])/2+1, dims[3])
	taps(y, dims, func(row, col, i, j, in, out, tap int) {
		*y.at(row, col, out) += *p.at(2*row+i, 2*col+j, in) * kernel[tap]
	})
	return y.addBias(bias)
}

// deconv scatters; the kernel is stored flipped.
func (n naive) deconv(name string, p picture) picture {
	kernel, dims, bias := n.kernelOf(name)
	y := newPicture((p.h-1)*2+dims[0], (p.w-1)*2+dims[1], dims[3])
	taps(p, dims, func(row, col, i, j, in, out, tap int) {
		*y.at(2*row+dims[0]-1-i, 2*col+dims[1]-1-j, out) += *p.at(row, col, in) * kernel[tap]
	})
	return y.addBias(bias)
}

func (n naive) encode(image []float64) []float64 {
	p := picture{n.f.m.dims.Height, n.f.m.dims.Width, n.f.m.dims.Channels, image}
	for i := range n.f.m.encoder.layers {
		p = n.conv(layerName("encoder/conv", i), p)
		positive(p.data)
	}
	return p.data
}

func (n naive) decode(features []float64) []float64 {
	x := n.linear("decoder/input", features...)
	_, dims, bias := n.kernelOf("decoder/deconv1")
	p := newPicture(dims[1], dims[2], dims[3])
	n.addProduct(p.data, "decoder/deconv1", x)
	p.addBias(bias)
	for i := range n.f.m.decoder.rest {
		positive(p.data)
		p = n.deconv(layerName("decoder/deconv", i+1), p)
	}
	return p.data
}

func (n naive) reward(features []float64) []float64 {
	x := features
	for i := range n.f.m.heads.reward.hidden {
		x = positive(n.linear(layerName("reward/layer", i), x...))
	}
	return n.linear("reward/output", x...)
}

// TestHeadsMatchDefinition compares encoder, decoder and reward head with plain
// loops for an image of unequal sides, which the decoder reaches in two layers.
func TestHeadsMatchDefinition(t *testing.T) {
	f := newFixture(t, microConfig(), 1, 1)
	random := rand.New(rand.NewPCG(47, 53))
	const rows = 2
	operands := []tensor{normal(random, 0.5, rows, 12, 9, 2), normal(random, 1, rows, f.m.FeatureSize())}
	got := f.once(operands, func(n *Net, in []*graph.Node) []*graph.Node {
		return []*graph.Node{n.Encode(in[0]), n.Decode(in[1]), n.Reward(in[1])}
	})
	plain := naive{f}
	for row := range rows {
		image := chunk(operands[0], row).data
		features := chunk(operands[1], row).data
		for i, want := range [][]float64{plain.encode(image), plain.decode(features), plain.reward(features)} {
			assertClose(t, []string{"embedding", "image", "reward"}[i], got[i][row*len(want):(row+1)*len(want)], want, 1e-12)
		}
	}
}

// TestWrongShapesAreNamed: every operand of the net is checked, also where a
// broadcast would have hidden the mistake.
func TestWrongShapesAreNamed(t *testing.T) {
	f := newFixture(t, microConfig(), 2, 3)
	inputs := f.m.ParamInputs("", dtypes.Float64)
	count := len(inputs)
	for name, test := range map[string]struct {
		dims  [][]int
		build func(n *Net, in []*graph.Node) *graph.Node
	}{
		`"images"`: {[][]int{{2, 3, 12, 9, 1}, {2, 3, 2}, {2, 3}, {2, 3, 3}},
			func(n *Net, in []*graph.Node) *graph.Node { return n.Loss(n.BatchFromNodes(in)).Total }},
		`"rewards"`: {[][]int{{2, 3, 12, 9, 2}, {2, 3, 2}, {2, 1}, {2, 3, 3}},
			func(n *Net, in []*graph.Node) *graph.Node { return n.Loss(n.BatchFromNodes(in)).Total }},
		`"noise"`: {[][]int{{2, 3, 12, 9, 2}, {2, 3, 2}, {2, 3}, {1, 3, 3}},
			func(n *Net, in []*graph.Node) *graph.Node { return n.Loss(n.BatchFromNodes(in)).Total }},
		`"actions"`: {[][]int{{2, 3, 1}, {2, 3, 3}},
			func(n *Net, in []*graph.Node) *graph.Node { return n.Imagine(n.InitialState(2), in[0], in[1]).Features }},
		`"embeddings"`: {[][]int{{2, 4, 6}, {2, 3, 2}, {2, 3, 3}},
			func(n *Net, in []*graph.Node) *graph.Node { return n.Observe(in[0], in[1], in[2]).Features }},
		`"stochastic state"`: {[][]int{{2, 5}, {1, 3}, {2, 2}, {2, 3}},
			func(n *Net, in []*graph.Node) *graph.Node {
				next, _ := n.StepPrior(State{Deter: in[0], Stoch: in[1]}, in[2], in[3])
				return next.Deter
			}},
		`"features"`: {[][]int{{8}},
			func(n *Net, in []*graph.Node) *graph.Node { return n.Reward(in[0]) }},
		"must lie in [1, 3]": {[][]int{{2, 3, 12, 9, 2}, {2, 3, 2}, {2, 3, 3}},
			func(n *Net, in []*graph.Node) *graph.Node {
				images, _ := n.OpenLoop(Observation{Images: in[0]}, in[1], in[2], 4)
				return images.Images
			}},
	} {
		all := append([]gx.Input{}, inputs...)
		for i, dims := range test.dims {
			all = append(all, gx.Input{Name: layerName("operand", i), Shape: shapes.Make(dtypes.Float64, dims...)})
		}
		_, err := gx.Compile(newBackend(t), "shapes", all, func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
			net, err := f.m.Bind(in[:count])
			if err != nil {
				panic(err)
			}
			return []*graph.Node{test.build(net, in[count:])}
		})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

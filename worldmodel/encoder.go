package worldmodel

import (
	"errors"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// encoder is a stack of convolutions with kernel 4 and stride 2, each followed
// by ReLU, the channels doubling from layer to layer; its flattened output is
// the embedding.
type encoder struct {
	layers    []affine
	embedSize int
}

// newEncoder adds "encoder/conv1" and so on, as many as the image allows.
func newEncoder(specs *specList, cfg Config, dims Dims) encoder {
	var e encoder
	in, out := dims.Channels, cfg.Depth
	for i, size := range encoderSizes(dims.Height, dims.Width) {
		e.layers = append(e.layers, specs.conv(layerName("encoder/conv", i), [2]int{encoderKernel, encoderKernel}, in, out))
		e.embedSize = size[0] * size[1] * out
		in, out = out, 2*out
	}
	return e
}

// Encode embeds images, [N, H, W, C] -> [N, E]. Pixels are expected in
// [-0.5, 0.5). The embedding is ordered (height, width, channel).
// Source: Hafner et al. 2019, appendix A; the last layer has its ReLU too.
func (n *Net) Encode(images *graph.Node) *graph.Node {
	if !n.m.cfg.Observe.images() {
		panic(errors.New("worldmodel: the model does not observe images; set observe to image or both"))
	}
	d := n.m.dims
	rows := leading(images)
	gx.CheckShape("images", images, rows, d.Height, d.Width, d.Channels)
	x := images
	for _, layer := range n.m.encoder.layers {
		x = gx.Relu(n.addBias(layer, gx.Conv2D(x, n.params[layer.kernel], stride)))
	}
	return graph.Reshape(x, rows, n.m.encoder.embedSize)
}

// leading returns the size of x's first axis, or 0 for a scalar, which no
// CheckShape accepts.
func leading(x *graph.Node) int {
	if x.Rank() == 0 {
		return 0
	}
	return x.Shape().Dimensions[0]
}

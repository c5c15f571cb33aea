package worldmodel

import (
	"errors"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// decoder maps features to the mean of the image distribution: a linear layer,
// then transposed convolutions with stride 2 and ReLU between them.
type decoder struct {
	input affine
	// first is the transposed convolution of the single pixel the linear layer
	// produces. On one pixel it is a dense layer, and is computed as one.
	first affine
	rest  []affine
	// firstSize and firstChannels shape the output of first.
	firstSize     [2]int
	firstChannels int
}

// newDecoder adds "decoder/input" and "decoder/deconv1" and so on. With n
// layers their outputs have 2^(n-2), ..., 2, 1 times Depth channels, then the
// image's.
func newDecoder(specs *specList, cfg Config, dims Dims, features int) decoder {
	layers := decoderLayers(dims.Height, dims.Width)
	channels := func(i int) int {
		if i == len(layers)-1 {
			return dims.Channels
		}
		return cfg.Depth << (len(layers) - 2 - i)
	}
	width := cfg.Depth << (len(layers) + 1)
	d := decoder{input: specs.dense("decoder/input", features, width), firstSize: layers[0].size, firstChannels: channels(0)}
	for i, layer := range layers {
		name := layerName("decoder/deconv", i)
		if i == 0 {
			area := product(layer.kernel[:])
			d.first = specs.affine(name, glorot(area*width, area*channels(0)), Init{}, width, layer.kernel[0], layer.kernel[1], channels(0))
			continue
		}
		d.rest = append(d.rest, specs.conv(name, layer.kernel, channels(i-1), channels(i)))
	}
	return d
}

// Decode predicts image means from features, [N, F] -> [N, H, W, C]. The image
// distribution is a unit Gaussian around them, independent for every pixel and
// channel. There is no final activation.
// Source: Hafner et al. 2019, appendix A.
func (n *Net) Decode(features *graph.Node) *graph.Node {
	if !n.m.cfg.Observe.images() {
		panic(errors.New("worldmodel: the model does not observe images; set observe to image or both"))
	}
	d, rows := n.m.decoder, leading(features)
	x := n.dense(d.input, n.checkFeatures(features))
	kernel := n.params[d.first.kernel]
	x = matmul(x, graph.Reshape(kernel, leading(kernel), -1))
	x = n.addBias(d.first, graph.Reshape(x, rows, d.firstSize[0], d.firstSize[1], d.firstChannels))
	for _, layer := range d.rest {
		x = n.addBias(layer, gx.ConvTranspose2D(gx.Relu(x), n.params[layer.kernel], stride))
	}
	gx.CheckShape("decoded images", x, rows, n.m.dims.Height, n.m.dims.Width, n.m.dims.Channels)
	return x
}

package worldmodel

import (
	"errors"
	"fmt"
)

// Dims describes the data a model is made for.
type Dims struct {
	// Height, Width and Channels of the images, [H, W, C]. Models that observe
	// vectors only do not use them.
	Height, Width, Channels int
	// ActionSize is the number of components of an action (A).
	ActionSize int
	// VectorSize is the number of components of a vector observation (V); 0
	// where there is none.
	VectorSize int
}

const (
	// minImage and maxImage bound height and width in pixels. Every size in
	// between is supported: encoder and decoder adapt their depth.
	minImage, maxImage = 8, 1024
	// maxChannels bounds the image channels and the action size.
	maxChannels = 1024
	// maxVector bounds the size of a vector.
	maxVector = 1 << 20

	// encoderKernel is the kernel of every encoder convolution.
	encoderKernel = 4
	// stride is the stride of every convolution.
	stride = 2
	// maxFirstDecoderSize is the largest image the decoder's first layer
	// produces; larger ones get another transposed convolution.
	maxFirstDecoderSize = 7
)

// validate reports every dimension that cannot work for a model of
// configuration cfg, with the nearest that can.
func (d Dims) validate(cfg Config) error {
	var errs []error
	check := func(name string, v, low, high int) {
		if v < low || v > high {
			errs = append(errs, fmt.Errorf("worldmodel: %s is %d; it must lie in [%d, %d], the nearest possible is %d",
				name, v, low, high, min(max(v, low), high)))
		}
	}
	if cfg.Observe.images() && d.Height == 0 && d.Width == 0 && d.Channels == 0 {
		errs = append(errs, fmt.Errorf("worldmodel: observe is %q, but the environment draws no image; set observe to %q", cfg.Observe, ObserveVector))
	} else if cfg.Observe.images() {
		check("image height", d.Height, minImage, maxImage)
		check("image width", d.Width, minImage, maxImage)
		check("image channels", d.Channels, 1, maxChannels)
	}
	if reads := cfg.Observe.vectors() || cfg.Diagnostic; reads && d.VectorSize == 0 {
		errs = append(errs, fmt.Errorf("worldmodel: the model reads vectors (observe is %q, diagnostic %t), but the environment has none; set observe to %q and diagnostic to false",
			cfg.Observe, cfg.Diagnostic, ObserveImage))
	} else if reads {
		check("vector size", d.VectorSize, 1, maxVector)
	}
	check("action size", d.ActionSize, 1, maxChannels)
	return errors.Join(errs...)
}

// encoderSizes returns the [height, width] after each encoder convolution
// (kernel 4, stride 2, no padding): as many as fit. 64 pixels give 31, 14, 6, 2.
func encoderSizes(height, width int) [][2]int {
	var sizes [][2]int
	for size := [2]int{height, width}; min(size[0], size[1]) >= encoderKernel; {
		for i := range size {
			size[i] = (size[i]-encoderKernel)/stride + 1
		}
		sizes = append(sizes, size)
	}
	return sizes
}

// decoderLayer is one transposed convolution of the decoder: its kernel and the
// size of the image it produces, each [height, width].
type decoderLayer struct{ kernel, size [2]int }

// decoderLayers returns the decoder's layers, first to last, so that the last
// produces exactly height x width. It works backwards with kernel 5 for odd and
// 6 for even sizes, n -> (n-5)/2+1, until what is left is small enough for the
// first layer, which starts from one pixel and so has a kernel of its own
// output's size. 64 pixels give the paper's kernels 5, 5, 6, 6.
func decoderLayers(height, width int) []decoderLayer {
	var layers []decoderLayer
	size := [2]int{height, width}
	for min(size[0], size[1]) > maxFirstDecoderSize {
		layer := decoderLayer{size: size}
		for i, n := range size {
			size[i] = (n-5)/stride + 1
			layer.kernel[i] = n - (size[i]-1)*stride
		}
		layers = append([]decoderLayer{layer}, layers...)
	}
	return append([]decoderLayer{{kernel: size, size: size}}, layers...)
}

package gx

import (
	"fmt"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Conv2D is a two-dimensional correlation without padding and without bias.
//
// x is [N, H, W, C], kernel [K, K', C, D] (height, width, in, out); the result
// is [N, (H-K)/stride+1, (W-K')/stride+1, D], divisions rounded down.
//
// GoMLX's own gradient of this operation is shifted by one pixel for even
// kernels; nodes made here get the corrected gradient, provided the graph is
// built under [Compile]. No other code should create convolutions.
func Conv2D(x, kernel *graph.Node, stride int) *graph.Node {
	checkConvolution("Conv2D", x, kernel, stride)
	return convolve(x, kernel, convolution{
		axes:           forwardAxes(),
		stride:         [2]int{stride, stride},
		inputDilation:  [2]int{1, 1},
		kernelDilation: [2]int{1, 1},
	})
}

// ConvTranspose2D is the transposed convolution without padding and without
// bias: the adjoint of a [Conv2D] of the same stride.
//
// x is [N, H, W, C], kernel [K, K', C, D]; the result is
// [N, (H-1)*stride+K, (W-1)*stride+K', D].
//
// The kernel is stored in correlation order, that is, already flipped: with
// stride s, output (p, q) is the sum of kernel[i, j]*x[(p+i-K+1)/s,
// (q+j-K'+1)/s] over all i, j for which both divisions are exact and in range.
// To load weights written for the usual order, reverse both spatial axes.
func ConvTranspose2D(x, kernel *graph.Node, stride int) *graph.Node {
	checkConvolution("ConvTranspose2D", x, kernel, stride)
	k := kernel.Shape().Dimensions
	return convolve(x, kernel, convolution{
		axes:           forwardAxes(),
		stride:         [2]int{1, 1},
		padding:        [2][2]int{{k[0] - 1, k[0] - 1}, {k[1] - 1, k[1] - 1}},
		inputDilation:  [2]int{stride, stride},
		kernelDilation: [2]int{1, 1},
	})
}

// checkConvolution panics, for Compile to return, when the operands do not fit.
func checkConvolution(op string, x, kernel *graph.Node, stride int) {
	if x.Rank() != 4 || kernel.Rank() != 4 {
		panic(fmt.Errorf("%s: want operands of rank 4, got %s and %s", op, x.Shape(), kernel.Shape()))
	}
	if x.Shape().Dimensions[3] != kernel.Shape().Dimensions[2] {
		panic(fmt.Errorf("%s: input %s and kernel %s disagree about input channels", op, x.Shape(), kernel.Shape()))
	}
	if stride < 1 {
		panic(fmt.Errorf("%s: stride %d, want at least 1", op, stride))
	}
}

// convolution holds the static arguments of one ConvGeneral node, written out
// in full: two spatial axes, one group.
type convolution struct {
	axes                                  graph.ConvolveAxesConfig
	stride, inputDilation, kernelDilation [2]int
	padding                               [2][2]int
}

// convolutionsKey is the key under which a graph carries the arguments of its
// convolutions: a map from node id to convolution. GoMLX has no accessor for
// them. A graph is built by one goroutine, so the map needs no lock.
type convolutionsKey struct{}

// convolve adds the node and remembers its arguments for the gradient.
func convolve(x, kernel *graph.Node, c convolution) *graph.Node {
	node := graph.ConvGeneral(x, kernel, c.axes, c.stride[:], c.padding[:], c.inputDilation[:], c.kernelDilation[:], 1, 1)
	g := node.Graph()
	table, ok := g.State(convolutionsKey{}).(map[graph.NodeId]convolution)
	if !ok {
		table = make(map[graph.NodeId]convolution)
		g.AttachState(convolutionsKey{}, table)
	}
	table[node.Id()] = c
	return node
}

// forwardAxes is NHWC for the images and HWIO for the kernel.
func forwardAxes() graph.ConvolveAxesConfig {
	return graph.ConvolveAxesConfig{
		InputBatch: 0, InputChannels: 3, InputSpatial: []int{1, 2},
		KernelInputChannels: 2, KernelOutputChannels: 3, KernelSpatial: []int{0, 1},
		OutputBatch: 0, OutputChannels: 3, OutputSpatial: []int{1, 2},
	}
}

// convolutionGradient wraps GoMLX's gradient of ConvGeneral. A convolution that
// is not in the table of a graph that has one is refused: it can only be a copy
// (by Node.Checkpoint) or a direct call, and the original gradient is wrong for
// even kernels.
func convolutionGradient(original graph.VJP) graph.VJP {
	return func(node *graph.Node, adjoints []*graph.Node, shape shapes.Shape) []*graph.Node {
		table, ok := node.Graph().State(convolutionsKey{}).(map[graph.NodeId]convolution)
		if !ok {
			return original(node, adjoints, shape)
		}
		c, ok := table[node.Id()]
		if !ok {
			panic(fmt.Errorf("%s was not made by gx.Conv2D or gx.ConvTranspose2D: its gradient cannot be trusted", node))
		}
		x, kernel := node.Inputs()[0], node.Inputs()[1]
		return []*graph.Node{c.inputGradient(x, kernel, adjoints[0]), c.kernelGradient(x, kernel, adjoints[0])}
	}
}

// inputGradient is the gradient with respect to x: a convolution of the output
// gradient with the reversed kernel, strides and input dilations exchanged.
// Along one axis, with k', n', o' the dilated sizes of kernel, input and
// output and p the leading padding, it pads (k'-1-p, n'-o'+p).
func (c convolution) inputGradient(x, kernel, adjoint *graph.Node) *graph.Node {
	axes := c.axes.Clone()
	axes.InputBatch, axes.OutputBatch = c.axes.OutputBatch, c.axes.InputBatch
	axes.InputChannels, axes.OutputChannels = c.axes.OutputChannels, c.axes.InputChannels
	axes.InputSpatial, axes.OutputSpatial = c.axes.OutputSpatial, c.axes.InputSpatial
	axes.KernelInputChannels, axes.KernelOutputChannels = c.axes.KernelOutputChannels, c.axes.KernelInputChannels
	back := convolution{axes: axes, stride: c.inputDilation, inputDilation: c.stride, kernelDilation: c.kernelDilation}
	for i := range back.padding {
		k, n, o := c.dilatedSizes(i, x, kernel, adjoint)
		p := c.padding[i][0]
		back.padding[i] = [2]int{k - 1 - p, n - o + p}
	}
	return convolve(adjoint, graph.Reverse(kernel, c.axes.KernelSpatial...), back)
}

// kernelGradient is the gradient with respect to the kernel: a convolution of
// the input with the output gradient, batch and channels exchanged. Along one
// axis it pads (p, o'+k'-1-n'-p), where the second may be negative: those
// input rows were never read.
func (c convolution) kernelGradient(x, kernel, adjoint *graph.Node) *graph.Node {
	axes := graph.ConvolveAxesConfig{
		InputBatch: c.axes.InputChannels, InputChannels: c.axes.InputBatch, InputSpatial: c.axes.InputSpatial,
		KernelInputChannels: c.axes.OutputBatch, KernelOutputChannels: c.axes.OutputChannels, KernelSpatial: c.axes.OutputSpatial,
		OutputBatch: c.axes.KernelInputChannels, OutputChannels: c.axes.KernelOutputChannels, OutputSpatial: c.axes.KernelSpatial,
	}
	back := convolution{axes: axes, stride: c.kernelDilation, inputDilation: c.inputDilation, kernelDilation: c.stride}
	for i := range back.padding {
		k, n, o := c.dilatedSizes(i, x, kernel, adjoint)
		p := c.padding[i][0]
		back.padding[i] = [2]int{p, o + k - 1 - n - p}
	}
	return convolve(x, adjoint, back)
}

// dilatedSizes returns k', n' and o' of spatial axis i: the kernel spread by its
// dilation, the input by its own, the output by the stride.
func (c convolution) dilatedSizes(i int, x, kernel, output *graph.Node) (k, n, o int) {
	size := func(node *graph.Node, axis, dilation int) int {
		return (node.Shape().Dimensions[axis]-1)*dilation + 1
	}
	return size(kernel, c.axes.KernelSpatial[i], c.kernelDilation[i]),
		size(x, c.axes.InputSpatial[i], c.inputDilation[i]),
		size(output, c.axes.OutputSpatial[i], c.stride[i])
}

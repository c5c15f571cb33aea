package cpu

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"

	"github.com/orrery-rl/orrery/backend/cpu/internal/ir"
)

// DotGeneral multiplies matrices. Contractions of one axis, the first or the
// last of each operand, without batch axes, are compiled here.
func (f *Function) DotGeneral(lhs compute.Value, lhsContract, lhsBatch []int, rhs compute.Value, rhsContract, rhsBatch []int, config compute.DotGeneralConfig) (compute.Value, error) {
	v, err := f.Function.DotGeneral(lhs, lhsContract, lhsBatch, rhs, rhsContract, rhsBatch, config)
	if err != nil || !f.floats(lhs, rhs) || !plain(config) {
		return v, err
	}
	elsewhere := func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.DotGeneral(in[0], lhsContract, lhsBatch, in[1], rhsContract, rhsBatch, config)
	}
	if len(lhsBatch)+len(rhsBatch) > 0 || len(lhsContract) != 1 || len(rhsContract) != 1 {
		return f.delegate("DotGeneral", v, nil, elsewhere, lhs, rhs)
	}
	left, ok := end(f.nodes[lhs], lhsContract[0])
	right, ok2 := end(f.nodes[rhs], rhsContract[0])
	if !ok || !ok2 {
		return f.delegate("DotGeneral", v, nil, elsewhere, lhs, rhs)
	}
	return f.record(v, nil, ir.Node{Op: ir.Dot, Dot: &ir.Contraction{LeftLast: left, RightLast: right}}, lhs, rhs)
}

// plain reports a configuration that asks for float32 throughout.
func plain(c compute.DotGeneralConfig) bool {
	ok := func(d dtypes.DType) bool { return d == dtypes.InvalidDType || d == dtypes.Float32 }
	return ok(c.AccumulatorDType) && ok(c.OutputDType)
}

// end reports whether an axis is the last of n; not ok if it is neither the
// last nor the first.
func end(n *ir.Node, axis int) (last, ok bool) {
	rank := len(n.Dims)
	if axis < 0 {
		axis += rank
	}
	return axis == rank-1, axis == rank-1 || axis == 0
}

// ConvGeneral convolves. Two spatial axes without groups are compiled here.
func (f *Function) ConvGeneral(input, kernel compute.Value, axes compute.ConvolveAxesConfig, strides []int, paddings [][2]int, inputDilations, kernelDilations []int, channelGroups, batchGroups int) (compute.Value, error) {
	v, err := f.Function.ConvGeneral(input, kernel, axes, strides, paddings, inputDilations, kernelDilations, channelGroups, batchGroups)
	if err != nil || !f.floats(input, kernel) {
		return v, err
	}
	if len(axes.InputSpatial) != 2 || channelGroups > 1 || batchGroups > 1 {
		return f.delegate("ConvGeneral", v, nil, func(g compute.Function, in []compute.Value) (compute.Value, error) {
			return g.ConvGeneral(in[0], in[1], axes, strides, paddings, inputDilations, kernelDilations, channelGroups, batchGroups)
		}, input, kernel)
	}
	c := &ir.Convolution{
		Input:  [4]int{axes.InputBatch, axes.InputChannels, axes.InputSpatial[0], axes.InputSpatial[1]},
		Kernel: [4]int{axes.KernelInputChannels, axes.KernelOutputChannels, axes.KernelSpatial[0], axes.KernelSpatial[1]},
		Output: [4]int{axes.OutputBatch, axes.OutputChannels, axes.OutputSpatial[0], axes.OutputSpatial[1]},
		Stride: pair(strides), InputDilation: pair(inputDilations), KernelDilation: pair(kernelDilations),
	}
	for i, p := range paddings {
		c.PadLow[i], c.PadHigh[i] = p[0], p[1]
	}
	return f.record(v, nil, ir.Node{Op: ir.Conv, Conv: c}, input, kernel)
}

// pair is a value for each spatial axis, 1 where none is given.
func pair(x []int) [2]int {
	if len(x) != 2 {
		return [2]int{1, 1}
	}
	return [2]int{max(1, x[0]), max(1, x[1])}
}

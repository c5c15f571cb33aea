package cpu

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"github.com/orrery-rl/orrery/backend/cpu/internal/ir"
)

// float records an element-wise operation on float32 operands.
func (f *Function) float(op ir.Op, v compute.Value, err error, operands ...compute.Value) (compute.Value, error) {
	if err == nil && !f.floats(operands...) {
		return v, nil
	}
	return f.record(v, err, ir.Node{Op: op}, operands...)
}

// logical records an element-wise operation on boolean operands.
func (f *Function) logical(op ir.Op, v compute.Value, err error, operands ...compute.Value) (compute.Value, error) {
	for _, x := range operands {
		if n, ok := f.nodes[x]; err == nil && (!ok || !n.Bool) {
			return v, nil
		}
	}
	return f.record(v, err, ir.Node{Op: op}, operands...)
}

// Neg is element-wise.
func (f *Function) Neg(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Neg(x)
	return f.float(ir.Neg, v, err, x)
}

// Abs is element-wise.
func (f *Function) Abs(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Abs(x)
	return f.float(ir.Abs, v, err, x)
}

// Sign is element-wise.
func (f *Function) Sign(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Sign(x)
	return f.float(ir.Sign, v, err, x)
}

// Sqrt is element-wise.
func (f *Function) Sqrt(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Sqrt(x)
	return f.float(ir.Sqrt, v, err, x)
}

// Rsqrt is element-wise.
func (f *Function) Rsqrt(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Rsqrt(x)
	return f.float(ir.Rsqrt, v, err, x)
}

// Exp is element-wise.
func (f *Function) Exp(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Exp(x)
	return f.float(ir.Exp, v, err, x)
}

// Expm1 is element-wise.
func (f *Function) Expm1(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Expm1(x)
	return f.float(ir.Expm1, v, err, x)
}

// Log is element-wise.
func (f *Function) Log(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Log(x)
	return f.float(ir.Log, v, err, x)
}

// Log1p is element-wise.
func (f *Function) Log1p(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Log1p(x)
	return f.float(ir.Log1p, v, err, x)
}

// Tanh is element-wise.
func (f *Function) Tanh(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Tanh(x)
	return f.float(ir.Tanh, v, err, x)
}

// Logistic is element-wise.
func (f *Function) Logistic(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Logistic(x)
	return f.float(ir.Logistic, v, err, x)
}

// Add is element-wise.
func (f *Function) Add(a, b compute.Value) (compute.Value, error) {
	v, err := f.Function.Add(a, b)
	return f.float(ir.Add, v, err, a, b)
}

// Sub is element-wise.
func (f *Function) Sub(a, b compute.Value) (compute.Value, error) {
	v, err := f.Function.Sub(a, b)
	return f.float(ir.Sub, v, err, a, b)
}

// Mul is element-wise.
func (f *Function) Mul(a, b compute.Value) (compute.Value, error) {
	v, err := f.Function.Mul(a, b)
	return f.float(ir.Mul, v, err, a, b)
}

// Div is element-wise.
func (f *Function) Div(a, b compute.Value) (compute.Value, error) {
	v, err := f.Function.Div(a, b)
	return f.float(ir.Div, v, err, a, b)
}

// Max is element-wise.
func (f *Function) Max(a, b compute.Value) (compute.Value, error) {
	v, err := f.Function.Max(a, b)
	return f.float(ir.Max, v, err, a, b)
}

// Min is element-wise.
func (f *Function) Min(a, b compute.Value) (compute.Value, error) {
	v, err := f.Function.Min(a, b)
	return f.float(ir.Min, v, err, a, b)
}

// Equal is element-wise.
func (f *Function) Equal(a, b compute.Value) (compute.Value, error) {
	v, err := f.Function.Equal(a, b)
	return f.float(ir.Equal, v, err, a, b)
}

// NotEqual is element-wise.
func (f *Function) NotEqual(a, b compute.Value) (compute.Value, error) {
	v, err := f.Function.NotEqual(a, b)
	return f.float(ir.NotEqual, v, err, a, b)
}

// LessThan is element-wise.
func (f *Function) LessThan(a, b compute.Value) (compute.Value, error) {
	v, err := f.Function.LessThan(a, b)
	return f.float(ir.Less, v, err, a, b)
}

// LessOrEqual is element-wise.
func (f *Function) LessOrEqual(a, b compute.Value) (compute.Value, error) {
	v, err := f.Function.LessOrEqual(a, b)
	return f.float(ir.LessEqual, v, err, a, b)
}

// GreaterThan is element-wise.
func (f *Function) GreaterThan(a, b compute.Value) (compute.Value, error) {
	v, err := f.Function.GreaterThan(a, b)
	return f.float(ir.Greater, v, err, a, b)
}

// GreaterOrEqual is element-wise.
func (f *Function) GreaterOrEqual(a, b compute.Value) (compute.Value, error) {
	v, err := f.Function.GreaterOrEqual(a, b)
	return f.float(ir.GreaterEqual, v, err, a, b)
}

// LogicalAnd is element-wise.
func (f *Function) LogicalAnd(a, b compute.Value) (compute.Value, error) {
	v, err := f.Function.LogicalAnd(a, b)
	return f.logical(ir.And, v, err, a, b)
}

// LogicalOr is element-wise.
func (f *Function) LogicalOr(a, b compute.Value) (compute.Value, error) {
	v, err := f.Function.LogicalOr(a, b)
	return f.logical(ir.Or, v, err, a, b)
}

// LogicalNot is element-wise.
func (f *Function) LogicalNot(x compute.Value) (compute.Value, error) {
	v, err := f.Function.LogicalNot(x)
	return f.logical(ir.Not, v, err, x)
}

// IsNaN is true where x differs from itself.
func (f *Function) IsNaN(x compute.Value) (compute.Value, error) {
	v, err := f.Function.IsNaN(x)
	return f.float(ir.NotEqual, v, err, x, x)
}

// Identity returns x.
func (f *Function) Identity(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Identity(x)
	if err == nil && !f.floats(x) {
		return v, nil
	}
	return f.record(v, err, ir.Node{Op: ir.Identity}, x)
}

// ConvertDType converts booleans to float32; to its own type it changes nothing.
func (f *Function) ConvertDType(x compute.Value, dtype dtypes.DType) (compute.Value, error) {
	v, err := f.Function.ConvertDType(x, dtype)
	if err == nil && dtype != dtypes.Float32 {
		return v, nil
	}
	return f.record(v, err, ir.Node{Op: ir.ToFloat}, x)
}

// Where chooses element by element.
func (f *Function) Where(condition, onTrue, onFalse compute.Value) (compute.Value, error) {
	v, err := f.Function.Where(condition, onTrue, onFalse)
	if err == nil && !f.floats(onTrue, onFalse) {
		return v, nil
	}
	return f.record(v, err, ir.Node{Op: ir.Select}, condition, onTrue, onFalse)
}

// Reshape shows the elements under other dimensions.
func (f *Function) Reshape(x compute.Value, dims ...int) (compute.Value, error) {
	v, err := f.Function.Reshape(x, dims...)
	return f.record(v, err, ir.Node{Op: ir.Reshape}, x)
}

// Transpose permutes the axes.
func (f *Function) Transpose(x compute.Value, permutation ...int) (compute.Value, error) {
	v, err := f.Function.Transpose(x, permutation...)
	return f.record(v, err, ir.Node{Op: ir.Transpose, Ints: append([]int{}, permutation...)}, x)
}

// Reverse reverses axes.
func (f *Function) Reverse(x compute.Value, axes ...int) (compute.Value, error) {
	v, err := f.Function.Reverse(x, axes...)
	return f.record(v, err, ir.Node{Op: ir.Reverse, Ints: append([]int{}, axes...)}, x)
}

// Slice takes a part of every axis.
func (f *Function) Slice(x compute.Value, starts, limits, strides []int) (compute.Value, error) {
	v, err := f.Function.Slice(x, starts, limits, strides)
	ints := append([]int{}, starts...)
	for i := range starts {
		step := 1
		if len(strides) > 0 {
			step = strides[i]
		}
		ints = append(ints, step)
	}
	return f.record(v, err, ir.Node{Op: ir.Slice, Ints: ints}, x)
}

// BroadcastInDim repeats x along new axes.
func (f *Function) BroadcastInDim(x compute.Value, shape shapes.Shape, axes []int) (compute.Value, error) {
	v, err := f.Function.BroadcastInDim(x, shape, axes)
	return f.record(v, err, ir.Node{Op: ir.Broadcast, Ints: append([]int{}, axes...)}, x)
}

// Concatenate joins operands along an axis.
func (f *Function) Concatenate(axis int, operands ...compute.Value) (compute.Value, error) {
	v, err := f.Function.Concatenate(axis, operands...)
	return f.record(v, err, ir.Node{Op: ir.Concatenate, Ints: []int{axis}}, operands...)
}

// Pad surrounds x with a value. Negative padding is left to the reference.
func (f *Function) Pad(x, fill compute.Value, config ...compute.PadAxis) (compute.Value, error) {
	v, err := f.Function.Pad(x, fill, config...)
	if err == nil && !f.floats(x, fill) {
		return v, nil
	}
	n := ir.Node{Op: ir.Pad, Pad: &ir.Padding{}}
	for _, c := range config {
		if c.Start < 0 || c.End < 0 || c.Interior < 0 {
			return v, err
		}
		n.Pad.Low = append(n.Pad.Low, c.Start)
		n.Pad.High = append(n.Pad.High, c.End)
		n.Pad.Interior = append(n.Pad.Interior, c.Interior)
	}
	if err == nil {
		for range f.nodes[x].Dims[len(config):] {
			n.Pad.Low, n.Pad.High, n.Pad.Interior = append(n.Pad.Low, 0), append(n.Pad.High, 0), append(n.Pad.Interior, 0)
		}
	}
	return f.record(v, err, n, x, fill)
}

// reduce records a reduction; no axes means all.
func (f *Function) reduce(op ir.Op, v compute.Value, err error, x compute.Value, axes []int) (compute.Value, error) {
	if err != nil || !f.floats(x) {
		return v, err
	}
	axes = append([]int{}, axes...)
	if len(axes) == 0 {
		for i := range f.nodes[x].Dims {
			axes = append(axes, i)
		}
	}
	return f.record(v, err, ir.Node{Op: op, Ints: axes}, x)
}

// ReduceSum adds up along axes.
func (f *Function) ReduceSum(x compute.Value, axes ...int) (compute.Value, error) {
	v, err := f.Function.ReduceSum(x, axes...)
	return f.reduce(ir.ReduceSum, v, err, x, axes)
}

// ReduceMax takes the largest along axes.
func (f *Function) ReduceMax(x compute.Value, axes ...int) (compute.Value, error) {
	v, err := f.Function.ReduceMax(x, axes...)
	return f.reduce(ir.ReduceMax, v, err, x, axes)
}

// ReduceMin takes the smallest along axes.
func (f *Function) ReduceMin(x compute.Value, axes ...int) (compute.Value, error) {
	v, err := f.Function.ReduceMin(x, axes...)
	return f.reduce(ir.ReduceMin, v, err, x, axes)
}

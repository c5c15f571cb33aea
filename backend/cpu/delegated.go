package cpu

import (
	"slices"

	"github.com/gomlx/compute"
)

// What follows is recorded, and run by the reference one operation at a time.

// Cos is element-wise.
func (f *Function) Cos(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Cos(x)
	return f.delegate("Cos", v, err, func(g compute.Function, in []compute.Value) (compute.Value, error) { return g.Cos(in[0]) }, x)
}

// Sin is element-wise.
func (f *Function) Sin(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Sin(x)
	return f.delegate("Sin", v, err, func(g compute.Function, in []compute.Value) (compute.Value, error) { return g.Sin(in[0]) }, x)
}

// Erf is element-wise.
func (f *Function) Erf(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Erf(x)
	return f.delegate("Erf", v, err, func(g compute.Function, in []compute.Value) (compute.Value, error) { return g.Erf(in[0]) }, x)
}

// Floor is element-wise.
func (f *Function) Floor(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Floor(x)
	return f.delegate("Floor", v, err, func(g compute.Function, in []compute.Value) (compute.Value, error) { return g.Floor(in[0]) }, x)
}

// Ceil is element-wise.
func (f *Function) Ceil(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Ceil(x)
	return f.delegate("Ceil", v, err, func(g compute.Function, in []compute.Value) (compute.Value, error) { return g.Ceil(in[0]) }, x)
}

// Round is element-wise.
func (f *Function) Round(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Round(x)
	return f.delegate("Round", v, err, func(g compute.Function, in []compute.Value) (compute.Value, error) { return g.Round(in[0]) }, x)
}

// IsFinite is element-wise.
func (f *Function) IsFinite(x compute.Value) (compute.Value, error) {
	v, err := f.Function.IsFinite(x)
	return f.delegate("IsFinite", v, err, func(g compute.Function, in []compute.Value) (compute.Value, error) { return g.IsFinite(in[0]) }, x)
}

// Pow is element-wise.
func (f *Function) Pow(a, b compute.Value) (compute.Value, error) {
	v, err := f.Function.Pow(a, b)
	return f.delegate("Pow", v, err, func(g compute.Function, in []compute.Value) (compute.Value, error) { return g.Pow(in[0], in[1]) }, a, b)
}

// Rem is element-wise.
func (f *Function) Rem(a, b compute.Value) (compute.Value, error) {
	v, err := f.Function.Rem(a, b)
	return f.delegate("Rem", v, err, func(g compute.Function, in []compute.Value) (compute.Value, error) { return g.Rem(in[0], in[1]) }, a, b)
}

// Atan2 is element-wise.
func (f *Function) Atan2(a, b compute.Value) (compute.Value, error) {
	v, err := f.Function.Atan2(a, b)
	return f.delegate("Atan2", v, err, func(g compute.Function, in []compute.Value) (compute.Value, error) { return g.Atan2(in[0], in[1]) }, a, b)
}

// LogicalXor is element-wise.
func (f *Function) LogicalXor(a, b compute.Value) (compute.Value, error) {
	v, err := f.Function.LogicalXor(a, b)
	return f.delegate("LogicalXor", v, err, func(g compute.Function, in []compute.Value) (compute.Value, error) { return g.LogicalXor(in[0], in[1]) }, a, b)
}

// ReduceProduct combines along axes.
func (f *Function) ReduceProduct(x compute.Value, axes ...int) (compute.Value, error) {
	v, err := f.Function.ReduceProduct(x, axes...)
	axes = slices.Clone(axes)
	return f.delegate("ReduceProduct", v, err, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.ReduceProduct(in[0], axes...)
	}, x)
}

// ReduceLogicalAnd combines along axes.
func (f *Function) ReduceLogicalAnd(x compute.Value, axes ...int) (compute.Value, error) {
	v, err := f.Function.ReduceLogicalAnd(x, axes...)
	axes = slices.Clone(axes)
	return f.delegate("ReduceLogicalAnd", v, err, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.ReduceLogicalAnd(in[0], axes...)
	}, x)
}

// ReduceLogicalOr combines along axes.
func (f *Function) ReduceLogicalOr(x compute.Value, axes ...int) (compute.Value, error) {
	v, err := f.Function.ReduceLogicalOr(x, axes...)
	axes = slices.Clone(axes)
	return f.delegate("ReduceLogicalOr", v, err, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.ReduceLogicalOr(in[0], axes...)
	}, x)
}

// ReduceLogicalXor combines along axes.
func (f *Function) ReduceLogicalXor(x compute.Value, axes ...int) (compute.Value, error) {
	v, err := f.Function.ReduceLogicalXor(x, axes...)
	axes = slices.Clone(axes)
	return f.delegate("ReduceLogicalXor", v, err, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.ReduceLogicalXor(in[0], axes...)
	}, x)
}

// Clamp limits x to a range.
func (f *Function) Clamp(low, x, high compute.Value) (compute.Value, error) {
	v, err := f.Function.Clamp(low, x, high)
	return f.delegate("Clamp", v, err, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.Clamp(in[0], in[1], in[2])
	}, low, x, high)
}

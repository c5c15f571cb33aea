// Package gxtest makes GoMLX's portable backend run graphs as XLA would, so that
// loops are tested without a plugin.
package gxtest

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
)

// Looping is GoMLX's portable backend with a wish for loops, see gx.PrefersLoops.
//
// That backend (compute 0.1.2) plans the execution of a loop's body and then
// removes broadcasts from it, so that tensors are freed while they are needed; it
// fails when the last results of a graph's last loop are not used, and when two
// results of a loop's body are equal. A reshape after every broadcast prevents the
// first, a node of its own for every result the others.
func Looping(portable compute.Backend) compute.Backend { return looping{portable} }

type looping struct{ compute.Backend }

// PrefersLoops is what gx.PrefersLoops asks for.
func (looping) PrefersLoops() bool { return true }

// Builder implements compute.Backend.
func (l looping) Builder(name string) compute.Builder { return builder{l.Backend.Builder(name)} }

type builder struct{ compute.Builder }

// Main implements compute.Builder.
func (b builder) Main() compute.Function { return function{b.Builder.Main()} }

type function struct{ compute.Function }

// Closure implements compute.Function.
func (f function) Closure() (compute.Function, error) {
	closure, err := f.Function.Closure()
	return function{closure}, err
}

// Return implements compute.Function.
func (f function) Return(outputs []compute.Value, shardings []*compute.ShardingSpec) error {
	own, err := f.OptimizationBarrier(outputs...)
	if err != nil {
		return err
	}
	return f.Function.Return(own, shardings)
}

// While implements compute.Function.
func (f function) While(condition, body compute.Function, state ...compute.Value) ([]compute.Value, error) {
	return f.Function.While(condition.(function).Function, body.(function).Function, state...)
}

// BroadcastInDim implements compute.Function.
func (f function) BroadcastInDim(x compute.Value, shape shapes.Shape, axes []int) (compute.Value, error) {
	y, err := f.Function.BroadcastInDim(x, shape, axes)
	if err != nil {
		return nil, err
	}
	return f.Function.Reshape(y, shape.Dimensions...)
}

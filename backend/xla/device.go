//go:build xla && cgo

package xla

import (
	"reflect"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
)

// device is an XLA device.
type device struct{ *xla.Backend }

// PrefersLoops says that graphs should keep their loops, see gx.PrefersLoops: XLA
// takes a minute to compile the steps of a whole chunk written out.
func (device) PrefersLoops() bool { return true }

// Builder implements compute.Backend. go-xla's builder (0.4.1) keeps the function
// that a reduction applies, such as Add, as a closure of the function in which it
// was first needed, and then refuses it in every other, so that no graph could
// reduce both inside and outside of a loop. The builder returned here makes it
// forget these closures wherever a closure begins or ends.
func (d device) Builder(name string) compute.Builder {
	inner, ok := d.Backend.Builder(name).(*xla.Builder)
	if !ok {
		return nil // as go-xla does for a device that was closed
	}
	return builder{inner}
}

type builder struct{ *xla.Builder }

// Main implements compute.Builder.
func (b builder) Main() compute.Function { return function{b.Builder.Main(), b} }

// NewFunction implements compute.Builder.
func (b builder) NewFunction(name string) (compute.Function, error) {
	f, err := b.Builder.NewFunction(name)
	return function{f, b}, err
}

// forget empties go-xla's caches of closures, which it has no method for.
func (b builder) forget() {
	v := reflect.ValueOf(b.Builder).Elem()
	for _, name := range []string{"cacheReductions", "cacheArgMinMax", "cacheSelections"} {
		if cache := v.FieldByName(name); cache.Kind() == reflect.Map {
			reflect.NewAt(cache.Type(), unsafe.Pointer(cache.UnsafeAddr())).Elem().Clear()
		}
	}
}

// function hands go-xla its own functions.
type function struct {
	compute.Function
	builder builder
}

func inner(f compute.Function) compute.Function {
	if f, ok := f.(function); ok {
		return f.Function
	}
	return f
}

// Closure implements compute.Function.
func (f function) Closure() (compute.Function, error) {
	f.builder.forget()
	closure, err := f.Function.Closure()
	return function{closure, f.builder}, err
}

// Return implements compute.Function.
func (f function) Return(outputs []compute.Value, shardings []*compute.ShardingSpec) error {
	f.builder.forget()
	return f.Function.Return(outputs, shardings)
}

// While implements compute.Function.
func (f function) While(condition, body compute.Function, state ...compute.Value) ([]compute.Value, error) {
	return f.Function.While(inner(condition), inner(body), state...)
}

// If implements compute.Function.
func (f function) If(condition compute.Value, yes, no compute.Function) ([]compute.Value, error) {
	return f.Function.If(condition, inner(yes), inner(no))
}

// Sort implements compute.Function.
func (f function) Sort(less compute.Function, axis int, stable bool, inputs ...compute.Value) ([]compute.Value, error) {
	return f.Function.Sort(inner(less), axis, stable, inputs...)
}

// Call implements compute.Function.
func (f function) Call(target compute.Function, inputs ...compute.Value) ([]compute.Value, error) {
	return f.Function.Call(inner(target), inputs...)
}

package cpu

import "github.com/gomlx/compute"

// closure is a function inside another. It is left to the reference backend;
// the wrapper only knows its parent, and hands the reference's functions on.
type closure struct {
	compute.Function
	parent compute.Function
}

// Closure starts a function inside f.
func (f *Function) Closure() (compute.Function, error) { return newClosure(f, f.Function) }

// Closure starts a function inside c.
func (c *closure) Closure() (compute.Function, error) { return newClosure(c, c.Function) }

func newClosure(parent, reference compute.Function) (compute.Function, error) {
	inner, err := reference.Closure()
	if err != nil {
		return nil, err
	}
	return &closure{inner, parent}, nil
}

// Parent returns the function that c was started in.
func (c *closure) Parent() compute.Function { return c.parent }

// Builder returns the builder of the function that c was started in.
func (c *closure) Builder() compute.Builder { return c.parent.Builder() }

// reference is the function that the reference backend knows.
func reference(f compute.Function) compute.Function {
	switch f := f.(type) {
	case *closure:
		return f.Function
	case *Function:
		return f.Function
	}
	return f
}

// Sort, While, If and Call take functions: of f and of closures alike.

// Sort sorts by a comparator.
func (f *Function) Sort(comparator compute.Function, axis int, stable bool, inputs ...compute.Value) ([]compute.Value, error) {
	return f.Function.Sort(reference(comparator), axis, stable, inputs...)
}

// While repeats body as long as cond holds.
func (f *Function) While(cond, body compute.Function, state ...compute.Value) ([]compute.Value, error) {
	return f.Function.While(reference(cond), reference(body), state...)
}

// If runs one of two functions.
func (f *Function) If(pred compute.Value, onTrue, onFalse compute.Function) ([]compute.Value, error) {
	return f.Function.If(pred, reference(onTrue), reference(onFalse))
}

// Call calls a function.
func (f *Function) Call(callee compute.Function, inputs ...compute.Value) ([]compute.Value, error) {
	return f.Function.Call(reference(callee), inputs...)
}

// Sort sorts by a comparator.
func (c *closure) Sort(comparator compute.Function, axis int, stable bool, inputs ...compute.Value) ([]compute.Value, error) {
	return c.Function.Sort(reference(comparator), axis, stable, inputs...)
}

// While repeats body as long as cond holds.
func (c *closure) While(cond, body compute.Function, state ...compute.Value) ([]compute.Value, error) {
	return c.Function.While(reference(cond), reference(body), state...)
}

// If runs one of two functions.
func (c *closure) If(pred compute.Value, onTrue, onFalse compute.Function) ([]compute.Value, error) {
	return c.Function.If(pred, reference(onTrue), reference(onFalse))
}

// Call calls a function.
func (c *closure) Call(callee compute.Function, inputs ...compute.Value) ([]compute.Value, error) {
	return c.Function.Call(reference(callee), inputs...)
}

package gx

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// ErrInput is wrapped by the errors of [Program.Run] that concern its
// arguments: a wrong number of buffers, a wrong shape, a nil buffer.
var ErrInput = errors.New("gx: invalid program input")

// ErrClosed is returned by [Program.Run] after [Program.Close].
var ErrClosed = errors.New("gx: program is closed")

// Input names one parameter of a program and fixes its shape and element type.
type Input struct {
	// Name identifies the input in errors; it must be unique in the program.
	Name string
	// Shape is the exact shape of the buffers given to [Program.Run].
	Shape shapes.Shape
}

// Program is a compiled graph. Run may be called from several goroutines when
// the backend allows it; the program itself holds no state between calls.
type Program struct {
	name    string
	inputs  []Input
	outputs []shapes.Shape
	graph   *graph.Graph
}

// Compile builds and compiles a graph.
//
// build receives one parameter node per input, in order, and returns the
// outputs in the order [Program.Run] will return them: at least one, and no
// node twice. Panics of GoMLX, and of [CheckShape], raised inside build come
// back as errors; Go run-time errors in build are bugs and are not caught.
func Compile(backend compute.Backend, name string, inputs []Input,
	build func(g *graph.Graph, in []*graph.Node) []*graph.Node) (*Program, error) {
	if err := checkInputs(inputs); err != nil {
		return nil, fmt.Errorf("gx: compile %q: %w", name, err)
	}
	installGradients()
	g := graph.NewGraph(backend, name)
	err := protect(func() error { return buildGraph(g, inputs, build) })
	if err != nil {
		g.Finalize()
		return nil, fmt.Errorf("gx: compile %q: %w", name, err)
	}
	return &Program{name: name, inputs: slices.Clone(inputs), outputs: g.Executable().Outputs(), graph: g}, nil
}

// checkInputs reports inputs without a name, with a repeated name or without a
// shape.
func checkInputs(inputs []Input) error {
	seen := make(map[string]bool, len(inputs))
	for i, in := range inputs {
		switch {
		case in.Name == "":
			return fmt.Errorf("%w: input %d has no name", ErrInput, i)
		case seen[in.Name]:
			return fmt.Errorf("%w: input name %q is used twice", ErrInput, in.Name)
		case !in.Shape.Ok():
			return fmt.Errorf("%w: input %q has no shape", ErrInput, in.Name)
		}
		seen[in.Name] = true
	}
	return nil
}

// buildGraph runs build on fresh parameters and compiles its outputs.
func buildGraph(g *graph.Graph, inputs []Input, build func(*graph.Graph, []*graph.Node) []*graph.Node) error {
	params := make([]*graph.Node, len(inputs))
	for i, in := range inputs {
		params[i] = graph.Parameter(g, in.Name, in.Shape)
	}
	outputs := build(g, params)
	if len(outputs) == 0 {
		return errors.New("build returned no outputs")
	}
	if err := checkOutputs(outputs); err != nil {
		return err
	}
	return g.Compile(outputs...)
}

// checkOutputs refuses nil and repeated outputs: backends hand every output's
// storage to the caller, so one node cannot be returned twice.
func checkOutputs(outputs []*graph.Node) error {
	position := make(map[*graph.Node]int, len(outputs))
	for i, out := range outputs {
		if out == nil {
			return fmt.Errorf("output %d is nil", i)
		}
		if j, ok := position[out]; ok {
			return fmt.Errorf("outputs %d and %d are the same node; wrap one in graph.Identity", j, i)
		}
		position[out] = i
	}
	return nil
}

// protect calls f and returns what it returns, or the error it panicked with.
// Only error values raised on purpose are recovered: a Go run-time error, or a
// panic with anything else, continues.
func protect(f func() error) (err error) {
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		cause, ok := r.(error)
		var bug runtime.Error
		if !ok || errors.As(cause, &bug) {
			panic(r)
		}
		err = cause
	}()
	return f()
}

// Name returns the name given to [Compile].
func (p *Program) Name() string { return p.name }

// Inputs returns the program's inputs in the order Run expects them. The caller
// owns the slice.
func (p *Program) Inputs() []Input { return slices.Clone(p.inputs) }

// Outputs returns the shapes of the program's outputs in order. The caller owns
// the slice.
func (p *Program) Outputs() []shapes.Shape { return slices.Clone(p.outputs) }

// NumNodes returns the number of nodes of the graph as it was built, before the
// backend simplified it.
func (p *Program) NumNodes() int { return len(p.graph.Nodes()) }

// Run executes the program on the backend's first device.
//
// inputs are in the order of [Program.Inputs]. donate may be nil (nothing is
// donated) or as long as inputs; a donated buffer belongs to the backend from
// the moment the arguments have been accepted and must not be used again, not
// even when Run then fails. A buffer must not be donated and passed a second
// time in the same call. The caller owns the returned buffers and finalizes
// them (see [Finalize]).
//
// ctx is checked before execution starts; a backend does not interrupt a
// program under way. Errors about the arguments wrap [ErrInput] and leave every
// buffer untouched.
func (p *Program) Run(ctx context.Context, inputs []compute.Buffer, donate []bool) ([]compute.Buffer, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("gx: run %q: %w", p.name, err)
	}
	if p.graph.Executable() == nil {
		return nil, fmt.Errorf("gx: run %q: %w", p.name, ErrClosed)
	}
	if err := p.checkArguments(inputs, donate); err != nil {
		return nil, fmt.Errorf("gx: run %q: %w", p.name, err)
	}
	var outputs []compute.Buffer
	err := protect(func() (err error) {
		outputs, err = p.graph.Executable().Execute(inputs, donate, 0)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("gx: run %q: %w", p.name, err)
	}
	return outputs, nil
}

// checkArguments compares the buffers with the declared inputs, by name.
func (p *Program) checkArguments(inputs []compute.Buffer, donate []bool) error {
	if len(inputs) != len(p.inputs) {
		return fmt.Errorf("%w: got %d buffers, want %d", ErrInput, len(inputs), len(p.inputs))
	}
	if donate != nil && len(donate) != len(inputs) {
		return fmt.Errorf("%w: got %d donate flags for %d buffers", ErrInput, len(donate), len(inputs))
	}
	for i, buf := range inputs {
		if buf == nil {
			return fmt.Errorf("%w: input %d %q is nil", ErrInput, i, p.inputs[i].Name)
		}
		shape, err := buf.Shape()
		if err != nil {
			return fmt.Errorf("%w: input %d %q: %w", ErrInput, i, p.inputs[i].Name, err)
		}
		if !shape.Equal(p.inputs[i].Shape) {
			return fmt.Errorf("%w: input %d %q has shape %s, want %s", ErrInput, i, p.inputs[i].Name, shape, p.inputs[i].Shape)
		}
	}
	return nil
}

// Close releases the compiled program. It must not run concurrently with Run.
func (p *Program) Close() { p.graph.Finalize() }

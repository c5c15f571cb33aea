package cpu

import (
	"errors"
	"fmt"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"

	"github.com/orrery-rl/orrery/backend/cpu/internal/ir"
)

// emit repeats an operation on another function of the reference.
type emit func(f compute.Function, in []compute.Value) (compute.Value, error)

// delegate records an operation on known operands that is run by the reference,
// alone, in the middle of our schedule.
func (f *Function) delegate(name string, v compute.Value, err error, op emit, operands ...compute.Value) (compute.Value, error) {
	if err != nil {
		return nil, err
	}
	call := &foreignCall{name: name, backend: f.builder.backend, op: op}
	for _, x := range operands {
		shape, err := f.Function.Shape(x)
		if err != nil || !known(shape) {
			return v, nil
		}
		call.shapes = append(call.shapes, shape)
	}
	return f.record(v, nil, ir.Node{Op: ir.Foreign, Foreign: call}, operands...)
}

// foreignCall is one operation as an executable of the reference, compiled when
// it is first run.
type foreignCall struct {
	name    string
	backend *Backend
	op      emit
	shapes  []shapes.Shape

	once       sync.Once
	executable compute.Executable
	err        error
}

// Name implements ir.Call.
func (c *foreignCall) Name() string { return c.name }

// Run implements ir.Call: operands are copied into buffers of the reference and
// the result is copied out.
func (c *foreignCall) Run(operands []ir.Memory, result ir.Memory) (err error) {
	if c.once.Do(func() { c.executable, c.err = c.compile() }); c.err != nil {
		return c.err
	}
	var buffers []compute.Buffer
	defer func() { err = errors.Join(err, finalize(buffers)) }()
	for i, x := range operands {
		buf, flat, err := c.backend.reference.NewSharedBuffer(0, c.shapes[i])
		if err != nil {
			return err
		}
		buffers = append(buffers, buf)
		move(memory(flat), x)
	}
	out, err := c.executable.Execute(buffers, nil, 0)
	if err != nil {
		return err
	}
	buffers = append(buffers, out...)
	flat, err := out[0].Data()
	if err != nil {
		return err
	}
	move(result, memory(flat))
	return nil
}

func move(dst, src ir.Memory) {
	copy(dst.Float32, src.Float32)
	copy(dst.Bytes, src.Bytes)
}

func (c *foreignCall) compile() (compute.Executable, error) {
	builder := c.backend.reference.Builder(c.name)
	main := builder.Main()
	in := make([]compute.Value, len(c.shapes))
	for i, shape := range c.shapes {
		var err error
		if in[i], err = main.Parameter(fmt.Sprintf("operand %d", i), shape, nil); err != nil {
			return nil, err
		}
	}
	out, err := c.op(main, in)
	if err != nil {
		return nil, err
	}
	if err := main.Return([]compute.Value{out}, nil); err != nil {
		return nil, err
	}
	return builder.Compile()
}

package cpu

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"

	"github.com/orrery-rl/orrery/backend/cpu/internal/pass"
	"github.com/orrery-rl/orrery/backend/cpu/internal/sched"
)

// Builder builds a computation twice: in the reference backend, which infers
// shapes, merges equal operations and can run everything, and, as far as the
// operations are known here, in our own form.
type Builder struct {
	compute.Builder
	backend *Backend
	main    *Function
}

// Main returns the function that is compiled.
func (b *Builder) Main() compute.Function { return b.main }

// Compile compiles the computation: natively if every operation that the
// outputs depend on is known, else with the reference backend.
func (b *Builder) Compile() (compute.Executable, error) {
	reference, err := b.Builder.Compile()
	if err != nil {
		return nil, err
	}
	e := &Executable{Executable: reference, backend: b.backend}
	if why := b.main.foreign; why != "" {
		b.backend.log.Warn("graph is left to the slow reference backend", "graph", b.Name(), "because", why)
		return e, nil
	}
	e.program, err = sched.Compile(pass.MergeSums(b.main.outputs), b.backend.table, b.backend.pool.Workers())
	if err != nil {
		if !errors.Is(err, sched.ErrUnsupported) {
			return nil, fmt.Errorf("cpu: compile %q: %w", b.Name(), err)
		}
		b.backend.log.Warn("graph is left to the slow reference backend", "graph", b.Name(), "because", err)
		return e, nil
	}
	arena, scratch := e.program.Memory()
	b.backend.memory.Add(arena + scratch)
	return e, nil
}

// Executable is a compiled computation.
type Executable struct {
	compute.Executable // the reference
	backend            *Backend
	program            *sched.Program // nil: run the reference
}

// Native reports whether the graph was compiled here, not left to the reference
// backend.
func (e *Executable) Native() bool { return e.program != nil }

// Dump writes the schedule, one operation a line.
func (e *Executable) Dump(w io.Writer) error {
	if e.program == nil {
		_, err := fmt.Fprintln(w, "run by the reference backend")
		return err
	}
	return e.program.Dump(w)
}

// Execute runs the computation. Donated buffers are released, or become outputs;
// the same buffer must not be donated and given as another input, too.
func (e *Executable) Execute(inputs []compute.Buffer, donate []bool, device compute.DeviceNum) ([]compute.Buffer, error) {
	if e.backend.IsFinalized() {
		return nil, errors.New("cpu: the backend is finalized")
	}
	ours := make([]*Buffer, len(inputs))
	for i, in := range inputs {
		var ok bool
		if ours[i], ok = in.(*Buffer); !ok || ours[i].backend != e.backend {
			return nil, fmt.Errorf("cpu: input %d is not a buffer of this backend", i)
		}
	}
	if donate == nil {
		donate = make([]bool, len(inputs))
	}
	if e.program == nil {
		return e.executeReference(ours, donate, device)
	}
	return e.execute(ours, donate, device)
}

func (e *Executable) executeReference(inputs []*Buffer, donate []bool, device compute.DeviceNum) ([]compute.Buffer, error) {
	inner := make([]compute.Buffer, len(inputs))
	for i, in := range inputs {
		inner[i] = in.Buffer
	}
	outputs, err := e.Executable.Execute(inner, donate, device)
	if err != nil {
		return nil, err
	}
	for i, out := range outputs {
		outputs[i] = &Buffer{Buffer: out, backend: e.backend}
	}
	for i, in := range inputs {
		if donate[i] {
			in.take()
		}
	}
	return outputs, nil
}

// execute runs the native program on the memory of the buffers.
func (e *Executable) execute(inputs []*Buffer, donate []bool, device compute.DeviceNum) ([]compute.Buffer, error) {
	in, err := e.checkInputs(inputs, donate)
	if err != nil {
		return nil, err
	}
	outputs, out, err := e.allocate(inputs, donate, in, device)
	if err != nil {
		return nil, errors.Join(err, finalize(outputs))
	}
	if err := e.program.Run(context.Background(), e.backend.pool, in, out); err != nil {
		return nil, errors.Join(fmt.Errorf("cpu: %w", err), finalize(outputs))
	}
	for i, given := range donate {
		if given && !inputs[i].spent() {
			if err := inputs[i].take().Finalize(); err != nil {
				return nil, err
			}
		}
	}
	return outputs, nil
}

// allocate returns the outputs' buffers and memory: that of donated inputs where
// the program can work in place.
func (e *Executable) allocate(inputs []*Buffer, donate []bool, in []sched.Buffers, device compute.DeviceNum) (buffers []compute.Buffer, out []sched.Buffers, err error) {
	inPlace := e.program.InPlace()
	for i, shape := range e.Outputs() {
		if k := inPlace[i]; k >= 0 && donate[k] && sameShape(inputs[k], shape) {
			buffers, out = append(buffers, &Buffer{Buffer: inputs[k].take(), backend: e.backend}), append(out, in[k])
			continue
		}
		buf, flat, err := e.backend.NewSharedBuffer(device, shape)
		if err != nil {
			return buffers, nil, err
		}
		buffers, out = append(buffers, buf), append(out, memory(flat))
	}
	return buffers, out, nil
}

func sameShape(b *Buffer, shape shapes.Shape) bool {
	have, err := b.Shape()
	return err == nil && have.Equal(shape)
}

func (e *Executable) checkInputs(inputs []*Buffer, donate []bool) ([]sched.Buffers, error) {
	names, want := e.Inputs()
	if len(inputs) != len(want) || len(donate) != len(want) {
		return nil, fmt.Errorf("cpu: %d inputs and %d donations, want %d", len(inputs), len(donate), len(want))
	}
	in := make([]sched.Buffers, len(inputs))
	for i, buf := range inputs {
		shape, err := buf.Shape()
		if err != nil {
			return nil, fmt.Errorf("cpu: input %q: %w", names[i], err)
		}
		if !shape.Equal(want[i]) {
			return nil, fmt.Errorf("cpu: input %q has shape %s, want %s", names[i], shape, want[i])
		}
		flat, err := buf.Data()
		if err != nil {
			return nil, fmt.Errorf("cpu: input %q: %w", names[i], err)
		}
		in[i] = memory(flat)
	}
	return in, nil
}

func finalize(buffers []compute.Buffer) error {
	var errs []error
	for _, b := range buffers {
		errs = append(errs, b.Finalize())
	}
	return errors.Join(errs...)
}

var _ compute.Executable = (*Executable)(nil)

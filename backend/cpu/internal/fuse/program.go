package fuse

import (
	"fmt"
	"strings"

	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
)

// Program is a compiled element-wise program. It has no state: one program may run on many
// goroutines, each with scratch of its own.
type Program struct {
	vec     *kernel.VecKernels
	ops     *opTable
	inputs  []input
	outputs []output
	code    []instr
	stores  []store
	slots   int
	tile    int
}

// store copies a register to an output at the end of a tile.
type store struct {
	from   operand
	output int
}

// ScratchLen is the number of floats that Run needs.
func (p *Program) ScratchLen() int { return p.slots * p.tile }

// Check returns an error unless inputs and outputs fit n output elements.
func (p *Program) Check(inputs, outputs []Ref, n int) error {
	if err := p.checkInputs(inputs, n); err != nil {
		return err
	}
	if len(outputs) != len(p.outputs) {
		return fmt.Errorf("%w run: %d outputs, the program has %d", ErrInvalid, len(outputs), len(p.outputs))
	}
	for i, o := range p.outputs {
		if have := outputs[i].len(o.dtype); have < n {
			return fmt.Errorf("%w run: output %d has %d elements, not %d", ErrInvalid, i, have, n)
		}
	}
	return nil
}

func (p *Program) checkInputs(inputs []Ref, n int) error {
	if len(inputs) != len(p.inputs) {
		return fmt.Errorf("%w run: %d inputs, the program has %d", ErrInvalid, len(inputs), len(p.inputs))
	}
	for i, in := range p.inputs {
		if have, need := inputs[i].len(in.dtype), in.access.need(n); have < need {
			return fmt.Errorf("%w run: input %d has %d elements, %d outputs read %d", ErrInvalid, i, have, n, need)
		}
	}
	return nil
}

// Run computes elements [lo, hi) of every output. scratch has at least ScratchLen elements;
// inputs and outputs have passed Check for hi elements or more. An output may be the memory
// of an input with Full access, and overlap no other. Each element depends on nothing but its
// operands, so that any split into ranges gives the same result. Run does not allocate.
func (p *Program) Run(scratch []float32, inputs, outputs []Ref, lo, hi int) {
	p.run(scratch, inputs, outputs, lo, hi, 0)
}

// run is Run for outputs whose first element is number first.
func (p *Program) run(scratch []float32, inputs, outputs []Ref, lo, hi, first int) {
	for at := lo; at < hi; at += p.tile {
		t := tile{p: p, scratch: scratch, inputs: inputs, outputs: outputs, at: at, n: min(p.tile, hi-at), to: at - first}
		for i := range p.code {
			t.execute(&p.code[i])
		}
		for _, s := range p.stores {
			t.store(s)
		}
	}
}

// tile is elements [at, at+n) of a run.
type tile struct {
	p               *Program
	scratch         []float32
	inputs, outputs []Ref
	at, n           int
	to              int // where the results start in the outputs
}

func (t *tile) execute(in *instr) {
	info, dst := &t.p.ops[in.op], t.floats(in.dst)
	switch {
	case in.op == load:
		t.load(dst, in.args[0].index)
	case in.op == fill:
		t.p.vec.Fill(dst, t.number(in.args[0]))
	case in.op == Select:
		t.p.vec.Select(dst, t.floats(in.args[0]), t.floats(in.args[1]), t.floats(in.args[2]))
	case info.unary != nil:
		info.unary(dst, t.floats(in.args[0]))
	case in.form == numberRight:
		info.right(dst, t.floats(in.args[0]), t.number(in.args[1]))
	case in.form == numberLeft:
		info.left(dst, t.floats(in.args[1]), t.number(in.args[0]))
	default:
		info.binary(dst, t.floats(in.args[0]), t.floats(in.args[1]))
	}
}

// floats is the memory of a register for this tile.
func (t *tile) floats(o operand) []float32 {
	switch o.place {
	case inInput:
		return t.inputs[o.index].F32[t.at : t.at+t.n]
	case inOutput:
		return t.outputs[o.index].F32[t.to : t.to+t.n]
	}
	return t.scratch[o.index*t.p.tile:][:t.n]
}

func (t *tile) number(o operand) float32 {
	if o.place == asConst {
		return o.value
	}
	return t.element(o.index, 0)
}

// element is element at of an input.
func (t *tile) element(input, at int) float32 {
	if t.p.inputs[input].dtype == Bool {
		return float32(t.inputs[input].Bool[at])
	}
	return t.inputs[input].F32[at]
}

func (t *tile) store(s store) {
	from, out := t.floats(s.from), t.outputs[s.output]
	if t.p.outputs[s.output].dtype == Bool {
		t.p.vec.MaskToBool(out.Bool[t.to:t.to+t.n], from)
		return
	}
	copy(out.F32[t.to:t.to+t.n], from)
}

// load brings the elements of an input that belong to this tile into dst.
func (t *tile) load(dst []float32, input int) {
	access := t.p.inputs[input].access
	if access.Repeat <= 1 {
		t.loadRow(dst, input, access)
		return
	}
	// Repeated elements come in runs.
	for done := 0; done < len(dst); {
		i := t.at + done
		run := min(len(dst)-done, access.Repeat-i%access.Repeat)
		t.p.vec.Fill(dst[done:done+run], t.element(input, access.at(i)))
		done += run
	}
}

// loadRow copies from where the tile starts to the end of the row; if more is needed, one
// whole period, which is then doubled until the tile is full.
func (t *tile) loadRow(dst []float32, input int, access Access) {
	if access.Period == 0 {
		t.convert(dst, input, t.at)
		return
	}
	start := t.at % access.Period
	first := min(len(dst), access.Period-start)
	t.convert(dst[:first], input, start)
	if first == len(dst) {
		return
	}
	have := first + min(len(dst)-first, start)
	t.convert(dst[first:have], input, 0)
	for have < len(dst) {
		have += copy(dst[have:], dst[:have])
	}
}

func (t *tile) convert(dst []float32, input, at int) {
	if t.p.inputs[input].dtype == Bool {
		t.p.vec.BoolToMask(dst, t.inputs[input].Bool[at:at+len(dst)])
		return
	}
	copy(dst, t.inputs[input].F32[at:at+len(dst)])
}

// String lists the program, a line an instruction: r registers of a tile, in and out the
// operands of the run.
func (p *Program) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "tile %d, %d registers\n", p.tile, p.slots)
	for i, in := range p.inputs {
		fmt.Fprintf(&b, "in%d %s repeat %d period %d\n", i, in.dtype, max(1, in.access.Repeat), in.access.Period)
	}
	for _, in := range p.code {
		var args []string
		for _, a := range in.args {
			if a.place != nowhere {
				args = append(args, a.String())
			}
		}
		fmt.Fprintf(&b, "%s = %s %s\n", in.dst, p.ops[in.op].name, strings.Join(args, ", "))
	}
	for _, s := range p.stores {
		fmt.Fprintf(&b, "out%d = %s %s\n", s.output, p.outputs[s.output].dtype, s.from)
	}
	return b.String()
}

// String returns "f32" or "bool".
func (t DType) String() string {
	if t == Bool {
		return "bool"
	}
	return "f32"
}

func (o operand) String() string {
	switch o.place {
	case inInput:
		return fmt.Sprintf("in%d", o.index)
	case inOutput:
		return fmt.Sprintf("out%d", o.index)
	case asInput:
		return fmt.Sprintf("in%d[0]", o.index)
	case asConst:
		return fmt.Sprint(o.value)
	}
	return fmt.Sprintf("r%d", o.index)
}

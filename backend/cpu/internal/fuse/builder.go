package fuse

import (
	"fmt"
	"math"

	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
)

// Reg names the result of an operation, or an input, of a [Builder].
type Reg int

// Builder collects a program. Equal operations on equal operands are one; the first mistake
// is kept and returned by [Builder.Build].
type Builder struct {
	vec     *kernel.VecKernels
	ops     *opTable
	values  []value
	known   map[value]Reg
	inputs  []input
	outputs []output
	err     error
}

// value is one operation. Of a number, args[0] is the input, or bits its value if that is -1;
// of a load, args[0] is the input.
type value struct {
	op   Op
	args [3]Reg
	bits uint32
}

func (v value) constant() float32 { return math.Float32frombits(v.bits) }

type input struct {
	access Access
	dtype  DType
}

type output struct {
	from  Reg
	dtype DType
}

// NewBuilder returns an empty program on the kernels of v, which must outlive it.
func NewBuilder(v *kernel.VecKernels) *Builder {
	return &Builder{vec: v, ops: operations(v), known: map[value]Reg{}}
}

// Input adds the next input. Its elements follow those of the output as access says.
func (b *Builder) Input(access Access, dtype DType) Reg {
	if access.Repeat < 0 || access.Period < 0 || dtype > Bool {
		b.fail("input %d has access %+v and type %d", len(b.inputs), access, dtype)
	}
	b.inputs = append(b.inputs, input{access, dtype})
	at := Reg(len(b.inputs) - 1)
	if access.scalar() {
		return b.add(value{op: number, args: [3]Reg{at}})
	}
	return b.add(value{op: load, args: [3]Reg{at}})
}

// Const adds a number.
func (b *Builder) Const(v float32) Reg {
	return b.add(value{op: number, args: [3]Reg{-1}, bits: math.Float32bits(v)})
}

// Unary adds op(x), for the operations with one operand.
func (b *Builder) Unary(op Op, x Reg) Reg {
	if op >= numOps || b.ops[op].unary == nil || !b.has(x) {
		return b.fail("unary operation %d on register %d", op, x)
	}
	return b.add(value{op: op, args: [3]Reg{x}})
}

// Binary adds op(x, y), for the operations with two operands.
func (b *Builder) Binary(op Op, x, y Reg) Reg {
	if op >= numOps || b.ops[op].binary == nil || !b.has(x) || !b.has(y) {
		return b.fail("binary operation %d on registers %d and %d", op, x, y)
	}
	if simpler, ok := b.simplify(op, x, y); ok {
		return simpler
	}
	return b.add(value{op: op, args: [3]Reg{x, y}})
}

// Select adds x where mask is not 0, y elsewhere.
func (b *Builder) Select(mask, x, y Reg) Reg {
	if !b.has(mask) || !b.has(x) || !b.has(y) {
		return b.fail("select on registers %d, %d and %d", mask, x, y)
	}
	// The rectifier and its gradient: x where a > 0, else 0.
	if m := b.values[mask]; m.op == Gt && b.isConst(m.args[1], 0) && b.isConst(y, 0) {
		return b.add(value{op: Gate, args: [3]Reg{m.args[0], x}})
	}
	return b.add(value{op: Select, args: [3]Reg{mask, x, y}})
}

// Output makes x the next output. A register may be several.
func (b *Builder) Output(x Reg, dtype DType) {
	if !b.has(x) || dtype > Bool {
		b.fail("output %d from register %d with type %d", len(b.outputs), x, dtype)
	}
	b.outputs = append(b.outputs, output{x, dtype})
}

func (b *Builder) add(v value) Reg {
	if at, ok := b.known[v]; ok {
		return at
	}
	b.values = append(b.values, v)
	b.known[v] = Reg(len(b.values) - 1)
	return b.known[v]
}

func (b *Builder) has(r Reg) bool { return r >= 0 && int(r) < len(b.values) }

// fail keeps the first mistake and returns a register that exists.
func (b *Builder) fail(format string, args ...any) Reg {
	if b.err == nil {
		b.err = fmt.Errorf("%w program: "+format, append([]any{ErrInvalid}, args...)...)
	}
	return b.Const(0)
}

func (b *Builder) isConst(r Reg, v float32) bool {
	x := b.values[r]
	return x.op == number && x.args[0] < 0 && x.bits == math.Float32bits(v)
}

// simplify recognises a rectifier and the softplus of the models:
//
//	max(x, 0)
//	(x + |x|)/2 + log1p(exp(-|x|))
func (b *Builder) simplify(op Op, x, y Reg) (Reg, bool) {
	switch {
	case op == Max && b.isConst(y, 0):
		return b.Unary(Relu, x), true
	case op == Max && b.isConst(x, 0):
		return b.Unary(Relu, y), true
	case op == Add:
		for _, pair := range [][2]Reg{{x, y}, {y, x}} {
			if of, ok := b.rectified(pair[0]); ok && b.isSmoothing(pair[1], of) {
				return b.Unary(Softplus, of), true
			}
		}
	}
	return 0, false
}

// rectified returns x if r is max(x, 0) or (x + |x|)/2.
func (b *Builder) rectified(r Reg) (Reg, bool) {
	v := b.values[r]
	if v.op == Relu {
		return v.args[0], true
	}
	if v.op != Mul || !b.isConst(v.args[1], 0.5) {
		return 0, false
	}
	sum := b.values[v.args[0]]
	if sum.op != Add {
		return 0, false
	}
	for _, pair := range [][2]Reg{{sum.args[0], sum.args[1]}, {sum.args[1], sum.args[0]}} {
		if mag := b.values[pair[1]]; mag.op == Abs && mag.args[0] == pair[0] {
			return pair[0], true
		}
	}
	return 0, false
}

// isSmoothing reports whether r is log1p(exp(-|x|)).
func (b *Builder) isSmoothing(r, x Reg) bool {
	for _, op := range []Op{Log1p, Exp, Neg, Abs} {
		if b.values[r].op != op {
			return false
		}
		r = b.values[r].args[0]
	}
	return r == x
}

package fuse

import "slices"

// instr is a kernel call on one tile.
type instr struct {
	op   Op
	form form
	args [3]operand
	dst  operand
}

// form is how an instruction takes its operands.
type form uint8

const (
	registers   form = iota // all operands are tiles
	numberRight             // the second operand is a number
	numberLeft              // the first operand is a number
)

// operand is where a tile or a number lies.
type operand struct {
	place place
	index int     // slot, input or output
	value float32 // of a constant
}

type place uint8

const (
	nowhere  place = iota // there is no such operand
	inSlot                // a tile of scratch
	inInput               // the elements of a full float32 input themselves
	inOutput              // the elements of a float32 output themselves
	asInput               // the first element of an input
	asConst               // a constant
)

// tileBytes is how much scratch a tile of all registers may take: half of a usual
// first-level cache.
const tileBytes = 24 << 10

// Build returns the program of the outputs; what they do not need is dropped.
func (b *Builder) Build() (*Program, error) {
	if len(b.outputs) == 0 {
		b.fail("no outputs")
	}
	if b.err != nil {
		return nil, b.err
	}
	p := &Program{vec: b.vec, ops: b.ops, inputs: b.inputs, outputs: b.outputs}
	c := &compilation{Builder: b, program: p, needed: b.need(), at: map[Reg]operand{}}
	c.emit()
	c.assign()
	p.tile = min(2048, max(256, tileBytes/4/max(1, p.slots)&^63))
	return p, nil
}

// need marks the values that outputs depend on.
func (b *Builder) need() []bool {
	needed := make([]bool, len(b.values))
	for _, o := range b.outputs {
		needed[o.from] = true
	}
	for i, v := range slices.Backward(b.values) {
		if needed[i] && v.op > number && v.op < load {
			for _, a := range v.args[:b.ops.arity(v.op)] {
				needed[a] = true
			}
		}
	}
	return needed
}

// arity is the number of operands that are registers.
func (ops *opTable) arity(op Op) int {
	switch {
	case ops[op].unary != nil:
		return 1
	case ops[op].binary != nil:
		return 2
	case op == Select:
		return 3
	}
	return 0
}

// compilation turns values into instructions. Until assign, slots are numbered by value.
type compilation struct {
	*Builder
	program *Program
	needed  []bool
	at      map[Reg]operand // where a value is, once it is computed
}

func (c *compilation) emit() {
	for i, v := range c.values {
		if c.needed[i] && v.op != number && v.op != load {
			c.compute(Reg(i), v)
		}
	}
	for _, o := range c.outputs {
		// An output that is an input as it stands is read early: others may overwrite it.
		if at := c.tileOf(o.from); at.place == inInput {
			c.append(o.from, instr{op: load, args: [3]operand{at}})
		}
	}
}

// compute emits the instruction of a value, after those that bring its operands in.
func (c *compilation) compute(r Reg, v value) {
	info, in := &c.ops[v.op], instr{op: v.op}
	left, right := c.isNumber(v.args[0]), info.binary != nil && c.isNumber(v.args[1])
	switch {
	case right && !left && info.right != nil:
		in.form = numberRight
	case left && !right && info.left != nil:
		in.form = numberLeft
	case left && !right && info.exchanged != number:
		in.op, in.form = info.exchanged, numberRight
		v.args[0], v.args[1] = v.args[1], v.args[0]
	}
	for k, a := range v.args[:c.ops.arity(v.op)] {
		if in.form == numberRight && k == 1 || in.form == numberLeft && k == 0 {
			in.args[k] = c.numberOf(a)
			continue
		}
		in.args[k] = c.tileOf(a)
	}
	c.append(r, in)
}

func (c *compilation) append(r Reg, in instr) {
	in.dst = operand{place: inSlot, index: int(r)}
	c.at[r] = in.dst
	c.program.code = append(c.program.code, in)
}

func (c *compilation) isNumber(r Reg) bool { return c.values[r].op == number }

func (c *compilation) numberOf(r Reg) operand {
	v := c.values[r]
	if v.args[0] < 0 {
		return operand{place: asConst, value: v.constant()}
	}
	return operand{place: asInput, index: int(v.args[0])}
}

// tileOf is the tile of a value, brought into a register if it is not there yet.
func (c *compilation) tileOf(r Reg) operand {
	if at, ok := c.at[r]; ok {
		return at
	}
	v := c.values[r]
	if v.op == number {
		c.append(r, instr{op: fill, args: [3]operand{c.numberOf(r)}})
		return c.at[r]
	}
	index := int(v.args[0])
	if in := c.inputs[index]; in.access.full() && in.dtype == F32 {
		c.at[r] = operand{place: inInput, index: index}
		return c.at[r]
	}
	c.append(r, instr{op: load, args: [3]operand{{place: inInput, index: index}}})
	return c.at[r]
}

// assign gives registers their places: the float32 output itself where that is safe, else a
// slot for as long as the value is used.
func (c *compilation) assign() {
	p := c.program
	last, lastInput := c.lastUses()
	home := map[int]operand{} // of the value in a slot
	for k, o := range p.outputs {
		at := c.at[o.from]
		if _, taken := home[at.index]; taken || o.dtype != F32 {
			continue
		}
		// An output may share the memory of a full input: it is written late enough that no
		// such input is read any more, or in the instruction that reads it last.
		if c.definition(at.index) >= lastInput {
			home[at.index] = operand{place: inOutput, index: k}
		}
	}
	var free []int
	for i := range p.code {
		in := &p.code[i]
		value := in.dst.index
		if _, ok := home[value]; !ok {
			home[value] = operand{place: inSlot, index: c.takeSlot(&free)}
		}
		in.dst = home[value]
		// Operands die after the result has its place: kernels write before they have read
		// everything.
		for k := range in.args {
			if in.args[k].place == inSlot {
				value := in.args[k].index
				in.args[k] = home[value]
				if last[value] == i && home[value].place == inSlot && !slices.Contains(free, home[value].index) {
					free = append(free, home[value].index)
				}
			}
		}
	}
	for k, o := range p.outputs {
		if at := home[c.at[o.from].index]; at != (operand{place: inOutput, index: k}) {
			p.stores = append(p.stores, store{from: at, output: k})
		}
	}
}

// lastUses returns the last instruction that reads each value, and the last one that reads a
// full input. Values that are stored at the end of the tile are never free.
func (c *compilation) lastUses() (last map[int]int, lastInput int) {
	last, lastInput = map[int]int{}, -1
	for i, in := range c.program.code {
		for _, a := range in.args {
			switch {
			case a.place == inSlot:
				last[a.index] = i
			case a.place == inInput && c.inputs[a.index].access.full():
				lastInput = i
			}
		}
	}
	for _, o := range c.outputs {
		last[c.at[o.from].index] = len(c.program.code)
	}
	return last, lastInput
}

// definition is the instruction that computes a value.
func (c *compilation) definition(value int) int {
	return slices.IndexFunc(c.program.code, func(in instr) bool { return in.dst == operand{place: inSlot, index: value} })
}

func (c *compilation) takeSlot(free *[]int) int {
	if n := len(*free); n > 0 {
		slot := (*free)[n-1]
		*free = (*free)[:n-1]
		return slot
	}
	c.program.slots++
	return c.program.slots - 1
}

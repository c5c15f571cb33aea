package sched

import (
	"fmt"
	"slices"
	"strings"

	"github.com/orrery-rl/orrery/backend/cpu/internal/ir"
)

// clusterStep is a group of element-wise operations over one shape, computed
// tile by tile: intermediate results never leave the first-level cache.
type clusterStep struct {
	dims   []int
	size   int
	closed bool // no more operations may join

	inputs  []clusterInput
	instrs  []instr
	nodes   []*ir.Node // what each instruction computes, until finish
	outputs []clusterOutput

	// Filled in by finish.
	slots int // tiles of scratch
	tile  int // elements in a tile
}

// clusterInput is an operand from outside.
type clusterInput struct {
	view view
	kind access
	// For repeated and walked inputs: the collapsed axes of view over dims.
	walk collapsed
	slot int // where its tile lies; unused for full float32 inputs
}

// access is how the elements of an input follow those of the result.
type access uint8

const (
	accessFull     access = iota // element i is element i
	accessScalar                 // one element for all
	accessRepeated               // a row of period elements, again and again
	accessWalked                 // any other strides
)

// instr computes one tile: dst and operands are values, numbered with inputs
// first and then instructions.
type instr struct {
	op   ir.Op
	args [3]int
	n    int // number of operands
	slot int // where the result lies; -1: in the output itself
	out  int // the output written directly, if slot is -1
}

// clusterOutput is a result that is needed outside.
type clusterOutput struct {
	value int
	st    *storage
}

// maxInstrs and maxInputs bound a cluster, so that its tiles fit the cache.
const (
	maxInstrs = 96
	maxInputs = 40
)

// input returns the value of an operand from outside, adding it if it is new.
// It may only be called before the first instruction refers to later values,
// so instructions refer to inputs as -1-i until finish renumbers them.
func (c *clusterStep) input(v view) int {
	for i, in := range c.inputs {
		if in.view.st == v.st && in.view.off == v.off && slices.Equal(in.view.strides, v.strides) {
			return -1 - i
		}
	}
	c.inputs = append(c.inputs, clusterInput{view: v})
	return -len(c.inputs)
}

// append adds the instructions of other, which has no outputs yet, and returns
// the number of the first.
func (c *clusterStep) append(other *clusterStep) (first int) {
	first = len(c.instrs)
	inputs := make([]int, len(other.inputs))
	for i, in := range other.inputs {
		inputs[i] = c.input(in.view)
	}
	for _, in := range other.instrs {
		for k, a := range in.args[:in.n] {
			if a < 0 {
				in.args[k] = inputs[-1-a]
			} else {
				in.args[k] = first + a
			}
		}
		c.instrs = append(c.instrs, in)
	}
	c.nodes = append(c.nodes, other.nodes...)
	return first
}

// export returns the storage of instruction i, which makes it an output.
func (c *clusterStep) export(i int, alloc func(size int, isBool bool) *storage, isBool bool) *storage {
	for _, o := range c.outputs {
		if o.value == i {
			return o.st
		}
	}
	st := alloc(c.size, isBool)
	c.outputs = append(c.outputs, clusterOutput{i, st})
	return st
}

func (c *clusterStep) reads() []*storage {
	var out []*storage
	for _, in := range c.inputs {
		out = append(out, in.view.st)
	}
	return out
}

func (c *clusterStep) writes() []*storage {
	var out []*storage
	for _, o := range c.outputs {
		out = append(out, o.st)
	}
	return out
}

func (c *clusterStep) String() string {
	ops := make([]string, len(c.instrs))
	for i, in := range c.instrs {
		ops[i] = in.op.String()
	}
	return fmt.Sprintf("cluster %v, %d inputs, %d outputs: %s", c.dims, len(c.inputs), len(c.outputs), strings.Join(ops, " "))
}

// finish drops instructions that nothing needs, classifies the inputs, chooses
// the tile and assigns scratch.
func (c *clusterStep) finish() {
	c.nodes = nil
	c.dropUnused()
	c.tile = 1024
	for i := range c.inputs {
		c.inputs[i].classify(c.dims)
		// A tile that is a multiple of the period can be filled once and kept.
		if c.inputs[i].kind != accessRepeated {
			continue
		}
		if p := c.inputs[i].period(); p <= 2048 {
			c.tile = max(p, c.tile/p*p)
		}
	}
	c.assignSlots()
}

func (c *clusterStep) dropUnused() {
	needed := make([]bool, len(c.instrs))
	for _, o := range c.outputs {
		needed[o.value] = true
	}
	for i := len(c.instrs) - 1; i >= 0; i-- {
		if needed[i] {
			for _, a := range c.instrs[i].args[:c.instrs[i].n] {
				if a >= 0 {
					needed[a] = true
				}
			}
		}
	}
	renumbered := make([]int, len(c.instrs))
	var kept []instr
	for i, in := range c.instrs {
		if !needed[i] {
			continue
		}
		for k := range in.n {
			if in.args[k] >= 0 {
				in.args[k] = renumbered[in.args[k]]
			}
		}
		renumbered[i] = len(kept)
		kept = append(kept, in)
	}
	for i := range c.outputs {
		c.outputs[i].value = renumbered[c.outputs[i].value]
	}
	c.instrs = kept
}

func (in *clusterInput) classify(dims []int) {
	in.walk = collapse([][]int{in.view.strides}, dims)
	w := in.walk
	switch {
	case len(w.dims) == 0 || len(w.dims) == 1 && w.strides[0][0] == 0:
		in.kind = accessScalar
	case len(w.dims) == 1 && w.strides[0][0] == 1:
		in.kind = accessFull
	case len(w.dims) == 2 && w.strides[0][0] == 0 && w.strides[0][1] == 1:
		in.kind = accessRepeated
	default:
		in.kind = accessWalked
	}
}

func (in *clusterInput) period() int { return in.walk.dims[len(in.walk.dims)-1] }

// assignSlots gives inputs that are loaded a slot for the whole run, and
// instructions one for as long as their result is used; results that are
// float32 outputs go to the output directly.
func (c *clusterStep) assignSlots() {
	c.slots = 0
	for i := range c.inputs {
		in := &c.inputs[i]
		if in.kind != accessFull || in.view.st.isBool {
			in.slot = c.slots
			c.slots++
		}
	}
	last := make([]int, len(c.instrs))
	for i, in := range c.instrs {
		for _, a := range in.args[:in.n] {
			if a >= 0 {
				last[a] = i
			}
		}
	}
	direct := map[int]int{}
	for k, o := range c.outputs {
		if o.st.isBool {
			last[o.value] = len(c.instrs)
		} else if _, taken := direct[o.value]; !taken {
			direct[o.value] = k
		}
	}
	var free []int
	for i := range c.instrs {
		in := &c.instrs[i]
		in.slot = -1
		if k, ok := direct[i]; ok {
			in.out = k
		} else if len(free) > 0 {
			in.slot = free[len(free)-1]
			free = free[:len(free)-1]
		} else {
			in.slot = c.slots
			c.slots++
		}
		// Operands die only after the result has a place: a kernel may read an
		// operand after it wrote part of the result.
		for k, a := range in.args[:in.n] {
			if a >= 0 && last[a] == i && c.instrs[a].slot >= 0 && !slices.Contains(in.args[:k], a) {
				free = append(free, c.instrs[a].slot)
			}
		}
	}
}

func (c *clusterStep) run(r *run) {
	r.epilogue(c)
	tiles := (c.size + c.tile - 1) / c.tile
	r.parallel(tiles, max(1, grain/(c.tile*max(1, len(c.instrs)))), c)
}

// part computes tiles [lo, hi).
func (c *clusterStep) part(r *run, worker, lo, hi int) {
	r.finishRange(worker, lo*c.tile, min(hi*c.tile, c.size))
}

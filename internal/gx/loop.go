package gx

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// PrefersLoops reports whether the steps of a recurrence should be a [Loop] in
// the graphs of a backend. Where they should not, they are written out one after
// the other, which lets our own backend merge what they have in common. XLA runs
// both alike, but takes a minute to compile hundreds of steps written out.
//
// A backend says so by a method PrefersLoops.
func PrefersLoops(backend compute.Backend) bool {
	b, ok := backend.(interface{ PrefersLoops() bool })
	return ok && b.PrefersLoops()
}

// Loop is a recurrence that the graph holds once, however many steps it has.
type Loop struct {
	// Constants are what every step reads, such as weights.
	Constants []*graph.Node
	// State is what the first step begins with.
	State []*graph.Node
	// Inputs have a leading axis of one length, the number of steps: step i reads
	// entry i of each. There must be one at least.
	Inputs []*graph.Node
	// Step builds a step; it is called before the loop is made, and once more for
	// a gradient. The shapes of next are those of State. It may use any other node
	// of the graph, but gradients pass through its operands only.
	Step func(constants, state, inputs []*graph.Node) (next, outputs []*graph.Node)
}

// Run adds the loop to the graph. final is the state after the last step;
// outputs are those of all steps, stacked along a new leading axis. A step must
// not hold a loop itself.
//
// Gradients are those of the steps written out, provided the graph is built
// under [Compile]; the backward loop computes every step once more from its
// state instead of keeping what is inside.
func (l Loop) Run() (final, outputs []*graph.Node) {
	l.check()
	f := &forward{Loop: l, length: l.Inputs[0].Shape().Dimensions[0]}
	n, m := len(l.Constants), len(l.Constants)+len(l.State)
	f.step = rehearse(slices.Concat(l.Constants, l.State, firsts(l.Inputs)), func(in []*graph.Node) []*graph.Node {
		next, out := l.Step(in[:n], in[n:m], in[m:])
		checkNext(next, l.State)
		return slices.Concat(next, out)
	})
	carried := f.divide()
	f.results = repeat(l.State[0].Graph(), f.length, carried, f.body)
	f.register()
	return f.state.of(f.results), f.outputs.of(f.results)
}

// check panics, for Compile to return, when the inputs cannot be cut into steps.
func (l Loop) check() {
	if len(l.Inputs) == 0 || len(l.State) == 0 {
		panic(fmt.Errorf("Loop: %d inputs and %d tensors of state; both must be at least 1", len(l.Inputs), len(l.State)))
	}
	for i, x := range l.Inputs {
		if x.Rank() == 0 || x.Shape().Dimensions[0] != l.Inputs[0].Shape().Dimensions[0] {
			panic(fmt.Errorf("Loop: input %d is %s, input 0 %s; the first axes must have one length", i, x.Shape(), l.Inputs[0].Shape()))
		}
	}
}

// checkNext panics unless a step hands on what it received.
func checkNext(next, state []*graph.Node) {
	if len(next) != len(state) {
		panic(fmt.Errorf("Loop: a step makes %d tensors of state out of %d", len(next), len(state)))
	}
	for i, x := range next {
		if !x.Shape().Equal(state[i].Shape()) {
			panic(fmt.Errorf("Loop: a step turns state %d from %s into %s", i, state[i].Shape(), x.Shape()))
		}
	}
}

// span is where one kind of tensors is among those that a loop carries.
type span struct{ from, to int }

func (s span) of(carried []*graph.Node) []*graph.Node { return carried[s.from:s.to] }

// carry appends tensors to those carried and returns where they are.
func carry(carried *[]*graph.Node, more []*graph.Node) span {
	from := len(*carried)
	*carried = append(*carried, more...)
	return span{from, len(*carried)}
}

// forward is a loop in a graph.
type forward struct {
	Loop
	length int
	step   *rehearsal
	// Where what it carries is: the state, a stack of the states that steps began
	// with, stacks of the outputs, what steps only read.
	state, begun, outputs, constants, inputs, captured span
	// results are what the loop ends with.
	results []*graph.Node
}

// divide lays out what the loop carries and returns what it begins with.
func (f *forward) divide() (carried []*graph.Node) {
	f.state = carry(&carried, f.State)
	f.begun = carry(&carried, stacks(f.State, f.length))
	f.outputs = carry(&carried, stacks(f.step.results[len(f.State):], f.length))
	f.constants = carry(&carried, f.Constants)
	f.inputs = carry(&carried, f.Inputs)
	f.captured = carry(&carried, f.step.captured)
	return carried
}

// body is step i of the loop.
func (f *forward) body(i *graph.Node, carried []*graph.Node) []*graph.Node {
	state := f.state.of(carried)
	operands := slices.Concat(f.constants.of(carried), state, entries(f.inputs.of(carried), i))
	results := f.step.plant(operands, f.captured.of(carried))
	next, outputs := results[:len(state)], results[len(state):]
	return slices.Concat(next, put(f.begun.of(carried), i, state), put(f.outputs.of(carried), i, outputs), carried[f.constants.from:])
}

// repeat carries tensors through length calls of body, which is built once; i
// counts the calls, from 0.
func repeat(g *graph.Graph, length int, carried []*graph.Node, body func(i *graph.Node, carried []*graph.Node) []*graph.Node) []*graph.Node {
	params := func() []*graph.Node {
		out := []*graph.Node{graph.Parameter(g, "i", shapes.Make(dtypes.Int32))}
		for j, x := range carried {
			out = append(out, graph.Parameter(g, fmt.Sprintf("carried%d", j), x.Shape()))
		}
		return out
	}
	condition := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
		return []*graph.Node{graph.LessThan(params()[0], graph.Const(g, int32(length)))}
	})
	step := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
		in := params()
		return append([]*graph.Node{graph.Add(in[0], graph.Const(g, int32(1)))}, body(in[0], in[1:])...)
	})
	return graph.While(condition, step, append([]*graph.Node{graph.Const(g, int32(0))}, carried...)...)[1:]
}

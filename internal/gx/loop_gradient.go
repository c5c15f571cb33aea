package gx

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// loopsKey is the key under which a graph carries its loops: a map from the id of
// the While node to the loop.
type loopsKey struct{}

// register makes the loop known to the gradient of While.
func (f *forward) register() {
	node := f.results[0].Inputs()[0]
	g := node.Graph()
	table, ok := g.State(loopsKey{}).(map[graph.NodeId]*forward)
	if !ok {
		table = make(map[graph.NodeId]*forward)
		g.AttachState(loopsKey{}, table)
	}
	table[node.Id()] = f
}

// loopGradient is the gradient of While, of which GoMLX has none, for the nodes
// made by Loop.Run.
func loopGradient(node *graph.Node, adjoints []*graph.Node, _ shapes.Shape) []*graph.Node {
	table, _ := node.Graph().State(loopsKey{}).(map[graph.NodeId]*forward)
	f, ok := table[node.Id()]
	if !ok {
		panic(fmt.Errorf("%s was not made by gx.Loop: it has no gradient", node))
	}
	// The first operand and result count the steps.
	return append([]*graph.Node{nil}, f.gradient(adjoints[1:])...)
}

// gradient adds the backward loop. adjoints are those of the forward loop's
// results; what it returns is nil for what has no gradient.
func (f *forward) gradient(adjoints []*graph.Node) []*graph.Node {
	b := &backward{f: f}
	carried := b.divide(f.state.of(adjoints), f.outputs.of(adjoints))
	results := repeat(f.State[0].Graph(), f.length, carried, b.body)
	out := make([]*graph.Node, len(adjoints))
	copy(f.state.of(out), b.state.of(results))
	copy(f.constants.of(out), b.constants.of(results))
	copy(f.inputs.of(out), b.inputs.of(results))
	return out
}

// backward is the loop from the last step to the first.
type backward struct {
	f    *forward
	step *rehearsal
	// Where what it carries is: the gradient of the state, the sums of those of the
	// constants, stacks of those of the inputs. Then what it only reads: the states
	// that steps began with, the gradients of the outputs, the operands of a step.
	state, constants, inputs                   span
	begun, outputs, weights, inputs0, captured span
}

// divide lays out what the loop carries and returns what it begins with.
func (b *backward) divide(state, outputs []*graph.Node) (carried []*graph.Node) {
	f := b.f
	b.state = carry(&carried, state)
	b.constants = carry(&carried, zerosLike(f.Constants))
	b.inputs = carry(&carried, zerosLike(f.Inputs))
	b.begun = carry(&carried, f.begun.of(f.results))
	b.outputs = carry(&carried, outputs)
	b.weights = carry(&carried, f.Constants)
	b.inputs0 = carry(&carried, f.Inputs)
	b.step = rehearse(slices.Concat(f.Constants, f.State, firsts(f.Inputs), state, firsts(outputs)), f.stepGradient)
	b.captured = carry(&carried, b.step.captured)
	return carried
}

// stepGradient are the gradients of a step with respect to its operands,
// constants, state and inputs. in are these, and the gradients of its results.
func (f *forward) stepGradient(in []*graph.Node) []*graph.Node {
	n := len(f.Constants)
	m := n + len(f.State)
	k := m + len(f.Inputs)
	next, outputs := f.Step(in[:n], in[n:m], in[m:k])
	return graph.Gradient(dot(slices.Concat(next, outputs), in[k:]), in[:k]...)
}

// dot is the sum of all products of values and weights, whose gradient with
// respect to the values is the weights.
func dot(values, weights []*graph.Node) *graph.Node {
	var total *graph.Node
	for i, x := range values {
		part := graph.ReduceAllSum(graph.Mul(x, weights[i]))
		if total == nil {
			total = part
		} else {
			total = graph.Add(total, part)
		}
	}
	return total
}

// body is the gradient of step length-1-i.
func (b *backward) body(i *graph.Node, carried []*graph.Node) []*graph.Node {
	t := graph.Sub(graph.Const(i.Graph(), int32(b.f.length-1)), i)
	operands := slices.Concat(b.weights.of(carried), entries(b.begun.of(carried), t), entries(b.inputs0.of(carried), t),
		b.state.of(carried), entries(b.outputs.of(carried), t))
	results := b.step.plant(operands, b.captured.of(carried))
	n := len(b.f.Constants)
	m := n + len(b.f.State)
	sums := slices.Clone(b.constants.of(carried))
	for j, share := range results[:n] {
		sums[j] = graph.Add(sums[j], share)
	}
	return slices.Concat(results[n:m], sums, put(b.inputs.of(carried), t, results[m:]), carried[b.begun.from:])
}

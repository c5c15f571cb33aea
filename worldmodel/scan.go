package worldmodel

import (
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// scan follows a recurrence through the records of B chunks. Its steps are
// written out one after the other, or are one loop where the backend prefers that.
type scan struct {
	start State
	// inputs are [B, L, D]; a step reads a matrix [B, D] of each.
	inputs []*graph.Node
	// step advances the state. n is the net to use: in a loop the transition's
	// parameters are other nodes. outputs are matrices, too.
	step func(n *Net, state State, inputs []*graph.Node) (next State, outputs []*graph.Node)
}

// scanned are the results of a scan: of each step the nodes of its state, then its
// outputs.
type scanned struct {
	states []State
	// steps are the results by step, or nil after a loop; stacks are then [L, B, D].
	steps  [][]*graph.Node
	stacks []*graph.Node
}

// scan runs s.
func (n *Net) scan(s scan) scanned {
	if gx.PrefersLoops(n.graph().Backend()) {
		return n.loop(s)
	}
	_, length := chunkShape(s.inputs[0])
	inputs := make([][]*graph.Node, len(s.inputs))
	for i, x := range s.inputs {
		inputs[i] = splitTime(x)
	}
	var out scanned
	for t, state := 0, s.start; t < length; t++ {
		now := make([]*graph.Node, len(inputs))
		for i, x := range inputs {
			now[i] = x[t]
		}
		var outputs []*graph.Node
		state, outputs = s.step(n, state, now)
		out.states = append(out.states, state)
		out.steps = append(out.steps, slices.Concat(state.Nodes(), outputs))
	}
	return out
}

// loop is scan as a loop.
func (n *Net) loop(s scan) (out scanned) {
	l := gx.Loop{Constants: n.transitionParams(), State: s.start.Nodes()}
	for _, x := range s.inputs {
		l.Inputs = append(l.Inputs, graph.TransposeAllAxes(x, 1, 0, 2))
	}
	l.Step = func(params, state, inputs []*graph.Node) (next, outputs []*graph.Node) {
		after, more := s.step(n.withTransitionParams(params), n.StateFromNodes(state), inputs)
		return after.Nodes(), slices.Concat(after.Nodes(), more)
	}
	_, out.stacks = l.Run()
	parts := make([][]*graph.Node, len(l.State))
	for i := range parts {
		parts[i] = splitStack(out.stacks[i])
	}
	for t := range parts[0] {
		nodes := make([]*graph.Node, len(parts))
		for i, p := range parts {
			nodes[i] = p[t]
		}
		out.states = append(out.states, n.StateFromNodes(nodes))
	}
	return out
}

// joined is result i of all steps, [B, L, D].
func (s scanned) joined(i int) *graph.Node {
	if s.steps == nil {
		return graph.TransposeAllAxes(s.stacks[i], 1, 0, 2)
	}
	return joinTime(s.steps, func(step []*graph.Node) *graph.Node { return step[i] })
}

// joinedGaussian is a distribution whose mean is result i and whose deviation is
// the one after it.
func (s scanned) joinedGaussian(i int) Gaussian {
	return Gaussian{Mean: s.joined(i), Std: s.joined(i + 1)}
}

// splitStack cuts [L, B, D] into L matrices [B, D].
func splitStack(x *graph.Node) []*graph.Node {
	length, rows := chunkShape(x)
	return gx.Split(graph.Reshape(x, length*rows, x.Shape().Dimensions[2]), 0, length)
}

// transitionParams are the nodes of the transition's parameters.
func (n *Net) transitionParams() []*graph.Node {
	return n.params[n.m.transitionStart:n.m.transitionEnd]
}

// withTransitionParams is the net with other nodes for them.
func (n *Net) withTransitionParams(params []*graph.Node) *Net {
	other := *n
	other.params = slices.Concat(n.params[:n.m.transitionStart], params, n.params[n.m.transitionEnd:])
	return &other
}

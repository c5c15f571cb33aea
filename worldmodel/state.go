package worldmodel

import (
	"fmt"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// State is what the model carries from one decision to the next, N rows of
// each node. It starts at zero. Which nodes there are depends on the
// transition; the others are nil. Code that only carries states uses
// [State.Nodes] and [Net.StateFromNodes].
type State struct {
	// Deter is the deterministic state h, [N, DeterSize]: that of the RSSM's
	// cell or of the decoder cell of the DRNN. The SSM has none.
	Deter *graph.Node
	// Stoch is a sample of the stochastic state s, [N, StochSize].
	Stoch *graph.Node
	// Encoder is the state of the encoder cell, [N, DeterSize]; only the DRNN
	// has one.
	Encoder *graph.Node
}

// Nodes lists the nodes that the state has, in the order of
// [Model.StateSizes].
func (s State) Nodes() []*graph.Node {
	var nodes []*graph.Node
	for _, node := range []*graph.Node{s.Deter, s.Stoch, s.Encoder} {
		if node != nil {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

// stateSizes are the widths of a state's fields, 0 for those it lacks.
type stateSizes struct{ deter, stoch, encoder int }

// StateSizes returns the widths of a state's nodes: node i of [State.Nodes] is
// [N, StateSizes()[i]].
func (m *Model) StateSizes() []int {
	sizes := m.transition.stateSizes()
	var widths []int
	for _, width := range []int{sizes.deter, sizes.stoch, sizes.encoder} {
		if width > 0 {
			widths = append(widths, width)
		}
	}
	return widths
}

// StateFromNodes is the inverse of [State.Nodes].
func (n *Net) StateFromNodes(nodes []*graph.Node) State {
	if want := len(n.m.StateSizes()); len(nodes) != want {
		panic(fmt.Errorf("worldmodel: a state of %d nodes; the transition %q has %d", len(nodes), n.m.cfg.Transition, want))
	}
	take := func(width int) (node *graph.Node) {
		if width > 0 {
			node, nodes = nodes[0], nodes[1:]
		}
		return node
	}
	sizes := n.m.transition.stateSizes()
	return State{Deter: take(sizes.deter), Stoch: take(sizes.stoch), Encoder: take(sizes.encoder)}
}

// InitialState returns the state before the first decision: zeros for rows rows.
func (n *Net) InitialState(rows int) State {
	var nodes []*graph.Node
	for _, width := range n.m.StateSizes() {
		nodes = append(nodes, graph.Zeros(n.graph(), shapes.Make(n.dtype(), rows, width)))
	}
	return n.StateFromNodes(nodes)
}

// Features returns what the heads read, [N, F]: for each transition the nodes
// that its paper decodes from, the stochastic before the deterministic state.
func (n *Net) Features(state State) *graph.Node {
	n.checkState(state)
	return n.m.transition.features(state)
}

// checkState panics unless the state is one of this model; it returns the
// number of rows.
func (n *Net) checkState(state State) (rows int) {
	if nodes := state.Nodes(); len(nodes) > 0 {
		rows = leading(nodes[0])
	}
	sizes := n.m.transition.stateSizes()
	checkPart("deterministic state", state.Deter, rows, sizes.deter)
	checkPart("stochastic state", state.Stoch, rows, sizes.stoch)
	checkPart("encoder state", state.Encoder, rows, sizes.encoder)
	return rows
}

func checkPart(name string, node *graph.Node, rows, width int) {
	if width > 0 && node == nil || width == 0 && node != nil {
		panic(fmt.Errorf("worldmodel: the state's %s is given: %t, the transition has one: %t", name, node != nil, width > 0))
	}
	if node != nil {
		gx.CheckShape(name, node, rows, width)
	}
}

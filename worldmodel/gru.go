package worldmodel

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// gru is a gated recurrent cell. Its update gate u keeps the old state:
// h' = u*h + (1-u)*c.
type gru struct {
	form GRUForm
	// gates computes reset and update gate, in this order, from [x; h].
	gates affine
	// candidate reads [x; r*h] with ResetBefore, x with ResetAfter.
	candidate affine
	// recurrent reads h with ResetAfter only.
	recurrent affine
	// embedGates and embedCandidate are kernels of a further input, an
	// embedding, for cells that have one: kept apart so that its products are
	// taken once for a whole chunk.
	embedGates, embedCandidate int
}

// gruSizes are the widths of a cell's input, state and embedding; embed is 0
// for cells without one.
type gruSizes struct{ in, state, embed int }

// newGRU adds a cell's parameters under name. The gates' biases start at one,
// so that the cell remembers at first, as in TensorFlow.
func newGRU(specs *specList, name string, form GRUForm, s gruSizes) gru {
	all := s.in + s.embed
	kernel, one := glorot(all+s.state, s.state), Init{Mean: 1}
	c := gru{form: form, gates: specs.affine(name+"/gates", glorot(all+s.state, 2*s.state), one, s.in+s.state, 2*s.state)}
	if form == ResetAfter {
		kernel = glorot(all, s.state)
		c.candidate = specs.affine(name+"/candidate", kernel, Init{}, s.in, s.state)
		c.recurrent = specs.dense(name+"/recurrent", s.state, s.state)
	} else {
		c.candidate = specs.affine(name+"/candidate", kernel, Init{}, s.in+s.state, s.state)
	}
	if s.embed > 0 {
		c.embedGates = specs.add(name+"/embed_gates/kernel", glorot(all+s.state, 2*s.state), s.embed, 2*s.state)
		c.embedCandidate = specs.add(name+"/embed_candidate/kernel", kernel, s.embed, s.state)
	}
	return c
}

// gru advances h [N, size] by the input x [N, in].
func (n *Net) gru(c gru, x, h *graph.Node) *graph.Node { return n.gruWith(c, x, h, nil) }

// gruWith is gru with the products of an embedding, [N, 3*size]: those of the
// gates, then the candidate's. nil stands for none.
func (n *Net) gruWith(c gru, x, h, projected *graph.Node) *graph.Node {
	gates := n.dense(c.gates, lastAxis(x, h))
	var shares []*graph.Node // of reset gate, update gate and candidate
	if projected != nil {
		shares = gx.Split(projected, 1, 3)
		gates = graph.Add(gates, lastAxis(shares[0], shares[1]))
	}
	parts := gx.Split(graph.Sigmoid(gates), 1, 2)
	reset, update := parts[0], parts[1]
	var candidate *graph.Node
	if c.form == ResetAfter {
		candidate = graph.Add(n.dense(c.candidate, x), graph.Mul(reset, n.dense(c.recurrent, h)))
	} else {
		candidate = n.dense(c.candidate, lastAxis(x, graph.Mul(reset, h)))
	}
	if projected != nil {
		candidate = graph.Add(candidate, shares[2])
	}
	candidate = graph.Tanh(candidate)
	return graph.Add(candidate, graph.Mul(update, graph.Sub(h, candidate)))
}

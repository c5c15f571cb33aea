package worldmodel

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// gru is a gated recurrent cell. Its update gate u keeps the old state:
// h' = u*h + (1-u)*c.
type gru struct {
	// gates computes reset and update gate, in this order, from [x; h].
	gates affine
	// candidate reads [x; r*h] with ResetBefore, x with ResetAfter.
	candidate affine
	// recurrent reads h with ResetAfter only.
	recurrent affine
}

// newGRU adds the cell's parameters under "rssm/gru/". The gates' biases start
// at one, so that the cell remembers at first, as in TensorFlow.
func newGRU(specs *specList, cfg Config) gru {
	in, size := cfg.HiddenSize, cfg.DeterSize
	c := gru{gates: specs.affine("rssm/gru/gates", glorot(in+size, 2*size), Init{Mean: 1}, in+size, 2*size)}
	if cfg.GRU == ResetAfter {
		c.candidate = specs.dense("rssm/gru/candidate", in, size)
		c.recurrent = specs.dense("rssm/gru/recurrent", size, size)
		return c
	}
	c.candidate = specs.dense("rssm/gru/candidate", in+size, size)
	return c
}

// gru advances h [N, DeterSize] by the input x [N, HiddenSize].
func (n *Net) gru(x, h *graph.Node) *graph.Node {
	c := n.m.rssm.cell
	gates := gx.Split(graph.Sigmoid(n.dense(c.gates, lastAxis(x, h))), 1, 2)
	reset, update := gates[0], gates[1]
	var candidate *graph.Node
	if n.m.cfg.GRU == ResetAfter {
		candidate = graph.Add(n.dense(c.candidate, x), graph.Mul(reset, n.dense(c.recurrent, h)))
	} else {
		candidate = n.dense(c.candidate, lastAxis(x, graph.Mul(reset, h)))
	}
	candidate = graph.Tanh(candidate)
	return graph.Add(candidate, graph.Mul(update, graph.Sub(h, candidate)))
}

package worldmodel

import (
	"github.com/gomlx/gomlx/core/graph"
)

// dense is x*kernel + bias: [N, in] -> [N, out].
func (n *Net) dense(a affine, x *graph.Node) *graph.Node {
	return n.addBias(a, matmul(x, n.params[a.kernel]))
}

// addBias adds the layer's bias along the last axis of y.
func (n *Net) addBias(a affine, y *graph.Node) *graph.Node {
	return graph.Add(y, graph.ExpandLeftToRank(n.params[a.bias], y.Rank()))
}

// matmul is the product of two matrices.
func matmul(x, w *graph.Node) *graph.Node { return graph.Dot(x, w).Product() }

// softplus is ln(1+e^x) without overflow: (x+|x|)/2 + ln(1+e^-|x|), where the
// first term is max(0, x) exactly. Its gradient at 0 is 1/2 as it should be.
func softplus(x *graph.Node) *graph.Node {
	magnitude := graph.Abs(x)
	return graph.Add(
		graph.MulScalar(graph.Add(x, magnitude), 0.5),
		graph.Log1P(graph.Exp(graph.Neg(magnitude))))
}

// lastAxis joins nodes along their last axis.
func lastAxis(nodes ...*graph.Node) *graph.Node { return graph.Concatenate(nodes, -1) }

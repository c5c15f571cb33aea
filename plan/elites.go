package plan

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// worstIfNaN replaces scores that are not a number by -Inf.
func worstIfNaN(scores *graph.Node) *graph.Node {
	return graph.Where(graph.IsNaN(scores), graph.Infinity(scores.Graph(), scores.DType(), -1), scores)
}

// ranks counts, for each entry of scores [E, J], the entries of its row that come
// before it: the larger ones, and the equal ones of a lower index. So the best
// has rank 0. scores must not contain NaN; infinities are fine.
//
// Comparing all pairs is J*J element-wise work without a sort, a gather or a
// comparator, which every backend runs as one pass; for J = 1000 it costs a
// small part of one model step.
func ranks(scores *graph.Node) *graph.Node {
	g, dtype := scores.Graph(), scores.DType()
	dims := scores.Shape().Dimensions
	self := func(x *graph.Node) *graph.Node { return graph.Reshape(x, dims[0], dims[1], 1) }
	other := func(x *graph.Node) *graph.Node { return graph.Reshape(x, dims[0], 1, dims[1]) }
	one, zero := graph.ScalarOne(g, dtype), graph.ScalarZero(g, dtype)

	index := graph.Iota(g, shapes.Make(dtypes.Float32, dims...), 1)
	before := graph.Where(graph.GreaterThan(self(index), other(index)), one, zero)
	before = graph.Where(graph.GreaterThan(self(scores), other(scores)), zero, before)
	before = graph.Where(graph.GreaterThan(other(scores), self(scores)), one, before)
	return graph.ReduceSum(before, 2)
}

// topMask is 1 for the entries [E, J] with the k lowest ranks and 0 for the
// others.
func topMask(ranks *graph.Node, k int) *graph.Node {
	g, dtype := ranks.Graph(), ranks.DType()
	return graph.Where(graph.LessThan(ranks, graph.Scalar(g, dtype, float64(k))), graph.ScalarOne(g, dtype), graph.ScalarZero(g, dtype))
}

// firstOfMax is 1 at the first of the largest entries along an axis and 0
// elsewhere. x must not contain NaN.
func firstOfMax(x *graph.Node, axis int) *graph.Node {
	g, dtype := x.Graph(), x.DType()
	one, zero := graph.ScalarOne(g, dtype), graph.ScalarZero(g, dtype)
	spread := func(y *graph.Node) *graph.Node { return graph.BroadcastToDims(y, x.Shape().Dimensions...) }
	largest := graph.Equal(x, spread(graph.ReduceAndKeep(x, graph.ReduceMax, axis)))
	index := graph.Iota(g, shapes.Make(dtype, x.Shape().Dimensions...), axis)
	beyond := graph.Scalar(g, dtype, float64(x.Shape().Dimensions[axis]))
	index = graph.Where(largest, index, beyond)
	first := spread(graph.ReduceAndKeep(index, graph.ReduceMin, axis))
	return graph.Where(graph.LogicalAnd(largest, graph.Equal(index, first)), one, zero)
}

// pick returns the candidates with the n lowest ranks, best first:
// actions [H, E, J, A], ranks [E, J] -> [H, E, n, A].
func pick(actions, ranks *graph.Node, n int) *graph.Node {
	g, dtype := ranks.Graph(), ranks.DType()
	dims := ranks.Shape().Dimensions
	place := graph.Iota(g, shapes.Make(dtype, dims[0], n, dims[1]), 1)
	chosen := graph.Equal(place, graph.BroadcastToDims(graph.Reshape(ranks, dims[0], 1, dims[1]), dims[0], n, dims[1]))
	weight := graph.Where(chosen, graph.ScalarOne(g, dtype), graph.ScalarZero(g, dtype))
	a := actions.Shape().Dimensions
	return graph.ReduceSum(graph.Mul(
		graph.Reshape(weight, 1, dims[0], n, dims[1], 1),
		graph.Reshape(actions, a[0], a[1], 1, a[2], a[3])), 3)
}

// summarise describes the scores [E, J] of an iteration and of its k elites.
func summarise(scores, elites *graph.Node, k int) Scores {
	zero := graph.ScalarZero(scores.Graph(), scores.DType())
	one := graph.ScalarOne(scores.Graph(), scores.DType())
	missing := graph.IsNaN(scores)
	valid := graph.MaxScalar(graph.ReduceSum(graph.Where(missing, zero, one), 1), 1)
	sum := graph.ReduceSum(graph.Where(missing, zero, scores), 1)

	ordered := worstIfNaN(scores)
	chosen := graph.GreaterThan(elites, graph.ZerosLike(elites))
	return Scores{
		Best: graph.ReduceMax(ordered, 1), Mean: graph.Div(sum, valid), All: scores,
		Elite: graph.DivScalar(graph.ReduceSum(graph.Where(chosen, ordered, zero), 1), float64(k)),
	}
}

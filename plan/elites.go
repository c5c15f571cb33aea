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

// topMask is 1 for the k largest entries in each row of scores [E, J] and 0 for
// the others: exactly k ones, equal entries taken in the order of their index.
// scores must not contain NaN; infinities are fine.
//
// An entry is chosen if fewer than k others come before it. Comparing all pairs
// is J*J element-wise work without a sort, a gather or a comparator, which
// every backend runs as one pass; for J = 1000 it costs a small part of one
// model step.
func topMask(scores *graph.Node, k int) *graph.Node {
	g, dtype := scores.Graph(), scores.DType()
	dims := scores.Shape().Dimensions
	self := func(x *graph.Node) *graph.Node { return graph.Reshape(x, dims[0], dims[1], 1) }
	other := func(x *graph.Node) *graph.Node { return graph.Reshape(x, dims[0], 1, dims[1]) }
	one, zero := graph.ScalarOne(g, dtype), graph.ScalarZero(g, dtype)

	index := graph.Iota(g, shapes.Make(dtypes.Float32, dims...), 1)
	before := graph.Where(graph.GreaterThan(self(index), other(index)), one, zero)
	before = graph.Where(graph.GreaterThan(self(scores), other(scores)), zero, before)
	before = graph.Where(graph.GreaterThan(other(scores), self(scores)), one, before)
	rank := graph.ReduceSum(before, 2)
	return graph.Where(graph.LessThan(rank, graph.Scalar(g, dtype, float64(k))), one, zero)
}

// history collects one [E] node per iteration for each statistic.
type history struct{ best, mean, elite []*graph.Node }

// add records the raw scores [E, J] of an iteration and its elites.
func (h *history) add(scores, elites *graph.Node, k int) {
	zero := graph.ScalarZero(scores.Graph(), scores.DType())
	one := graph.ScalarOne(scores.Graph(), scores.DType())
	missing := graph.IsNaN(scores)
	valid := graph.MaxScalar(graph.ReduceSum(graph.Where(missing, zero, one), 1), 1)
	sum := graph.ReduceSum(graph.Where(missing, zero, scores), 1)

	ordered := worstIfNaN(scores)
	chosen := graph.GreaterThan(elites, graph.ZerosLike(elites))
	h.best = append(h.best, graph.ReduceMax(ordered, 1))
	h.mean = append(h.mean, graph.Div(sum, valid))
	h.elite = append(h.elite, graph.DivScalar(graph.ReduceSum(graph.Where(chosen, ordered, zero), 1), float64(k)))
}

package plan

import "github.com/gomlx/gomlx/core/graph"

// refit moves the proposal to the elites of each environment. actions is
// [H, E, J, A]; elites [E, J] has exactly Elites ones in each row; scores [E, J]
// has no NaN.
//
// The sums run over all candidates weighted, most by 0: that costs less than
// gathering the elites and, unlike a matrix product, keeps full precision on
// backends that multiply matrices in bfloat16.
func (p gaussian) refit(old proposal, actions, scores, elites *graph.Node) proposal {
	switch p.cfg.Method {
	case MPPI:
		return p.refitMPPI(old, actions, scores, elites)
	case ICEM:
		next := p.fit(actions, elites, float64(p.cfg.Elites))
		return proposal{mix(old.mean, next.mean, p.cfg.ICEM.Momentum), mix(old.std, next.std, p.cfg.ICEM.Momentum)}
	}
	return p.fit(actions, elites, float64(p.cfg.Elites))
}

// mix is m of the old and the rest of the new.
func mix(old, next *graph.Node, m float64) *graph.Node {
	if m == 0 {
		return next
	}
	return graph.Add(graph.MulScalar(old, m), graph.MulScalar(next, 1-m))
}

// fit is the mean and the population deviation of weighted candidates; weights
// [E, J] sum to the number total in each row.
func (p gaussian) fit(actions, weights *graph.Node, total float64) proposal {
	dims := weights.Shape().Dimensions
	weight := graph.Reshape(weights, 1, dims[0], dims[1], 1)
	average := func(x *graph.Node) *graph.Node {
		return graph.DivScalar(graph.ReduceAndKeep(graph.Mul(weight, x), graph.ReduceSum, 2), total)
	}
	mean := average(actions)
	variance := average(graph.Square(graph.Sub(actions, mean)))
	return proposal{mean, graph.Sqrt(graph.AddScalar(variance, p.cfg.VarianceEpsilon))}
}

// refitMPPI weighs the elites by exp(Temperature * (score - best score)).
func (p gaussian) refitMPPI(old proposal, actions, scores, elites *graph.Node) proposal {
	weights := softWeights(scores, elites, p.cfg.MPPI.Temperature)
	next := p.fit(actions, weights, 1)
	return proposal{
		mean: mix(old.mean, next.mean, p.cfg.MPPI.Momentum),
		std:  graph.ClipScalar(next.std, p.cfg.MPPI.MinStd, p.cfg.MPPI.InitStd),
	}
}

// softWeights are proportional to exp(temperature * score) on the elites, 0
// elsewhere, and sum to 1 in each row. Where even the best score is infinite the
// elites count alike.
func softWeights(scores, elites *graph.Node, temperature float64) *graph.Node {
	g, dtype := scores.Graph(), scores.DType()
	dims := scores.Shape().Dimensions
	zero := graph.ScalarZero(g, dtype)
	below := graph.Sub(scores, graph.BroadcastToDims(graph.ReduceAndKeep(scores, graph.ReduceMax, 1), dims...))
	below = graph.Where(graph.IsNaN(below), zero, below) // infinity less infinity
	// A temperature of 0 makes all elites alike, but not one of score -Inf, whose
	// distance it would turn into NaN.
	lost := graph.Equal(below, graph.Infinity(g, dtype, -1))
	w := graph.Mul(elites, graph.Where(lost, zero, graph.Exp(graph.MulScalar(below, temperature))))
	return graph.Div(w, graph.BroadcastToDims(graph.ReduceAndKeep(w, graph.ReduceSum, 1), dims...))
}

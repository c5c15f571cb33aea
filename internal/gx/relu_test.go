package gx_test

import (
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// TestRelu checks value and gradient, 0 at 0, beside a selection that is not a
// Relu and keeps GoMLX's gradient.
func TestRelu(t *testing.T) {
	got := runOnVector(t, []float64{-2, 0, 3, 1e-300}, func(x *graph.Node) []*graph.Node {
		y := gx.Relu(x)
		other := graph.Where(graph.GreaterThan(x, graph.ScalarOne(x.Graph(), x.DType())), graph.MulScalar(x, 10.0), graph.Neg(x))
		weights := graph.Const(x.Graph(), []float64{2, 3, 5, 7})
		loss := graph.ReduceAllSum(graph.Mul(weights, y))
		return []*graph.Node{y, graph.Gradient(loss, x)[0], graph.Gradient(graph.ReduceAllSum(other), x)[0]}
	})
	assertClose(t, "relu", got[0], []float64{0, 0, 3, 1e-300}, 0)
	assertClose(t, "gradient", got[1], []float64{0, 0, 5, 7}, 0)
	assertClose(t, "gradient of another selection", got[2], []float64{-1, -1, 10, -1}, 0)
}

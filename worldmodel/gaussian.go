package worldmodel

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// Gaussian is a diagonal normal distribution over the last axis. Mean and Std
// have the same shape, [..., Z]; Std is positive.
type Gaussian struct{ Mean, Std *graph.Node }

// Sample returns Mean + Std*noise: a reparameterised sample for standard normal
// noise [..., Z], the mean for zeros.
func (g Gaussian) Sample(noise *graph.Node) *graph.Node {
	gx.CheckShape("noise", noise, g.Mean.Shape().Dimensions...)
	return graph.Add(g.Mean, graph.Mul(g.Std, noise))
}

// KL returns the divergence KL(g || p) in nats, summed over the last axis:
// ln(sp/sg) + (sg^2 + (mg-mp)^2)/(2 sp^2) - 1/2 for each component.
func (g Gaussian) KL(p Gaussian) *graph.Node {
	gx.CheckShape("KL operand", p.Mean, g.Mean.Shape().Dimensions...)
	ratio := graph.Div(g.Std, p.Std)
	distance := graph.Div(graph.Sub(g.Mean, p.Mean), p.Std)
	quadratic := graph.MulScalar(graph.Add(graph.Square(ratio), graph.Square(distance)), 0.5)
	each := graph.AddScalar(graph.Sub(quadratic, graph.Log(ratio)), -0.5)
	return graph.ReduceSum(each, -1)
}

// Entropy returns the differential entropy in nats, summed over the last axis.
func (g Gaussian) Entropy() *graph.Node {
	constant := 0.5 * math.Log(2*math.Pi*math.E)
	return graph.ReduceSum(graph.AddScalar(graph.Log(g.Std), constant), -1)
}

// reshape gives mean and deviation other dimensions.
func (g Gaussian) reshape(dims ...int) Gaussian {
	return Gaussian{Mean: graph.Reshape(g.Mean, dims...), Std: graph.Reshape(g.Std, dims...)}
}

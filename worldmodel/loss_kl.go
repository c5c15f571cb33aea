package worldmodel

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

func (c Config) usesGlobalKL() bool { return c.Objective.GlobalKLScale > 0 }

// divergence is the KL of posterior and prior in the configured direction,
// summed over the last axis.
func (c Config) divergence(posterior, prior Gaussian) *graph.Node {
	if c.Objective.KLDirection == PriorPosterior {
		return prior.KL(posterior)
	}
	return posterior.KL(prior)
}

// klLoss is the KL of distributions [B, L, Z] after free nats, a scalar,
// balanced between prior and posterior if the objective says so.
func (c Config) klLoss(posterior, prior Gaussian) *graph.Node {
	balance := c.Objective.KLBalance
	if balance == 0 {
		return c.afterFreeNats(c.divergence(posterior, prior))
	}
	trainsPrior := c.afterFreeNats(c.divergence(posterior.stopped(), prior))
	trainsPosterior := c.afterFreeNats(c.divergence(posterior, prior.stopped()))
	return graph.Add(graph.MulScalar(trainsPrior, balance), graph.MulScalar(trainsPosterior, 1-balance))
}

// afterFreeNats reduces the KLs of records to what they cost on average.
func (c Config) afterFreeNats(kl *graph.Node) *graph.Node {
	return c.paddedFreeNats(kl, 0, kl.Shape().Size())
}

// paddedFreeNats is the cost of the given KLs and of padding more that are 0,
// with their sum divided by count. Codes that pad their predictions to equal
// lengths differ from [Config.afterFreeNats] in these two numbers.
func (c Config) paddedFreeNats(kl *graph.Node, padding, count int) *graph.Node {
	scale := 1 / float64(count)
	if c.Objective.FreeNatsOn == OnMean {
		return c.allow(graph.MulScalar(graph.ReduceAllSum(kl), scale))
	}
	sum := graph.MulScalar(graph.ReduceAllSum(c.allow(kl)), scale)
	if c.Objective.FreeNatsForm == Floor && padding > 0 {
		sum = graph.AddScalar(sum, c.FreeNats*float64(padding)*scale)
	}
	return sum
}

// allow applies the allowance to each element of x.
func (c Config) allow(x *graph.Node) *graph.Node {
	over := excess(x, c.FreeNats)
	if c.Objective.FreeNatsForm == Floor {
		return graph.AddScalar(over, c.FreeNats)
	}
	return over
}

// excess is max(0, x - free) for each element, with gradient 0 where x <= free.
func excess(x *graph.Node, free float64) *graph.Node {
	return gx.Relu(graph.AddScalar(x, -free))
}

// stopped is the distribution without gradients.
func (g Gaussian) stopped() Gaussian {
	return Gaussian{Mean: graph.StopGradient(g.Mean), Std: graph.StopGradient(g.Std)}
}

// standardLike is the standard normal distribution in the shape of g.
func standardLike(g Gaussian) Gaussian {
	return Gaussian{Mean: graph.ZerosLike(g.Mean), Std: graph.OnesLike(g.Std)}
}

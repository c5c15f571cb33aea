package worldmodel

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// Losses are the terms of the objective and what to watch beside them, all
// scalars, in nats up to constants. Image terms sum over pixels and channels,
// vector terms over components, latent terms over the Z components; all are
// means over chunks and time. Terms that the model does not have are nil.
type Losses struct {
	// Total is what to minimise: the terms below times their scales.
	Total *graph.Node
	// Image is half the squared error of the reconstruction: the negative log
	// likelihood of a unit Gaussian without its constant.
	Image *graph.Node
	// Vector is half the squared error of the reconstructed vector, on the scale
	// of VectorTransform.
	Vector *graph.Node
	// Reward is half the squared error of the predicted reward.
	Reward *graph.Node
	// Continue is the negative log likelihood of the continue flag.
	Continue *graph.Node
	// Diagnostic is half the squared error of the vector as the diagnostic head
	// predicts it, on the scale of VectorTransform. Its gradient ends there.
	Diagnostic *graph.Node
	// KL is KL(posterior || prior), or the other way round where the objective
	// says so.
	KL *graph.Node
	// KLClipped is the KL after free nats: by default max(0, KL - FreeNats),
	// clipped for each chunk and time step before the mean.
	KLClipped *graph.Node
	// PriorEntropy and PosteriorEntropy are differential entropies.
	PriorEntropy, PosteriorEntropy *graph.Node
	// KLGlobal is KL(posterior || N(0, 1)); nil without GlobalKLScale.
	KLGlobal *graph.Node
	// Overshooting is the clipped KL of multi-step predictions and
	// OvershootingReward half the squared error of their rewards, as the
	// objective's Overshooting defines them; nil without.
	Overshooting, OvershootingReward *graph.Node
}

// lossTerm is a field of [Losses].
type lossTerm struct {
	name string
	of   func(Losses) *graph.Node
	used func(Config) bool
}

// lossTerms lists the fields of Losses in order and which models have them.
func lossTerms() []lossTerm {
	always := func(Config) bool { return true }
	return []lossTerm{
		{"total", func(l Losses) *graph.Node { return l.Total }, always},
		{"image", func(l Losses) *graph.Node { return l.Image }, func(c Config) bool { return c.Observe.images() }},
		{"vector", func(l Losses) *graph.Node { return l.Vector }, func(c Config) bool { return c.Observe.vectors() }},
		{"reward", func(l Losses) *graph.Node { return l.Reward }, always},
		{"continue", func(l Losses) *graph.Node { return l.Continue }, func(c Config) bool { return c.ContinueHead }},
		{"diagnostic", func(l Losses) *graph.Node { return l.Diagnostic }, func(c Config) bool { return c.Diagnostic }},
		{"kl", func(l Losses) *graph.Node { return l.KL }, always},
		{"kl_clipped", func(l Losses) *graph.Node { return l.KLClipped }, always},
		{"prior_entropy", func(l Losses) *graph.Node { return l.PriorEntropy }, always},
		{"posterior_entropy", func(l Losses) *graph.Node { return l.PosteriorEntropy }, always},
		{"kl_global", func(l Losses) *graph.Node { return l.KLGlobal }, Config.usesGlobalKL},
		{"overshooting", func(l Losses) *graph.Node { return l.Overshooting }, Config.overshoots},
		{"overshooting_reward", func(l Losses) *graph.Node { return l.OvershootingReward }, Config.overshootsRewards},
	}
}

// Nodes lists the losses that the model has, in the order of
// [Model.LossNames].
func (l Losses) Nodes() []*graph.Node {
	var nodes []*graph.Node
	for _, term := range lossTerms() {
		if node := term.of(l); node != nil {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

// LossNames names the entries of [Losses.Nodes].
func (m *Model) LossNames() []string {
	var names []string
	for _, term := range lossTerms() {
		if term.used(m.cfg) {
			names = append(names, term.name)
		}
	}
	return names
}

// Loss is the variational objective on chunks of records, closed loop from the
// zero state, all L records included. By default it is
//
//	1/2 |o - decode(f)|^2 + RewardScale/2 (r - reward(f))^2 + KLScale max(0, KL(q||p) - FreeNats)
//
// and the terms of further observations and heads that the model has, see
// [Losses]; [Objective] lists what can be changed. It panics if the chunks are
// too short for the configured overshooting.
// Source: Hafner et al. 2019, equation 3, with the weights of the paper's code.
func (n *Net) Loss(b Batch) Losses {
	_, length := n.checkBatch(b)
	cfg := n.m.cfg
	seq := n.Observe(n.embedChunks(b.Observation), b.Actions, b.Noise)
	l := Losses{
		KL:               graph.ReduceAllMean(cfg.divergence(seq.Posterior, seq.Prior)),
		KLClipped:        cfg.klLoss(seq.Posterior, seq.Prior),
		PriorEntropy:     graph.ReduceAllMean(seq.Prior.Entropy()),
		PosteriorEntropy: graph.ReduceAllMean(seq.Posterior.Entropy()),
	}
	if cfg.usesGlobalKL() {
		l.KLGlobal = graph.ReduceAllMean(seq.Posterior.KL(standardLike(seq.Posterior)))
	}
	l.Overshooting, l.OvershootingReward = n.overshoot(seq, b)
	l.Total = cfg.total(n.evidence(&l, b, seq.Features), l, length)
	return l
}

// total adds the weighted latent terms that there are to the evidence.
func (c Config) total(evidence *graph.Node, l Losses, length int) *graph.Node {
	o := c.Objective
	sum := graph.Add(evidence, graph.MulScalar(l.KLClipped, c.KLScale))
	for _, extra := range []struct {
		term  *graph.Node
		scale float64
	}{
		{l.KLGlobal, o.GlobalKLScale},
		{l.Overshooting, o.OvershootingScale},
		{l.OvershootingReward, o.OvershootingRewardScale},
	} {
		if extra.term != nil && extra.scale > 0 {
			sum = graph.Add(sum, graph.MulScalar(extra.term, extra.scale))
		}
	}
	if o.Time == TimeSum {
		sum = graph.MulScalar(sum, float64(length))
	}
	return sum
}

// halfSquaredError is 1/2 (x - target)^2, mean over the first two axes, B and
// L, and summed over the rest.
func halfSquaredError(x, target *graph.Node) *graph.Node {
	gx.CheckShape("prediction", x, target.Shape().Dimensions...)
	rows, length := chunkShape(target)
	sum := sumRecords(graph.Square(graph.Sub(x, target)))
	return graph.MulScalar(sum, 0.5/float64(rows*length))
}

// sumRecords sums x, [B, L, ...], in stages: rows of pixels, images, then all
// records. One long float32 sum would lose digits on backends that add one
// element after another.
func sumRecords(x *graph.Node) *graph.Node {
	if x.Rank() > 4 {
		x = graph.ReduceSum(x, 3, 4)
	}
	for x.Rank() > 2 {
		x = graph.ReduceSum(x, x.Rank()-1)
	}
	return graph.ReduceAllSum(x)
}

package worldmodel

import (
	"github.com/gomlx/gomlx/core/graph"
)

// clean is [OvershootingClean], and [OvershootingGoogle] with its two
// differences.
func (o overshooter) clean() (kl, reward *graph.Node) {
	var kls, errors []*graph.Node
	google := o.cfg.Objective.Overshooting == OvershootingGoogle
	for _, p := range o.rollout(0).follow(o.starts(-1, o.length-2), o.distance)[1:] {
		valid, padding := (o.length-p.from)*o.chunks, 0
		if google {
			padding = p.from * o.chunks
		}
		kls = append(kls, o.cfg.paddedFreeNats(o.divergence(p), padding, valid))
		if o.cfg.overshootsRewards() && !google {
			errors = append(errors, graph.MulScalar(o.rewardError(p), 1/float64(valid)))
		}
	}
	switch {
	case !o.cfg.overshootsRewards():
	case google:
		reward = o.repeatedReward()
	default:
		reward = average(errors)
	}
	return average(kls), reward
}

// repeatedReward is the reward term of [OvershootingGoogle]: record j is a
// target at the distances 2..min(D, j+1).
func (o overshooter) repeatedReward() *graph.Node {
	times := make([]float64, o.length)
	for j := range times {
		times[j] = float64(min(o.distance-1, j))
	}
	features := timeMajor(graph.StopGradient(o.seq.Features))
	squares := graph.Square(graph.Sub(o.n.Reward(features), o.rewards))
	perRecord := graph.ReduceSum(graph.Reshape(squares, o.length, o.chunks), 1)
	weights := graph.ConstAsDType(o.n.graph(), o.n.dtype(), times)
	entries := o.chunks * o.length * (o.distance - 1)
	return graph.MulScalar(graph.ReduceAllSum(graph.Mul(perRecord, weights)), 0.5/float64(entries))
}

// kaixhin is [OvershootingKaixhin].
func (o overshooter) kaixhin() (kl, reward *graph.Node) {
	starts := o.starts(1, o.length-2)
	starts.Stoch = graph.StopGradient(starts.Stoch)
	entries := o.distance * (o.length - 2) * o.chunks
	var kls, errors []*graph.Node
	for _, p := range o.rollout(2).follow(starts, o.distance) {
		kls = append(kls, o.divergence(p))
		if o.cfg.overshootsRewards() {
			errors = append(errors, o.rewardError(p))
		}
	}
	all := graph.Concatenate(kls, 0)
	weight := float64(o.length-1) / float64(o.distance)
	kl = graph.MulScalar(o.cfg.paddedFreeNats(all, entries-all.Shape().Size(), entries), weight)
	if o.cfg.overshootsRewards() {
		reward = graph.MulScalar(sum(errors), weight/float64(entries))
	}
	return kl, reward
}

// average is the mean of scalars.
func average(scalars []*graph.Node) *graph.Node {
	return graph.MulScalar(sum(scalars), 1/float64(len(scalars)))
}

// sum adds scalars.
func sum(scalars []*graph.Node) *graph.Node {
	total := scalars[0]
	for _, x := range scalars[1:] {
		total = graph.Add(total, x)
	}
	return total
}

package worldmodel

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// Sequence is the result of unrolling the model over the records of B chunks.
type Sequence struct {
	// States are the states by time step, each of B rows. The last one carries
	// on where the sequence ends.
	States []State
	// Features are the states' features, [B, L, F].
	Features *graph.Node
	// Prior is p(s_i | ...), [B, L, Z], before observation i.
	Prior Gaussian
	// Posterior is q(s_i | ..., o_i), [B, L, Z], after it; its fields are nil in
	// an imagined sequence. With the deterministic transition no gradient passes
	// through it: its only use is as the target of the prior.
	Posterior Gaussian
}

// Observe filters chunks from the zero state: closed loop, using images.
//
// embed is [B, L, E], actions [B, L, A] with the action that led to each
// observation, noise [B, L, Z].
func (n *Net) Observe(embed, actions, noise *graph.Node) Sequence {
	return n.ObserveFrom(n.InitialState(leading(embed)), embed, actions, noise)
}

// ObserveFrom is [Net.Observe] from a given state of B rows.
//
// The embeddings' product with the posterior's weights and the priors are taken
// for all steps at once; only what the recurrence needs is inside the loop.
func (n *Net) ObserveFrom(start State, embed, actions, noise *graph.Node) Sequence {
	rows, length := chunkShape(actions)
	gx.CheckShape("embeddings", embed, rows, length, n.m.EmbedSize())
	gx.CheckShape("actions", actions, rows, length, n.m.dims.ActionSize)
	gx.CheckShape("noise", noise, rows, length, n.m.cfg.StochSize)
	projected := n.projectEmbed(graph.Reshape(embed, rows*length, n.m.EmbedSize()))
	projected = graph.Reshape(projected, rows, length, -1)
	n.checkState(start)
	steps := n.scan(scan{start: start, inputs: []*graph.Node{projected, actions, noise}, step: filterStep})
	seq, k := n.sequence(steps), len(start.Nodes())
	seq.Posterior = steps.joinedGaussian(k)
	basis := steps.joined(k + 2)
	seq.Prior = n.m.transition.priorOf(n, graph.Reshape(basis, rows*length, -1)).reshape(rows, length, n.m.cfg.StochSize)
	return seq
}

// filterStep is a step of ObserveFrom: its outputs are the posterior's mean and
// deviation and what the prior is read from.
func filterStep(n *Net, state State, in []*graph.Node) (next State, outputs []*graph.Node) {
	next, posterior, basis := n.m.transition.filter(n, state, in[1], in[0], in[2])
	return next, []*graph.Node{posterior.Mean, posterior.Std, basis}
}

// Imagine predicts from a state of B rows without images: open loop, prior
// only. actions is [B, L, A], noise [B, L, Z], zeros to follow the means.
func (n *Net) Imagine(start State, actions, noise *graph.Node) Sequence {
	rows, length := chunkShape(actions)
	gx.CheckShape("actions", actions, rows, length, n.m.dims.ActionSize)
	gx.CheckShape("noise", noise, rows, length, n.m.cfg.StochSize)
	steps := n.scan(scan{start: start, inputs: []*graph.Node{actions, noise}, step: priorStep})
	seq := n.sequence(steps)
	seq.Prior = steps.joinedGaussian(len(start.Nodes()))
	return seq
}

// priorStep is a step of Imagine: its outputs are the prior's mean and deviation.
func priorStep(n *Net, state State, in []*graph.Node) (next State, outputs []*graph.Node) {
	next, prior := n.StepPrior(state, in[0], in[1])
	return next, []*graph.Node{prior.Mean, prior.Std}
}

// OpenLoop reconstructs the first context observations of each chunk from
// posteriors and predicts the rest from the actions alone, decoding every step:
// observations [B, L, ...], actions [B, L, A], noise [B, L, Z] -> means of the
// observations and rewards [B, L]. context lies in [1, L]; what is observed
// after it does not influence the result.
func (n *Net) OpenLoop(o Observation, actions, noise *graph.Node, context int) (predicted Observation, rewards *graph.Node) {
	rows, length := chunkShape(actions)
	if context < 1 || context > length {
		panic(fmt.Errorf("worldmodel: open loop after %d context frames; the number must lie in [1, %d]", context, length))
	}
	n.checkChunks(o, rows, length)
	head := func(x *graph.Node) *graph.Node { return graph.SliceAxis(x, 1, graph.AxisRange(0, context)) }
	tail := func(x *graph.Node) *graph.Node { return graph.SliceAxis(x, 1, graph.AxisRangeToEnd(context)) }
	seq := n.Observe(n.embedChunks(n.mapObservation(o, head)), head(actions), head(noise))
	features := seq.Features
	if context < length {
		dream := n.Imagine(seq.States[context-1], tail(actions), tail(noise))
		features = graph.Concatenate([]*graph.Node{features, dream.Features}, 1)
	}
	rewards = n.Reward(flatten(features))
	return n.predict(features), graph.Reshape(rewards, rows, length)
}

// sequence gathers states and their features.
func (n *Net) sequence(steps scanned) Sequence {
	parts := make([]*graph.Node, len(n.m.StateSizes()))
	for i := range parts {
		parts[i] = steps.joined(i)
	}
	return Sequence{States: steps.states, Features: n.m.transition.features(n.StateFromNodes(parts))}
}

// chunkShape returns the first two dimensions, B and L, or zeros when x has
// fewer, which no CheckShape accepts.
func chunkShape(x *graph.Node) (rows, length int) {
	if x.Rank() < 2 {
		return 0, 0
	}
	return x.Shape().Dimensions[0], x.Shape().Dimensions[1]
}

// splitTime cuts [B, L, D] into L matrices [B, D].
func splitTime(x *graph.Node) []*graph.Node {
	rows, length := chunkShape(x)
	timeMajor := graph.TransposeAllAxes(x, 1, 0, 2)
	return gx.Split(graph.Reshape(timeMajor, length*rows, x.Shape().Dimensions[2]), 0, length)
}

// joinTime is the inverse of splitTime for one matrix [B, D] of each step.
func joinTime[T any](steps []T, matrix func(T) *graph.Node) *graph.Node {
	nodes := make([]*graph.Node, len(steps))
	for i, s := range steps {
		nodes[i] = matrix(s)
	}
	rows, size := nodes[0].Shape().Dimensions[0], nodes[0].Shape().Dimensions[1]
	timeMajor := graph.Reshape(graph.Concatenate(nodes, 0), len(steps), rows, size)
	return graph.TransposeAllAxes(timeMajor, 1, 0, 2)
}

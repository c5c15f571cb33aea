package parity

import (
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/worldmodel"
)

// TestTrajectoriesMatchPyTorch compares embeddings, states, priors, posteriors
// and predictions, closed and open loop, over 20 steps.
func TestTrajectoriesMatchPyTorch(t *testing.T) {
	onEveryCase(t, func(t *testing.T, b tested, m *worldmodel.Model, f fixture) {
		trajectoryGraph(t, m, f).run(t, b, m, f)
	})
}

// trajectoryGraph computes what the function trajectories of torch/fixtures.py
// does.
func trajectoryGraph(t *testing.T, m *worldmodel.Model, f fixture) torchGraph {
	const context, every = 5, 10
	see := m.Config().Observe
	images, vectors := see != worldmodel.ObserveVector, see == worldmodel.ObserveVector || see == worldmodel.ObserveBoth
	names := []string{
		"embed", "features", "prior_mean", "prior_std", "posterior_mean", "posterior_std",
		"dream_features", "dream_mean", "dream_std", "predicted_rewards",
	}
	if images {
		names = append(names, "decoded")
	}
	if vectors {
		names = append(names, "decoded_vectors")
	}
	return torchGraph{names: names, inputs: batchInputs(t, m, f), build: func(n *worldmodel.Net, _, data []*graph.Node) []*graph.Node {
		b := n.BatchFromNodes(data)
		rows, length := b.Rewards.Shape().Dimensions[0], b.Rewards.Shape().Dimensions[1]
		flat := worldmodel.Observation{}
		if images {
			flat.Images = flatten(b.Images)
		}
		if vectors {
			flat.Vectors = flatten(b.Vectors)
		}
		embed := graph.Reshape(n.Embed(flat), rows, length, m.EmbedSize())
		seq := n.Observe(embed, b.Actions, b.Noise)
		tail := func(x *graph.Node) *graph.Node { return graph.SliceAxis(x, 1, graph.AxisRangeToEnd(context)) }
		dream := n.Imagine(seq.States[context-1], tail(b.Actions), tail(b.Noise))
		out := []*graph.Node{
			embed, seq.Features, seq.Prior.Mean, seq.Prior.Std, seq.Posterior.Mean, seq.Posterior.Std,
			dream.Features, dream.Prior.Mean, dream.Prior.Std, joined(seq.Features, n.Reward),
		}
		if images {
			out = append(out, graph.SliceAxis(joined(seq.Features, n.Decode), 1, graph.AxisRange(0, length).Stride(every)))
		}
		if vectors {
			out = append(out, joined(seq.Features, n.DecodeVector))
		}
		return out
	}}
}

// flatten is [B, L, ...] as [B*L, ...].
func flatten(x *graph.Node) *graph.Node {
	d := x.Shape().Dimensions
	return graph.Reshape(x, append([]int{d[0] * d[1]}, d[2:]...)...)
}

// joined applies f, which takes rows, to [B, L, ...].
func joined(x *graph.Node, f func(*graph.Node) *graph.Node) *graph.Node {
	y := f(flatten(x))
	return graph.Reshape(y, append(slices.Clone(x.Shape().Dimensions[:2]), y.Shape().Dimensions[1:]...)...)
}

package worldmodel

import (
	"github.com/gomlx/gomlx/core/graph"
)

// evidence fills in the terms of the losses that compare predictions from
// features with records, and returns their weighted sum:
//
//	ImageScale*Image + VectorScale*Vector + RewardScale*Reward + ContinueScale*Continue + Diagnostic
func (n *Net) evidence(l *Losses, b Batch, features *graph.Node) *graph.Node {
	cfg := n.m.cfg
	rows, length := chunkShape(features)
	flat := flatten(features)
	inChunks := func(x *graph.Node) *graph.Node {
		return graph.Reshape(x, append([]int{rows, length}, x.Shape().Dimensions[1:]...)...)
	}
	l.Reward = halfSquaredError(inChunks(n.Reward(flat)), b.Rewards)
	total := graph.MulScalar(l.Reward, cfg.RewardScale)
	if cfg.Observe.images() {
		l.Image = halfSquaredError(n.decodeChunks(features), b.Images)
		total = graph.Add(total, graph.MulScalar(l.Image, cfg.Objective.ImageScale))
	}
	if cfg.Observe.vectors() {
		l.Vector = halfSquaredError(inChunks(n.decodeVector(flat)), n.transform(b.Vectors))
		total = graph.Add(total, graph.MulScalar(l.Vector, cfg.VectorScale))
	}
	if cfg.ContinueHead {
		l.Continue = graph.ReduceAllMean(bernoulli(inChunks(n.continueLogit(flat)), b.Continues))
		total = graph.Add(total, graph.MulScalar(l.Continue, cfg.ContinueScale))
	}
	if cfg.Diagnostic {
		l.Diagnostic = halfSquaredError(inChunks(n.diagnose(flat)), n.transform(b.Vectors))
		total = graph.Add(total, l.Diagnostic)
	}
	return total
}

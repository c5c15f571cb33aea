package worldmodel

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// rewardHead is a multi-layer perceptron from features to one number.
type rewardHead struct {
	hidden []affine
	output affine
}

// newRewardHead adds "reward/layer1" and so on, and "reward/output".
func newRewardHead(specs *specList, cfg Config, features int) rewardHead {
	var h rewardHead
	in := features
	for i, width := range cfg.RewardLayers {
		h.hidden = append(h.hidden, specs.dense(layerName("reward/layer", i), in, width))
		in = width
	}
	h.output = specs.dense("reward/output", in, 1)
	return h
}

// Reward predicts the mean of the reward that came with the state,
// [N, F] -> [N], in units of the environment's reward per decision.
func (n *Net) Reward(features *graph.Node) *graph.Node {
	rows := leading(features)
	gx.CheckShape("features", features, rows, n.m.FeatureSize())
	x := features
	for _, layer := range n.m.reward.hidden {
		x = gx.Relu(n.dense(layer, x))
	}
	return graph.Reshape(n.dense(n.m.reward.output, x), rows)
}

package worldmodel

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// heads read features. Those that the configuration does not ask for are nil.
type heads struct {
	reward, continues, diagnostic *mlp
}

// newHeads adds "reward/", "continue/" and "diagnostic/".
func newHeads(specs *specList, cfg Config, dims Dims, features int) heads {
	h := heads{reward: newMLP(specs, "reward", features, cfg.RewardLayers, 1)}
	if cfg.ContinueHead {
		h.continues = newMLP(specs, "continue", features, cfg.ContinueLayers, 1)
	}
	if cfg.Diagnostic {
		h.diagnostic = newMLP(specs, "diagnostic", features, cfg.RewardLayers, dims.VectorSize)
	}
	return h
}

// Reward predicts the mean of the reward that came with the state,
// [N, F] -> [N], in units of the environment's reward per decision.
func (n *Net) Reward(features *graph.Node) *graph.Node {
	return graph.Reshape(n.mlp(n.m.heads.reward, n.checkFeatures(features)), -1)
}

// Continue predicts the probability that the task goes on after the state,
// [N, F] -> [N] in (0, 1). Only models with Config.ContinueHead can.
func (n *Net) Continue(features *graph.Node) *graph.Node {
	return graph.Sigmoid(n.continueLogit(features))
}

// continueLogit is the log odds of going on, [N, F] -> [N].
func (n *Net) continueLogit(features *graph.Node) *graph.Node {
	if n.m.heads.continues == nil {
		panic(fmt.Errorf("worldmodel: the model has no continue head; set continue_head"))
	}
	return graph.Reshape(n.mlp(n.m.heads.continues, n.checkFeatures(features)), -1)
}

// Diagnose predicts the environment's vector from features, [N, F] -> [N, V] in
// the vector's own units, without ever influencing the rest of the model:
// gradients stop at the features. Only models with Config.Diagnostic can.
func (n *Net) Diagnose(features *graph.Node) *graph.Node {
	return n.untransform(n.diagnose(features))
}

// diagnose is Diagnose on the transformed scale, that of the loss.
func (n *Net) diagnose(features *graph.Node) *graph.Node {
	if n.m.heads.diagnostic == nil {
		panic(fmt.Errorf("worldmodel: the model has no diagnostic head; set diagnostic"))
	}
	return n.mlp(n.m.heads.diagnostic, graph.StopGradient(n.checkFeatures(features)))
}

// checkFeatures panics unless features is [N, F].
func (n *Net) checkFeatures(features *graph.Node) *graph.Node {
	gx.CheckShape("features", features, leading(features), n.m.FeatureSize())
	return features
}

// bernoulli is the negative log likelihood, in nats, of a flag in [0, 1] that
// is 1 with log odds logit: softplus(logit) - flag*logit, element by element.
func bernoulli(logit, flag *graph.Node) *graph.Node {
	gx.CheckShape("flags", flag, logit.Shape().Dimensions...)
	return graph.Sub(softplus(logit), graph.Mul(flag, logit))
}

package worldmodel

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// Transition selects how the latent state moves. Weights of one kind do not
// fit another.
type Transition string

const (
	// RSSM is the recurrent state-space model, deterministic and stochastic
	// state: the paper's agent. The empty string means RSSM too.
	RSSM Transition = "rssm"
	// SSM has a stochastic state only: the paper's purely stochastic ablation.
	SSM Transition = "ssm"
	// Deterministic is the RSSM with every sample replaced by its mean: the
	// paper's purely deterministic ablation, with a prior that is trained.
	Deterministic Transition = "deterministic"
	// DRNN is an encoder RNN and a decoder RNN with a stochastic state between
	// them (appendix D).
	DRNN Transition = "drnn"
)

// transitions lists the kinds a configuration may name.
func transitions() []Transition { return []Transition{RSSM, SSM, Deterministic, DRNN} }

// transition is one kind of latent dynamics. Its methods trust the shapes of
// their operands, which Net checks.
type transition interface {
	// stateSizes are the widths of its states.
	stateSizes() stateSizes
	// features are what the heads read of a state, [..., D] -> [..., F].
	features(State) *graph.Node
	// imagine advances by one decision without an observation. Noise may be nil
	// where noiseSize is 0.
	imagine(n *Net, state State, action, noise *graph.Node) (next State, prior Gaussian)
	// project is what the posterior computes of embeddings alone, [N, E] ->
	// [N, K]. It is taken once for all steps of a chunk.
	project(n *Net, embed *graph.Node) *graph.Node
	// filter advances by one decision and a projected embedding. basis, [N, K],
	// is what priorOf reads the prior of the same step from.
	filter(n *Net, state State, action, projected, noise *graph.Node) (next State, posterior Gaussian, basis *graph.Node)
	// priorOf computes priors, once for all steps of a chunk.
	priorOf(n *Net, basis *graph.Node) Gaussian
}

// newTransition adds the parameters of the configured transition.
func newTransition(specs *specList, cfg Config, embed, actions int) transition {
	switch cfg.Transition {
	case SSM:
		return newSSM(specs, cfg, embed, actions)
	case Deterministic:
		return newDeterministic(specs, cfg, embed, actions)
	case DRNN:
		return newDRNN(specs, cfg, embed, actions)
	default:
		return newRSSM(specs, cfg, embed, actions)
	}
}

// NoiseSize is how many random numbers [Net.StepPrior] uses for each row:
// StochSize, or 0 for the deterministic transition, which takes nil as well.
func (m *Model) NoiseSize() int {
	if m.cfg.Transition == Deterministic {
		return 0
	}
	return m.cfg.StochSize
}

// StepPrior advances the state by one decision without an observation:
// s' ~ p(s' | s, a), where s stands for the whole state.
//
// action is [N, A] in [-1, 1]; noise is [N, Z], standard normal, or zeros to
// follow the mean. The N rows are independent.
// Source: Hafner et al. 2019, section 3.
func (n *Net) StepPrior(state State, action, noise *graph.Node) (next State, prior Gaussian) {
	n.checkStep(state, action, noise)
	return n.m.transition.imagine(n, state, action, noise)
}

// StepPosterior advances the state by one decision and an observation:
// s' ~ q(s' | s, a, e').
//
// action is the one that led to the observation, [N, A]; embed is the
// observation's embedding, [N, E]; noise as in [Net.StepPrior]. The prior
// p(s' | s, a), which does not depend on embed, is returned as well.
func (n *Net) StepPosterior(state State, action, embed, noise *graph.Node) (next State, prior, posterior Gaussian) {
	n.checkStep(state, action, noise)
	next, posterior, basis := n.m.transition.filter(n, state, action, n.projectEmbed(embed), noise)
	return next, n.m.transition.priorOf(n, basis), posterior
}

// checkStep panics unless the operands of a step fit each other.
func (n *Net) checkStep(state State, action, noise *graph.Node) {
	rows := n.checkState(state)
	gx.CheckShape("action", action, rows, n.m.dims.ActionSize)
	if noise != nil || n.m.NoiseSize() > 0 {
		gx.CheckShape("noise", noise, rows, n.m.cfg.StochSize)
	}
}

// projectEmbed is what the posterior computes of embeddings [N, E] alone.
func (n *Net) projectEmbed(embed *graph.Node) *graph.Node {
	gx.CheckShape("embedding", embed, leading(embed), n.m.EmbedSize())
	return n.m.transition.project(n, embed)
}

// statistics is a hidden ReLU layer followed by mean and raw standard deviation.
type statistics struct{ hidden, stats affine }

// newStats adds one layer for mean and raw standard deviation, initialised like
// the two separate layers of the paper's code that it replaces.
func newStats(specs *specList, name string, cfg Config) affine {
	return specs.affine(name, glorot(cfg.HiddenSize, cfg.StochSize), Init{}, cfg.HiddenSize, 2*cfg.StochSize)
}

// read applies the two layers to x.
func (s statistics) read(n *Net, x *graph.Node) Gaussian {
	return n.gaussian(s.stats, gx.Relu(n.dense(s.hidden, x)))
}

// gaussian is the output layer of prior and posterior: mean, and
// softplus + MinStd for the standard deviation.
func (n *Net) gaussian(stats affine, hidden *graph.Node) Gaussian {
	parts := gx.Split(n.dense(stats, hidden), 1, 2)
	return Gaussian{Mean: parts[0], Std: graph.AddScalar(softplus(parts[1]), n.m.cfg.MinStd)}
}

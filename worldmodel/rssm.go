package worldmodel

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// State is what the model carries from one decision to the next: the
// deterministic state h, [N, DeterSize], and a sample s of the stochastic
// state, [N, StochSize]. It starts at zero.
type State struct{ Deter, Stoch *graph.Node }

// rssm is the recurrent state-space model's transition (Hafner et al. 2019,
// section 3).
type rssm struct {
	input affine
	cell  gru
	prior statistics
	// The posterior's hidden layer reads [h; e]. Its kernel is kept in two
	// parts so that the embedding's product is taken once for a whole chunk.
	posteriorDeter affine
	posteriorEmbed int
	posteriorStats affine
}

// statistics is a hidden ReLU layer followed by mean and raw standard deviation.
type statistics struct{ hidden, stats affine }

// newRSSM adds the transition's parameters under "rssm/".
func newRSSM(specs *specList, cfg Config, embed, actions int) rssm {
	var r rssm
	r.input = specs.dense("rssm/input", cfg.StochSize+actions, cfg.HiddenSize)
	r.cell = newGRU(specs, cfg)
	r.prior.hidden = specs.dense("rssm/prior/hidden", cfg.DeterSize, cfg.HiddenSize)
	r.prior.stats = newStats(specs, "rssm/prior/stats", cfg)
	joint := glorot(cfg.DeterSize+embed, cfg.HiddenSize)
	r.posteriorDeter = specs.affine("rssm/posterior/deter", joint, Init{}, cfg.DeterSize, cfg.HiddenSize)
	r.posteriorEmbed = specs.add("rssm/posterior/embed/kernel", joint, embed, cfg.HiddenSize)
	r.posteriorStats = newStats(specs, "rssm/posterior/stats", cfg)
	return r
}

// newStats adds one layer for mean and raw standard deviation, initialised like
// the two separate layers of the paper's code that it replaces.
func newStats(specs *specList, name string, cfg Config) affine {
	return specs.affine(name, glorot(cfg.HiddenSize, cfg.StochSize), Init{}, cfg.HiddenSize, 2*cfg.StochSize)
}

// InitialState returns the state before the first decision: zeros for rows rows.
func (n *Net) InitialState(rows int) State {
	zeros := func(size int) *graph.Node { return graph.Zeros(n.graph(), shapes.Make(n.dtype(), rows, size)) }
	return State{Deter: zeros(n.m.cfg.DeterSize), Stoch: zeros(n.m.cfg.StochSize)}
}

// Features returns what the heads read, [N, F]: the stochastic, then the
// deterministic state.
func (n *Net) Features(state State) *graph.Node { return lastAxis(state.Stoch, state.Deter) }

// StepPrior advances the state by one decision without an observation:
// h' = GRU(x(s, a), h), s' ~ p(s' | h').
//
// action is [N, A] in [-1, 1]; noise is [N, Z], standard normal, or zeros to
// follow the mean. The N rows are independent. The prior is read from h', never
// from the cell's input.
// Source: Hafner et al. 2019, section 3.
func (n *Net) StepPrior(state State, action, noise *graph.Node) (next State, prior Gaussian) {
	deter := n.advance(state, action)
	prior = n.prior(deter)
	return State{Deter: deter, Stoch: prior.Sample(noise)}, prior
}

// StepPosterior advances the state by one decision and an observation:
// h' = GRU(x(s, a), h), s' ~ q(s' | h', e').
//
// action is the one that led to the observation, [N, A]; embed is the
// observation's embedding, [N, E]; noise as in [Net.StepPrior]. The prior
// p(s' | h') is returned as well; both share h', which does not depend on embed.
func (n *Net) StepPosterior(state State, action, embed, noise *graph.Node) (next State, prior, posterior Gaussian) {
	next, posterior = n.filter(state, action, n.projectEmbed(embed), noise)
	return next, n.prior(next.Deter), posterior
}

// advance computes the next deterministic state.
func (n *Net) advance(state State, action *graph.Node) *graph.Node {
	cfg, rows := n.m.cfg, leading(state.Deter)
	gx.CheckShape("deterministic state", state.Deter, rows, cfg.DeterSize)
	gx.CheckShape("stochastic state", state.Stoch, rows, cfg.StochSize)
	gx.CheckShape("action", action, rows, n.m.dims.ActionSize)
	x := gx.Relu(n.dense(n.m.rssm.input, lastAxis(state.Stoch, action)))
	return n.gru(x, state.Deter)
}

// filter advances the state with an embedding that has been projected already.
func (n *Net) filter(state State, action, projected, noise *graph.Node) (State, Gaussian) {
	deter := n.advance(state, action)
	hidden := gx.Relu(graph.Add(n.dense(n.m.rssm.posteriorDeter, deter), projected))
	posterior := n.gaussian(n.m.rssm.posteriorStats, hidden)
	return State{Deter: deter, Stoch: posterior.Sample(noise)}, posterior
}

// projectEmbed is the embedding's share of the posterior's hidden layer,
// [N, E] -> [N, HiddenSize].
func (n *Net) projectEmbed(embed *graph.Node) *graph.Node {
	gx.CheckShape("embedding", embed, leading(embed), n.m.EmbedSize())
	return matmul(embed, n.params[n.m.rssm.posteriorEmbed])
}

// prior reads p(s | h) from deterministic states, [N, DeterSize].
func (n *Net) prior(deter *graph.Node) Gaussian {
	head := n.m.rssm.prior
	return n.gaussian(head.stats, gx.Relu(n.dense(head.hidden, deter)))
}

// gaussian is the output layer of prior and posterior: mean, and
// softplus + MinStd for the standard deviation.
func (n *Net) gaussian(stats affine, hidden *graph.Node) Gaussian {
	parts := gx.Split(n.dense(stats, hidden), 1, 2)
	return Gaussian{Mean: parts[0], Std: graph.AddScalar(softplus(parts[1]), n.m.cfg.MinStd)}
}

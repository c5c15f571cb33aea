package worldmodel

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// rssm is the recurrent state-space model's transition (Hafner et al. 2019,
// section 3):
//
//	h' = GRU(x(s, a), h),  prior p(s' | h'),  posterior q(s' | h', e')
//
// Prior and posterior share h', which does not depend on e'. The prior is read
// from h', never from the cell's input. Features are [s; h].
type rssm struct {
	sizes stateSizes
	input affine
	cell  gru
	prior statistics
	// The posterior's hidden layer reads [h; e]. Its kernel is kept in two
	// parts so that the embedding's product is taken once for a whole chunk.
	posteriorDeter affine
	posteriorEmbed int
	posteriorStats affine
}

// newRSSM adds the transition's parameters under "rssm/".
func newRSSM(specs *specList, cfg Config, embed, actions int) rssm {
	return newRSSMWith(specs, cfg, embed, actions, func(name string) affine { return newStats(specs, name+"/stats", cfg) })
}

// newRSSMWith is newRSSM with another output layer for prior and posterior.
func newRSSMWith(specs *specList, cfg Config, embed, actions int, output func(name string) affine) rssm {
	r := rssm{sizes: stateSizes{deter: cfg.DeterSize, stoch: cfg.StochSize}}
	r.input = specs.dense("rssm/input", cfg.StochSize+actions, cfg.HiddenSize)
	r.cell = newGRU(specs, "rssm/gru", cfg.GRU, gruSizes{in: cfg.HiddenSize, state: cfg.DeterSize})
	r.prior.hidden = specs.dense("rssm/prior/hidden", cfg.DeterSize, cfg.HiddenSize)
	r.prior.stats = output("rssm/prior")
	joint := glorot(cfg.DeterSize+embed, cfg.HiddenSize)
	r.posteriorDeter = specs.affine("rssm/posterior/deter", joint, Init{}, cfg.DeterSize, cfg.HiddenSize)
	r.posteriorEmbed = specs.add("rssm/posterior/embed/kernel", joint, embed, cfg.HiddenSize)
	r.posteriorStats = output("rssm/posterior")
	return r
}

func (r rssm) stateSizes() stateSizes { return r.sizes }

func (r rssm) features(s State) *graph.Node { return lastAxis(s.Stoch, s.Deter) }

func (r rssm) imagine(n *Net, state State, action, noise *graph.Node) (State, Gaussian) {
	deter := r.advance(n, state, action)
	prior := r.priorOf(n, deter)
	return State{Deter: deter, Stoch: prior.Sample(noise)}, prior
}

func (r rssm) filter(n *Net, state State, action, projected, noise *graph.Node) (State, Gaussian, *graph.Node) {
	deter := r.advance(n, state, action)
	posterior := n.gaussian(r.posteriorStats, r.posteriorHidden(n, deter, projected))
	return State{Deter: deter, Stoch: posterior.Sample(noise)}, posterior, deter
}

// priorOf reads p(s | h) from deterministic states.
func (r rssm) priorOf(n *Net, deter *graph.Node) Gaussian { return r.prior.read(n, deter) }

// project is the embedding's share of the posterior's hidden layer.
func (r rssm) project(n *Net, embed *graph.Node) *graph.Node {
	return matmul(embed, n.params[r.posteriorEmbed])
}

// advance computes the next deterministic state.
func (r rssm) advance(n *Net, state State, action *graph.Node) *graph.Node {
	x := gx.Relu(n.dense(r.input, lastAxis(state.Stoch, action)))
	return n.gru(r.cell, x, state.Deter)
}

func (r rssm) posteriorHidden(n *Net, deter, projected *graph.Node) *graph.Node {
	return gx.Relu(graph.Add(n.dense(r.posteriorDeter, deter), projected))
}

package worldmodel

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// ssm is the purely stochastic transition of the paper's ablation (Hafner et
// al. 2019, section 5): no recurrent state.
//
//	prior p(s' | s, a),  posterior q(s' | p's mean and deviation, e')
//
// The posterior sees s and a through the prior's statistics only, as in the
// paper's code. Features are s.
type ssm struct {
	sizes stateSizes
	prior statistics
	// The posterior's hidden layer reads [mean; std; e], its kernel in two parts
	// as in the RSSM.
	posteriorPrior affine
	posteriorEmbed int
	posteriorStats affine
}

// newSSM adds the transition's parameters under "ssm/".
func newSSM(specs *specList, cfg Config, embed, actions int) ssm {
	m := ssm{sizes: stateSizes{stoch: cfg.StochSize}}
	m.prior.hidden = specs.dense("ssm/prior/hidden", cfg.StochSize+actions, cfg.HiddenSize)
	m.prior.stats = newStats(specs, "ssm/prior/stats", cfg)
	joint := glorot(2*cfg.StochSize+embed, cfg.HiddenSize)
	m.posteriorPrior = specs.affine("ssm/posterior/prior", joint, Init{}, 2*cfg.StochSize, cfg.HiddenSize)
	m.posteriorEmbed = specs.add("ssm/posterior/embed/kernel", joint, embed, cfg.HiddenSize)
	m.posteriorStats = newStats(specs, "ssm/posterior/stats", cfg)
	return m
}

func (m ssm) stateSizes() stateSizes { return m.sizes }

func (m ssm) features(s State) *graph.Node { return s.Stoch }

func (m ssm) imagine(n *Net, state State, action, noise *graph.Node) (State, Gaussian) {
	prior := m.prior.read(n, lastAxis(state.Stoch, action))
	return State{Stoch: prior.Sample(noise)}, prior
}

func (m ssm) filter(n *Net, state State, action, projected, noise *graph.Node) (State, Gaussian, *graph.Node) {
	prior := m.prior.read(n, lastAxis(state.Stoch, action))
	basis := lastAxis(prior.Mean, prior.Std)
	hidden := gx.Relu(graph.Add(n.dense(m.posteriorPrior, basis), projected))
	posterior := n.gaussian(m.posteriorStats, hidden)
	return State{Stoch: posterior.Sample(noise)}, posterior, basis
}

// priorOf splits the statistics that the posterior was computed from.
func (m ssm) priorOf(_ *Net, basis *graph.Node) Gaussian {
	parts := gx.Split(basis, 1, 2)
	return Gaussian{Mean: parts[0], Std: parts[1]}
}

// project is the embedding's share of the posterior's hidden layer.
func (m ssm) project(n *Net, embed *graph.Node) *graph.Node {
	return matmul(embed, n.params[m.posteriorEmbed])
}

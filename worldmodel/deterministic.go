package worldmodel

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// deterministic is the RSSM with samples replaced by means: the purely
// deterministic ablation (Hafner et al. 2019, section 5), with a prior that is
// trained.
//
// Without samples a KL between learned deviations means nothing, and the
// paper's code turns it off; but image and reward losses never reach the
// prior's head, which would keep its initial values and be what the planner
// rolls out. So prior and posterior have standard deviation 1 here, and what a
// loss sees of the posterior is stopped: their KL is the squared error
// 1/2 |mean_q - mean_p|^2 of the prior's prediction of the posterior's mean. It
// trains the prior's head and, through h, the recurrence and what earlier steps
// handed on; it never pulls a posterior towards its prior. New sets FreeNats to
// 0 for this transition: an allowance would be an error that is not corrected.
type deterministic struct{ rssm }

// newDeterministic adds the RSSM's parameters, with layers "mean" of StochSize
// outputs in place of "stats".
func newDeterministic(specs *specList, cfg Config, embed, actions int) deterministic {
	return deterministic{newRSSMWith(specs, cfg, embed, actions, func(name string) affine {
		return specs.dense(name+"/mean", cfg.HiddenSize, cfg.StochSize)
	})}
}

func (d deterministic) imagine(n *Net, state State, action, _ *graph.Node) (State, Gaussian) {
	deter := d.advance(n, state, action)
	prior := d.priorOf(n, deter)
	return State{Deter: deter, Stoch: prior.Mean}, prior
}

func (d deterministic) filter(n *Net, state State, action, projected, _ *graph.Node) (State, Gaussian, *graph.Node) {
	deter := d.advance(n, state, action)
	mean := n.dense(d.posteriorStats, d.posteriorHidden(n, deter, projected))
	return State{Deter: deter, Stoch: mean}, unitGaussian(graph.StopGradient(mean)), deter
}

func (d deterministic) priorOf(n *Net, deter *graph.Node) Gaussian {
	return unitGaussian(n.dense(d.prior.stats, gx.Relu(n.dense(d.prior.hidden, deter))))
}

// unitGaussian has standard deviation 1.
func unitGaussian(mean *graph.Node) Gaussian {
	return Gaussian{Mean: mean, Std: graph.OnesLike(mean)}
}

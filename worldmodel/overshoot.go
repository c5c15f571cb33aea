package worldmodel

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// Overshooting selects a definition of latent overshooting (Hafner et al.
// 2019, section 4): priors after several steps without observations are trained
// towards posteriors, which get no gradient from it. Empty means none.
//
// Below, K_d is the KL, after free nats, between the posterior of a record and
// the prior predicted from the posterior state d records before it, where the
// zero state counts as that of record -1; D is the distance, at most L.
type Overshooting string

const (
	// OvershootingNone leaves the terms out, as the paper's final agent does.
	OvershootingNone Overshooting = "none"
	// OvershootingClean is the paper's equation 7: the mean over d = 2..D of the
	// mean of K_d over the L-d+1 records that have one. D = 1 is nothing: K_1 is
	// the KL of the objective itself. Rewards are predicted from the same
	// predicted states and averaged alike.
	OvershootingClean Overshooting = "clean"
	// OvershootingGoogle is the routine of the paper's code as first released
	// (b33f0d5): clean, except that with FreeNatsForm floor the d-1 records
	// without a prediction add FreeNats to the sum over records, and that the
	// rewards are those of posterior features, without gradient to the features,
	// once for each d = 2..D, averaged over L records: more training of the
	// reward head. (The later c04226b divides 0 by 0 at the chunks' ends.)
	OvershootingGoogle Overshooting = "google"
	// OvershootingKaixhin is the routine of Kaixhin/PlaNet (28c8491). Rollouts
	// start at records 1..L-2, their stochastic state without gradient, and
	// include d = 1. The sum of all K_d is divided by the D(L-2) entries it would
	// have without ends and multiplied by (L-1)/D; missing entries add FreeNats
	// with floor. Rewards likewise, from predicted states. Its weight against
	// the KL grows like L/D: about 9 times at L 50 and D 5.
	OvershootingKaixhin Overshooting = "kaixhin"
)

// overshoots reports whether there are overshooting terms at all.
func (c Config) overshoots() bool {
	switch c.Objective.Overshooting {
	case OvershootingClean, OvershootingGoogle:
		return c.Objective.OvershootingDistance > 1
	case OvershootingKaixhin:
		return true
	default:
		return false
	}
}

func (c Config) overshootsRewards() bool {
	return c.overshoots() && c.Objective.OvershootingRewardScale > 0
}

// overshoot returns the terms of the configured definition before their
// scales; nil for those it lacks.
func (n *Net) overshoot(seq Sequence, b Batch) (kl, reward *graph.Node) {
	if !n.m.cfg.overshoots() {
		return nil, nil
	}
	o := n.newOvershooter(seq, b)
	if n.m.cfg.Objective.Overshooting == OvershootingKaixhin {
		return o.kaixhin()
	}
	return o.clean()
}

// overshooter computes the terms on one batch.
type overshooter struct {
	n   *Net
	cfg Config
	// chunks is B, length L, distance D.
	chunks, length, distance int
	seq                      Sequence
	batch                    Batch
	// targets are the posteriors, [L*B, Z], without gradient.
	targets Gaussian
	// rewards is [L*B].
	rewards *graph.Node
}

func (n *Net) newOvershooter(seq Sequence, b Batch) overshooter {
	rows, length := chunkShape(b.Rewards)
	kind, shortest := n.m.cfg.Objective.Overshooting, 2
	if kind == OvershootingKaixhin {
		shortest = 3
	}
	if length < shortest {
		panic(fmt.Errorf("worldmodel: chunks of %d records; %s overshooting needs at least %d", length, kind, shortest))
	}
	return overshooter{
		n: n, cfg: n.m.cfg, chunks: rows, length: length,
		distance: min(n.m.cfg.Objective.OvershootingDistance, length),
		seq:      seq, batch: b,
		targets: Gaussian{Mean: timeMajor(seq.Posterior.Mean), Std: timeMajor(seq.Posterior.Std)}.stopped(),
		rewards: timeMajor(b.Rewards),
	}
}

// rollout prepares predictions whose first step reaches record first.
func (o overshooter) rollout(first int) rollout {
	noise := graph.TransposeAllAxes(o.batch.RolloutNoise, 2, 1, 0, 3)
	return rollout{
		step: o.n.StepPrior, net: o.n, chunks: o.chunks, length: o.length, first: first,
		actions: timeMajor(o.batch.Actions),
		noise:   graph.Reshape(noise, noise.Shape().Dimensions[0], o.length*o.chunks, -1),
	}
}

// divergence is the KL of the targets from a prediction, one for each of its
// rows.
func (o overshooter) divergence(p prediction) *graph.Node {
	earlier := p.from * o.chunks
	target := Gaussian{Mean: dropRows(earlier, o.targets.Mean), Std: dropRows(earlier, o.targets.Std)}
	return o.cfg.divergence(target, p.prior)
}

// rewardError is half the squared error of a prediction's rewards, summed over
// its rows.
func (o overshooter) rewardError(p prediction) *graph.Node {
	predicted := o.n.Reward(o.n.Features(p.state))
	difference := graph.Sub(predicted, dropRows(p.from*o.chunks, o.rewards))
	return graph.MulScalar(graph.ReduceAllSum(graph.Square(difference)), 0.5)
}

// starts joins the states of records first..last, -1 being the zero state, to
// one of (last-first+1)*B rows.
func (o overshooter) starts(first, last int) State {
	parts := make([][]*graph.Node, len(o.n.m.StateSizes()))
	for record := first; record <= last; record++ {
		state := o.n.InitialState(o.chunks)
		if record >= 0 {
			state = o.seq.States[record]
		}
		for i, node := range state.Nodes() {
			parts[i] = append(parts[i], node)
		}
	}
	joined := make([]*graph.Node, len(parts))
	for i, nodes := range parts {
		joined[i] = graph.Concatenate(nodes, 0)
	}
	starts := o.n.StateFromNodes(joined)
	if o.cfg.Objective.OvershootingDetached {
		return starts.apply(graph.StopGradient)
	}
	return starts
}

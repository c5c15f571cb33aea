package worldmodel

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
)

// TestOvershootingGradientMatchesDifferences checks every parameter in random
// directions. Differences do not know of stopped gradients, so the function
// they are taken of has what is stopped as constants: the targets, and the
// stochastic start states of kaixhin.
func TestOvershootingGradientMatchesDifferences(t *testing.T) {
	for _, kind := range overshootings() {
		cfg := overshootConfig(kind, 3)
		cfg.FreeNats = 0.2
		f := newFixture(t, cfg, 2, 4)
		stopped := f.once(f.batch(), func(n *Net, in []*graph.Node) []*graph.Node {
			b := n.BatchFromNodes(in)
			seq := n.Observe(n.embedChunks(b.Observation), b.Actions, b.Noise)
			return []*graph.Node{seq.Posterior.Mean, seq.Posterior.Std, seq.Features}
		})
		constants := []tensor{
			tensorOf(stopped[0], 2, 4, 3), tensorOf(stopped[1], 2, 4, 3), tensorOf(stopped[2], 2, 4, f.m.FeatureSize()),
		}
		frozen := f.compile(append(f.batch(), constants...), func(n *Net, in []*graph.Node) []*graph.Node {
			last := len(in) - 3
			return []*graph.Node{f.frozenOvershooting(n, n.BatchFromNodes(in[:last]), Gaussian{in[last], in[last+1]}, in[last+2])}
		})
		gradients := f.once(f.batch(), func(n *Net, in []*graph.Node) []*graph.Node {
			b := n.BatchFromNodes(in)
			kl, reward := n.overshoot(n.Observe(n.embedChunks(b.Observation), b.Actions, b.Noise), b)
			return apart(graph.Gradient(graph.Add(kl, reward), n.params...))
		})
		f.compareDirections(t, string(kind), gradients, func() float64 {
			return f.run(frozen, append(f.batch(), constants...)...)[0][0]
		})
	}
}

// frozenOvershooting is the sum of the terms where targets, and what the form
// stops besides, are given.
func (f *fixture) frozenOvershooting(n *Net, b Batch, targets Gaussian, features *graph.Node) *graph.Node {
	seq := n.Observe(n.embedChunks(b.Observation), b.Actions, b.Noise)
	seq.Posterior = targets
	switch f.m.Config().Objective.Overshooting {
	case OvershootingGoogle:
		seq.Features = features
	case OvershootingKaixhin:
		stoch := splitTime(graph.SliceAxis(features, 2, graph.AxisRange(0, f.m.Config().StochSize)))
		for i := range seq.States {
			seq.States[i].Stoch = stoch[i]
		}
	}
	kl, reward := n.overshoot(seq, b)
	return graph.Add(kl, reward)
}

// compareDirections compares gradients that went through apart with five-point
// differences of a function of the fixture's parameters.
func (f *fixture) compareDirections(t *testing.T, what string, gradients [][]float64, function func() float64) {
	t.Helper()
	random := rand.New(rand.NewPCG(61, 67))
	for i, spec := range f.m.ParamSpecs() {
		original, direction := f.params[i], normal(random, 1, spec.Dims...)
		at := func(step float64) float64 {
			moved := original.clone()
			for j := range moved.data {
				moved.data[j] += step * direction.data[j]
			}
			f.params[i] = moved
			defer func() { f.params[i] = original }()
			return function()
		}
		got, want := dot(gradients[i], direction.data)/float64(i+1), fivePoint(at, 2e-5)
		if error := math.Abs(got-want) / math.Max(math.Abs(want), 1e-2); error > 1e-6 {
			t.Errorf("%s: %s: directional derivative %.10g, differences give %.10g (relative error %.1e)", what, spec.Name, got, want, error)
		}
	}
}

// TestOvershootingRouting says which parameters each form trains. What leads
// to start states has a gradient from them; with detached starts only the
// rollout itself is left, and the posterior's head and the encoder have none,
// whether they serve targets or starts.
func TestOvershootingRouting(t *testing.T) {
	rewardHead := func(name string) bool { return strings.HasPrefix(name, "reward/") }
	rolledOut := func(name string) bool {
		return strings.HasPrefix(name, "rssm/prior/") || strings.HasPrefix(name, "rssm/gru/") || strings.HasPrefix(name, "rssm/input/")
	}
	decoder := func(name string) bool { return strings.HasPrefix(name, "decoder/") }
	for _, c := range []struct {
		name     string
		kind     Overshooting
		detached bool
		length   int
		kl       func(name string) bool
		reward   func(name string) bool
	}{
		{"clean", OvershootingClean, false, 4,
			func(n string) bool { return !rewardHead(n) && !decoder(n) }, func(n string) bool { return !decoder(n) }},
		{"clean, detached", OvershootingClean, true, 4,
			rolledOut, func(n string) bool { return rolledOut(n) || rewardHead(n) }},
		{"clean, only the zero state starts", OvershootingClean, false, 2,
			rolledOut, func(n string) bool { return rolledOut(n) || rewardHead(n) }},
		{"google", OvershootingGoogle, false, 4,
			func(n string) bool { return !rewardHead(n) && !decoder(n) }, rewardHead},
		{"kaixhin, through the belief", OvershootingKaixhin, false, 4,
			func(n string) bool { return !rewardHead(n) && !decoder(n) }, func(n string) bool { return !decoder(n) }},
		{"kaixhin, detached", OvershootingKaixhin, true, 4,
			rolledOut, func(n string) bool { return rolledOut(n) || rewardHead(n) }},
	} {
		cfg := overshootConfig(c.kind, 2)
		cfg.Objective.OvershootingDetached = c.detached
		f := newFixture(t, cfg, 2, c.length)
		out := f.once(f.batch(), func(n *Net, in []*graph.Node) []*graph.Node {
			l := n.Loss(n.BatchFromNodes(in))
			return apart(append(graph.Gradient(l.Overshooting, n.params...), graph.Gradient(l.OvershootingReward, n.params...)...))
		})
		for i, spec := range f.m.ParamSpecs() {
			if got := !zero(out[i]); got != c.kl(spec.Name) {
				t.Errorf("%s: the KL trains %s: %v", c.name, spec.Name, got)
			}
			if got := !zero(out[len(f.params)+i]); got != c.reward(spec.Name) {
				t.Errorf("%s: the rewards train %s: %v", c.name, spec.Name, got)
			}
		}
	}
}

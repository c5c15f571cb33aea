package worldmodel

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// eachTransition runs a test for every kind of transition.
func eachTransition(t *testing.T, b, l int, test func(t *testing.T, f *fixture)) {
	for _, kind := range transitions() {
		t.Run(string(kind), func(t *testing.T) {
			cfg := microConfig()
			cfg.Transition = kind
			test(t, newFixture(t, cfg, b, l))
		})
	}
}

// TestTransitionParameterCounts holds the published sizes for 64x64x3 pixels
// and 6 actions: SSM and DRNN of the paper's code, and Kaixhin/PlaNet's RSSM.
func TestTransitionParameterCounts(t *testing.T) {
	for name, test := range map[string]struct {
		change            func(*Config)
		total, transition int
	}{
		"rssm":    {func(*Config) {}, 5293220, 557320},
		"default": {func(c *Config) { c.Transition = "" }, 5293220, 557320},
		// PyTorch's cell keeps a second bias for both gates, 2x200, which adds to
		// the first and which we do without.
		"kaixhin": {func(c *Config) { c.GRU, c.RewardLayers = ResetAfter, []int{200, 200} }, 5130220 - 400, 557920 - 400},
		"ssm":     {func(c *Config) { c.Transition = SSM }, 4719620, 248520},
		"drnn":    {func(c *Config) { c.Transition = DRNN }, 5689640, 993460},
		// Means only: two output layers of 200x30+30 fewer than the RSSM.
		"deterministic": {func(c *Config) { c.Transition = Deterministic }, 5293220 - 2*6030, 557320 - 2*6030},
	} {
		cfg, dims := preset(t, "paper", 6).Config(), preset(t, "paper", 6).Dims()
		test.change(&cfg)
		m, err := New(cfg, dims)
		if err != nil {
			t.Fatal(err)
		}
		transition := 0
		for _, spec := range m.ParamSpecs() {
			if part, _, _ := strings.Cut(spec.Name, "/"); part == "rssm" || part == "ssm" || part == "drnn" {
				transition += spec.Size()
			}
		}
		if m.NumParams() != test.total || transition != test.transition {
			t.Errorf("%s: %d parameters, %d in the transition; want %d and %d", name, m.NumParams(), transition, test.total, test.transition)
		}
	}
}

// TestStatesSurviveTheirNodes: a state taken apart and put together is itself,
// and has the advertised widths.
func TestStatesSurviveTheirNodes(t *testing.T) {
	want := map[Transition]int{RSSM: 2, SSM: 1, Deterministic: 2, DRNN: 3}
	eachTransition(t, 2, 2, func(t *testing.T, f *fixture) {
		out := f.once(f.observeOperands(), func(n *Net, in []*graph.Node) []*graph.Node {
			state := n.Observe(n.embedChunks(Observation{Images: in[0]}), in[1], in[2]).States[1]
			if again := n.StateFromNodes(state.Nodes()); again != state {
				t.Errorf("%v became %v", state, again)
			}
			return state.Nodes()
		})
		sizes := f.m.StateSizes()
		if len(out) != want[f.m.cfg.Transition] || len(sizes) != len(out) {
			t.Fatalf("%d nodes, sizes %v", len(out), sizes)
		}
		for i, values := range out {
			if len(values) != f.b*sizes[i] || zero(values) {
				t.Errorf("node %d is %v, want %d values", i, values, f.b*sizes[i])
			}
		}
	})
}

// stateOperands are a random state of rows rows.
func (f *fixture) stateOperands(random *rand.Rand, rows int) []tensor {
	var state []tensor
	for _, size := range f.m.StateSizes() {
		state = append(state, normal(random, .5, rows, size))
	}
	return state
}

// gaussianNodes lists mean and standard deviation.
func (g Gaussian) nodes() []*graph.Node { return []*graph.Node{g.Mean, g.Std} }

// TestObservationsReachOnlyThePosterior: another embedding moves the posterior
// and nothing of the prior; and with a constant in place of the posterior's
// sample, the next recurrent state of an RSSM does not depend on it either.
func TestObservationsReachOnlyThePosterior(t *testing.T) {
	eachTransition(t, 1, 1, func(t *testing.T, f *fixture) {
		random := rand.New(rand.NewPCG(61, 67))
		operands := append(f.stateOperands(random, 2), normal(random, .5, 2, 2), normal(random, 1, 2, f.m.EmbedSize()), normal(random, 1, 2, 3))
		k := len(f.m.StateSizes())
		step := f.compile(operands, func(n *Net, in []*graph.Node) []*graph.Node {
			state := n.StateFromNodes(in[:k])
			next, prior, posterior := n.StepPosterior(state, in[k], in[k+1], in[k+2])
			_, imagined := n.StepPrior(state, in[k], in[k+2])
			out := append(prior.nodes(), posterior.Mean, next.Stoch, imagined.Mean, imagined.Std)
			if f.m.cfg.Transition == RSSM || f.m.cfg.Transition == Deterministic {
				constant, _ := n.StepPrior(State{Deter: next.Deter, Stoch: graph.OnesLike(next.Stoch)}, in[k], in[k+2])
				out = append(out, next.Deter, constant.Deter)
			}
			return out
		})
		before := f.run(step, operands...)
		assertClose(t, "the imagined mean", before[4], before[0], 1e-13)
		assertClose(t, "the imagined deviation", before[5], before[1], 1e-13)
		operands[k+1] = normal(random, 1, 2, f.m.EmbedSize())
		for i, after := range f.run(step, operands...) {
			if want := i == 2 || i == 3; differ(before[i], after) != want {
				t.Errorf("output %d changed: %v, want %v", i, !want, want)
			}
		}
	})
}

// TestPriorsReadTheWholeState: perturbing any node of the state, or the
// action, moves the prior.
func TestPriorsReadTheWholeState(t *testing.T) {
	eachTransition(t, 1, 1, func(t *testing.T, f *fixture) {
		random := rand.New(rand.NewPCG(71, 73))
		operands := append(f.stateOperands(random, 1), normal(random, .5, 1, 2), normal(random, 1, 1, 3))
		k := len(f.m.StateSizes())
		step := f.compile(operands, func(n *Net, in []*graph.Node) []*graph.Node {
			_, prior := n.StepPrior(n.StateFromNodes(in[:k]), in[k], in[k+1])
			return []*graph.Node{prior.Mean}
		})
		before := f.run(step, operands...)[0]
		for i := range k + 1 {
			moved := append([]tensor{}, operands...)
			moved[i] = moved[i].clone()
			for j := range moved[i].data {
				moved[i].data[j] += 0.5
			}
			if !differ(before, f.run(step, moved...)[0]) {
				t.Errorf("the prior does not depend on operand %d", i)
			}
		}
	})
}

// TestZeroEmbeddingIsNoObservation: the DRNN's prior is its posterior for an
// embedding of zeros.
func TestZeroEmbeddingIsNoObservation(t *testing.T) {
	cfg := microConfig()
	cfg.Transition = DRNN
	f := newFixture(t, cfg, 1, 1)
	random := rand.New(rand.NewPCG(79, 83))
	operands := append(f.stateOperands(random, 2), normal(random, .5, 2, 2), normal(random, 1, 2, 3))
	out := f.once(operands, func(n *Net, in []*graph.Node) []*graph.Node {
		embed := graph.Zeros(n.graph(), shapes.Make(n.dtype(), 2, f.m.EmbedSize()))
		next, prior, posterior := n.StepPosterior(n.StateFromNodes(in[:3]), in[3], embed, in[4])
		imagined, _ := n.StepPrior(n.StateFromNodes(in[:3]), in[3], in[4])
		return append(append(prior.nodes(), posterior.nodes()...), n.Features(next), n.Features(imagined))
	})
	assertClose(t, "posterior mean", out[2], out[0], 1e-13)
	assertClose(t, "posterior deviation", out[3], out[1], 1e-13)
	assertClose(t, "features", out[4], out[5], 1e-13)
}

// TestDeterministicRouting is the matrix of the deterministic transition for
// one step: image and reward never reach the prior's head; the KL, a squared
// error without allowance, trains the prior and the recurrence, not what it is
// measured against.
func TestDeterministicRouting(t *testing.T) {
	cfg := microConfig()
	cfg.Transition, cfg.FreeNats = Deterministic, 3
	f := newFixture(t, cfg, 2, 1)
	count := len(f.params)
	out := f.once(f.batch(), func(n *Net, in []*graph.Node) []*graph.Node {
		l := n.Loss(n.BatchFromNodes(in))
		all := append(graph.Gradient(graph.Add(l.Image, l.Reward), n.params...), graph.Gradient(l.KLClipped, n.params...)...)
		return append(apart(all), l.KL, graph.AddScalar(l.KLClipped, 1))
	})
	assertClose(t, "clipped KL + 1", out[2*count+1], []float64{out[2*count][0] + 1}, 1e-13)
	for i, spec := range f.m.ParamSpecs() {
		prior := strings.HasPrefix(spec.Name, "rssm/prior/")
		if zero(out[i]) != prior {
			t.Errorf("%s: gradient of image and reward is zero: %v, want %v", spec.Name, !prior, prior)
		}
		trained := prior || strings.HasPrefix(spec.Name, "rssm/gru/") || strings.HasPrefix(spec.Name, "rssm/input/")
		if zero(out[count+i]) == trained {
			t.Errorf("%s: gradient of KL is zero: %v, want %v", spec.Name, trained, !trained)
		}
	}
}

// TestStochasticRouting: in the SSM and the DRNN the posterior is computed from
// the prior, or by the same network, so image and reward train every part; the
// KL never reaches the output heads.
func TestStochasticRouting(t *testing.T) {
	for _, kind := range []Transition{SSM, DRNN} {
		cfg := microConfig()
		cfg.Transition = kind
		f := newFixture(t, cfg, 2, 3)
		out := f.once(f.batch(), func(n *Net, in []*graph.Node) []*graph.Node {
			l := n.Loss(n.BatchFromNodes(in))
			return apart(append(graph.Gradient(graph.Add(l.Image, l.Reward), n.params...), graph.Gradient(l.KLClipped, n.params...)...))
		})
		for i, spec := range f.m.ParamSpecs() {
			if zero(out[i]) {
				t.Errorf("%s: %s: image and reward give it no gradient", kind, spec.Name)
			}
			head := strings.HasPrefix(spec.Name, "decoder/") || strings.HasPrefix(spec.Name, "reward/")
			if zero(out[len(f.params)+i]) != head {
				t.Errorf("%s: %s: gradient of KL is zero: %v, want %v", kind, spec.Name, !head, head)
			}
		}
	}
}

// TestFilteringWithThePriorIsImagining: where the posterior is made to be the
// prior, a step with an observation is a step without one.
func TestFilteringWithThePriorIsImagining(t *testing.T) {
	for kind, output := range map[Transition]string{RSSM: "stats", Deterministic: "mean"} {
		cfg := microConfig()
		cfg.Transition = kind
		f := newFixture(t, cfg, 1, 1)
		clear(f.param("rssm/posterior/embed/kernel"))
		for _, part := range []string{"kernel", "bias"} {
			copy(f.param("rssm/posterior/deter/"+part), f.param("rssm/prior/hidden/"+part))
			copy(f.param("rssm/posterior/"+output+"/"+part), f.param("rssm/prior/"+output+"/"+part))
		}
		random := rand.New(rand.NewPCG(107, 109))
		operands := append(f.stateOperands(random, 2), normal(random, .5, 2, 2), normal(random, 1, 2, f.m.EmbedSize()), normal(random, 1, 2, 3))
		out := f.once(operands, func(n *Net, in []*graph.Node) []*graph.Node {
			closed, _, _ := n.StepPosterior(n.StateFromNodes(in[:2]), in[2], in[3], in[4])
			open, _ := n.StepPrior(n.StateFromNodes(in[:2]), in[2], in[4])
			return []*graph.Node{n.Features(closed), n.Features(open)}
		})
		assertClose(t, string(kind), out[0], out[1], 1e-13)
	}
}

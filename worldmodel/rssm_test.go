package worldmodel

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
)

// TestGRUVectors holds one step worked out by hand for both forms: x = .5,
// h = (-.4, .3). The recurrent candidate bias is zero.
func TestGRUVectors(t *testing.T) {
	for form, want := range map[GRUForm][]float64{
		ResetBefore: {-.1398394, .1847410},
		ResetAfter:  {-.1478729, .1887743},
	} {
		t.Run(string(form), func(t *testing.T) {
			cfg := microConfig()
			cfg.DeterSize, cfg.HiddenSize, cfg.GRU = 2, 1, form
			f := newFixture(t, cfg, 1, 1)
			// Rows x, h1, h2; columns r1, r2, u1, u2.
			copy(f.param("rssm/gru/gates/kernel"), []float64{.3, -.1, -.5, .4, .2, .5, .4, -.2, -.3, .1, .1, .3})
			copy(f.param("rssm/gru/gates/bias"), []float64{.1, -.2, .2, 0})
			copy(f.param("rssm/gru/candidate/bias"), []float64{-.1, .3})
			candidate := []float64{.7, -.6, .6, .2, -.4, .5}
			copy(f.param("rssm/gru/candidate/kernel"), candidate)
			if form == ResetAfter {
				copy(f.param("rssm/gru/recurrent/kernel"), candidate[2:])
				clear(f.param("rssm/gru/recurrent/bias"))
			}
			operands := []tensor{tensorOf([]float64{.5}, 1, 1), tensorOf([]float64{-.4, .3}, 1, 2)}
			out := f.once(operands, func(n *Net, in []*graph.Node) []*graph.Node {
				return []*graph.Node{n.gru(n.m.transition.(rssm).cell, in[0], in[1])}
			})
			assertClose(t, "h'", out[0], want, 1e-7)
		})
	}
}

// stepOperands are state, action, embedding and noise of n rows.
func stepOperands(f *fixture, n int) []tensor {
	random := rand.New(rand.NewPCG(17, 19))
	cfg := f.m.Config()
	return []tensor{normal(random, .5, n, cfg.DeterSize), normal(random, 1, n, cfg.StochSize),
		normal(random, .5, n, f.m.Dims().ActionSize), normal(random, 1, n, f.m.EmbedSize()), normal(random, 1, n, cfg.StochSize)}
}

// outputs of stepGraph, by position.
const (
	outDeter = iota
	outStoch
	outPriorMean
	outPriorStd
	outPosteriorMean
	outPosteriorStd
	outImagined
)

// stepGraph is one posterior step, and the sample of a prior step.
func stepGraph(n *Net, in []*graph.Node) []*graph.Node {
	state := State{Deter: in[0], Stoch: in[1]}
	next, prior, posterior := n.StepPosterior(state, in[2], in[3], in[4])
	imagined, _ := n.StepPrior(state, in[2], in[4])
	return []*graph.Node{next.Deter, next.Stoch, prior.Mean, prior.Std, posterior.Mean, posterior.Std, imagined.Stoch}
}

// naive is the same step in plain loops, one row, reset-before form, straight
// from the definition in the paper.
type naive struct{ f *fixture }

func (n naive) linear(name string, x ...float64) []float64 {
	y := append([]float64(nil), n.f.param(name+"/bias")...)
	return n.addProduct(y, name, x)
}

func (n naive) addProduct(y []float64, name string, x []float64) []float64 {
	kernel := n.f.param(name + "/kernel")
	for i := range y {
		for j, v := range x {
			y[i] += v * kernel[j*len(y)+i]
		}
	}
	return y
}

func apply(f func(float64) float64, x []float64) []float64 {
	for i := range x {
		x[i] = f(x[i])
	}
	return x
}

func join(parts ...[]float64) (all []float64) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func (n naive) gaussian(name string, hidden []float64) (mean, std []float64) {
	out := n.linear(name, apply(func(v float64) float64 { return math.Max(0, v) }, hidden)...)
	mean, std = out[:len(out)/2], out[len(out)/2:]
	return mean, apply(func(v float64) float64 { return math.Log(1+math.Exp(v)) + 0.1 }, std)
}

func (n naive) step(h, s, a, e, noise []float64) [][]float64 {
	x := apply(func(v float64) float64 { return math.Max(0, v) }, n.linear("rssm/input", join(s, a)...))
	gates := apply(func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }, n.linear("rssm/gru/gates", join(x, h)...))
	r, u := gates[:len(h)], gates[len(h):]
	reset := append([]float64(nil), h...)
	for i := range reset {
		reset[i] *= r[i]
	}
	next := apply(math.Tanh, n.linear("rssm/gru/candidate", join(x, reset)...))
	for i := range next {
		next[i] = u[i]*h[i] + (1-u[i])*next[i]
	}
	mp, sp := n.gaussian("rssm/prior/stats", n.linear("rssm/prior/hidden", next...))
	hidden := n.addProduct(n.linear("rssm/posterior/deter", next...), "rssm/posterior/embed", e)
	mq, sq := n.gaussian("rssm/posterior/stats", hidden)
	stoch, imagined := make([]float64, len(mq)), make([]float64, len(mp))
	for i := range stoch {
		stoch[i], imagined[i] = mq[i]+sq[i]*noise[i], mp[i]+sp[i]*noise[i]
	}
	return [][]float64{next, stoch, mp, sp, mq, sq, imagined}
}

// TestStepMatchesDefinition compares three rows with plain loops.
func TestStepMatchesDefinition(t *testing.T) {
	f := newFixture(t, microConfig(), 1, 1)
	const rows = 3
	operands := stepOperands(f, rows)
	got := f.once(operands, stepGraph)
	for row := range rows {
		var args [5][]float64
		for i, x := range operands {
			args[i] = x.data[row*x.dims[1] : (row+1)*x.dims[1]]
		}
		for i, want := range (naive{f}).step(args[0], args[1], args[2], args[3], args[4]) {
			assertClose(t, "step output", got[i][row*len(want):(row+1)*len(want)], want, 1e-12)
		}
	}
}

// TestObservationReachesOnlyThePosterior: another embedding changes the
// posterior and its sample, not h, not the prior.
func TestObservationReachesOnlyThePosterior(t *testing.T) {
	f := newFixture(t, microConfig(), 1, 1)
	operands := stepOperands(f, 2)
	step := f.compile(operands, stepGraph)
	before := f.run(step, operands...)
	operands[3] = normal(rand.New(rand.NewPCG(23, 29)), 1, operands[3].dims...)
	after := f.run(step, operands...)
	for i, want := range map[int]bool{outDeter: false, outPriorMean: false, outPriorStd: false,
		outImagined: false, outStoch: true, outPosteriorMean: true, outPosteriorStd: true} {
		if differ(before[i], after[i]) != want {
			t.Errorf("output %d changed: %v, want %v", i, !want, want)
		}
	}
}

// TestPriorReadsTheRecurrentState: perturbing h alone moves the prior, which
// catches a prior computed from the cell's input.
func TestPriorReadsTheRecurrentState(t *testing.T) {
	f := newFixture(t, microConfig(), 1, 1)
	operands := stepOperands(f, 1)
	step := f.compile(operands, stepGraph)
	before := f.run(step, operands...)
	operands[0].data[0] += 0.5
	if after := f.run(step, operands...); !differ(before[outPriorMean], after[outPriorMean]) {
		t.Error("prior mean does not depend on h")
	}
}

// observe lists everything Observe gives for the fixture's batch.
func observeGraph(n *Net, in []*graph.Node) []*graph.Node {
	seq := n.Observe(n.embedChunks(Observation{Images: in[0]}), in[1], in[2])
	return []*graph.Node{seq.Features, seq.Prior.Mean, seq.Prior.Std, seq.Posterior.Mean, seq.Posterior.Std}
}

func (f *fixture) observeOperands() []tensor { return []tensor{f.images, f.actions, f.noise} }

// chunk returns chunk b of x [B, ...] as [1, ...].
func chunk(x tensor, b int) tensor {
	size := len(x.data) / x.dims[0]
	return tensorOf(x.data[b*size:(b+1)*size], append([]int{1}, x.dims[1:]...)...)
}

// TestBatchEqualsSingleChunks: rows do not mix.
func TestBatchEqualsSingleChunks(t *testing.T) {
	eachTransition(t, 3, 4, func(t *testing.T, f *fixture) {
		all := f.once(f.observeOperands(), observeGraph)
		for b := range f.b {
			single := []tensor{chunk(f.images, b), chunk(f.actions, b), chunk(f.noise, b)}
			for i, want := range f.once(single, observeGraph) {
				assertClose(t, "single chunk", all[i][b*len(want):(b+1)*len(want)], want, 1e-12)
			}
		}
	})
}

// TestObserveEqualsSteps: the unrolled form, with its batched products, equals
// one StepPosterior after another, and Imagine one StepPrior after another.
func TestObserveEqualsSteps(t *testing.T) {
	eachTransition(t, 2, 3, func(t *testing.T, f *fixture) {
		got := f.once(f.observeOperands(), func(n *Net, in []*graph.Node) []*graph.Node {
			embed := n.embedChunks(Observation{Images: in[0]})
			closed := n.Observe(embed, in[1], in[2])
			open := n.Imagine(n.InitialState(f.b), in[1], in[2])
			state, dream := n.InitialState(f.b), n.InitialState(f.b)
			var out []*graph.Node
			at := func(x *graph.Node, i int) *graph.Node {
				return graph.Reshape(graph.SliceAxis(x, 1, graph.AxisElem(i)), f.b, -1)
			}
			for i := range f.l {
				var prior, posterior, imagined Gaussian
				state, prior, posterior = n.StepPosterior(state, at(in[1], i), at(embed, i), at(in[2], i))
				dream, imagined = n.StepPrior(dream, at(in[1], i), at(in[2], i))
				out = append(out,
					at(closed.Features, i), n.Features(state), at(closed.Prior.Mean, i), prior.Mean, at(closed.Prior.Std, i), prior.Std,
					at(closed.Posterior.Mean, i), posterior.Mean, at(closed.Posterior.Std, i), posterior.Std,
					at(open.Features, i), n.Features(dream), at(open.Prior.Mean, i), imagined.Mean, at(open.Prior.Std, i), imagined.Std)
			}
			return out
		})
		for i := 0; i < len(got); i += 2 {
			assertClose(t, "unrolled output", got[i], got[i+1], 1e-12)
		}
	})
}

// TestHalvesEqualWhole: carrying the state over a cut changes nothing.
func TestHalvesEqualWhole(t *testing.T) {
	eachTransition(t, 2, 6, func(t *testing.T, f *fixture) {
		out := f.once(f.observeOperands(), func(n *Net, in []*graph.Node) []*graph.Node {
			part := func(x *graph.Node, from, to int) *graph.Node {
				return graph.SliceAxis(x, 1, graph.AxisRange(from, to))
			}
			embed := n.embedChunks(Observation{Images: in[0]})
			first := n.Observe(part(embed, 0, 3), part(in[1], 0, 3), part(in[2], 0, 3))
			second := n.ObserveFrom(first.States[2], part(embed, 3, 6), part(in[1], 3, 6), part(in[2], 3, 6))
			return []*graph.Node{n.Observe(embed, in[1], in[2]).Features,
				graph.Concatenate([]*graph.Node{first.Features, second.Features}, 1)}
		})
		assertClose(t, "features of two halves", out[1], out[0], 1e-12)
	})
}

// TestOpenLoopEqualsClosedLoopWhenPosteriorIsPrior gives the posterior the
// prior's weights and no view of the image.
func TestOpenLoopEqualsClosedLoopWhenPosteriorIsPrior(t *testing.T) {
	f := newFixture(t, microConfig(), 2, 4)
	clear(f.param("rssm/posterior/embed/kernel"))
	for posterior, prior := range map[string]string{"deter": "hidden", "stats": "stats"} {
		for _, part := range []string{"kernel", "bias"} {
			copy(f.param("rssm/posterior/"+posterior+"/"+part), f.param("rssm/prior/"+prior+"/"+part))
		}
	}
	out := f.once(f.observeOperands(), func(n *Net, in []*graph.Node) []*graph.Node {
		closed := n.Observe(n.embedChunks(Observation{Images: in[0]}), in[1], in[2])
		open := n.Imagine(n.InitialState(f.b), in[1], in[2])
		return []*graph.Node{closed.Features, open.Features, graph.ReduceAllSum(closed.Posterior.KL(closed.Prior))}
	})
	assertClose(t, "open-loop features", out[1], out[0], 1e-12)
	assertClose(t, "KL", out[2], []float64{0}, 1e-12)
}

// TestImageReachesTheFutureOnlyThroughTheSample: the first image changes later
// features; once the posterior is constant it does not.
func TestImageReachesTheFutureOnlyThroughTheSample(t *testing.T) {
	f := newFixture(t, microConfig(), 1, 3)
	other := f.images.clone()
	for i := range len(other.data) / f.l {
		other.data[i] = -other.data[i]
	}
	features := func(images tensor) []float64 {
		return f.once([]tensor{images, f.actions, f.noise}, observeGraph)[0]
	}
	size := f.m.FeatureSize()
	if !differ(features(f.images)[size:], features(other)[size:]) {
		t.Error("the first image does not influence later features")
	}
	clear(f.param("rssm/posterior/stats/kernel"))
	if differ(features(f.images), features(other)) {
		t.Error("the image reaches the state by another way than the sample")
	}
}

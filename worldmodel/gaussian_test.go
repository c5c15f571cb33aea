package worldmodel

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
)

// gaussianKL evaluates KL and its gradients for scalars.
func gaussianKL(t *testing.T, mq, sq, mp, sp []float64) (kl, entropy []float64, gradients [][]float64) {
	operands := []tensor{tensorOf(mq, len(mq), 1), tensorOf(sq, len(mq), 1), tensorOf(mp, len(mq), 1), tensorOf(sp, len(mq), 1)}
	out := compile(t, operands, func(in []*graph.Node) []*graph.Node {
		q, p := Gaussian{in[0], in[1]}, Gaussian{in[2], in[3]}
		kl := q.KL(p)
		return append([]*graph.Node{kl, q.Entropy()}, graph.Gradient(graph.ReduceAllSum(kl), in...)...)
	}).run(operands...)
	return out[0], out[1], out[2:]
}

// TestKLValuesAndGradients holds values worked out by hand for
// KL(N(.3,.5) || N(-.1,.8)) and the reverse.
func TestKLValuesAndGradients(t *testing.T) {
	kl, entropy, gradients := gaussianKL(t, []float64{.3, -.1}, []float64{.5, .8}, []float64{-.1, .3}, []float64{.8, .5})
	assertClose(t, "KL", kl, []float64{0.2903161, 0.6299964}, 1e-7)
	half := 0.5 * math.Log(2*math.Pi*math.E)
	assertClose(t, "entropy", entropy, []float64{half + math.Log(.5), half + math.Log(.8)}, 1e-12)
	for i, want := range []float64{.625, -1.21875, -.625, .4492188} {
		assertClose(t, "gradient", gradients[i][:1], []float64{want}, 1e-7)
	}
}

// TestKLMatchesMonteCarlo averages ln q(x) - ln p(x) over 2e6 samples of q.
func TestKLMatchesMonteCarlo(t *testing.T) {
	const samples = 2_000_000
	kl, _, _ := gaussianKL(t, []float64{.3}, []float64{.5}, []float64{-.1}, []float64{.8})
	random := rand.New(rand.NewPCG(1, 1))
	logDensity := func(x, mean, std float64) float64 {
		z := (x - mean) / std
		return -z*z/2 - math.Log(std)
	}
	sum := 0.
	for range samples {
		x := .3 + .5*random.NormFloat64()
		sum += logDensity(x, .3, .5) - logDensity(x, -.1, .8)
	}
	if got := sum / samples; math.Abs(got-kl[0]) > 1e-3 {
		t.Errorf("estimate %v, KL %v", got, kl[0])
	}
}

func TestKLIsZeroOnlyForEqualDistributions(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 2))
	const n = 200
	draw := func() (mean, std []float64) {
		for range n {
			mean, std = append(mean, random.NormFloat64()), append(std, math.Exp(random.NormFloat64()))
		}
		return mean, std
	}
	mq, sq := draw()
	mp, sp := draw()
	same, _, _ := gaussianKL(t, mq, sq, mq, sq)
	assertClose(t, "KL(x || x)", same, make([]float64, n), 1e-15)
	kl, _, _ := gaussianKL(t, mq, sq, mp, sp)
	for i, v := range kl {
		if !(v > 0) {
			t.Errorf("KL of different distributions %d is %v", i, v)
		}
	}
}

// TestSoftplus checks the extremes, ln 2 at zero, and the logistic function as
// gradient, at zero too.
func TestSoftplus(t *testing.T) {
	x := tensorOf([]float64{-1000, -100, -1, 0, 1, 100, 1000}, 7)
	out := compile(t, []tensor{x}, func(in []*graph.Node) []*graph.Node {
		y := softplus(in[0])
		return []*graph.Node{y, graph.Gradient(graph.ReduceAllSum(y), in[0])[0]}
	}).run(x)
	l1 := math.Log1p(math.Exp(-1))
	assertClose(t, "softplus", out[0], []float64{0, math.Exp(-100), l1, math.Ln2, 1 + l1, 100, 1000}, 1e-15)
	s1 := 1 / (1 + math.E)
	assertClose(t, "gradient", out[1], []float64{0, math.Exp(-100), s1, .5, 1 - s1, 1, 1}, 1e-15)
}

// TestStdHasAFloor: raw output 0 gives ln 2 + 0.1, very negative ones 0.1.
func TestStdHasAFloor(t *testing.T) {
	f := newFixture(t, microConfig(), 1, 1)
	clear(f.param("rssm/prior/stats/kernel"))
	copy(f.param("rssm/prior/stats/bias"), []float64{0, 0, 0, 0, -50, 3})
	deter := normal(rand.New(rand.NewPCG(3, 3)), 1, 1, 5)
	out := f.once([]tensor{deter}, func(n *Net, in []*graph.Node) []*graph.Node {
		return []*graph.Node{n.m.transition.priorOf(n, in[0]).Std}
	})
	assertClose(t, "std", out[0], []float64{0.793147, 0.1, 0.1 + math.Log1p(math.Exp(3))}, 1e-6)
	if out[0][1] < 0.1 {
		t.Errorf("std %v is below the floor", out[0][1])
	}
}

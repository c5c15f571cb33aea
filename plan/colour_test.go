package plan

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/rng"
)

// The power of coloured noise falls like frequency^-beta and its variance is one at
// every time. Expectations are exact: the weights' own Fourier transform.
func TestColouringHasPowerLawSpectrum(t *testing.T) {
	for _, beta := range []float64{0, 0.25, 1, 2.5} {
		for _, n := range []int{2, 5, 12, 30} {
			w := colouring(n, beta)
			for i, row := range w {
				sum := 0.0
				for _, x := range row {
					sum += float64(x) * float64(x)
				}
				if math.Abs(sum-1) > 1e-5 {
					t.Errorf("beta %v, length %d: variance at time %d is %v, want 1", beta, n, i, sum)
				}
			}
			base := power(w, 1)
			for f := 1; f <= n/2; f++ {
				want := math.Pow(float64(f), -beta)
				if got := power(w, f) / base; math.Abs(got-want) > 1e-4*want {
					t.Errorf("beta %v, length %d: power at frequency %d is %v of that at 1, want %v", beta, n, f, got, want)
				}
			}
		}
	}
}

// power is the expected squared magnitude of a Fourier coefficient.
func power(w [][]float32, f int) float64 {
	n := len(w)
	total := 0.0
	for k := range n {
		var c complex128
		for t := range n {
			c += complex(float64(w[t][k]), 0) * cmplx.Rect(1, -2*math.Pi*float64(f*t)/float64(n))
		}
		total += real(c)*real(c) + imag(c)*imag(c)
	}
	return total
}

func TestGumbelHasItsMoments(t *testing.T) {
	x := make([]float32, 200_000)
	rng.New(1, "gumbel").FillNormal(x)
	gumbel(x)
	var sum, squares float64
	for _, v := range x {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	mean := sum / float64(len(x))
	variance := squares/float64(len(x)) - mean*mean
	if math.Abs(mean-0.5772157) > 0.01 || math.Abs(variance-math.Pi*math.Pi/6) > 0.03 {
		t.Errorf("mean %v, variance %v; want 0.5772 and 1.6449", mean, variance)
	}
}

// The weights of MPPI against their formula, with an infinite and an excluded score.
func TestSoftWeightsAreTheExponentials(t *testing.T) {
	inf := float32(math.Inf(-1))
	out := run(t, func(g *graph.Graph) []*graph.Node {
		scores := graph.Const(g, [][]float32{{1, 3, 2, inf}, {inf, inf, inf, inf}})
		elites := graph.Const(g, [][]float32{{0, 1, 1, 1}, {1, 1, 0, 0}})
		return []*graph.Node{softWeights(scores, elites, 0.5)}
	})[0]
	e := math.Exp(-0.5)
	want := []float64{0, 1 / (1 + e), e / (1 + e), 0, 0.5, 0.5, 0, 0}
	for i, w := range want {
		if math.Abs(float64(out[i])-w) > 1e-6 {
			t.Errorf("weight %d is %v, want %v", i, out[i], w)
		}
	}
}

func TestFirstOfMaxBreaksTies(t *testing.T) {
	out := run(t, func(g *graph.Graph) []*graph.Node {
		return []*graph.Node{firstOfMax(graph.Const(g, [][]float32{{1, 5, 5, 2}, {0, 0, 0, 0}, {-3, -2, -4, -2}}), 1)}
	})[0]
	want := []float32{0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0}
	for i := range want {
		if out[i] != want[i] {
			t.Fatalf("got %v, want %v", out, want)
		}
	}
}

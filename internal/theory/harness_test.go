package theory

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/orrery-rl/orrery/internal/rng"
)

// near fails unless got is within tolerance of want.
func near(t rapid.TB, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %.6f, want %.6f (within %g)", what, got, want, tolerance)
	}
}

// must unwraps results that cannot fail on valid models.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// draw samples variables from their laws in order.
func draw(laws []Law, s *rng.Stream) []float64 {
	x := make([]float64, len(laws))
	for t, law := range laws {
		x[t] = law.Mean(x[:t]) + math.Sqrt(law.Var)*s.NormFloat64()
	}
	return x
}

// drawObservations samples o from the model.
func drawObservations(m Model, s *rng.Stream) []float64 { return draw(m.joint(), s)[m.Steps():] }

// average is the mean of n samples and its standard error.
func average(n int, sample func() float64) (mean, standardError float64) {
	sum, squares := 0.0, 0.0
	for range n {
		x := sample()
		sum += x
		squares += x * x
	}
	mean = sum / float64(n)
	return mean, math.Sqrt(max(0, squares/float64(n)-mean*mean) / float64(n))
}

// within fails unless a Monte Carlo average agrees with a closed form to five
// standard errors, and is precise enough to mean something.
func within(t *testing.T, what string, want, precision float64, n int, sample func() float64) {
	t.Helper()
	mean, se := average(n, sample)
	if se > precision {
		t.Errorf("%s: the standard error is %.4f, above %.4f", what, se, precision)
	}
	near(t, what, mean, want, 5*se)
}

// anyLaws draws laws of n variables with stable weights.
func anyLaws(t *rapid.T, name string, n, own int) []Law {
	laws := make([]Law, n)
	for i := range laws {
		laws[i] = Law{
			Offset:  rapid.Float64Range(-1, 1).Draw(t, name+" offset"),
			Weights: rapid.SliceOfN(rapid.Float64Range(-0.9, 0.9), i+own, i+own).Draw(t, name+" weights"),
			Var:     math.Exp(rapid.Float64Range(-3, 2).Draw(t, name+" ln var")),
		}
	}
	return laws
}

// anyModel draws a model in which every state may depend on all before it and
// every observation on all states so far; o and an encoder for it.
func anyModel(t *rapid.T) (m Model, o []float64, q Encoder) {
	steps := rapid.IntRange(1, 5).Draw(t, "T")
	m = Model{Prior: anyLaws(t, "prior", steps, 0), Likelihood: anyLaws(t, "likelihood", steps, 1)}
	o = rapid.SliceOfN(rapid.Float64Range(-3, 3), steps, steps).Draw(t, "o")
	return m, o, Encoder(anyLaws(t, "q", steps, 0))
}

// example is the chain of the text's numbers, and its observations.
func example() (Model, []float64) { return Chain(3, 0.9, 0.3, 0.5, 0), []float64{0.7, -0.2, 0.5} }

// counterexample is a slow random walk observed jumping to and fro.
func counterexample() (Model, []float64, Encoder) {
	o := []float64{1, -1, 1, -1}
	return Chain(4, 1, 0.25, 0.01, -1), o, Direct(o, 0.01)
}

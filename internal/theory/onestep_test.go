package theory

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/orrery-rl/orrery/internal/rng"
)

// kalman is ln p(o) of a scalar chain by prediction and correction: a second
// way to compute what Evidence gets from the joint covariance.
func kalman(a, q, r, start float64, o []float64) float64 {
	mean, variance, sum := start, 0.0, 0.0
	for _, x := range o {
		mean, variance = a*mean, a*a*variance+q
		sum += LogDensity(x, mean, variance+r)
		gain := variance / (variance + r)
		mean, variance = mean+gain*(x-mean), (1-gain)*variance
	}
	return sum
}

func TestEvidenceEqualsKalmanFilter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, start := rapid.Float64Range(-1.2, 1.2).Draw(t, "a"), rapid.Float64Range(-2, 2).Draw(t, "start")
		q, r := rapid.Float64Range(0.01, 2).Draw(t, "q"), rapid.Float64Range(0.01, 2).Draw(t, "r")
		o := rapid.SliceOfN(rapid.Float64Range(-3, 3), 1, 8).Draw(t, "o")
		want := kalman(a, q, r, start, o)
		got := must(Chain(len(o), a, q, r, start).Evidence(o))
		near(t, "ln p(o)", got, want, 1e-8*(1+math.Abs(want)))
	})
}

// TestEvidenceIsAnExpectation is the marginalisation identity: the prior mean
// of the likelihood.
func TestEvidenceIsAnExpectation(t *testing.T) {
	m, o := example()
	s := rng.New(1, "theory/evidence")
	within(t, "p(o)", math.Exp(must(m.Evidence(o))), 2e-4, 200_000, func() float64 {
		states, density := draw(m.Prior, s), 0.0
		for t, law := range m.Likelihood {
			density += LogDensity(o[t], law.Mean(states), law.Var)
		}
		return math.Exp(density)
	})
}

// TestPosteriorForgetsThePastOnly is d-separation: given s_{t-1}, the exact
// posterior of a chain depends on no earlier state or observation, but on the
// later observations.
func TestPosteriorForgetsThePastOnly(t *testing.T) {
	m, o := Chain(5, 0.9, 0.3, 0.5, 0), []float64{0.7, -0.2, 0.5, 1, -1}
	at := 2
	law := must(m.Posterior(o))[at]
	for j, w := range law.Weights[:at-1] {
		near(t, "weight of an earlier state", w, 0, 1e-12)
		if math.Abs(law.Weights[at-1]) < 0.1 {
			t.Errorf("state %d does not depend on its predecessor %d", at, j)
		}
	}
	moved := func(which int) float64 {
		other := append([]float64(nil), o...)
		other[which]++
		return must(m.Posterior(other))[at].Offset - law.Offset
	}
	near(t, "effect of the past", moved(at-1), 0, 1e-12)
	for later := at; later < len(o); later++ {
		if moved(later) < 1e-3 {
			t.Errorf("observation %d does not move the posterior of state %d", later, at)
		}
	}
}

// TestGapIsTheDivergenceFromThePosterior: ln p(o) - L_1 = KL(q || p(s|o)) for
// every model and encoder, hence L_1 <= ln p(o) with equality at the posterior.
func TestGapIsTheDivergenceFromThePosterior(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, o, q := anyModel(t)
		evidence, posterior := must(m.Evidence(o)), must(m.Posterior(o))
		gap := Gap(q, posterior)
		tolerance := 1e-7 * (1 + gap + math.Abs(evidence))
		near(t, "gap", evidence-m.Bound(q, o, 1), gap, tolerance)
		near(t, "gap of the posterior", evidence-m.Bound(posterior, o, 1), 0, tolerance)
		if gap < -tolerance {
			t.Errorf("the gap is %v", gap)
		}
	})
}

// TestFilteringLeavesAGap: the best that a filter can know is not enough when
// there is a future, and is when there is none.
func TestFilteringLeavesAGap(t *testing.T) {
	m, o := example()
	near(t, "the filter's gap", Gap(must(m.Filter(o)), must(m.Posterior(o))), 0.049, 5e-4)
	m, o = Chain(1, 0.9, 0.3, 0.5, 0), o[:1]
	near(t, "gap of a single step", Gap(must(m.Filter(o)), must(m.Posterior(o))), 0, 1e-12)
}

// TestBoundFromSampledPaths estimates the bound as a program does: one
// reparameterised path, a closed-form divergence at each step given the path.
func TestBoundFromSampledPaths(t *testing.T) {
	m, o := example()
	q := must(m.Filter(o))
	s := rng.New(2, "theory/bound")
	within(t, "L_1", m.Bound(q, o, 1), 0.005, 100_000, func() float64 {
		path, sum := draw(q, s), 0.0
		for t := range q {
			seen, prior := m.Likelihood[t], m.Prior[t]
			sum += LogDensity(o[t], seen.Mean(path), seen.Var)
			sum -= KL(q[t].Mean(path), q[t].Var, prior.Mean(path), prior.Var)
		}
		return sum
	})
}

// TestImportanceWeightsAverageToTheEvidence: before Jensen there is equality.
func TestImportanceWeightsAverageToTheEvidence(t *testing.T) {
	m, o := example()
	q := must(m.Filter(o))
	s := rng.New(3, "theory/importance")
	within(t, "E w", math.Exp(must(m.Evidence(o))), 1e-4, 100_000, func() float64 {
		path, w := draw(q, s), 0.0
		for t := range q {
			seen, prior := m.Likelihood[t], m.Prior[t]
			w += LogDensity(o[t], seen.Mean(path), seen.Var) + LogDensity(path[t], prior.Mean(path), prior.Var)
			w -= LogDensity(path[t], q[t].Mean(path), q[t].Var)
		}
		return math.Exp(w)
	})
}

func TestKLClosedForm(t *testing.T) {
	near(t, "KL(N(.3,.5) || N(-.1,.8))", KL(0.3, 0.25, -0.1, 0.64), 0.2903161, 1e-7)
	near(t, "the reverse", KL(-0.1, 0.64, 0.3, 0.25), 0.6299964, 1e-7)
	s := rng.New(4, "theory/kl")
	within(t, "sampled KL", 0.2903161, 0.002, 200_000, func() float64 {
		x := 0.3 + 0.5*s.NormFloat64()
		return LogDensity(x, 0.3, 0.25) - LogDensity(x, -0.1, 0.64)
	})
}

// TestKLGradients compares the derivatives by the standard deviations with
// differences.
func TestKLGradients(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mean, deviation := rapid.Float64Range(-2, 2), rapid.Float64Range(0.2, 2)
		x := [4]float64{mean.Draw(t, "mq"), deviation.Draw(t, "sq"), mean.Draw(t, "mp"), deviation.Draw(t, "sp")}
		mq, sq, mp, sp := x[0], x[1], x[2], x[3]
		want := [4]float64{
			(mq - mp) / (sp * sp),
			sq/(sp*sp) - 1/sq,
			(mp - mq) / (sp * sp),
			1/sp - (sq*sq+(mq-mp)*(mq-mp))/(sp*sp*sp),
		}
		for i, w := range want {
			near(t, "derivative", slope(x, i), w, 1e-4*(1+math.Abs(w)))
		}
	})
}

// slope is the central difference of the KL along parameter i.
func slope(x [4]float64, i int) float64 {
	at := func(step float64) float64 {
		y := x
		y[i] += step
		return KL(y[0], y[1]*y[1], y[2], y[3]*y[3])
	}
	return (at(1e-5) - at(-1e-5)) / 2e-5
}

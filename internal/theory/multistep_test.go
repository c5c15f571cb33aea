package theory

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/orrery-rl/orrery/internal/rng"
)

// multiStepBySampling is one sample of the double expectation in L_d for a
// chain: a path of q, an independent rollout of the prior from its s_{t-d}, and
// the divergence from the prior after the rollout.
func multiStepBySampling(m Model, q Encoder, o []float64, d int, s *rng.Stream) float64 {
	path, sum := draw(q, s), 0.0
	for t := range q {
		seen := m.Likelihood[t]
		sum += LogDensity(o[t], seen.Mean(path), seen.Var)
		rollout := append([]float64(nil), path[:t]...)
		for now := max(t-d+1, 0); now < t; now++ {
			rollout[now] = m.Prior[now].Mean(rollout[:now]) + math.Sqrt(m.Prior[now].Var)*s.NormFloat64()
		}
		prior := m.Prior[t]
		sum -= KL(q[t].Mean(path), q[t].Var, prior.Mean(rollout), prior.Var)
	}
	return sum
}

// TestKnownSystem reproduces numbers computed elsewhere; those of the bounds are
// Monte Carlo averages with standard errors of about 0.003.
func TestKnownSystem(t *testing.T) {
	m, o := example()
	q := must(m.Filter(o))
	near(t, "gain", 1-q[1].Weights[0]/0.9, 0.375, 1e-12)
	near(t, "ln p", must(m.Evidence(o)), -3.1360, 5e-5)
	near(t, "ln p_2", must(m.MultiStep(2).Evidence(o)), -3.1039, 5e-5)
	for d, want := range map[int]float64{1: -3.184, 2: -4.107, 3: -4.473} {
		near(t, "L_d", m.Bound(q, o, d), want, 1e-2)
	}
}

func TestMultiStepBoundFromSamples(t *testing.T) {
	m, o := example()
	q := must(m.Filter(o))
	recurrent := Recurrent(4, 0.7, 0.5, 0.3, 0.2, 0.4)
	o4 := []float64{0.5, -0.3, 0.8, 0.1}
	q4 := must(recurrent.Filter(o4))
	for d := 1; d <= 3; d++ {
		s := rng.New(uint64(d), "theory/multistep")
		within(t, "L_d of the chain", m.Bound(q, o, d), 0.01, 60_000, func() float64 {
			return multiStepBySampling(m, q, o, d, s)
		})
		within(t, "L_d of the recurrent model", recurrent.Bound(q4, o4, d), 0.02, 60_000, func() float64 {
			return multiStepBySampling(recurrent, q4, o4, d, s)
		})
	}
}

// TestMultiStepModelOfAChain compares p_d with d interleaved chains, each with
// the d-step transition, evaluated by their own filters.
func TestMultiStepModelOfAChain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Float64Range(-1.1, 1.1).Draw(t, "a")
		o := rapid.SliceOfN(rapid.Float64Range(-2, 2), 1, 8).Draw(t, "o")
		d := rapid.IntRange(1, 4).Draw(t, "d")
		want := 0.0
		for first := range min(d, len(o)) {
			want += interleaved(a, 0.3, 0.2, 0.5, o, first, d)
		}
		got := must(Chain(len(o), a, 0.3, 0.2, 0.5).MultiStep(d).Evidence(o))
		near(t, "ln p_d(o)", got, want, 1e-8*(1+math.Abs(want)))
	})
}

// interleaved is the log evidence of o_first, o_{first+d}, ...; the first of
// them is first+1 steps from the initial state.
func interleaved(a, q, r, start float64, o []float64, first, d int) float64 {
	mean, variance, sum := start, 0.0, 0.0
	for t, steps := first, first+1; t < len(o); t, steps = t+d, d {
		for range steps {
			mean, variance = a*mean, a*a*variance+q
		}
		sum += LogDensity(o[t], mean, variance+r)
		gain := variance / (variance + r)
		mean, variance = mean+gain*(o[t]-mean), (1-gain)*variance
	}
	return sum
}

// TestMultiStepBoundHolds: L_d <= M_d <= ln p_d for every model, encoder and
// distance, where M_d is the variational bound of the model p_d.
func TestMultiStepBoundHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, o, q := anyModel(t)
		d := rapid.IntRange(1, 6).Draw(t, "d")
		far := m.MultiStep(d)
		evidence, middle, bound := must(far.Evidence(o)), far.Bound(q, o, 1), m.Bound(q, o, d)
		slack := 1e-7 * (1 + math.Abs(bound))
		if bound > middle+slack || middle > evidence+slack {
			t.Errorf("L_%d = %v, M_%d = %v, ln p_%d = %v; they must not fall", d, bound, d, middle, d, evidence)
		}
		if d == 1 {
			near(t, "M_1", middle, bound, slack)
		}
	})
}

// TestMultiStepBoundIsNoBoundOnTheEvidence is the counterexample.
func TestMultiStepBoundIsNoBoundOnTheEvidence(t *testing.T) {
	m, o, q := counterexample()
	evidence, bound := must(m.Evidence(o)), m.Bound(q, o, 2)
	near(t, "ln p", evidence, -29.38, 5e-3)
	near(t, "ln p_2", must(m.MultiStep(2).Evidence(o)), -9.71, 5e-3)
	near(t, "L_2", bound, -10.52, 5e-3)
	if bound <= evidence {
		t.Errorf("L_2 = %v does not exceed ln p = %v", bound, evidence)
	}
	if one := m.Bound(q, o, 1); one > evidence {
		t.Errorf("L_1 = %v exceeds ln p = %v", one, evidence)
	}
	if mean := (m.Bound(q, o, 1) + bound) / 2; mean <= evidence {
		t.Errorf("the average of L_1 and L_2, %v, does not exceed ln p = %v either", mean, evidence)
	}
}

// TestLightWeightsBreakTheBound: divergences weighted below 1 give more than
// any of the evidences.
func TestLightWeightsBreakTheBound(t *testing.T) {
	m, o := example()
	q := must(m.Posterior(o))
	weighted := func(beta float64) float64 {
		return m.Reconstruction(q, o) - (m.Divergence(q, 1)+beta*m.Divergence(q, 2))/2
	}
	ceiling := (must(m.Evidence(o)) + must(m.MultiStep(2).Evidence(o))) / 2
	if v := weighted(1); v > ceiling {
		t.Errorf("weight 1: %v exceeds %v", v, ceiling)
	}
	if v := weighted(0.1); v <= ceiling {
		t.Errorf("weight 0.1: %v does not exceed %v", v, ceiling)
	}
}

// TestNoModelBeatsTheTruthOnAverage is Gibbs' inequality, which makes L_d a
// bound on average over data of the model itself.
func TestNoModelBeatsTheTruthOnAverage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, _, _ := anyModel(t)
		d := rapid.IntRange(1, 5).Draw(t, "d")
		own, far := must(m.ExpectedEvidence(m)), must(m.MultiStep(d).ExpectedEvidence(m))
		if far > own+1e-8*(1+math.Abs(far)) {
			t.Errorf("E ln p_%d = %v exceeds E ln p = %v", d, far, own)
		}
	})
}

func TestExpectedEvidenceFromSamples(t *testing.T) {
	m := Chain(4, 0.9, 0.3, 0.5, 0.2)
	far := m.MultiStep(2)
	s := rng.New(5, "theory/expected")
	within(t, "E ln p_2", must(far.ExpectedEvidence(m)), 0.02, 20_000, func() float64 {
		return must(far.Evidence(drawObservations(m, s)))
	})
}

package theory

import (
	"math"
	"testing"
)

// TestPathRemembers: with a deterministic path the prior of a state depends on
// all states before it, and its multi-step prediction on all up to the start.
func TestPathRemembers(t *testing.T) {
	m := Recurrent(5, 0.7, 0.5, 0.3, 0.2, 0.4)
	for j, w := range m.Prior[4].Weights {
		near(t, "weight of an earlier state", w, 0.5*math.Pow(0.7, float64(3-j)), 1e-12)
	}
	far := m.MultiStep(3).Prior[4]
	if n := len(far.Weights); n != 2 {
		t.Fatalf("three steps ahead, state 4 depends on %d states; want the 2 before", n)
	}
	for j, w := range far.Weights {
		if math.Abs(w) < 0.05 {
			t.Errorf("state 4 does not remember state %d three steps ahead: weight %v", j, w)
		}
	}
}

// TestRolledPathByHand is one two-step prediction worked out on paper: with
// h_2 = s_1 and h_3 = k s_1 + s_2, the mean of s_3 given s_1 is a(k + a) s_1,
// and the rollout adds the variance a^2 q.
func TestRolledPathByHand(t *testing.T) {
	const keep, a, q = 0.7, 0.5, 0.2
	law, rolled := Recurrent(3, keep, a, 0.3, q, 0.4).ahead(2, 2)
	near(t, "weight", law.Weights[0], a*(keep+a), 1e-12)
	near(t, "variance of the rollout", rolled, a*a*q, 1e-12)
	near(t, "variance of the transition", law.Var, q, 1e-12)
}

// TestDecoderKeepsThePosteriorPath: the multi-step model replaces priors only.
// Its observations still see the path of the states that q draws.
func TestDecoderKeepsThePosteriorPath(t *testing.T) {
	m, o := Recurrent(4, 0.7, 0.5, 0.3, 0.2, 0.4), []float64{0.5, -0.3, 0.8, 0.1}
	q := must(m.Filter(o))
	near(t, "reconstruction", m.MultiStep(3).Reconstruction(q, o), m.Reconstruction(q, o), 0)
	if l := m.Likelihood[3].Weights[0]; math.Abs(l-0.3*0.49) > 1e-12 {
		t.Errorf("observation 3 sees state 0 with weight %v, want b keep^2", l)
	}
}

// TestFilterReachesThePastThroughStates: the encoder with a path uses earlier
// observations only as far as the states drawn from them carry them.
func TestFilterReachesThePastThroughStates(t *testing.T) {
	m, o := Recurrent(4, 0.7, 0.5, 0.3, 0.2, 0.4), []float64{0.5, -0.3, 0.8, 0.1}
	before := must(m.Filter(o))[3]
	o[1] = 5
	after := must(m.Filter(o))[3]
	near(t, "offset given the states", after.Offset, before.Offset, 0)
	if math.Abs(before.Weights[1]) < 0.01 {
		t.Errorf("the encoder does not use state 1: %v", before.Weights)
	}
}

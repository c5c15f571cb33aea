package theory

import "math"

// Bound is L_d of equation 28 for observations o, in closed form; d = 1 is the
// variational bound of equation 11. It never exceeds the evidence of
// [Model.MultiStep](d).
func (m Model) Bound(q Encoder, o []float64, d int) float64 {
	return m.Reconstruction(q, o) - m.Divergence(q, d)
}

// Reconstruction is the sum over t of E_q ln p(o_t | s_<=t).
func (m Model) Reconstruction(q Encoder, o []float64) float64 {
	mean, cov := Moments(q)
	sum := 0.0
	for t, seen := range m.Likelihood {
		error2 := secondMoment(o[t]-seen.Offset, scaled(-1, seen.Weights), mean, cov)
		sum -= 0.5 * (math.Log(2*math.Pi*seen.Var) + error2/seen.Var)
	}
	return sum
}

// Divergence is the sum over t of the expected KL(q(s_t | s_<t) || p(s_t | r)),
// where r is a rollout of the prior from s_{t-d}: independent of the states
// that q draws after s_{t-d}.
func (m Model) Divergence(q Encoder, d int) float64 {
	mean, cov := Moments(q)
	sum := 0.0
	for t, law := range q {
		prior, rolled := m.ahead(t, d)
		sum += expectedKL(law, prior, rolled, mean, cov)
	}
	return sum
}

// Gap is KL(q(s) || p(s)) of two distributions over the same states, by the
// chain rule of divergences.
func Gap(q, p Encoder) float64 {
	mean, cov := Moments(q)
	sum := 0.0
	for t := range q {
		sum += expectedKL(q[t], p[t], 0, mean, cov)
	}
	return sum
}

// expectedKL is E KL(q || p) over states with the given moments, where p's mean
// has the further independent variance rolled.
func expectedKL(q, p Law, rolled float64, mean []float64, cov [][]float64) float64 {
	n := max(len(q.Weights), len(p.Weights))
	between := make([]float64, n)
	for j := range between {
		between[j] = q.weight(j) - p.weight(j)
	}
	distance2 := secondMoment(q.Offset-p.Offset, between, mean, cov) + rolled
	return 0.5 * (math.Log(p.Var/q.Var) + (q.Var+distance2)/p.Var - 1)
}

// secondMoment is E (offset + weights.x)^2.
func secondMoment(offset float64, weights, mean []float64, cov [][]float64) float64 {
	variance := 0.0
	for i, wi := range weights {
		offset += wi * mean[i]
		for j, wj := range weights {
			variance += wi * wj * cov[i][j]
		}
	}
	return offset*offset + variance
}

// ExpectedEvidence is E ln p_m(o) over o drawn from truth.
func (m Model) ExpectedEvidence(truth Model) (float64, error) {
	mean, cov := truth.Observations()
	laws, err := Factor(m.Observations())
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for _, law := range laws {
		weights := append(scaled(-1, law.Weights), 1)
		error2 := secondMoment(-law.Offset, weights, mean, cov)
		sum -= 0.5 * (math.Log(2*math.Pi*law.Var) + error2/law.Var)
	}
	return sum, nil
}

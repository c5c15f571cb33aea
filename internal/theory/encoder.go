package theory

// Encoder is q(s_0..s_{T-1} | o) for one given o: the law of each state given
// the states before it. What it uses of o is in the offsets.
type Encoder []Law

// Posterior is the exact p(s | o), by conditioning the joint distribution on o
// and applying the chain rule (equation 5): the smoothing posterior, which
// depends on the observations after t, too.
func (m Model) Posterior(o []float64) (Encoder, error) {
	if err := m.check(o); err != nil {
		return nil, err
	}
	steps := m.Steps()
	mean, cov := Moments(m.joint())
	// Observations first: factoring then gives p(s_t | o, s_<t).
	order := make([]int, 0, 2*steps)
	for i := range 2 * steps {
		order = append(order, (i+steps)%(2*steps))
	}
	laws, err := Factor(permuted(order, mean, cov))
	if err != nil {
		return nil, err
	}
	q := make(Encoder, steps)
	for t, law := range laws[steps:] {
		q[t] = Law{Offset: law.Offset, Weights: law.Weights[steps:], Var: law.Var}
		for j := range o {
			q[t].Offset += law.Weights[j] * o[j]
		}
	}
	return q, nil
}

// Filter is the exact one-step conditional p(s_t | s_<t, o_t): the family that
// PlaNet chooses (equation 7), with the model's own parameters.
func (m Model) Filter(o []float64) (Encoder, error) {
	if err := m.check(o); err != nil {
		return nil, err
	}
	q := make(Encoder, m.Steps())
	for t := range q {
		prior, seen := m.Prior[t], m.Likelihood[t]
		c := seen.weight(t)
		gain := prior.Var * c / (c*c*prior.Var + seen.Var)
		law := Law{
			Offset:  prior.Offset + gain*(o[t]-seen.Offset-c*prior.Offset),
			Weights: make([]float64, t),
			Var:     (1 - gain*c) * prior.Var,
		}
		for j := range law.Weights {
			law.Weights[j] = (1-gain*c)*prior.weight(j) - gain*seen.weight(j)
		}
		q[t] = law
	}
	return q, nil
}

// Direct is the encoder N(o_t, variance), which ignores the past.
func Direct(o []float64, variance float64) Encoder {
	q := make(Encoder, len(o))
	for t := range q {
		q[t] = Law{Offset: o[t], Var: variance}
	}
	return q
}

// Widened is q with all variances multiplied by factor, which must be positive.
func (q Encoder) Widened(factor float64) Encoder {
	out := make(Encoder, len(q))
	for t, law := range q {
		law.Var *= factor
		out[t] = law
	}
	return out
}

func permuted(order []int, mean []float64, cov [][]float64) ([]float64, [][]float64) {
	m, c := make([]float64, len(order)), square(len(order))
	for i, from := range order {
		m[i] = mean[from]
		for j, other := range order {
			c[i][j] = cov[from][other]
		}
	}
	return m, c
}

package theory

import "fmt"

// Model is a generative model of T steps (docs/theory.md, equation 1):
//
//	s_t | s_<t   ~  Prior[t]
//	o_t | s_<=t  ~  Likelihood[t]
//
// The initial state is part of the offsets. In a Markov chain only the last
// weight of each law is not 0; with a deterministic path all are.
type Model struct {
	Prior, Likelihood []Law
}

// Chain is the state-space model of T steps
//
//	s_t ~ N(a s_{t-1}, q),  o_t ~ N(s_t, r),  with the first s_{t-1} fixed at start.
func Chain(steps int, a, q, r, start float64) Model {
	m := Model{Prior: make([]Law, steps), Likelihood: make([]Law, steps)}
	for t := range steps {
		m.Prior[t] = Law{Weights: last(t, a), Var: q}
		m.Likelihood[t] = Law{Weights: last(t+1, 1), Var: r}
	}
	m.Prior[0].Offset = a * start
	return m
}

// Recurrent is a model with a deterministic path, from h = s = 0 on:
//
//	h_t = keep h_{t-1} + s_{t-1},  s_t ~ N(a h_t, q),  o_t ~ N(s_t + b h_t, r)
//
// written as laws of s alone, which are not Markov.
func Recurrent(steps int, keep, a, b, q, r float64) Model {
	m := Model{Prior: make([]Law, steps), Likelihood: make([]Law, steps)}
	path := []float64{} // h_t as weights of s_<t
	for t := range steps {
		m.Prior[t] = Law{Weights: scaled(a, path), Var: q}
		m.Likelihood[t] = Law{Weights: append(scaled(b, path), 1), Var: r}
		path = append(scaled(keep, path), 1)
	}
	return m
}

// Steps is T.
func (m Model) Steps() int { return len(m.Prior) }

// joint lists the laws of s_0..s_{T-1}, then o_0..o_{T-1}.
func (m Model) joint() []Law {
	return append(append([]Law(nil), m.Prior...), m.Likelihood...)
}

// Observations returns mean and covariance of o under the model.
func (m Model) Observations() (mean []float64, cov [][]float64) {
	mean, cov = Moments(m.joint())
	steps := m.Steps()
	block := make([][]float64, steps)
	for i := range block {
		block[i] = cov[steps+i][steps:]
	}
	return mean[steps:], block
}

// Evidence is ln p(o) (equation 8).
func (m Model) Evidence(o []float64) (float64, error) {
	if err := m.check(o); err != nil {
		return 0, err
	}
	mean, cov := m.Observations()
	return LogJoint(o, mean, cov)
}

func (m Model) check(o []float64) error {
	if len(o) != m.Steps() {
		return fmt.Errorf("theory: %d observations for a model of %d steps", len(o), m.Steps())
	}
	return nil
}

// MultiStep is the model p_d (equation 25): its prior of s_t comes from rolling
// the prior of m from s_{t-d} on, or from the initial state where that is
// later, without looking at the states between. MultiStep(1) equals m. d is at
// least 1.
func (m Model) MultiStep(d int) Model {
	out := Model{Prior: make([]Law, m.Steps()), Likelihood: m.Likelihood}
	for t := range out.Prior {
		law, rolled := m.ahead(t, d)
		law.Var += rolled
		out.Prior[t] = law
	}
	return out
}

// ahead predicts s_t from the states up to t-d. law is the distribution of s_t
// given the rollout's last step, averaged in its mean only; rolled is the
// variance that the rollout adds to that mean.
func (m Model) ahead(t, d int) (law Law, rolled float64) {
	start := max(t-d+1, 0)
	steps := make([]Law, 0, d) // s_start.. in terms of s_<start alone
	noise := make([]Law, 0, d) // the same, of the rollout's own noise
	for now := start; now <= t; now++ {
		from := m.Prior[now]
		l := Law{Offset: from.Offset, Weights: make([]float64, start), Var: from.Var}
		own := Law{Weights: make([]float64, now-start), Var: from.Var}
		for j := range start {
			l.Weights[j] = from.weight(j)
		}
		for j, earlier := range steps {
			w := from.weight(start + j)
			own.Weights[j] = w
			l.Offset += w * earlier.Offset
			for k := range start {
				l.Weights[k] += w * earlier.Weights[k]
			}
		}
		steps, noise = append(steps, l), append(noise, own)
	}
	_, cov := Moments(noise)
	end := len(steps) - 1
	return steps[end], cov[end][end] - steps[end].Var
}

// last is n weights of which only the final one, w, is not 0.
func last(n int, w float64) []float64 {
	weights := make([]float64, n)
	if n > 0 {
		weights[n-1] = w
	}
	return weights
}

func scaled(by float64, x []float64) []float64 {
	out := make([]float64, len(x), len(x)+1)
	for i := range x {
		out[i] = by * x[i]
	}
	return out
}

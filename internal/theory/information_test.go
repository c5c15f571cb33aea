package theory

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// information is I(s_i; s_j) in nats from the states' covariance.
func information(cov [][]float64, i, j int) float64 {
	rho2 := cov[i][j] * cov[i][j] / (cov[i][i] * cov[j][j])
	return -0.5 * math.Log(1-rho2)
}

// TestDataProcessing: in a Markov chain a state says less about a later one
// the later that is, and what p_d loses on the states themselves is exactly
// that information.
func TestDataProcessing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, q := rapid.Float64Range(0.1, 1.2).Draw(t, "a"), rapid.Float64Range(0.05, 2).Draw(t, "q")
		d := rapid.IntRange(2, 6).Draw(t, "d")
		m := Chain(8, a, q, 1, 0.3)
		_, cov := Moments(m.Prior)
		lost := 0.0
		for at := 1; at < m.Steps(); at++ {
			near1, far := information(cov, at, at-1), 0.0
			if at-d >= 0 {
				far = information(cov, at, at-d)
			}
			if far > near1+1e-9 {
				t.Errorf("I(s_%d; s_%d) = %v exceeds I(s_%d; s_%d) = %v", at, at-d, far, at, at-1, near1)
			}
			lost += near1 - far
		}
		states := Gap(Encoder(m.Prior), Encoder(m.MultiStep(d).Prior)) // E ln p(s) - ln p_d(s)
		near(t, "loss of p_d on states", states, lost, 1e-8*(1+lost))
	})
}

// TestSecondJensenStep: where the rollout adds rho times the transition's
// variance, the second step costs rho - ln(1+rho)/2 on the model's own states.
func TestSecondJensenStep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, q := rapid.Float64Range(-1.1, 1.1).Draw(t, "a"), rapid.Float64Range(0.05, 2).Draw(t, "q")
		d := rapid.IntRange(1, 5).Draw(t, "d")
		m := Chain(6, a, q, 0.5, 0)
		states := Encoder(m.Prior)
		want := 0.0
		for at := range states {
			law, rolled := m.ahead(at, d)
			rho := rolled / law.Var
			want += rho - 0.5*math.Log1p(rho)
		}
		// Under p_d the states given s_{t-d} have exactly p_d's variance; under p
		// too, because p_d's laws are conditionals of p.
		got := m.Divergence(states, d) - m.MultiStep(d).Divergence(states, 1)
		near(t, "cost", got, want, 1e-8*(1+want))
	})
}

// exactAverage is the mean of a quadratic function over N(mean, cov), from
// points one scaled deviation to either side.
func exactAverage(f func([]float64) float64, mean []float64, cov [][]float64) float64 {
	root := must(cholesky(cov))
	n := len(mean)
	sum := 0.0
	for j := range n {
		for _, side := range []float64{1, -1} {
			x := append([]float64(nil), mean...)
			for i := range x {
				x[i] += side * math.Sqrt(float64(n)) * root[i][j]
			}
			sum += f(x)
		}
	}
	return sum / float64(2*n)
}

// maximise returns the maximum of a function with a single one, by golden
// section over [low, high].
func maximise(low, high float64, f func(float64) float64) float64 {
	const ratio = 0.6180339887498949
	for high-low > 1e-6 {
		x, y := high-ratio*(high-low), low+ratio*(high-low)
		if f(x) < f(y) {
			low = x
		} else {
			high = y
		}
	}
	return (low + high) / 2
}

// TestOvershootingInflatesNoise: with states known exactly, the transition
// variance that maximises the expected L_d is not the data's but the mean of
// what accumulates over the steps predicted; that of p_d's evidence is.
func TestOvershootingInflatesNoise(t *testing.T) {
	const a, q, exact, steps = 0.9, 0.3, 1e-9, 12
	truth := Chain(steps, a, q, exact, 0)
	mean, cov := truth.Observations()
	best := func(value func(Model, []float64) float64) float64 {
		return maximise(0.05, 5, func(variance float64) float64 {
			return exactAverage(func(o []float64) float64 {
				return value(Chain(steps, a, variance, exact, 0), o)
			}, mean, cov)
		})
	}
	for d := 1; d <= 4; d++ {
		inflation := 0.0
		for at := range steps {
			for i := range min(d, at+1) {
				inflation += math.Pow(a, float64(2*i)) / steps
			}
		}
		got := best(func(m Model, o []float64) float64 { return m.Bound(Direct(o, exact), o, d) })
		near(t, "variance by L_d", got, q*inflation, 1e-4)
		got = best(func(m Model, o []float64) float64 { return must(m.MultiStep(d).Evidence(o)) })
		near(t, "variance by ln p_d", got, q, 1e-4)
	}
}

// TestOvershootingForgets: the coefficient that maximises the expected L_2
// is smaller than the data's, too: the variance of the rollout, which grows with
// the coefficient, pulls it towards 0.
func TestOvershootingForgets(t *testing.T) {
	const a, q, exact, steps = 0.9, 0.3, 1e-9, 12
	mean, cov := Chain(steps, a, q, exact, 0).Observations()
	best := func(value func(Model, []float64) float64) float64 {
		return maximise(0.2, 1.2, func(coefficient float64) float64 {
			return exactAverage(func(o []float64) float64 {
				return value(Chain(steps, coefficient, q, exact, 0), o)
			}, mean, cov)
		})
	}
	bound := func(d int) float64 {
		return best(func(m Model, o []float64) float64 { return m.Bound(Direct(o, exact), o, d) })
	}
	near(t, "coefficient by L_1", bound(1), a, 1e-4)
	near(t, "coefficient by L_2", bound(2), 0.80, 0.005)
	evidence := best(func(m Model, o []float64) float64 { return must(m.MultiStep(2).Evidence(o)) })
	near(t, "coefficient by ln p_2", evidence, a, 1e-4)
}

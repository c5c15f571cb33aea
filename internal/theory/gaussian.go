package theory

import (
	"fmt"
	"math"
)

// Law is a normal distribution of one variable given earlier ones, numbered
// from 0:
//
//	x | x_0, x_1, ...  ~  N(Offset + sum_j Weights[j] x_j, Var)
//
// Variables beyond Weights have weight 0. Var is positive.
type Law struct {
	Offset  float64
	Weights []float64
	Var     float64
}

// weight is Weights[j], or 0 beyond.
func (l Law) weight(j int) float64 {
	if j < len(l.Weights) {
		return l.Weights[j]
	}
	return 0
}

// Mean is the mean given the earlier variables.
func (l Law) Mean(earlier []float64) float64 {
	mean := l.Offset
	for j := range l.Weights {
		mean += l.Weights[j] * earlier[j]
	}
	return mean
}

// LogDensity is ln N(x; mean, variance) in nats.
func LogDensity(x, mean, variance float64) float64 {
	return -0.5 * (math.Log(2*math.Pi*variance) + (x-mean)*(x-mean)/variance)
}

// KL is KL(N(mq, vq) || N(mp, vp)) in nats, for variances.
func KL(mq, vq, mp, vp float64) float64 {
	return 0.5 * (math.Log(vp/vq) + (vq+(mq-mp)*(mq-mp))/vp - 1)
}

// Moments returns mean and covariance of the variables that laws draws in
// order, each given those before it.
func Moments(laws []Law) (mean []float64, cov [][]float64) {
	mean, cov = make([]float64, len(laws)), square(len(laws))
	for t, law := range laws {
		mean[t] = law.Mean(mean[:t])
		for i := range t {
			for j := range law.Weights {
				cov[t][i] += law.Weights[j] * cov[j][i]
			}
			cov[i][t] = cov[t][i]
		}
		cov[t][t] = law.Var
		for j := range law.Weights {
			cov[t][t] += law.Weights[j] * cov[j][t]
		}
	}
	return mean, cov
}

// Factor is the inverse of [Moments]: the chain rule in the order of the
// variables. It fails unless cov is positive definite.
func Factor(mean []float64, cov [][]float64) ([]Law, error) {
	root, err := cholesky(cov)
	if err != nil {
		return nil, err
	}
	laws := make([]Law, len(mean))
	for t := range laws {
		// x_t - mean_t = root[t][:t] e + root[t][t] e_t, where the noise e solves
		// root[:t][:t] e = x[:t] - mean[:t]; hence Weights = root[t][:t] root^-1.
		w := solveTransposed(root, root[t][:t])
		offset := mean[t]
		for j := range w {
			offset -= w[j] * mean[j]
		}
		laws[t] = Law{Offset: offset, Weights: w, Var: root[t][t] * root[t][t]}
	}
	return laws, nil
}

// LogJoint is the logarithm of a normal density of several variables.
func LogJoint(x, mean []float64, cov [][]float64) (float64, error) {
	laws, err := Factor(mean, cov)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for t, law := range laws {
		sum += LogDensity(x[t], law.Mean(x[:t]), law.Var)
	}
	return sum, nil
}

// cholesky returns the lower triangle L with L L^T = a.
func cholesky(a [][]float64) ([][]float64, error) {
	root := square(len(a))
	for i := range a {
		for j := 0; j <= i; j++ {
			rest := a[i][j]
			for k := range j {
				rest -= root[i][k] * root[j][k]
			}
			if j < i {
				root[i][j] = rest / root[j][j]
				continue
			}
			if !(rest > 0) {
				return nil, fmt.Errorf("theory: covariance is not positive definite: pivot %d is %v", i, rest)
			}
			root[i][i] = math.Sqrt(rest)
		}
	}
	return root, nil
}

// solveTransposed returns w with w root = b, for the leading triangle of root
// as large as b.
func solveTransposed(root [][]float64, b []float64) []float64 {
	w := make([]float64, len(b))
	for i := len(b) - 1; i >= 0; i-- {
		rest := b[i]
		for k := i + 1; k < len(b); k++ {
			rest -= w[k] * root[k][i]
		}
		w[i] = rest / root[i][i]
	}
	return w
}

func square(n int) [][]float64 {
	rows := make([][]float64, n)
	for i := range rows {
		rows[i] = make([]float64, n)
	}
	return rows
}

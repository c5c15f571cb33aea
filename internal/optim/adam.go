// Package optim is the optimiser as graph operations: Adam with joint clipping
// of the gradients' global norm, as PlaNet uses it (Hafner et al. 2019,
// appendix A).
package optim

import (
	"errors"
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// Config holds Adam's settings. Start from [DefaultConfig]; zero values are not
// defaults.
type Config struct {
	// LearningRate is the step size (paper: 1e-3), constant over training.
	LearningRate float64 `yaml:"learning_rate" json:"learning_rate"`
	// Beta1 and Beta2 are the decay rates of the moments (0.9, 0.999).
	Beta1 float64 `yaml:"beta1" json:"beta1"`
	Beta2 float64 `yaml:"beta2" json:"beta2"`
	// Epsilon is added to the root of the corrected second moment (paper: 1e-4).
	Epsilon float64 `yaml:"epsilon" json:"epsilon"`
	// ClipNorm bounds the norm of all gradients together (paper: 1000); 0 does
	// not clip.
	ClipNorm float64 `yaml:"clip_norm" json:"clip_norm"`
}

// DefaultConfig returns the paper's settings.
func DefaultConfig() Config {
	return Config{LearningRate: 1e-3, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-4, ClipNorm: 1000}
}

// Validate reports every setting that cannot work, with its bounds.
func (c Config) Validate() error {
	var errs []error
	check := func(name string, v float64, ok bool, bounds string) {
		if !ok {
			errs = append(errs, fmt.Errorf("optimiser: %s is %v; it must lie in %s", name, v, bounds))
		}
	}
	check("learning_rate", c.LearningRate, c.LearningRate > 0 && c.LearningRate <= 1, "(0, 1]")
	check("beta1", c.Beta1, c.Beta1 >= 0 && c.Beta1 < 1, "[0, 1)")
	check("beta2", c.Beta2, c.Beta2 >= 0 && c.Beta2 < 1, "[0, 1)")
	check("epsilon", c.Epsilon, c.Epsilon > 0 && c.Epsilon <= 1, "(0, 1]")
	check("clip_norm", c.ClipNorm, c.ClipNorm >= 0 && !math.IsInf(c.ClipNorm, 1), "[0, inf)")
	return errors.Join(errs...)
}

// Correction returns Adam's bias corrections 1/(1-Beta1^t) and 1/(1-Beta2^t) for
// update t, counted from 1: the values of the correction input of [Config.Adam].
// They are computed here because float32 has too few digits for 1-0.999^t.
func (c Config) Correction(t int) [2]float64 {
	return [2]float64{1 / (1 - math.Pow(c.Beta1, float64(t))), 1 / (1 - math.Pow(c.Beta2, float64(t)))}
}

// Step is the result of one update.
type Step struct {
	// Params, M and V are the new parameters and moments, in the order given.
	Params, M, V []*graph.Node
	// GradNorm is the global norm of the gradients before clipping, a scalar.
	GradNorm *graph.Node
}

// Adam adds one update to the graph, in PyTorch's form: with the clipped
// gradient g, m = Beta1*m + (1-Beta1)*g, v = Beta2*v + (1-Beta2)*g^2 and
// theta = theta - LearningRate * m^ / (sqrt(v^) + Epsilon), where ^ divides by
// the bias correction.
//
// The four lists have equal length and, entry by entry, equal shapes; the
// moments start at zero. correction is [2] with the values of
// [Config.Correction] for this update. Mistakes panic with an error, for
// gx.Compile to return.
func (c Config) Adam(params, grads, m, v []*graph.Node, correction *graph.Node) Step {
	if len(params) == 0 || len(grads) != len(params) || len(m) != len(params) || len(v) != len(params) {
		panic(fmt.Errorf("optimiser: %d parameters, %d gradients, %d and %d moments; all must be equal and not zero",
			len(params), len(grads), len(m), len(v)))
	}
	gx.CheckShape("Adam bias correction", correction, 2)
	factors := gx.Split(correction, 0, 2)
	first, second := graph.Reshape(factors[0]), graph.Reshape(factors[1])
	step := Step{GradNorm: GlobalNorm(grads)}
	scale := c.clipScale(step.GradNorm)
	for i := range params {
		g := grads[i]
		if scale != nil {
			g = graph.Mul(g, scale)
		}
		newM := decay(m[i], g, c.Beta1)
		newV := decay(v[i], graph.Square(g), c.Beta2)
		size := graph.AddScalar(graph.Sqrt(graph.Mul(newV, second)), c.Epsilon)
		change := graph.MulScalar(graph.Div(graph.Mul(newM, first), size), c.LearningRate)
		step.Params = append(step.Params, graph.Sub(params[i], change))
		step.M, step.V = append(step.M, newM), append(step.V, newV)
	}
	return step
}

// clipScale is min(1, ClipNorm/(norm+1e-6)), or nil without clipping.
func (c Config) clipScale(norm *graph.Node) *graph.Node {
	if c.ClipNorm == 0 {
		return nil
	}
	limit := graph.Scalar(norm.Graph(), norm.DType(), c.ClipNorm)
	return graph.MinScalar(graph.Div(limit, graph.AddScalar(norm, 1e-6)), 1.0)
}

// GlobalNorm is the Euclidean norm of all tensors together, a scalar. At least
// one tensor is needed.
func GlobalNorm(tensors []*graph.Node) *graph.Node {
	var sum *graph.Node
	for _, t := range tensors {
		squares := graph.ReduceAllSum(graph.Square(t))
		if sum == nil {
			sum = squares
			continue
		}
		sum = graph.Add(sum, squares)
	}
	return graph.Sqrt(sum)
}

// decay is the moving average beta*average + (1-beta)*x.
func decay(average, x *graph.Node, beta float64) *graph.Node {
	return graph.Add(graph.MulScalar(average, beta), graph.MulScalar(x, 1-beta))
}

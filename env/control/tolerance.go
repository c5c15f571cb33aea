package control

import (
	"fmt"
	"math"
)

// Sigmoid is the shape by which a [Tolerance] falls off outside its bounds.
type Sigmoid int

// The shapes of dm_control's rewards module; d is the distance from the bounds
// in margins and k makes the value at d = 1 the wanted one.
const (
	Gaussian    Sigmoid = iota // exp(-(dk)^2/2)
	Hyperbolic                 // 1/cosh(dk)
	LongTail                   // 1/((dk)^2 + 1)
	Reciprocal                 // 1/(dk + 1)
	Cosine                     // (1 + cos(pi dk))/2, 0 from dk = 1
	Linear                     // 1 - dk, 0 from dk = 1
	Quadratic                  // 1 - (dk)^2, 0 from dk = 1
	TanhSquared                // 1 - tanh(dk)^2
)

// Tolerance is a reward that is 1 within bounds and falls off smoothly outside.
// Build one with [NewTolerance].
type Tolerance struct {
	low, high, margin float64
	sigmoid           Sigmoid
	k                 float64
}

// NewTolerance returns the tolerance that is 1 on [low, high], and valueAtMargin
// at a distance of margin from it. With margin 0 it is 0 outside the bounds.
//
// low <= high and margin >= 0; valueAtMargin must lie in (0, 1), and may be 0
// for Cosine, Linear and Quadratic. Anything else is an error.
// Source: dm_control, utils/rewards.py.
func NewTolerance(low, high, margin float64, sigmoid Sigmoid, valueAtMargin float64) (Tolerance, error) {
	if !(low <= high) {
		return Tolerance{}, fmt.Errorf("control: tolerance bounds [%g, %g] are not in order", low, high)
	}
	if !(margin >= 0) {
		return Tolerance{}, fmt.Errorf("control: tolerance margin is %g, want 0 or more", margin)
	}
	zeroAllowed := sigmoid == Cosine || sigmoid == Linear || sigmoid == Quadratic
	if !(valueAtMargin > 0 && valueAtMargin < 1) && !(valueAtMargin == 0 && zeroAllowed) {
		return Tolerance{}, fmt.Errorf("control: tolerance value at margin is %g, want it strictly between 0 and 1", valueAtMargin)
	}
	k, ok := sigmoid.scale(valueAtMargin)
	if !ok {
		return Tolerance{}, fmt.Errorf("control: tolerance sigmoid %d is not known", sigmoid)
	}
	return Tolerance{low: low, high: high, margin: margin, sigmoid: sigmoid, k: k}, nil
}

// scale is the factor k that makes the shape's value v at d = 1.
func (s Sigmoid) scale(v float64) (k float64, ok bool) {
	switch s {
	case Gaussian:
		return math.Sqrt(-2 * math.Log(v)), true
	case Hyperbolic:
		return math.Acosh(1 / v), true
	case LongTail:
		return math.Sqrt(1/v - 1), true
	case Reciprocal:
		return 1/v - 1, true
	case Cosine:
		return math.Acos(2*v-1) / math.Pi, true
	case Linear:
		return 1 - v, true
	case Quadratic:
		return math.Sqrt(1 - v), true
	case TanhSquared:
		return math.Atanh(math.Sqrt(1 - v)), true
	}
	return 0, false
}

// At is the reward at x, in [0, 1]; NaN for NaN.
func (t Tolerance) At(x float64) float64 {
	outside := max(t.low-x, x-t.high)
	switch {
	case outside <= 0:
		return 1
	case t.margin == 0 && outside > 0:
		return 0
	}
	return t.sigmoid.at(outside / t.margin * t.k)
}

// at is the shape at the scaled distance x = dk >= 0.
func (s Sigmoid) at(x float64) float64 {
	switch s {
	case Gaussian:
		return math.Exp(-0.5 * x * x)
	case Hyperbolic:
		return 1 / math.Cosh(x)
	case LongTail:
		return 1 / (x*x + 1)
	case Reciprocal:
		return 1 / (x + 1)
	case TanhSquared:
		t := math.Tanh(x)
		return 1 - t*t
	}
	if x >= 1 { // the shapes that reach zero
		return 0
	}
	switch s {
	case Cosine:
		return (1 + math.Cos(math.Pi*x)) / 2
	case Linear:
		return 1 - x
	default:
		return 1 - x*x
	}
}

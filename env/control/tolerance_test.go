package control

import (
	"math"
	"testing"
)

var allSigmoids = []Sigmoid{Gaussian, Hyperbolic, LongTail, Reciprocal, Cosine, Linear, Quadratic, TanhSquared}

func TestToleranceIsOneInsideAndTheGivenValueAtTheMargin(t *testing.T) {
	for _, s := range allSigmoids {
		for _, v := range []float64{0.01, 0.1, 0.7} {
			tol, err := NewTolerance(-1, 2, 3, s, v)
			if err != nil {
				t.Fatal(err)
			}
			for x, want := range map[float64]float64{-1: 1, 0: 1, 2: 1, -4: v, 5: v} {
				if got := tol.At(x); math.Abs(got-want) > 1e-12 {
					t.Errorf("sigmoid %d with value %g at the margin: %g at %g, want %g", s, v, got, x, want)
				}
			}
		}
	}
}

func TestToleranceFallsMonotonically(t *testing.T) {
	for _, s := range allSigmoids {
		tol, err := NewTolerance(0, 0, 1, s, 0.1)
		if err != nil {
			t.Fatal(err)
		}
		last := 1.0
		for d := 0.0; d < 10; d += 0.01 {
			up, down := tol.At(d), tol.At(-d)
			if up != down || up > last || up < 0 {
				t.Fatalf("sigmoid %d at distance %g: %g and %g after %g", s, d, up, down, last)
			}
			last = up
		}
	}
}

// Halfway values written out from the definitions.
func TestToleranceHalfwayToTheMargin(t *testing.T) {
	for s, want := range map[Sigmoid]float64{
		Gaussian:  math.Pow(0.1, 0.25),
		LongTail:  1 / (1 + 9.0/4),
		Linear:    0.55,
		Quadratic: 0.775,
	} {
		tol, err := NewTolerance(0, 0, 2, s, 0.1)
		if err != nil {
			t.Fatal(err)
		}
		if got := tol.At(1); math.Abs(got-want) > 1e-12 {
			t.Errorf("sigmoid %d: %g halfway, want %g", s, got, want)
		}
	}
}

func TestToleranceWithoutMarginIsAStep(t *testing.T) {
	tol, err := NewTolerance(0, math.Inf(1), 0, Gaussian, 0.1)
	if err != nil {
		t.Fatal(err)
	}
	if tol.At(0) != 1 || tol.At(1e9) != 1 || tol.At(-1e-9) != 0 {
		t.Errorf("step is %g, %g, %g at 0, 1e9, -1e-9; want 1, 1, 0", tol.At(0), tol.At(1e9), tol.At(-1e-9))
	}
	if got := tol.At(math.NaN()); !math.IsNaN(got) {
		t.Errorf("tolerance of NaN is %g, want NaN", got)
	}
}

func TestToleranceRefusesWhatDmControlRefuses(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		low, high, margin float64
		sigmoid           Sigmoid
		value             float64
	}{
		{1, 0, 1, Gaussian, 0.1},
		{nan, 0, 1, Gaussian, 0.1},
		{0, 0, -1, Gaussian, 0.1},
		{0, 0, 1, Gaussian, 0},
		{0, 0, 1, Linear, 1},
		{0, 0, 1, Linear, -0.1},
		{0, 0, 1, Gaussian, nan},
		{0, 0, 1, Sigmoid(99), 0.5},
	} {
		if _, err := NewTolerance(c.low, c.high, c.margin, c.sigmoid, c.value); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
}

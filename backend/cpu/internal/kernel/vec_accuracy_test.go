package kernel

import (
	"math"
	"testing"
)

// elementary is a function with a stated error.
type elementary struct {
	name string
	of   func(v *VecKernels) func(dst, x []float32)
	want func(float64) float64
	ulps float64
}

func elementaries() []elementary {
	return []elementary{
		{"Exp", func(v *VecKernels) func(dst, x []float32) { return v.Exp }, math.Exp, 1},
		{"Expm1", func(v *VecKernels) func(dst, x []float32) { return v.Expm1 }, math.Expm1, 3},
		{"Log", func(v *VecKernels) func(dst, x []float32) { return v.Log }, math.Log, 2},
		{"Log1p", func(v *VecKernels) func(dst, x []float32) { return v.Log1p }, math.Log1p, 2},
		{"Tanh", func(v *VecKernels) func(dst, x []float32) { return v.Tanh }, math.Tanh, 3},
		{"Logistic", func(v *VecKernels) func(dst, x []float32) { return v.Logistic }, logistic, 3},
		{"Softplus", func(v *VecKernels) func(dst, x []float32) { return v.Softplus }, softplus, 2},
	}
}

// ulpsOff is the distance of got from the exact result in units of the last place; infinite
// if only one is NaN, infinite, or a zero of that sign.
func ulpsOff(got float32, exact float64) float64 {
	want := float32(exact)
	if sameValue(got, want) {
		return math.Abs(float64(got)-exact) / unitOf(want)
	}
	if got != got || want != want || math.Signbit(float64(got)) != math.Signbit(exact) {
		return math.Inf(1)
	}
	return math.Abs(float64(got)-exact) / unitOf(want)
}

// unitOf is the distance to the next larger magnitude; 1 where there is none.
func unitOf(x float32) float64 {
	x = float32(math.Abs(float64(x)))
	next := math.Nextafter32(x, float32(math.Inf(1)))
	if x != x || math.IsInf(float64(next), 0) {
		return math.Inf(1)
	}
	return float64(next) - float64(x)
}

// sweep returns values of every sign and exponent in equal steps of their bits, and the
// neighbours of the turning points.
func sweep() []float32 {
	const step = 4099 // prime, so that the low bits vary
	var x []float32
	for bits := uint64(0); bits < 1<<32; bits += step {
		x = append(x, math.Float32frombits(uint32(bits)))
	}
	for _, p := range turningPoints() {
		at := math.Float32bits(p)
		for d := range uint32(400) {
			x = append(x, math.Float32frombits(at+d-200))
		}
	}
	return x
}

// TestVecElementaryAccuracy sweeps all magnitudes, then densely the range in which
// activations lie.
func TestVecElementaryAccuracy(t *testing.T) {
	x := sweep()
	for i := range 400_000 {
		x = append(x, float32(i-200_000)*1e-4+float32(i%7)*1e-6)
	}
	forEachVecPath(t, func(t *testing.T, v VecKernels) {
		dst := make([]float32, len(x))
		for _, e := range elementaries() {
			e.of(&v)(dst, x)
			worst, at := 0.0, 0
			for i := range x {
				if off := ulpsOff(dst[i], e.want(float64(x[i]))); off > worst {
					worst, at = off, i
				}
			}
			t.Logf("%s: %.3f ulp at %g", e.name, worst, x[at])
			if worst > e.ulps {
				t.Errorf("%s(%g) = %g, want %g: %.3g ulp off, stated are %g",
					e.name, x[at], dst[at], e.want(float64(x[at])), worst, e.ulps)
			}
		}
	})
}

func TestVecElementaryAtSpecialValues(t *testing.T) {
	inf, nan, minus0 := float32(math.Inf(1)), float32(math.NaN()), float32(math.Copysign(0, -1))
	x := []float32{0, minus0, inf, -inf, nan, -1, -2}
	want := map[string][]float32{
		"Exp": {1, 1, inf, 0, nan}, "Expm1": {0, minus0, inf, -1, nan},
		"Log": {-inf, -inf, inf, nan, nan, nan, nan}, "Log1p": {0, minus0, inf, nan, nan, -inf, nan},
		"Tanh": {0, minus0, 1, -1, nan}, "Logistic": {0.5, 0.5, 1, 0, nan},
		"Softplus": {math.Ln2, math.Ln2, inf, 0, nan},
	}
	forEachVecPath(t, func(t *testing.T, v VecKernels) {
		for _, e := range elementaries() {
			dst := make([]float32, len(x))
			e.of(&v)(dst, x)
			for i, w := range want[e.name] {
				if !sameValue(dst[i], w) {
					t.Errorf("%s(%g) = %g, want %g", e.name, x[i], dst[i], w)
				}
			}
		}
	})
}

// TestVecElementaryFitsAnyLength compares every length and alignment with the result of a
// long row: lanes under the mask must not matter.
func TestVecElementaryFitsAnyLength(t *testing.T) {
	forEachVecPath(t, func(t *testing.T, v VecKernels) {
		x := vecInput(1100, 8)
		for _, e := range elementaries() {
			long := make([]float32, len(x))
			e.of(&v)(long, x)
			for i, n := range vecSizes() {
				dst := newFenced[float32](n, i%16, 5)
				e.of(&v)(dst.in, x[i:i+n])
				dst.check(t, e.name)
				inPlace := append([]float32(nil), x[i:i+n]...)
				e.of(&v)(inPlace, inPlace)
				for k := range n {
					if !sameValue(dst.in[k], long[i+k]) || !sameValue(inPlace[k], long[i+k]) {
						t.Fatalf("%s(%g) as element %d of %d is %g, in place %g, in a long row %g",
							e.name, x[i+k], k, n, dst.in[k], inPlace[k], long[i+k])
					}
				}
			}
		}
	})
}

func TestVecVectorPathsAgree(t *testing.T) {
	if !AVX512.Available() {
		t.Skip("hardware path missing: avx512; CI tests the paths that its processor has")
	}
	x := sweep()
	narrow, wide := newVec(AVX2), newVec(AVX512)
	a, b := make([]float32, len(x)), make([]float32, len(x))
	for _, e := range elementaries() {
		e.of(&narrow)(a, x)
		e.of(&wide)(b, x)
		for i := range x {
			if !sameValue(a[i], b[i]) {
				t.Errorf("%s(%g) = %g with AVX2, %g with AVX-512", e.name, x[i], a[i], b[i])
				break
			}
		}
	}
}

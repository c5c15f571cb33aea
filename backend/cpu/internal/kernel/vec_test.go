package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// eachTable runs a test once for every path of this CPU.
func eachTable(t *testing.T, f func(t *testing.T, v VecKernels)) {
	for _, p := range Available() {
		table, err := New(p)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(p.String(), func(t *testing.T) { f(t, table.Vec) })
	}
}

// special are the values at which functions turn.
func special() []float32 {
	inf := float32(math.Inf(1))
	return []float32{0, float32(math.Copysign(0, -1)), 1, -1, 0.5, -0.5, 2, -2, inf, -inf, float32(math.NaN()),
		math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, 1e-40, 1e-30, -1e-30, math.MaxFloat32, -math.MaxFloat32,
		0.624, 0.626, -0.625, 88, 88.8, 89.5, -87, -88, -103, -104, -106, 1e-8, -1e-8, 16777216, 0.99999994, 1.0000001, -0.99999994}
}

func inputs(n int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]float32, n)
	for i := range out {
		switch r.IntN(4) {
		case 0:
			out[i] = special()[r.IntN(len(special()))]
		case 1:
			out[i] = float32(r.NormFloat64())
		case 2:
			out[i] = float32(r.NormFloat64() * 30)
		default:
			out[i] = float32(math.Exp(r.NormFloat64()*20)) * float32(1-2*r.IntN(2))
		}
	}
	return out
}

// ulps is the distance of two values in units of the last place; equal values,
// two NaN and equal infinities are at 0. Denormal results may be off by one
// more unit, which is all their precision.
func ulps(got float32, want float64) float64 {
	w := float32(want)
	if got == w || got != got && w != w {
		return 0
	}
	if got != got || w != w || math.IsInf(float64(got), 0) != math.IsInf(float64(w), 0) {
		return math.Inf(1)
	}
	unit := float64(math.Nextafter32(float32(math.Abs(want)), float32(math.Inf(1)))) - math.Abs(float64(float32(math.Abs(want))))
	return math.Abs(float64(got)-want) / unit
}

var sizes = []int{0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 100, 1000}

// fenced is a slice of n elements with canaries on both sides.
type fenced struct{ whole, part []float32 }

const canary = 12345.678

func fence(n, offset int) fenced {
	whole := make([]float32, n+40)
	fillGeneric(whole, canary)
	return fenced{whole, whole[16+offset:][:n:n]}
}

func (g fenced) check(t *testing.T, name string) {
	t.Helper()
	untouched := 0
	for _, v := range g.whole {
		if v == canary {
			untouched++
		}
	}
	if untouched < len(g.whole)-len(g.part) {
		t.Errorf("%s wrote beside its result", name)
	}
}

func TestUnaryAgainstFloat64(t *testing.T) {
	logistic := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	eachTable(t, func(t *testing.T, v VecKernels) {
		for _, test := range []struct {
			name string
			f    func(dst, a []float32)
			want func(float64) float64
			ulps float64
		}{
			{"Neg", v.Neg, func(x float64) float64 { return -x }, 0},
			{"Abs", v.Abs, math.Abs, 0},
			{"Sign", v.Sign, func(x float64) float64 { return float64(sign(float32(x))) }, 0},
			{"Sqrt", v.Sqrt, math.Sqrt, 0.5001},
			{"Rsqrt", v.Rsqrt, func(x float64) float64 { return 1 / math.Sqrt(x) }, 1.5},
			{"Exp", v.Exp, math.Exp, 4}, {"Expm1", v.Expm1, math.Expm1, 4},
			{"Log", v.Log, math.Log, 4}, {"Log1p", v.Log1p, math.Log1p, 4},
			{"Tanh", v.Tanh, math.Tanh, 4}, {"Logistic", v.Logistic, logistic, 4},
		} {
			worst, at := 0.0, float32(0)
			for i, n := range append(slices.Clone(sizes), 20000) {
				a, dst := inputs(n, uint64(i)), fence(n, i%7)
				test.f(dst.part, a)
				dst.check(t, test.name)
				for k, x := range a {
					if d := ulps(dst.part[k], test.want(float64(x))); d > worst && !denormal(dst.part[k], test.want(float64(x))) {
						worst, at = d, x
					}
				}
			}
			if worst > test.ulps {
				dst := make([]float32, 1)
				test.f(dst, []float32{at})
				t.Errorf("%s(%v) = %v, want %v: %.3g ulp, allowed are %g", test.name, at, dst[0], test.want(float64(at)), worst, test.ulps)
			}
		}
	})
}

// denormal reports a result below the smallest normal number that is right to
// within one smallest number, or zero.
func denormal(got float32, want float64) bool {
	return math.Abs(want) < 0x1p-126 && (math.Abs(float64(got)-want) <= 0x1p-149 || got == 0)
}

func TestBinaryAndSelectEqualGeneric(t *testing.T) {
	g := newVecGeneric()
	eachTable(t, func(t *testing.T, v VecKernels) {
		for name, f := range map[string][2]func(dst, a, b []float32){
			"Add": {v.Add, g.Add}, "Sub": {v.Sub, g.Sub}, "Mul": {v.Mul, g.Mul}, "Div": {v.Div, g.Div},
			"Max": {v.Max, g.Max}, "Min": {v.Min, g.Min}, "Eq": {v.Eq, g.Eq}, "Ne": {v.Ne, g.Ne},
			"Lt": {v.Lt, g.Lt}, "Le": {v.Le, g.Le}, "Gt": {v.Gt, g.Gt}, "Ge": {v.Ge, g.Ge},
			"Select": {func(dst, a, b []float32) { v.Select(dst, masks(a), a, b) }, func(dst, a, b []float32) { g.Select(dst, masks(a), a, b) }},
			"AddTo":  {func(dst, a, b []float32) { copy(dst, a); v.AddTo(dst, b) }, g.Add},
			"RSubS":  {func(dst, a, b []float32) { v.RSubS(dst, a, 1) }, func(dst, a, b []float32) { g.RSubS(dst, a, 1) }},
		} {
			for i, n := range sizes {
				a, b := inputs(n, uint64(i)), inputs(n, uint64(i)+100)
				dst, want := fence(n, i%5), make([]float32, n)
				f[0](dst.part, a, b)
				f[1](want, a, b)
				dst.check(t, name)
				for k := range want {
					// Zeros of either sign are equal, and any NaN is a NaN.
					if got := dst.part[k]; got != want[k] && !(got != got && want[k] != want[k]) {
						t.Fatalf("%s of %d: element %d of (%v, %v) is %v, want %v", name, n, k, a[k], b[k], got, want[k])
					}
				}
				// In place.
				alias := slices.Clone(a)
				f[0](alias, alias, b)
				for k := range want {
					if alias[k] != want[k] && !(alias[k] != alias[k] && want[k] != want[k]) {
						t.Fatalf("%s in place: element %d is %v, want %v", name, k, alias[k], want[k])
					}
				}
			}
		}
	})
}

func masks(a []float32) []float32 {
	m := make([]float32, len(a))
	for i := range m {
		m[i] = mask(a[i] > 0.3)
	}
	return m
}

func TestReductionsFillAndBooleans(t *testing.T) {
	eachTable(t, func(t *testing.T, v VecKernels) {
		for i, n := range sizes {
			r := rand.New(rand.NewPCG(uint64(i), 2))
			a, exact, size := make([]float32, n), 0.0, 0.0
			for k := range a {
				a[k] = float32(r.NormFloat64())
				exact += float64(a[k])
				size += math.Abs(float64(a[k]))
			}
			if got := v.Sum(a); math.Abs(float64(got)-exact) > size*1e-6 {
				t.Errorf("Sum of %d = %v, want %v", n, got, exact)
			}
			if n > 0 && (v.MaxOf(a) != slices.Max(a) || v.MinOf(a) != slices.Min(a)) {
				t.Errorf("extremes of %d: %v %v", n, v.MinOf(a), v.MaxOf(a))
			}
			dst := fence(n, 3)
			v.Fill(dst.part, 7)
			dst.check(t, "Fill")
			bools := make([]byte, n)
			for k := range bools {
				bools[k] = byte(r.IntN(2))
			}
			m, back := make([]float32, n), make([]byte, n)
			v.BoolToMask(m, bools)
			v.MaskToBool(back, m)
			for k := range bools {
				if dst.part[k] != 7 || m[k] != float32(bools[k]) || back[k] != bools[k] {
					t.Fatalf("element %d of %d", k, n)
				}
			}
		}
	})
}

func BenchmarkVec(b *testing.B) {
	for _, p := range Available() {
		table, err := New(p)
		if err != nil {
			b.Fatal(err)
		}
		v := table.Vec
		for name, f := range map[string]func(dst, a []float32){
			"Add": func(dst, a []float32) { v.Add(dst, a, a) }, "Exp": v.Exp, "Log1p": v.Log1p, "Tanh": v.Tanh, "Logistic": v.Logistic,
		} {
			for _, n := range []int{1 << 10, 1 << 16} {
				b.Run(fmt.Sprintf("%s/%s/%dKiB", p, name, n*4>>10), func(b *testing.B) {
					a, dst := make([]float32, n), make([]float32, n)
					for i := range a {
						a[i] = float32(i%17)/8 - 1
					}
					for b.Loop() {
						f(dst, a)
					}
					b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gelem/s")
				})
			}
		}
	}
}

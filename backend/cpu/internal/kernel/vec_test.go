package kernel

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

// forEachVecPath runs f once per path as a subtest; a path that the CPU lacks is skipped by
// name.
func forEachVecPath(t *testing.T, f func(t *testing.T, v VecKernels)) {
	for p := range Path(numPaths) {
		t.Run(p.String(), func(t *testing.T) {
			table, err := New(p)
			if err != nil {
				t.Skipf("hardware path missing: %v; CI tests the paths that its processor has", err)
			}
			f(t, table.Vec)
		})
	}
}

// vecSizes are lengths around the numbers of lanes and of lanes in a round.
func vecSizes() []int {
	return []int{0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 100, 127, 128, 129, 300, 1000}
}

// turningPoints are values at which the functions change their course.
func turningPoints() []float32 {
	inf, zero := float32(math.Inf(1)), float32(0)
	points := []float32{zero, -zero, 1, -1, 0.5, -0.5, 2, -2, inf, -inf, float32(math.NaN()),
		math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, 0x1p-126, -0x1p-126, 0x1.fffffcp-127, 1e-40, -1e-40,
		math.MaxFloat32, -math.MaxFloat32, 0x1p24, 0x1p25, -0x1p24, 0x1p-24, -0x1p-24, 0x1p-25,
		88, 88.37, 88.722, 88.73, 89, 90, -87, -87.4, -88, -103.2, -103.9, -104, -105, 17.33, -17.33, -40, -41,
		0.34657, 0.34658, -0.34657, 0.7071067, 0.70710678, 1.4142135, -0.9999999, -0.29289, 0.41421}
	points[1] = float32(math.Copysign(0, -1))
	return points
}

// vecInput returns n values of all sizes, turning points among them.
func vecInput(n int, seed uint64) []float32 {
	r, points := rand.New(rand.NewPCG(seed, 1)), turningPoints()
	out := make([]float32, n)
	for i := range out {
		switch r.IntN(4) {
		case 0:
			out[i] = points[r.IntN(len(points))]
		case 1:
			out[i] = float32(r.NormFloat64())
		case 2:
			out[i] = float32(r.IntN(7) - 3) // equal operands
		default:
			out[i] = math.Float32frombits(r.Uint32())
		}
	}
	return out
}

// sameValue reports equality of bits, all NaN being one.
func sameValue(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

// fenced is a slice inside a larger array, whose other elements are a canary.
type fenced[T float32 | byte] struct {
	all, in []T
	canary  T
}

func newFenced[T float32 | byte](n, offset int, canary T) fenced[T] {
	all := make([]T, n+offset+80)
	for i := range all {
		all[i] = canary
	}
	return fenced[T]{all, all[40+offset:][:n:n], canary}
}

func (f fenced[T]) check(t *testing.T, name string) {
	t.Helper()
	first := len(f.all) - 40 - len(f.in)
	for i, v := range f.all {
		if (i < first || i >= first+len(f.in)) && v != f.canary {
			t.Fatalf("%s wrote element %d of %d", name, i-first, len(f.in))
		}
	}
}

// loop is any element-wise field, with the scalar as the first element of c.
type loop struct {
	name string
	of   func(v *VecKernels) func(dst, a, b, c []float32)
}

// vecLoops lists the fields that must agree bit for bit on all paths, found by their types.
func vecLoops() []loop {
	elementary := map[string]bool{"Exp": true, "Expm1": true, "Log": true, "Log1p": true, "Tanh": true, "Logistic": true, "Softplus": true}
	var out []loop
	kind := reflect.TypeFor[VecKernels]()
	for i := range kind.NumField() {
		name := kind.Field(i).Name
		if elementary[name] {
			continue
		}
		out = append(out, loop{name, func(v *VecKernels) func(dst, a, b, c []float32) {
			switch f := reflect.ValueOf(v).Elem().Field(i).Interface().(type) {
			case func(dst, x []float32):
				return func(dst, a, _, _ []float32) { f(dst, a) }
			case func(dst, a, b []float32):
				return func(dst, a, b, _ []float32) { f(dst, a, b) }
			case func(dst, mask, a, b []float32):
				return func(dst, a, b, c []float32) { f(dst, a, b, c) }
			case func(dst, x []float32, s float32):
				return func(dst, a, _, c []float32) {
					if len(c) > 0 {
						f(dst, a, c[0])
					}
				}
			case func(dst, mask, x []float32, s float32):
				return func(dst, a, b, c []float32) {
					if len(c) > 0 {
						f(dst, a, b, c[0])
					}
				}
			case func(dst, mask []float32, s, t float32):
				return func(dst, a, b, c []float32) {
					if len(c) > 0 {
						f(dst, a, b[0], c[0])
					}
				}
			case func(dst []float32, s float32):
				return func(dst, _, _, c []float32) {
					if len(c) > 0 {
						f(dst, c[0])
					}
				}
			}
			return nil
		}})
	}
	return out
}

func TestVecTablesAreComplete(t *testing.T) {
	forEachVecPath(t, func(t *testing.T, v VecKernels) {
		fields := reflect.ValueOf(v)
		for i := range fields.NumField() {
			if fields.Field(i).IsNil() {
				t.Errorf("%s is missing", fields.Type().Field(i).Name)
			}
		}
	})
}

// TestVecLoopsEqualGeneric compares every loop with the portable one, bit for bit, at all
// lengths and alignments, with canaries around the result.
func TestVecLoopsEqualGeneric(t *testing.T) {
	generic := newVecGeneric()
	forEachVecPath(t, func(t *testing.T, v VecKernels) {
		tested := 0
		for _, l := range vecLoops() {
			got, want := l.of(&v), l.of(&generic)
			if got == nil {
				continue // reductions and conversions have tests of their own
			}
			tested++
			for i, n := range vecSizes() {
				seed := uint64(1000*tested + i)
				a, b, c := vecInput(n, seed), vecInput(n, seed+1), vecInput(n, seed+2)
				dst, expected := newFenced[float32](n, i%17, 12345), make([]float32, n)
				for k := range n { // AddTo and Axpy read it
					dst.in[k], expected[k] = b[k], b[k]
				}
				got(dst.in, a, b, c)
				want(expected, a, b, c)
				dst.check(t, l.name)
				for k := range n {
					if !sameValue(dst.in[k], expected[k]) {
						t.Fatalf("%s of %d: element %d of (%g, %g, %g, first %g) is %g, want %g",
							l.name, n, k, a[k], b[k], c[k], c[0], dst.in[k], expected[k])
					}
				}
				compareInPlace(t, l.name, got, want, a, b, c)
			}
		}
		if tested < 41 {
			t.Fatalf("%d loops tested", tested)
		}
	})
}

// compareInPlace lets the result overwrite each operand in turn.
func compareInPlace(t *testing.T, name string, got, want func(dst, a, b, c []float32), a, b, c []float32) {
	t.Helper()
	for k := range 3 {
		var args [2][3][]float32
		for i := range args {
			for j, x := range [][]float32{a, b, c} {
				args[i][j] = append([]float32(nil), x...)
			}
		}
		got(args[0][k], args[0][0], args[0][1], args[0][2])
		want(args[1][k], args[1][0], args[1][1], args[1][2])
		for i, w := range args[1][k] {
			if !sameValue(args[0][k][i], w) {
				t.Fatalf("%s onto operand %d of %d elements: element %d is %g, want %g", name, k, len(a), i, args[0][k][i], w)
			}
		}
	}
}

func TestVecStopsAtTheShortestOperand(t *testing.T) {
	forEachVecPath(t, func(t *testing.T, v VecKernels) {
		for _, n := range []int{0, 5, 16, 40, 70} {
			dst, short, full := newFenced[float32](100, 3, 7), vecInput(n, 1), vecInput(100, 2)
			for k := range dst.in {
				dst.in[k] = 7
			}
			v.Add(dst.in, full, short)
			v.Select(dst.in, full, short, full)
			v.Exp(dst.in, short)
			v.MulS(dst.in, short, 2)
			v.SelectS(dst.in, full, short, 2)
			v.RSelectS(dst.in, short, full, 2)
			v.SelectSS(dst.in, short, 2, 3)
			v.BoolToMask(dst.in, make([]byte, n))
			dst.check(t, "a loop")
			for k, x := range dst.in[n:] {
				if x != 7 {
					t.Fatalf("element %d was written with operands of %d", n+k, n)
				}
			}
		}
	})
}

func TestVecBooleans(t *testing.T) {
	forEachVecPath(t, func(t *testing.T, v VecKernels) {
		for i, n := range vecSizes() {
			r := rand.New(rand.NewPCG(uint64(i), 5))
			src, floats, back := newFenced[byte](n, i%9, 77), newFenced[float32](n, i%5, 77), newFenced[byte](n, i%7, 77)
			for k := range src.in {
				src.in[k] = byte(r.IntN(2))
			}
			v.BoolToMask(floats.in, src.in)
			floats.check(t, "BoolToMask")
			for k, b := range src.in {
				if floats.in[k] != float32(b) {
					t.Fatalf("BoolToMask of %d: element %d is %g, want %d", n, k, floats.in[k], b)
				}
				if b == 1 && r.IntN(2) == 0 {
					floats.in[k] = vecInput(1, uint64(k))[0]
				}
			}
			v.MaskToBool(back.in, floats.in)
			back.check(t, "MaskToBool")
			for k, x := range floats.in {
				if want := x != 0; want != (back.in[k] == 1) || back.in[k] > 1 {
					t.Fatalf("MaskToBool of %d: element %d is %d for %g", n, k, back.in[k], x)
				}
			}
		}
	})
}

func TestVecSumIsAccurate(t *testing.T) {
	forEachVecPath(t, func(t *testing.T, v VecKernels) {
		for i, n := range append(vecSizes(), 4096, 4097, 100_000, 1_000_003) {
			r := rand.New(rand.NewPCG(uint64(i), 2))
			x := newFenced(n, i%16, float32(math.NaN()))
			exact, magnitude := 0.0, 0.0
			for k := range x.in {
				x.in[k] = float32(r.NormFloat64() + 0.5)
				exact += float64(x.in[k])
				magnitude += math.Abs(float64(x.in[k]))
			}
			if got := float64(v.Sum(x.in)); !(math.Abs(got-exact) <= magnitude*3e-7) {
				t.Errorf("Sum of %d = %g, want %g", n, got, exact)
			}
		}
	})
}

// TestVecSumKeepsItsBound adds numbers that vanish beside the first one of their partial
// sum, whatever the number of those.
func TestVecSumKeepsItsBound(t *testing.T) {
	forEachVecPath(t, func(t *testing.T, v VecKernels) {
		ones := make([]float32, sumBlock)
		for i := range ones {
			ones[i] = 1
		}
		for _, parts := range []int{1, 8, 16, 32, 64, 128} {
			x, exact := make([]float32, sumBlock), 0.0
			for i := range x {
				x[i] = 0x1p-24
				if i < parts {
					x[i] = 1
				}
				exact += float64(x[i])
			}
			for name, got := range map[string]float32{"Sum": v.Sum(x), "Dot": v.Dot(x, ones)} {
				if math.Abs(float64(got)-exact) > exact*0x1p-15 {
					t.Errorf("%s with %d ones = %.9g, want %.9g", name, parts, got, exact)
				}
			}
		}
	})
}

// TestVecDotIsAccurate surrounds the operands with NaN and gives one of them a tail that the
// other does not have.
func TestVecDotIsAccurate(t *testing.T) {
	forEachVecPath(t, func(t *testing.T, v VecKernels) {
		for i, n := range append(vecSizes(), 4095, 4096, 4097, 8200, 100_000) {
			r := rand.New(rand.NewPCG(uint64(i), 4))
			a, b := newFenced(n, i%16, float32(math.NaN())), newFenced(n, i%7, float32(math.NaN()))
			exact, squares, magnitude := 0.0, 0.0, 0.0
			for k := range n {
				a.in[k], b.in[k] = float32(r.NormFloat64()), float32(r.NormFloat64()+0.5)
				product := float64(a.in[k]) * float64(b.in[k])
				exact += product
				magnitude += math.Abs(product)
				squares += float64(a.in[k]) * float64(a.in[k])
			}
			longer := a.all[40+i%16:][:n+i%20] // NaN follows
			for name, got := range map[string]float32{"(a, b)": v.Dot(a.in, b.in), "(b, a)": v.Dot(b.in, a.in),
				"(longer, b)": v.Dot(longer, b.in), "(b, longer)": v.Dot(b.in, longer)} {
				if !(math.Abs(float64(got)-exact) <= magnitude*4e-7) {
					t.Errorf("Dot%s of %d = %g, want %g", name, n, got, exact)
				}
			}
			if got := float64(v.SumSq(a.in)); !(math.Abs(got-squares) <= squares*4e-7) {
				t.Errorf("SumSq of %d = %g, want %g", n, got, squares)
			}
		}
	})
}

func TestVecDotOfSpecialValues(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	forEachVecPath(t, func(t *testing.T, v VecKernels) {
		for _, n := range vecSizes()[1:] {
			for _, at := range []int{0, n / 2, n - 1} {
				for _, c := range []struct{ a, b, want float32 }{{inf, 1, inf}, {inf, -1, -inf}, {inf, 0, nan}, {nan, 0, nan}} {
					a, b := make([]float32, n), make([]float32, n)
					a[at], b[at] = c.a, c.b
					if got := v.Dot(a, b); !sameValue(got, c.want) {
						t.Errorf("Dot of %d with %g * %g at %d = %g, want %g", n, c.a, c.b, at, got, c.want)
					}
				}
			}
		}
	})
}

func TestVecExtremes(t *testing.T) {
	forEachVecPath(t, func(t *testing.T, v VecKernels) {
		for i, n := range vecSizes() {
			for trial := range 20 {
				x := newFenced(n, i%16, float32(math.NaN()))
				copy(x.in, vecInput(n, uint64(trial)))
				for k := range x.in {
					if trial%2 == 0 && x.in[k] != x.in[k] {
						x.in[k] = 0
					}
				}
				if got, want := v.MaxOf(x.in), maxOfGeneric(x.in); !sameValue(got, want) {
					t.Errorf("MaxOf of %d = %g, want %g", n, got, want)
				}
				if got, want := v.MinOf(x.in), minOfGeneric(x.in); !sameValue(got, want) {
					t.Errorf("MinOf of %d = %g, want %g", n, got, want)
				}
			}
		}
	})
}

func TestVecSumRowsEqualsGeneric(t *testing.T) {
	generic := newVecGeneric()
	forEachVecPath(t, func(t *testing.T, v VecKernels) {
		for i, n := range vecSizes() {
			for _, rows := range []int{-1, 0, 1, 2, 5} {
				stride := n + i%3
				x := newFenced(max(0, (rows-1)*stride+n), i%16, float32(math.NaN()))
				copy(x.in, vecInput(len(x.in), uint64(i)))
				dst, want := newFenced[float32](n, i%5, 9), vecInput(n, 3)
				copy(dst.in, want)
				v.SumRows(dst.in, x.in, rows, stride)
				generic.SumRows(want, x.in, rows, stride)
				dst.check(t, "SumRows")
				for k := range want {
					if !sameValue(dst.in[k], want[k]) {
						t.Fatalf("SumRows of %d x %d: column %d is %g, want %g", rows, n, k, dst.in[k], want[k])
					}
				}
			}
		}
	})
}

func TestVecSumRowsLeavesOutRowsBeyondTheSlice(t *testing.T) {
	forEachVecPath(t, func(t *testing.T, v VecKernels) {
		dst := []float32{1, 1, 1}
		x := []float32{1, 2, 3, 0, 4, 5, 6}
		v.SumRows(dst, x, 9, 4)
		if dst[0] != 6 || dst[1] != 8 || dst[2] != 10 {
			t.Errorf("dst = %v, want [6 8 10]", dst)
		}
		v.SumRows(dst, x, 2, 2) // overlapping rows
		v.SumRows(dst, x[:2], 2, 4)
		if dst[0] != 6 {
			t.Errorf("dst = %v after calls that make no sense", dst)
		}
	})
}

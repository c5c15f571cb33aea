package fuse

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
	"pgregory.net/rapid"
)

// reduceSlowly reduces in float64, and returns the sums of magnitudes with the results.
func reduceSlowly(op ReduceOp, dims, axes []int, x []float32) (results, magnitudes []float64) {
	n := 1
	for i, d := range dims {
		if !slices.Contains(axes, i) {
			n *= d
		}
	}
	results, magnitudes = make([]float64, n), make([]float64, n)
	for i := range results {
		results[i] = op.start()
	}
	for i, v := range x {
		to, step, rest := 0, 1, i
		for a, d := range slices.Backward(dims) {
			if !slices.Contains(axes, a) {
				to += rest % d * step
				step *= d
			}
			rest /= d
		}
		results[to] = op.combine(results[to], float64(v))
		magnitudes[to] += math.Abs(float64(v))
	}
	return results, magnitudes
}

func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// fatal is what tests and property tests have in common.
type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkReduce compares a plan with the slow one, on one worker and on three.
func checkReduce(t fatal, p *ReducePlan, op ReduceOp, dims, axes []int, x []float32, inputs []Ref) {
	t.Helper()
	want, magnitude := reduceSlowly(op, dims, axes, x)
	got := make([]float32, len(want)+1)
	got[len(want)] = 77
	if err := p.Run(context.Background(), crew{3}, got[:len(want)], inputs); err != nil {
		t.Fatalf("%v", err)
	}
	for i, w := range want {
		if tolerance := magnitude[i] * 1e-6; op != Sum && float64(got[i]) != w || !(math.Abs(float64(got[i])-w) <= tolerance) && !math.IsInf(w, 0) {
			t.Fatalf("reduction %d of %v along %v: element %d is %g, want %g", op, dims, axes, i, got[i], w)
		}
	}
	if got[len(want)] != 77 {
		t.Fatalf("reduction of %v along %v wrote behind its result", dims, axes)
	}
	again := make([]float32, len(want))
	if err := p.Run(context.Background(), crew{1}, again, inputs); err != nil {
		t.Fatalf("%v", err)
	}
	if !slices.Equal(again, got[:len(want)]) {
		t.Fatalf("reduction of %v along %v depends on the workers", dims, axes)
	}
}

func TestReduceEqualsLoops(t *testing.T) {
	forEachPath(t, func(t *testing.T, v *kernel.VecKernels) {
		rapid.Check(t, func(t *rapid.T) {
			dims := rapid.SliceOfN(rapid.IntRange(0, 7), 0, 5).Draw(t, "dims")
			if len(dims) > 0 && rapid.Bool().Draw(t, "long") {
				dims[rapid.IntRange(0, len(dims)-1).Draw(t, "which")] = rapid.IntRange(100, 300).Draw(t, "length")
			}
			var axes []int
			for i := range dims {
				if rapid.Bool().Draw(t, "reduced") {
					axes = append(axes, i)
				}
			}
			op := ReduceOp(rapid.IntRange(0, 2).Draw(t, "op"))
			p, err := NewReduce(v, op, dims, axes, nil)
			if err != nil {
				t.Fatal(err)
			}
			x := random(product(dims), 1)
			checkReduce(t, p, op, dims, axes, x, []Ref{{F32: x}})
		})
	})
}

// TestLongReductionsInParts reduces what is cut into parts, spans and pieces, with and
// without a producer.
func TestLongReductionsInParts(t *testing.T) {
	forEachPath(t, func(t *testing.T, v *kernel.VecKernels) {
		for _, c := range []struct{ dims, axes []int }{
			{[]int{1_000_003}, []int{0}}, {[]int{200_001, 3}, []int{0}}, {[]int{40_000, 32}, []int{0}},
			{[]int{3, 200_001}, []int{1}}, {[]int{3, 200_001}, []int{0}}, {[]int{70, 9, 1000}, []int{0, 2}},
			{[]int{5, 300, 700}, []int{1}}, {[]int{100, 10, 30, 20}, []int{0, 2}}, {[]int{200_001, 3}, []int{1}},
			{[]int{300, 5000}, []int{0}}, {[]int{2000, 150}, []int{0}},
		} {
			for _, op := range []ReduceOp{Sum, MaxOf, MinOf} {
				x := random(product(c.dims), 7)
				p, err := NewReduce(v, op, c.dims, c.axes, nil)
				if err != nil {
					t.Fatal(err)
				}
				checkReduce(t, p, op, c.dims, c.axes, x, []Ref{{F32: x}})
			}
			checkSquares(t, v, c.dims, c.axes)
		}
	})
}

// checkSquares reduces (a-b)^2, which is never stored.
func checkSquares(t *testing.T, v *kernel.VecKernels, dims, axes []int) {
	t.Helper()
	b := NewBuilder(v)
	diff := b.Binary(Sub, b.Input(Full(), F32), b.Input(Suffix(1000), F32))
	b.Output(b.Binary(Mul, diff, diff), F32)
	p, err := NewReduce(v, Sum, dims, axes, must(t, b))
	if err != nil {
		t.Fatal(err)
	}
	left, right := random(product(dims), 3), random(1000, 4)
	squares := make([]float32, len(left))
	for i, l := range left {
		d := l - right[i%1000]
		squares[i] = d * d
	}
	checkReduce(t, p, Sum, dims, axes, squares, []Ref{{F32: left}, {F32: right}})
}

// TestBiasGradientIsAccurate adds 2.5 million equal rows, where a plain float32 sum is off by
// several percent.
func TestBiasGradientIsAccurate(t *testing.T) {
	const n, c = 2_500_000, 3
	x := make([]float32, n*c)
	for i := range x {
		x[i] = 0.1 * float32(1+i%c)
	}
	table, err := kernel.New(kernel.Detect())
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewReduce(&table.Vec, Sum, []int{n, c}, []int{0}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, c)
	if err := p.Run(t.Context(), crew{3}, got, []Ref{{F32: x}}); err != nil {
		t.Fatal(err)
	}
	for i, v := range got {
		if want := n * float64(float32(0.1)*float32(1+i)); math.Abs(float64(v)-want) > want*1e-6 {
			t.Errorf("column %d adds up to %g, want %g", i, v, want)
		}
	}
}

func TestExtremesKeepNaN(t *testing.T) {
	forEachPath(t, func(t *testing.T, v *kernel.VecKernels) {
		for _, axes := range [][]int{{0}, {1}, {0, 1}} {
			p, err := NewReduce(v, MaxOf, []int{40, 40}, axes, nil)
			if err != nil {
				t.Fatal(err)
			}
			x := random(1600, 1)
			x[41*17] = float32(math.NaN()) // row and column 17
			dst := make([]float32, p.Results())
			if err := p.Run(t.Context(), crew{1}, dst, []Ref{{F32: x}}); err != nil {
				t.Fatal(err)
			}
			for i, m := range dst {
				if isNaN := m != m; isNaN != (i == 17 || len(dst) == 1) {
					t.Errorf("along %v: result %d is %g", axes, i, m)
				}
			}
		}
	})
}

func TestReductionsRejectNonsense(t *testing.T) {
	v := generic(t)
	two := must(t, adam(v)) // three outputs
	for i, make := range []func() (*ReducePlan, error){
		func() (*ReducePlan, error) { return NewReduce(v, 9, []int{2}, nil, nil) },
		func() (*ReducePlan, error) { return NewReduce(v, Sum, []int{2}, []int{1}, nil) },
		func() (*ReducePlan, error) { return NewReduce(v, Sum, []int{2}, []int{0, 0}, nil) },
		func() (*ReducePlan, error) { return NewReduce(v, Sum, []int{-2}, nil, nil) },
		func() (*ReducePlan, error) { return NewReduce(v, Sum, []int{2}, nil, two) },
	} {
		if _, err := make(); !errors.Is(err, ErrInvalid) {
			t.Errorf("case %d: error %v, want ErrInvalid", i, err)
		}
	}
	p, err := NewReduce(v, Sum, []int{4, 4}, []int{0}, nil)
	if err != nil {
		t.Fatal(err)
	}
	full, short := Ref{F32: make([]float32, 16)}, Ref{F32: make([]float32, 15)}
	for i, err := range []error{
		p.Run(t.Context(), crew{1}, make([]float32, 3), []Ref{full}),
		p.Run(t.Context(), crew{1}, make([]float32, 4), []Ref{short}),
		p.Run(t.Context(), crew{1}, make([]float32, 4), nil),
	} {
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("run %d: error %v, want ErrInvalid", i, err)
		}
	}
}

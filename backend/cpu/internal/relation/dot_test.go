package relation

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
	"pgregory.net/rapid"
)

// dotSpec lays out an M x K by K x N product; transposed operands are stored column by
// column.
func dotSpec(m, n, k int, transA, transB, transC bool) DotSpec {
	matrix := func(rows, cols int, trans bool) Matrix {
		if trans {
			return Matrix{Row: 1, Col: rows}
		}
		return Matrix{Row: cols, Col: 1}
	}
	return DotSpec{M: m, N: n, K: k, A: matrix(m, k, transA), B: matrix(k, n, transB), C: matrix(m, n, transC)}
}

// checkDot compares s with the definition, within the bound of a sum of K+1 terms.
func checkDot(table *kernel.Table, s DotSpec, workers int) error {
	a, b := random(s.M*s.K, 1), random(s.K*s.N, 2)
	before := random(s.M*s.N, 3)
	dot, err := NewDot(table, s, workers)
	if err != nil {
		return err
	}
	all, dst := guardedOutput(s.M * s.N)
	if s.Accumulate {
		copy(dst, before)
	}
	var cover coverage
	if err := dot.Run(context.Background(), goPool(workers), dst, a, b, nanScratch(dot.Scratch()), cover.epilogue(dst)); err != nil {
		return err
	}
	a, b = operands(table, dot, a, b)
	for m := range s.M {
		for n := range s.N {
			at := m*s.C.Row + n*s.C.Col
			var sum, mag float64
			if s.Accumulate {
				sum, mag = float64(before[at]), math.Abs(float64(before[at]))
			}
			for k := range s.K {
				p := float64(a[s.A.Offset+m*s.A.Row+k*s.A.Col]) * float64(b[k*s.B.Row+n*s.B.Col])
				sum, mag = sum+p, mag+math.Abs(p)
			}
			if got := float64(dst[at]); !(math.Abs(got-sum) <= float64(s.K+2)*unitRoundoff*mag) {
				return fmt.Errorf("%v: (%d,%d) = %g, want %g", dot, m, n, got, sum)
			}
		}
	}
	if err := cover.check(dst); err != nil {
		return fmt.Errorf("%v: %w", dot, err)
	}
	return intact(all)
}

func TestRandomDots(t *testing.T) {
	forEachPath(t, func(t *testing.T, table *kernel.Table) {
		rapid.Check(t, func(t *rapid.T) {
			s := dotSpec(rapid.IntRange(1, 140).Draw(t, "m"), rapid.IntRange(1, 70).Draw(t, "n"), rapid.IntRange(1, 300).Draw(t, "k"),
				rapid.Bool().Draw(t, "transA"), rapid.Bool().Draw(t, "transB"), rapid.Bool().Draw(t, "transC"))
			s.Accumulate = rapid.Bool().Draw(t, "accumulate")
			if err := checkDot(table, s, rapid.IntRange(1, 3).Draw(t, "workers")); err != nil {
				t.Fatalf("%+v: %v", s, err)
			}
		})
	})
}

// rssmDots are the products of the recurrent model on 50 sequences, forward and its two
// gradients, the whole-sequence embedding product, and the planner's on 1000 candidates.
func rssmDots() map[string]DotSpec {
	return map[string]DotSpec{
		"gru/forward":     dotSpec(50, 600, 400, false, false, false),
		"gru/data":        dotSpec(50, 400, 600, false, true, false),
		"gru/kernel":      dotSpec(400, 600, 50, true, false, false),
		"dense/forward":   dotSpec(50, 200, 206, false, false, false),
		"dense/data":      dotSpec(50, 206, 200, false, true, false),
		"dense/kernel":    dotSpec(206, 200, 50, true, false, false),
		"stats/forward":   dotSpec(50, 60, 200, false, false, false),
		"embed/forward":   dotSpec(2500, 200, 1024, false, false, false),
		"embed/data":      dotSpec(2500, 1024, 200, false, true, false),
		"embed/kernel":    dotSpec(1024, 200, 2500, true, false, false),
		"decoder/forward": dotSpec(2500, 1024, 230, false, false, false),
		"decoder/kernel":  dotSpec(230, 1024, 2500, true, false, false),
		"reward/forward":  dotSpec(2500, 1, 200, false, false, false),
		"planner/gru":     dotSpec(1000, 600, 400, false, false, false),
		"planner/dense":   dotSpec(1000, 200, 206, false, false, false),
		"acting/gru":      dotSpec(1, 600, 400, false, false, false),
	}
}

func TestModelDots(t *testing.T) {
	forEachPath(t, func(t *testing.T, table *kernel.Table) {
		for name, s := range rssmDots() {
			if s.M*s.N*s.K > 5e6 { // keeps the reference quick
				s.M, s.N, s.K = ceilDiv(s.M, 4), ceilDiv(s.N, 4), ceilDiv(s.K, 4)
				s = dotSpec(s.M, s.N, s.K, s.A.Row == 1, s.B.Row == 1, false)
			}
			if err := checkDot(table, s, 2); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

package rng

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOutputIsFrozen pins what streams yield: a change here changes every run.
// The numbers are those of this package's first release.
func TestOutputIsFrozen(t *testing.T) {
	uniform, normal := make([]float32, 3), make([]float32, 5)
	New(7, "uniform").FillUniform(uniform)
	New(7, "normal").FillNormal(normal)
	s := New(7, "scalar")
	got := []any{s.Uint64(), s.IntN(1000), s.Float64(), s.Float32(), s.NormFloat64(), New(7, "scalar").Fork("child").Uint64(), uniform, normal}
	want := []any{
		uint64(0xf49a9f1ee2fdb6a5), 782, 0.7649173798680227, float32(0.59960705), 0.41838311026315567, uint64(0x74b1c4b2bcca0ea5),
		[]float32{0.08100951, 0.7644844, 0.22427261},
		[]float32{-0.98654437, 1.5097356, -0.20177862, 1.6560813, -0.5479009},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a seed means other numbers than before (-want +got):\n%s", diff)
	}
}

func TestStreamsAreIndependent(t *testing.T) {
	fork := New(1, "a")
	streams := map[string]*Stream{
		"base": New(1, "a"), "seed": New(2, "a"), "name": New(1, "b"), "longer": New(1, "aa"), "empty": New(1, ""),
		"high bit": New(1|1<<63, "a"), "fork": fork.Fork("a"), "second fork": fork.Fork("a"), "forked": fork,
	}
	const n = 1 << 14
	draws := map[string][]float32{}
	for name, s := range streams {
		draws[name] = make([]float32, n)
		s.FillNormal(draws[name])
	}
	for a, x := range draws {
		for b, y := range draws {
			if a < b {
				// The correlation of independent streams has deviation 1/sqrt(n).
				if c := correlation(x, y); math.Abs(c) > 5/math.Sqrt(n) {
					t.Errorf("%s and %s correlate by %v", a, b, c)
				}
			}
		}
	}
}

func correlation(x, y []float32) float64 {
	sum := 0.0
	for i := range x {
		sum += float64(x[i]) * float64(y[i])
	}
	return sum / float64(len(x))
}

func TestUniformStaysBelowOne(t *testing.T) {
	if v := unit(math.MaxUint32); v >= 1 || v != 1-0x1p-24 {
		t.Errorf("the largest value is %v", v)
	}
	if v := unit(0); v != 0 {
		t.Errorf("the smallest value is %v", v)
	}
}

func TestUniformMoments(t *testing.T) {
	x := make([]float32, 1<<20+1)
	New(3, "uniform").FillUniform(x)
	// Standard errors at this size: 2.8e-4 and 7.3e-5.
	if m, v := moment(x, 0, 1), moment(x, 0.5, 2); math.Abs(m-0.5) > 1.5e-3 || math.Abs(v-1./12) > 4e-4 {
		t.Errorf("mean %v, variance %v", m, v)
	}
	// So are neighbours, and the words of one block.
	for _, lag := range []int{1, 2, 3, 8, 16, 32, 256} {
		sum := 0.0
		for i := lag; i < len(x); i++ {
			sum += (float64(x[i]) - 0.5) * (float64(x[i-lag]) - 0.5)
		}
		if c := 12 * sum / float64(len(x)); math.Abs(c) > 5e-3 {
			t.Errorf("correlation %v at lag %d", c, lag)
		}
	}
}

func moment(x []float32, around float64, power float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += math.Pow(float64(v)-around, power)
	}
	return sum / float64(len(x))
}

// TestNormalDistribution compares the distribution function with erfc at
// points all over its range.
func TestNormalDistribution(t *testing.T) {
	x := make([]float32, 1<<21)
	New(3, "normal").FillNormal(x)
	slices.Sort(x)
	n := float64(len(x))
	for z := -4.5; z <= 4.5; z += 0.125 {
		below, _ := slices.BinarySearch(x, float32(z))
		p := 0.5 * math.Erfc(-z/math.Sqrt2)
		if got, err := float64(below), math.Sqrt(n*p*(1-p)); math.Abs(got-n*p) > 5*err+1 {
			t.Errorf("%v of %v values lie below %v, want %v +- %v", got, n, z, n*p, err)
		}
	}
	for power, want := range map[float64]float64{1: 0, 2: 1, 3: 0, 4: 3, 6: 15} {
		if got := moment(x, 0, power); math.Abs(got-want) > 0.02*(1+want) {
			t.Errorf("moment %v is %v, want %v", power, got, want)
		}
	}
}

func TestFillAllocatesNothing(t *testing.T) {
	s, dst, src := New(1, "fill"), make([]float32, 1000), make([]byte, 1000)
	if n := testing.AllocsPerRun(10, func() { s.FillNormal(dst); s.FillUniform(dst); s.FillDithered(dst, src, Dither{}) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func benchmarkFill(b *testing.B, fill func(*Stream, []float32)) {
	s, dst := New(1, "bench"), make([]float32, 1<<16)
	b.ReportAllocs()
	b.SetBytes(int64(4 * len(dst)))
	for b.Loop() {
		fill(s, dst)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(dst)), "ns/value")
}

func BenchmarkFillUniform(b *testing.B) { benchmarkFill(b, (*Stream).FillUniform) }

func BenchmarkFillNormal(b *testing.B) { benchmarkFill(b, (*Stream).FillNormal) }

func BenchmarkFillDithered(b *testing.B) {
	src := make([]byte, 1<<16)
	benchmarkFill(b, func(s *Stream, dst []float32) {
		s.FillDithered(dst, src, Dither{Shift: 3, Width: 1. / 32, Offset: -0.5, Step: 0x1p-21})
	})
}

// BenchmarkNormFloat64 is the standard library's ziggurat, for comparison.
func BenchmarkNormFloat64(b *testing.B) {
	benchmarkFill(b, func(s *Stream, dst []float32) {
		for i := range dst {
			dst[i] = float32(s.NormFloat64())
		}
	})
}

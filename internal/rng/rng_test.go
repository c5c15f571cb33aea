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
		[]float32{0.9721202, 0.6516005, 0.8300304},
		[]float32{0.6432902, -0.5011643, 0.13548028, 0.8805441, -1.8265197},
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
	// Both halves of a draw, and neighbouring draws, are independent.
	for lag := 1; lag <= 4; lag++ {
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
// points in every part of the ziggurat, the tail included.
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

// TestNormalIsSymmetric guards the sign of layers, edges and tail one by one.
func TestNormalIsSymmetric(t *testing.T) {
	for layer := range uint32(128) {
		for _, at := range []int32{1, 1 << 20, 1<<24 - 1} {
			plus := New(1, "s").normal(uint32(at)<<7 | layer)
			minus := New(1, "s").normal(uint32(-at)<<7 | layer)
			// A point that is accepted is mirrored; one that is rejected is drawn anew.
			accepted := plus == float32(at)*layerScale[layer]
			if accepted && minus != -plus || (plus > 0) != (minus < 0) && accepted {
				t.Fatalf("layer %d at %d gives %v and %v", layer, at, plus, minus)
			}
		}
	}
	if plus, minus := New(1, "s").normalTail(false), New(1, "s").normalTail(true); plus != -minus || plus < tailStart {
		t.Errorf("tails %v and %v", plus, minus)
	}
}

// TestZigguratTables computes the tables from their definition.
func TestZigguratTables(t *testing.T) {
	const area, scale = 9.91256303526217e-3, 1 << 24
	curve := func(x float64) float64 { return math.Exp(-x * x / 2) }
	var x [128]float64
	x[127] = tailStart
	for i := 126; i >= 1; i-- {
		x[i] = math.Sqrt(-2 * math.Log(area/x[i+1]+curve(x[i+1])))
	}
	// Layer 0 is a box of the same area below x[127], and the tail.
	width := area / curve(tailStart)
	near := func(name string, got, want, tolerance float64) {
		t.Helper()
		if math.Abs(got-want) > tolerance*max(1, math.Abs(want)) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	near("acceptBelow[0]", float64(acceptBelow[0]), tailStart/width*scale, 1e-7)
	near("layerScale[0]", float64(layerScale[0])*scale, width, 1e-6)
	for i := 1; i < 128; i++ {
		near("acceptBelow", float64(acceptBelow[i]), x[i-1]/x[i]*scale, 1e-7)
		near("layerScale", float64(layerScale[i])*scale, x[i], 1e-6)
		near("layerHeight", float64(layerHeight[i]), curve(x[i]), 1e-6)
		near("area", x[i]*(curve(x[i-1])-curve(x[i])), area, 1e-9)
	}
	near("layerHeight[0]", float64(layerHeight[0]), 1, 0)
}

func TestFillAllocatesNothing(t *testing.T) {
	s, dst := New(1, "fill"), make([]float32, 1000)
	if n := testing.AllocsPerRun(10, func() { s.FillNormal(dst); s.FillUniform(dst) }); n != 0 {
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

// BenchmarkNormFloat64 is the standard library's ziggurat, for comparison.
func BenchmarkNormFloat64(b *testing.B) {
	benchmarkFill(b, func(s *Stream, dst []float32) {
		for i := range dst {
			dst[i] = float32(s.NormFloat64())
		}
	})
}

package kernel

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// forEachPairs runs f once per path that has bfloat16 kernels.
func forEachPairs(t *testing.T, f func(t *testing.T, k *PairKernels)) {
	for p := range Path(numPaths) {
		t.Run(p.String(), func(t *testing.T) {
			table, err := New(p)
			if err != nil {
				t.Skipf("hardware path missing: %v; CI tests the paths that its processor has", err)
			}
			if table.Pairs == nil {
				t.Skipf("hardware missing: no bfloat16 instructions on path %v; CI tests the paths that its processor has", p)
			}
			f(t, table.Pairs)
		})
	}
}

// TestBfloat16IsNearest compares rounding with exact arithmetic: no other bfloat16 number
// is closer, and of two equally close ones the even one is taken.
func TestBfloat16IsNearest(t *testing.T) {
	number := func(bits uint32) *big.Float { return big.NewFloat(float64(math.Float32frombits(bits << 16))) }
	distance := func(x float32, bits uint32) *big.Float {
		d := new(big.Float).SetPrec(200).Sub(big.NewFloat(float64(x)), number(bits))
		return d.Abs(d)
	}
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.Uint32Range(0x00800000, 0x7f000000).Draw(t, "bits")
		if rapid.Bool().Draw(t, "tie") {
			bits = bits&^0xffff | 0x8000
		}
		x := math.Float32frombits(bits)
		got := bfloat16(x)
		for _, other := range []uint32{got - 1, got + 1} {
			switch distance(x, got).Cmp(distance(x, other)) {
			case 1:
				t.Fatalf("%x rounds to %x, but %x is closer", bits, got, other)
			case 0:
				if got&1 != 0 {
					t.Fatalf("%x lies between %x and %x and rounds to the odd one", bits, got, other)
				}
			}
		}
		if neg := bfloat16(-x); neg != got|0x8000 {
			t.Fatalf("-%x rounds to %x", bits, neg)
		}
	})
}

// special are the numbers whose rounding is a case of its own.
func special() []float32 {
	tiny := math.Float32frombits(1)
	return []float32{0, float32(math.Copysign(0, -1)), tiny, -tiny, math.Float32frombits(0x7fffff), math.Float32frombits(0x00800000),
		float32(math.Inf(1)), float32(math.Inf(-1)), math.MaxFloat32, float32(math.NaN()), 1.00390625, 1.01171875}
}

// TestPackEqualsDefinition covers every length around a vector and every special number,
// and that nothing is written beyond the result.
func TestPackEqualsDefinition(t *testing.T) {
	forEachPairs(t, func(t *testing.T, k *PairKernels) {
		r := rand.New(rand.NewPCG(1, 2))
		for n := range 101 {
			lo, hi := make([]float32, n), make([]float32, n)
			for i := range n {
				lo[i], hi[i] = float32(r.NormFloat64()), float32(r.NormFloat64())
				if s := special(); i%3 == 0 {
					lo[i], hi[n-1-i] = s[r.IntN(len(s))], s[r.IntN(len(s))]
				}
			}
			checkWords(t, "pack", (n+1)/2, func(dst []float32) { k.Pack(dst, lo) }, func(dst []float32) { packGeneric(dst, lo) })
			checkWords(t, "interleave", n, func(dst []float32) { k.Interleave(dst, lo, hi) }, func(dst []float32) { interleaveGeneric(dst, lo, hi) })
			checkWords(t, "interleave with zeros", n, func(dst []float32) { k.Interleave(dst, lo, nil) }, func(dst []float32) { interleaveGeneric(dst, lo, nil) })
		}
	})
}

func checkWords(t *testing.T, name string, n int, got, want func(dst []float32)) {
	t.Helper()
	const guard = 77
	a, b := make([]float32, n+40), make([]float32, n+40)
	for i := range a {
		a[i], b[i] = guard, guard
	}
	got(a)
	want(b)
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			t.Fatalf("%s of %d words: word %d is %x, want %x", name, n, i, math.Float32bits(a[i]), math.Float32bits(b[i]))
		}
	}
}

// TestPairTilesEqualDefinition runs tiles of every size over random words, strides and
// segments, and compares all of C, its surroundings included, bit for bit.
func TestPairTilesEqualDefinition(t *testing.T) {
	forEachPairs(t, func(t *testing.T, k *PairKernels) {
		r := rand.New(rand.NewPCG(3, 4))
		for m := 1; m <= k.Gemm.MR; m++ {
			for n := 1; n <= k.Gemm.NR; n++ {
				g := randomPairs(r, m, n)
				want := g
				want.C = append([]float32(nil), g.C...)
				k.Gemm.Tile(&g, m, n)
				definePairs(&want, m, n)
				for i := range g.C {
					if math.Float32bits(g.C[i]) != math.Float32bits(want.C[i]) {
						t.Fatalf("%dx%d: element %d of C is %v, want %v", m, n, i, g.C[i], want.C[i])
					}
				}
			}
		}
	})
}

// definePairs computes a tile of any size by the portable tile.
func definePairs(g *GemmArgs, m, n int) {
	for j := 0; j < n; j += genericNR {
		part := *g
		part.BOff, part.COff = g.BOff+j, g.COff+j
		pairTileGeneric(&part, m, min(genericNR, n-j))
	}
}

// randomPairs makes a product of random words with random strides.
func randomPairs(r *rand.Rand, m, n int) GemmArgs {
	g := GemmArgs{ARow: 1 + r.IntN(40), AK: 1 + r.IntN(3), BK: n + r.IntN(5), CRow: n + r.IntN(5), Add: r.IntN(2) == 0}
	a, b := 0, 0
	for range 1 + r.IntN(4) {
		k := r.IntN(9)
		g.Segs = append(g.Segs, Segment{A: int32(a), B: int32(b), K: int32(k)})
		a, b = a+k*g.AK+r.IntN(4), b+k*g.BK+r.IntN(4)
	}
	words := func(n int) []float32 {
		x, dst := make([]float32, 2*n), make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		packGeneric(dst, x)
		return dst
	}
	g.A, g.B = words(a+m*g.ARow+40), words(b+n+40)
	g.C = make([]float32, m*g.CRow+40)
	for i := range g.C {
		g.C[i] = float32(r.NormFloat64())
	}
	return g
}

func BenchmarkPairTile(b *testing.B) {
	for p := range Path(numPaths) {
		table, err := New(p)
		if err != nil || table.Pairs == nil {
			continue
		}
		for _, c := range []struct {
			name string
			k    *GemmKernels
			k2   int
		}{{"f32", &table.Gemm, 1}, {"bf16", &table.Pairs.Gemm, 2}, {"blocks", table.Pairs.Blocks, 2}} {
			if c.k == nil {
				continue
			}
			b.Run(p.String()+"/"+c.name, func(b *testing.B) {
				m, n, steps := c.k.MR, c.k.NR, 128
				g := GemmArgs{A: make([]float32, m*steps), B: make([]float32, steps*n), C: make([]float32, m*n),
					ARow: steps, AK: 1, BK: n, CRow: n, Segs: []Segment{{K: int32(steps)}}}
				for b.Loop() {
					c.k.Tile(&g, m, n)
				}
				flops := 2 * float64(m*n*steps*c.k2) * float64(b.N)
				b.ReportMetric(flops/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}

// TestLinesEqualDefinition compares the kernels over lines with the portable ones, and
// what lies between the lines with what was there.
func TestLinesEqualDefinition(t *testing.T) {
	generic := newPairsGeneric()
	forEachPairs(t, func(t *testing.T, k *PairKernels) {
		r := rand.New(rand.NewPCG(9, 10))
		for range 300 {
			l := Lines{Lines: 1 + r.IntN(5), N: 1 + r.IntN(2*BlockWords), From: r.IntN(100) - 50, To: BlockWords + r.IntN(40)}
			l.At = max(0, -(l.Lines-1)*l.From)
			x := normals(r, l.At+max(0, (l.Lines-1)*l.From)+l.N)
			got := normals(r, l.Lines*l.To)
			want := append([]float32(nil), got...)
			k.PackLines(got, x, l)
			generic.PackLines(want, x, l)
			sameBits(t, fmt.Sprintf("PackLines %+v", l), got, want)

			l.N = 1 + r.IntN(70)
			l.To += l.N
			gap := r.IntN(40)
			x = normals(r, l.At+max(0, (l.Lines-1)*l.From)+l.N+gap)
			got = normals(r, l.Lines*l.To)
			want = append([]float32(nil), got...)
			k.InterleaveLines(got, x, gap, l)
			generic.InterleaveLines(want, x, gap, l)
			sameBits(t, fmt.Sprintf("InterleaveLines %+v", l), got, want)

			n := 1 + r.IntN(70)
			stride := n + r.IntN(9)
			src := normals(r, BlockWords*stride)
			got = normals(r, n*BlockWords+7)
			want = append([]float32(nil), got...)
			k.Transpose(got, src, stride, n)
			generic.Transpose(want, src, stride, n)
			sameBits(t, fmt.Sprintf("Transpose of %d, stride %d", n, stride), got, want)
		}
	})
}

func normals(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func sameBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: element %d is %#x, want %#x", what, i, math.Float32bits(got[i]), math.Float32bits(want[i]))
		}
	}
}

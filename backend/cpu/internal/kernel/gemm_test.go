package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// forEachPath runs f once per path as a subtest; a path that the CPU lacks is skipped
// by name.
func forEachGemmPath(t *testing.T, f func(t *testing.T, k GemmKernels)) {
	for p := range Path(numPaths) {
		t.Run(p.String(), func(t *testing.T) {
			table, err := New(p)
			if err != nil {
				t.Skipf("hardware path missing: %v; CI tests the paths that its processor has", err)
			}
			f(t, table.Gemm)
		})
	}
}

const (
	guardLen = 64
	eps32    = 1.0 / (1 << 24) // unit roundoff of float32
)

// guarded is an operand inside a larger array whose other elements are NaN: a read
// outside of it poisons the result, a write shows in the guard.
type guarded struct {
	all []float32
	off int
	in  map[int]bool
}

// newGuarded makes an operand out of the element offsets in use, random values in
// [-1,1) there and NaN everywhere else, also between them.
func newGuarded(r *rand.Rand, offsets []int) guarded {
	lo, hi := 0, 0
	for _, o := range offsets {
		lo, hi = min(lo, o), max(hi, o)
	}
	g := guarded{all: make([]float32, hi-lo+1+2*guardLen), off: guardLen - lo, in: map[int]bool{}}
	for i := range g.all {
		g.all[i] = float32(math.NaN())
	}
	for _, o := range offsets {
		g.in[g.off+o] = true
		g.all[g.off+o] = r.Float32()*2 - 1
	}
	return g
}

// checkGuard reports the first write outside the operand.
func (g guarded) checkGuard(t interface{ Fatalf(string, ...any) }, name string) {
	for i, v := range g.all {
		if !g.in[i] && v == v {
			t.Fatalf("%s: element %d outside of the operand was written", name, i-g.off)
		}
	}
}

// tileCase is one call of Tile.
type tileCase struct {
	m, n                 int
	aRow, aK, bK, cRow   int
	ks                   []int
	aStart, bStart, seed int
	add                  bool
}

// build lays out guarded operands for the case.
func (c tileCase) build() (args GemmArgs, a, b, out guarded) {
	r := rand.New(rand.NewPCG(uint64(c.seed), 1))
	var aOffs, bOffs, cOffs []int
	for i, k := range c.ks {
		seg := Segment{A: int32(c.aStart * i), B: int32(c.bStart * i), K: int32(k)}
		args.Segs = append(args.Segs, seg)
		for s := range k {
			for row := range c.m {
				aOffs = append(aOffs, int(seg.A)+row*c.aRow+s*c.aK)
			}
			for j := range c.n {
				bOffs = append(bOffs, int(seg.B)+s*c.bK+j)
			}
		}
	}
	for row := range c.m {
		for j := range c.n {
			cOffs = append(cOffs, row*c.cRow+j)
		}
	}
	a, b, out = newGuarded(r, aOffs), newGuarded(r, bOffs), newGuarded(r, cOffs)
	args.A, args.AOff, args.ARow, args.AK = a.all, a.off, c.aRow, c.aK
	args.B, args.BOff, args.BK = b.all, b.off, c.bK
	args.C, args.COff, args.CRow, args.Add = out.all, out.off, c.cRow, c.add
	return args, a, b, out
}

// reference computes element (row, j) in float64, with the sum of magnitudes.
func reference(g *GemmArgs, row, j int) (sum, mag float64, steps int) {
	for _, s := range g.Segs {
		for k := range int(s.K) {
			p := float64(g.A[g.AOff+int(s.A)+row*g.ARow+k*g.AK]) * float64(g.B[g.BOff+int(s.B)+k*g.BK+j])
			sum, mag, steps = sum+p, mag+math.Abs(p), steps+1
		}
	}
	if g.Add {
		c := float64(g.C[g.COff+row*g.CRow+j])
		sum, mag = sum+c, mag+math.Abs(c)
	}
	return sum, mag, steps + 1
}

// run calls the kernel and checks values, guards and inputs.
func (c tileCase) run(t interface{ Fatalf(string, ...any) }, k GemmKernels) {
	args, a, b, out := c.build()
	want := make([]float64, 0, c.m*c.n)
	tol := make([]float64, 0, c.m*c.n)
	for row := range c.m {
		for j := range c.n {
			sum, mag, steps := reference(&args, row, j)
			want, tol = append(want, sum), append(tol, float64(steps+1)*eps32*mag)
		}
	}
	k.Tile(&args, c.m, c.n)
	for i, w := range want {
		row, j := i/c.n, i%c.n
		got := float64(args.C[args.COff+row*args.CRow+j])
		if !(math.Abs(got-w) <= tol[i]) {
			t.Fatalf("%+v: element (%d,%d) = %g, want %g within %g", c, row, j, got, w, tol[i])
		}
	}
	a.checkGuard(t, "A")
	b.checkGuard(t, "B")
	out.checkGuard(t, "C")
}

func TestTileAllSizes(t *testing.T) {
	forEachGemmPath(t, func(t *testing.T, k GemmKernels) {
		for m := 1; m <= k.MR; m++ {
			for n := 1; n <= k.NR; n++ {
				for steps := range 4 {
					tileCase{m: m, n: n, aRow: 7, aK: 1, bK: n + 3, cRow: n + 2, ks: []int{steps},
						seed: m*100 + n, add: n%2 == 0}.run(t, k)
				}
			}
		}
	})
}

func TestTileSegments(t *testing.T) {
	forEachGemmPath(t, func(t *testing.T, k GemmKernels) {
		for _, ks := range [][]int{nil, {0}, {1, 0, 2}, {5, 5, 5}, {0, 17}} {
			for _, m := range []int{1, k.MR - 1, k.MR} {
				tileCase{m: m, n: k.NR, aRow: 1, aK: 19, bK: 40, cRow: k.NR, ks: ks,
					aStart: 31, bStart: 97, seed: len(ks)}.run(t, k)
			}
		}
	})
}

func TestTileRandom(t *testing.T) {
	forEachGemmPath(t, func(t *testing.T, k GemmKernels) {
		rapid.Check(t, func(t *rapid.T) {
			n := rapid.IntRange(1, k.NR).Draw(t, "n")
			tileCase{
				m: rapid.IntRange(1, k.MR).Draw(t, "m"), n: n,
				aRow:   rapid.IntRange(-40, 40).Draw(t, "aRow"),
				aK:     rapid.IntRange(-40, 40).Draw(t, "aK"),
				bK:     rapid.IntRange(-40, 40).Draw(t, "bK"),
				cRow:   rapid.IntRange(n, 50).Draw(t, "cRow"),
				ks:     rapid.SliceOfN(rapid.IntRange(0, 20), 0, 6).Draw(t, "ks"),
				aStart: rapid.IntRange(-99, 99).Draw(t, "aStart"),
				bStart: rapid.IntRange(-99, 99).Draw(t, "bStart"),
				seed:   rapid.IntRange(0, 1<<20).Draw(t, "seed"),
				add:    rapid.Bool().Draw(t, "add"),
			}.run(t, k)
		})
	})
}

func TestTileIgnoresOtherSizes(t *testing.T) {
	forEachGemmPath(t, func(t *testing.T, k GemmKernels) {
		c := []float32{7}
		g := &GemmArgs{C: c, A: c, B: c}
		for _, size := range [][2]int{{0, 1}, {1, 0}, {k.MR + 1, 1}, {1, k.NR + 1}, {-1, -1}} {
			k.Tile(g, size[0], size[1])
		}
		if c[0] != 7 {
			t.Fatalf("c = %g, want it untouched", c[0])
		}
	})
}

// TestFastestIsDetected guards against a path that hides another: whatever ran before,
// Detect names the last of Available, and its table really is of that path.
func TestFastestIsDetected(t *testing.T) {
	have := Available()
	if have[0] != Generic || Detect() != have[len(have)-1] {
		t.Fatalf("Available() = %v, Detect() = %v", have, Detect())
	}
	for _, p := range have {
		table, err := New(p)
		if err != nil || table.Path != p {
			t.Fatalf("New(%v) = %v, %v", p, table, err)
		}
		if got, err := ParsePath(p.String()); err != nil || got != p {
			t.Fatalf("ParsePath(%q) = %v, %v", p, got, err)
		}
	}
	if _, err := ParsePath("sse"); err == nil {
		t.Fatal("ParsePath accepts sse")
	}
	if _, err := New(numPaths); err == nil {
		t.Fatal("New accepts a path that does not exist")
	}
}

func BenchmarkTile(b *testing.B) {
	for _, p := range Available() {
		table, err := New(p)
		if err != nil {
			b.Fatal(err)
		}
		k := table.Gemm
		for _, m := range []int{1, 4, k.MR / 2, k.MR} {
			for _, n := range []int{k.NR / 2, k.NR} {
				b.Run(fmt.Sprintf("%v/%dx%d", p, m, n), func(b *testing.B) {
					const steps = 256
					g := &GemmArgs{A: make([]float32, k.MR*steps), B: make([]float32, k.NR*steps),
						C: make([]float32, k.MR*k.NR), ARow: steps, AK: 1, BK: k.NR, CRow: k.NR,
						Segs: []Segment{{K: steps}}}
					for b.Loop() {
						k.Tile(g, m, n)
					}
					b.ReportMetric(2*float64(m*n*steps)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
		}
	}
}

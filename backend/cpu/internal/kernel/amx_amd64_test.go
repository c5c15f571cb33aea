//go:build linux && amd64 && !purego

package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"unsafe"

	"golang.org/x/sys/cpu"
	"golang.org/x/sys/unix"

	"github.com/orrery-rl/orrery/backend/cpu/internal/tiletest"
)

// TestAMXTilesEqualDefinition runs tiles of every height, and of widths around those of
// one and two tile registers, on AMX, emulated where the CPU lacks it, and compares them
// with the portable kernels. Both add the same products, 2K
// of them, in float32 but in another order, so each lies within (2K+2)*2^-24 times the
// sum of magnitudes of the exact result, and the two within twice that.
func TestAMXTilesEqualDefinition(t *testing.T) {
	if !hasAVX512() || !cpu.X86.HasAVX512BF16 {
		t.Skip("hardware missing: AVX-512 and AVX512_BF16; CI tests what its processor has")
	}
	if !hasAMX() && !tiletest.Emulated(t) {
		return
	}
	blocks := newBlocks()
	r := rand.New(rand.NewPCG(5, 6))
	for m := 1; m <= blocks.MR; m++ {
		for _, n := range []int{1, 2, 15, 16, 17, 18, 31, 32} {
			compareBlock(t, r, blocks, m, n, false, 0)
			compareBlock(t, r, blocks, m, n, true, 0)
		}
	}
}

// TestAMXTilesKeepTheirConfiguration runs tiles of changing sizes between Begin and End.
func TestAMXTilesKeepTheirConfiguration(t *testing.T) {
	if !hasAVX512() || !cpu.X86.HasAVX512BF16 {
		t.Skip("hardware missing: AVX-512 and AVX512_BF16; CI tests what its processor has")
	}
	if !hasAMX() && !tiletest.Emulated(t) {
		return
	}
	blocks := newBlocks()
	r := rand.New(rand.NewPCG(7, 8))
	var session GemmArgs
	blocks.Begin(&session)
	for range 40 {
		m, n := 1+r.IntN(32), 1+r.IntN(32)
		for range 1 + r.IntN(3) {
			session.Config = compareBlock(t, r, blocks, m, n, r.IntN(2) == 0, session.Config)
		}
	}
	blocks.End(&session)
	if session.Config != 0 {
		t.Errorf("configuration %d after the end", session.Config)
	}
}

// TestAMXSumsIgnoreTheAddress computes one tile with its output at a cache line and beside
// one.
func TestAMXSumsIgnoreTheAddress(t *testing.T) {
	if !hasAVX512() || !cpu.X86.HasAVX512BF16 {
		t.Skip("hardware missing: AVX-512 and AVX512_BF16; CI tests what its processor has")
	}
	if !hasAMX() && !tiletest.Emulated(t) {
		return
	}
	r := rand.New(rand.NewPCG(11, 12))
	a, b, before := randomWords(r, 32*48), randomWords(r, 48*32), normals(r, 32*32)
	var first []float32
	for _, add := range []bool{false, true} {
		for shift := range 3 {
			c := make([]float32, 32*32+64)
			at := int(-uintptr(unsafe.Pointer(&c[0]))%64)/4 + shift
			copy(c[at:], before)
			newBlocks().Tile(&GemmArgs{A: a, B: b, C: c, COff: at, ARow: 48, AK: 1, BK: 32, CRow: 32, Segs: []Segment{{K: 48}}, Add: add}, 32, 32)
			if shift == 0 {
				first = c[at:][:32*32]
			}
			sameBits(t, fmt.Sprintf("add %v, %d floats from a line", add, shift), c[at:][:32*32], first)
		}
	}
}

// compareBlock compares one tile and everything around it in C, whose rows begin at cache
// lines if aligned. It returns the configuration that the tile leaves.
func compareBlock(t *testing.T, r *rand.Rand, blocks *GemmKernels, m, n int, aligned bool, config int) int {
	t.Helper()
	g, steps := randomBlock(r, m, n)
	if aligned {
		g.CRow = 32 + 16*r.IntN(2)
		g.C = make([]float32, 64+m*g.CRow)
		for i := range g.C {
			g.C[i] = float32(r.NormFloat64())
		}
		g.COff = int(-uintptr(unsafe.Pointer(&g.C[0]))%64) / 4
	}
	g.Config = config
	g.A, g.B = atPageEnd(t, g.A), atPageEnd(t, g.B)
	want, size := g, g
	want.C = append([]float32(nil), g.C...)
	size.A, size.B, size.C = magnitudes(g.A), magnitudes(g.B), make([]float32, len(g.C))
	for i, c := range g.C {
		size.C[i] = float32(math.Abs(float64(c)))
	}
	blocks.Tile(&g, m, n)
	definePairs(&want, m, n)
	definePairs(&size, m, n)
	inside := make([]bool, len(g.C))
	for row := range m {
		for j := range n {
			inside[g.COff+row*g.CRow+j] = true
		}
	}
	for i := range g.C {
		bound := 0.0
		if inside[i] {
			bound = 2 * float64(2*steps+2) * float64(size.C[i]) / (1 << 24)
		}
		if d := math.Abs(float64(g.C[i]) - float64(want.C[i])); !(d <= bound) {
			t.Fatalf("%dx%d: element %d of C is %v, want %v within %v", m, n, i, g.C[i], want.C[i], bound)
		}
	}
	return g.Config
}

// atPageEnd moves x to the end of mapped memory, so that a read beyond it is a fault.
func atPageEnd(t *testing.T, x []float32) []float32 {
	t.Helper()
	if len(x) == 0 {
		return x
	}
	page, size := os.Getpagesize(), 4*len(x)
	whole := (size + page - 1) / page * page
	memory, err := unix.Mmap(-1, 0, whole+page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(memory) })
	if err := unix.Mprotect(memory[whole:], unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	moved := unsafe.Slice((*float32)(unsafe.Pointer(&memory[whole-size])), len(x))
	copy(moved, x)
	return moved
}

// magnitudes clears the signs of both halves of words.
func magnitudes(words []float32) []float32 {
	out := make([]float32, len(words))
	for i, w := range words {
		out[i] = math.Float32frombits(math.Float32bits(w) &^ 0x80008000)
	}
	return out
}

// randomBlock makes a product that Blocks can compute, and its number of steps. Operands
// end with the last element that the definition reads.
func randomBlock(r *rand.Rand, m, n int) (g GemmArgs, steps int) {
	g = GemmArgs{ARow: 16 + r.IntN(40), AK: 1, BK: n + r.IntN(5), CRow: n + r.IntN(5), COff: r.IntN(3), Add: r.IntN(2) == 0}
	a, b := 0, 0
	for range 1 + r.IntN(3) {
		k := BlockWords * r.IntN(3)
		a, b = a+r.IntN(4), b+r.IntN(4)
		g.Segs = append(g.Segs, Segment{A: int32(a), B: int32(b), K: int32(k)})
		a, b, steps = a+k, b+k*g.BK, steps+k
	}
	words := func(n int) []float32 {
		x, dst := make([]float32, 2*n), make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		packGeneric(dst, x)
		return dst
	}
	g.A, g.B = words(a+(m-1)*g.ARow), words(b+n)
	g.C = make([]float32, g.COff+m*g.CRow+40)
	for i := range g.C {
		g.C[i] = float32(r.NormFloat64())
	}
	return g, steps
}

// BenchmarkBlocks measures whole blocks over contractions of several lengths and rows at
// several distances, in words, on random data: AMX is a quarter faster on zeros.
func BenchmarkBlocks(b *testing.B) {
	if !hasAMX() {
		b.Skip("hardware missing: AMX; CI measures nothing, and emulates AMX for the tests")
	}
	k := newBlocks()
	r := rand.New(rand.NewPCG(1, 2))
	for _, steps := range []int{16, 64, 128, 256, 512} {
		for _, stride := range []int{steps, steps + 16, 4096 + 16} {
			b.Run(fmt.Sprintf("%dwords/stride%d", steps, stride), func(b *testing.B) {
				g := GemmArgs{
					A: randomWords(r, 32*stride), B: randomWords(r, steps*32), C: make([]float32, 32*32),
					ARow: stride, AK: 1, BK: 32, CRow: 32, Segs: []Segment{{K: int32(steps)}},
				}
				k.Begin(&g)
				for b.Loop() {
					k.Tile(&g, 32, 32)
				}
				k.End(&g)
				b.ReportMetric(float64(b.N)*4*32*32*float64(steps)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}

func randomWords(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = word(float32(r.NormFloat64()), float32(r.NormFloat64()))
	}
	return x
}

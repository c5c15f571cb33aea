//go:build amd64 && !purego

package kernel

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// newPairs returns the bfloat16 kernels of path p, or nil where the CPU has no
// instructions for them.
func newPairs(p Path) *PairKernels {
	switch {
	case p == Generic:
		return newPairsGeneric()
	case p.vectors() == AVX512 && cpu.X86.HasAVX512BF16:
		tiles := gemmBF16Tiles()
		gemm := GemmKernels{MR: len(tiles[0]), NR: 32, Lanes: 16, tile: func(g *GemmArgs, m, n int) {
			tiles[(n-1)/16][m-1](g, n)
		}}
		pairs := &PairKernels{
			Gemm: gemm, Pack: packBF16, Interleave: interleaveBF16,
			PackLines: packLinesBF16, InterleaveLines: interleaveLinesBF16, Transpose: transposeWords,
		}
		if p == AMX {
			pairs.Blocks = newBlocks()
		}
		return pairs
	}
	return nil
}

// pairPack is Pack for n numbers, n > 0.
//
//go:noescape
func pairPack(dst, x *float32, n int)

// pairInterleave is Interleave for n words, n > 0.
//
//go:noescape
func pairInterleave(dst, lo, hi *float32, n int)

func packBF16(dst, x []float32) {
	if len(x) > 0 {
		_ = dst[(len(x)+1)/2-1]
		pairPack(unsafe.SliceData(dst), unsafe.SliceData(x), len(x))
	}
}

func interleaveBF16(dst, lo, hi []float32) {
	if hi == nil {
		interleaveGeneric(dst, lo, nil)
		return
	}
	if n := len(lo); n > 0 {
		_, _ = dst[n-1], hi[n-1]
		pairInterleave(unsafe.SliceData(dst), unsafe.SliceData(lo), unsafe.SliceData(hi), n)
	}
}

// pairPackLines is PackLines for lines > 0; distances are in bytes, 0 < n <= 32.
//
//go:noescape
func pairPackLines(dst, x *float32, lines, n, from, to int)

// pairInterleaveLines is InterleaveLines for lines > 0 and n > 0; distances are in bytes.
//
//go:noescape
func pairInterleaveLines(dst, lo, hi *float32, lines, n, from, to int)

// transpose16 transposes blocks of 16 columns of 16 rows, stride bytes apart.
//
//go:noescape
func transpose16(dst, src *float32, stride, blocks int)

func packLinesBF16(dst, x []float32, l Lines) {
	l.check(dst, x, l.At, BlockWords)
	if l.Lines > 0 && l.N > 0 {
		pairPackLines(unsafe.SliceData(dst), &x[l.At], l.Lines, min(l.N, 2*BlockWords), 4*l.From, 4*l.To)
	}
}

func interleaveLinesBF16(dst, x []float32, gap int, l Lines) {
	l.check(dst, x, l.At, l.N)
	l.check(dst, x, l.At+gap, l.N)
	if l.Lines > 0 && l.N > 0 {
		pairInterleaveLines(unsafe.SliceData(dst), &x[l.At], &x[l.At+gap], l.Lines, l.N, 4*l.From, 4*l.To)
	}
}

func transposeWords(dst, src []float32, stride, n int) {
	whole := n / 16
	if whole > 0 {
		_, _ = dst[16*BlockWords*whole-1], src[(BlockWords-1)*stride+16*whole-1]
		transpose16(unsafe.SliceData(dst), unsafe.SliceData(src), 4*stride, whole)
	}
	if rest := n - 16*whole; rest > 0 {
		transposeGeneric(dst[16*BlockWords*whole:], src[16*whole:], stride, rest)
	}
}

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
		pairs := &PairKernels{Gemm: gemm, Pack: packBF16, Interleave: interleaveBF16}
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

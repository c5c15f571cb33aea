//go:build amd64 && !purego

package rng

import "golang.org/x/sys/cpu"

// best is the widest implementation that this processor has.
func best() path {
	switch {
	case cpu.X86.HasAVX512F && cpu.X86.HasAVX2:
		return avx512
	case cpu.X86.HasAVX2:
		return avx2
	}
	return generic
}

func (p path) uniform(dst []float32, k *key, first uint32) {
	switch {
	case len(dst) == 0:
	case p == avx512:
		uniformAVX512(&dst[0], len(dst)/span, k, first, &constants)
	case p == avx2:
		uniformAVX2(&dst[0], len(dst)/span, k, first, &constants)
	default:
		uniformGeneric(dst, k, first)
	}
}

func (p path) normal(dst []float32, k *key, first uint32) {
	switch {
	case len(dst) == 0:
	case p == avx512:
		normalAVX512(&dst[0], len(dst)/span, k, first, &constants)
	case p == avx2:
		normalAVX2(&dst[0], len(dst)/span, k, first, &constants)
	default:
		normalGeneric(dst, k, first)
	}
}

func (p path) dither(dst []float32, src []byte, d *Dither, k *key, first uint32) {
	switch {
	case len(dst) == 0:
	case p == avx512:
		ditherAVX512(&dst[0], len(dst)/(2*span), k, first, &constants, &src[0], d)
	case p == avx2:
		ditherAVX2(&dst[0], len(dst)/(2*span), k, first, &constants, &src[0], d)
	default:
		ditherGeneric(dst, src, d, k, first)
	}
}

// n is the number of superblocks, at least 1; dst and src hold as many.

//go:noescape
func uniformAVX512(dst *float32, n int, k *key, first uint32, c *table)

//go:noescape
func normalAVX512(dst *float32, n int, k *key, first uint32, c *table)

//go:noescape
func ditherAVX512(dst *float32, n int, k *key, first uint32, c *table, src *byte, d *Dither)

//go:noescape
func uniformAVX2(dst *float32, n int, k *key, first uint32, c *table)

//go:noescape
func normalAVX2(dst *float32, n int, k *key, first uint32, c *table)

//go:noescape
func ditherAVX2(dst *float32, n int, k *key, first uint32, c *table, src *byte, d *Dither)

// table holds what the vector code reads from memory: the constants of the
// portable code, and shuffles of bytes that rotate words.
type table struct {
	sigma                        [4]uint32
	iota                         [16]uint32
	rotate16, rotate8            [32]byte
	rootHalf, sign, low16, bit0  uint32
	perWord, halfWord, perUnit   float32
	two16, one, half, minusTwo   float32
	log2High, log2Low, quarterPi float32
	log                          [9]float32
	sin, cos                     [3]float32
}

var constants = table{
	sigma: sigma,
	iota:  [16]uint32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	rotate16: [32]byte{
		2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13,
		2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13,
	},
	rotate8: [32]byte{
		3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14,
		3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14,
	},
	rootHalf: rootHalf, sign: signBit, low16: 0xffff, bit0: 1,
	perWord: perWord, halfWord: perWord / 2, perUnit: 0x1p-24,
	two16: 1 << 16, one: 1, half: 0.5, minusTwo: -2,
	log2High: log2High, log2Low: log2Low, quarterPi: quarterPi,
	log: logPoly, sin: sinPoly, cos: cosPoly,
}

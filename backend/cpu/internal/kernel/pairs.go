package kernel

import "math"

// BlockWords is the granularity of the contraction of PairKernels.Blocks.
const BlockWords = 16

// PairKernels compute products in bfloat16 with sums in float32. Their operands are
// words: the bits of a float32 element hold two bfloat16 numbers that follow each other
// in the contraction, the earlier one in the low half. A tile of [GemmArgs] over words
// therefore takes two steps of the contraction at a time, and everything else about it,
// strides, segments, bounds, is unchanged.
//
// Rounding is to nearest, ties to even. Denormal numbers count as zero, and sums of a
// pair begin with the later one; both are what the instructions do.
type PairKernels struct {
	Gemm GemmKernels
	// Blocks computes larger tiles, for products whose segments all have a K that is a
	// multiple of [BlockWords] and whose AK is 1; nil where the path has none. It keeps
	// the sums of early and of late numbers of the words apart until the end of a block,
	// and begins with C where it adds to it, so that its results differ from Gemm's within
	// the bound of [GemmKernels.Tile].
	Blocks *GemmKernels
	// Pack rounds x to words: dst[i] holds x[2i] and x[2i+1], and 0 for an element beyond
	// the last. dst needs (len(x)+1)/2 words.
	Pack func(dst, x []float32)
	// Interleave rounds to words in which dst[i] holds lo[i] and hi[i]. hi has the length
	// of lo, or is nil and counts as zeros; dst needs len(lo) words.
	Interleave func(dst, lo, hi []float32)
	// PackLines rounds lines of at most 2*[BlockWords] numbers to BlockWords words each,
	// filled up with zeros.
	PackLines func(dst, x []float32, l Lines)
	// InterleaveLines is Interleave for lines of any length: the early numbers are lines of
	// x, the late ones begin gap behind them.
	InterleaveLines func(dst, x []float32, gap int, l Lines)
	// Transpose writes element i of row k, src[k*stride+i], to dst[i*BlockWords+k], for n
	// elements of BlockWords rows.
	Transpose func(dst, src []float32, stride, n int)
}

// Lines are N numbers each: line i begins at element At + i*From of a source, From may be
// negative, and goes to element i*To of a destination.
type Lines struct{ Lines, N, At, From, To int }

// check panics if a line leaves its source or what becomes of it, n words, dst.
func (l Lines) check(dst, x []float32, at, n int) {
	if l.Lines > 0 && l.N > 0 {
		last := at + (l.Lines-1)*l.From
		_, _, _ = x[at:][:l.N], x[last:][:l.N], dst[(l.Lines-1)*l.To:][:n]
	}
}

// newPairsGeneric returns the portable kernels, the definition of the others.
func newPairsGeneric() *PairKernels {
	gemm := GemmKernels{MR: genericMR, NR: genericNR, Lanes: 4, tile: pairTileGeneric}
	return &PairKernels{
		Gemm: gemm, Pack: packGeneric, Interleave: interleaveGeneric,
		PackLines: packLinesGeneric, InterleaveLines: interleaveLinesGeneric, Transpose: transposeGeneric,
	}
}

// bfloat16 returns the bits of x rounded to bfloat16.
func bfloat16(x float32) uint32 {
	bits := math.Float32bits(x)
	switch exponent := bits >> 23 & 0xff; {
	case exponent == 0:
		return bits >> 31 << 15
	case exponent == 0xff && bits<<9 != 0:
		return bits>>16 | 0x40 // a quiet NaN
	}
	return (bits + 0x7fff + bits>>16&1) >> 16
}

// word joins two bfloat16 numbers.
func word(lo, hi float32) float32 {
	return math.Float32frombits(bfloat16(lo) | bfloat16(hi)<<16)
}

func packGeneric(dst, x []float32) {
	for ; len(x) >= 2; x, dst = x[2:], dst[1:] {
		dst[0] = word(x[0], x[1])
	}
	if len(x) == 1 {
		dst[0] = word(x[0], 0)
	}
}

func interleaveGeneric(dst, lo, hi []float32) {
	for i, v := range lo {
		if hi == nil {
			dst[i] = word(v, 0)
			continue
		}
		dst[i] = word(v, hi[i])
	}
}

func packLinesGeneric(dst, x []float32, l Lines) {
	for i := range l.Lines {
		to := dst[i*l.To:][:BlockWords]
		packGeneric(to, x[l.At+i*l.From:][:l.N])
		clear(to[(l.N+1)/2:])
	}
}

func interleaveLinesGeneric(dst, x []float32, gap int, l Lines) {
	for i := range l.Lines {
		at := l.At + i*l.From
		interleaveGeneric(dst[i*l.To:], x[at:][:l.N], x[at+gap:][:l.N])
	}
}

func transposeGeneric(dst, src []float32, stride, n int) {
	for i := range n {
		to := dst[i*BlockWords:][:BlockWords]
		for k := range to {
			to[k] = src[k*stride+i]
		}
	}
}

// pairTileGeneric is the definition of a tile over words.
func pairTileGeneric(g *GemmArgs, m, n int) {
	for r := range m {
		var sums [genericNR]float32
		sum := sums[:n]
		for _, s := range g.Segs {
			a := g.AOff + int(s.A) + r*g.ARow
			b := g.BOff + int(s.B)
			for range s.K {
				pairAxpy(sum, g.A[a], g.B[b:b+n])
				a, b = a+g.AK, b+g.BK
			}
		}
		c := g.C[g.COff+r*g.CRow:][:n]
		if g.Add {
			axpyGeneric(sum, 1, c)
		}
		copy(c, sum)
	}
}

// pairAxpy adds the products of the pair a with the pairs x to y.
func pairAxpy(y []float32, a float32, x []float32) {
	lo, hi := halves(a)
	for j := range y {
		xlo, xhi := halves(x[j])
		y[j] += hi * xhi
		y[j] += lo * xlo
	}
}

// halves returns the two numbers of a word.
func halves(w float32) (lo, hi float32) {
	bits := math.Float32bits(w)
	return math.Float32frombits(bits << 16), math.Float32frombits(bits &^ 0xffff)
}

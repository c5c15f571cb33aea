package relation

import "github.com/orrery-rl/orrery/backend/cpu/internal/kernel"

// What tiles on blocks need to be faster than float32, although they compute whole blocks
// of words and keep whole tiles of rows.
const (
	fewestWords = 4  // of a position
	fewestRows  = 16 // images
	mostFloats  = 1 << 24
)

// wordsOf returns how many words hold the channels of a position of q, and the tiles over
// them. Tiles on blocks take whole blocks, the rest of which is zeros.
func wordsOf(pairs *kernel.PairKernels, q *problem) (words int, k *kernel.GemmKernels) {
	words = ceilDiv(q.i, 2)
	if pairs.Blocks == nil {
		return words, &pairs.Gemm
	}
	whole := ceilDiv(words, kernel.BlockWords) * kernel.BlockWords
	tile := pairs.Blocks.MR * q.left.size[0] * q.left.size[1] * whole
	if words < fewestWords || q.m < fewestRows || tile > mostFloats {
		return 0, nil
	}
	return whole, pairs.Blocks
}

// onBlocks reports whether the tiles are those on blocks of words.
func (m *mapPlan) onBlocks() bool { return m.words != nil && m.words.blocks > 0 }

// appendBlocks appends a segment for each block of words of a position.
func (m *mapPlan) appendBlocks(segs []kernel.Segment, a, b int) []kernel.Segment {
	for i := range m.words.blocks {
		segs = append(segs, kernel.Segment{
			A: int32(a + i*kernel.BlockWords*m.k.MR), B: int32(b + i*kernel.BlockWords*m.panel), K: kernel.BlockWords,
		})
	}
	return segs
}

// blockAt is where a block of images on blocks of words has an image.
func (m *mapPlan) blockAt(image int) int {
	in := image % m.k.MR
	return (image-in)*m.q.left.line + in*kernel.BlockWords
}

// roundLines rounds one row of positions of one image for tiles on blocks. The full
// blocks of adjacent positions follow each other on both sides.
func (m *mapPlan) roundLines(dst, left []float32, image, y int) {
	const most = 2 * kernel.BlockWords
	o, n, size := m.words.left, m.words.channels, kernel.BlockWords*m.k.MR
	at := o.off + image*o.line + y*o.pos[0]
	if n%most == 0 && o.pos[1] == n {
		m.words.pairs.PackLines(dst, left, kernel.Lines{Lines: o.size[1] * m.words.blocks, N: most, At: at, From: most, To: size})
		return
	}
	for b := range m.words.blocks {
		m.words.pairs.PackLines(dst[b*size:], left, kernel.Lines{
			Lines: o.size[1], N: min(most, n-b*most), At: at + b*most, From: o.pos[1], To: m.words.blocks * size,
		})
	}
}

// roundColumn rounds one position of images [lo, hi), tile by tile, for tiles on blocks.
func (m *mapPlan) roundColumn(dst, left []float32, lo, hi, y int) {
	const most = 2 * kernel.BlockWords
	o, n, size := m.words.left, m.words.channels, kernel.BlockWords*m.k.MR
	for image := lo; image < hi; image += m.k.MR {
		to := dst[m.blockAt(image-lo)+y*m.q.left.pos[0]:]
		at := o.off + image*o.line + y*o.pos[0]
		for b := range m.words.blocks {
			m.words.pairs.PackLines(to[b*size:], left, kernel.Lines{
				Lines: min(m.k.MR, hi-image), N: min(most, n-b*most), At: at + b*most, From: o.line, To: kernel.BlockWords,
			})
		}
	}
}

package relation

import "github.com/orrery-rl/orrery/backend/cpu/internal/kernel"

// mapWords is what a [mapPlan] over pairs of bfloat16 adds: two channels that follow
// each other make a word. The right operand is rounded while it is packed, the left one
// block by block into memory of the worker, [image][y][x][word], which stays in L2
// while all panels and taps read it.
type mapWords struct {
	pairs    *kernel.PairKernels
	left     operand // as given; q.left places the rounded block
	channels int     // as given; q.i counts words
	block    int     // floats of a block, whole cache lines
}

// useWords turns the plan to words if its channels are adjacent and enough to pair.
func (m *mapPlan) useWords(pairs *kernel.PairKernels) {
	q := *m.q
	var joined *join
	if q.i%2 != 0 && q.i < 16 {
		if joined, q, _ = newJoin(m.q); joined == nil {
			return
		}
	}
	if q.i < 2 || q.left.in != 1 {
		return
	}
	words, k := wordsOf(pairs, q.i)
	if k == nil {
		return
	}
	m.join = joined
	m.words = &mapWords{pairs: pairs, left: q.left, channels: q.i}
	m.k = k
	q.i = words
	line := q.left.size[1] * q.i
	q.left = operand{in: 1, pos: [2]int{line, q.i}, line: q.left.size[0] * line, size: q.left.size}
	m.q = &q
	m.packed = true
}

// wordsOf returns how many words hold so many channels, and the tiles over them. Tiles
// on blocks take whole blocks, the rest of which is zeros; where that would be more than
// a third of the work there are none, because CPUs with blocks multiply float32 as fast
// as pairs.
func wordsOf(pairs *kernel.PairKernels, channels int) (words int, k *kernel.GemmKernels) {
	words = ceilDiv(channels, 2)
	if pairs.Blocks == nil {
		return words, &pairs.Gemm
	}
	whole := ceilDiv(words, kernel.BlockWords) * kernel.BlockWords
	if 3*whole > 4*words {
		return 0, nil
	}
	return whole, pairs.Blocks
}

// chooseFresh lists for every chunk the rows of the left operand that it reads and that
// no chunk before it has read; all that it reads if chunks are tasks of their own.
func (m *mapPlan) chooseFresh() {
	m.words.block = ceilDiv(m.block*m.q.left.line, lineFloats) * lineFloats
	have := make([]bool, m.q.left.size[0])
	for i := range m.chunks {
		ch := &m.chunks[i]
		if m.perChunk {
			clear(have)
		}
		for y := ch.yLo; y < ch.yHi; y++ {
			for _, pair := range m.q.axes[0].pairs[y] {
				if !have[pair.l] {
					have[pair.l] = true
					ch.fresh = append(ch.fresh, pair.l)
				}
			}
		}
	}
}

// round fills the worker's block with the rows that a chunk adds, and points the tiles
// at it.
func (m *mapPlan) round(c *call, w *worker, ch chunk, worker, lo, hi int) {
	block := c.scratch[worker*m.words.block:][:m.words.block]
	for _, y := range ch.fresh {
		for image := lo; image < hi; image++ {
			m.roundRow(block[(image-lo)*m.q.left.line+y*m.q.left.pos[0]:], c.left, image, y)
		}
	}
	w.args.A, w.first = block, lo
}

// roundRow rounds one row of positions of one image.
func (m *mapPlan) roundRow(dst, left []float32, image, y int) {
	o, n := m.words.left, m.words.channels
	width := o.size[1]
	at := o.off + image*o.line + y*o.pos[0]
	if n == 2*m.q.i && (o.pos[1] == n || width == 1) {
		m.words.pairs.Pack(dst, left[at:][:width*n])
		return
	}
	for x := range width {
		place := dst[x*m.q.i:][:m.q.i]
		m.words.pairs.Pack(place, left[at+x*o.pos[1]:][:n])
		clear(place[ceilDiv(n, 2):])
	}
}

// wordRows is how many words of a column are packed at a time.
const wordRows = 8

// packTapWords packs one tap of one panel in words.
func (m *mapPlan) packTapWords(c *call, w *worker, panel, tap int) {
	rows := w.tile
	dst := c.packed[panel*m.panelSize+tap*m.q.i*m.panel:][:m.q.i*m.panel]
	n := m.words.channels
	clear(dst[ceilDiv(n, 2)*m.panel:])
	for i := 0; i < n; i += 2 * wordRows {
		hi := min(i+2*wordRows, n)
		m.packTap(rows, c.right, panel, tap, i, hi)
		for k := i; k < hi; k += 2 {
			row := rows[(k-i)*m.panel:]
			to := dst[k/2*m.panel:][:m.panel]
			if k+1 < hi {
				m.words.pairs.Interleave(to, row[:m.panel], row[m.panel:][:m.panel])
			} else {
				m.words.pairs.Interleave(to, row[:m.panel], nil)
			}
		}
	}
}

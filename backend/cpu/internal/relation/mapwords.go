package relation

import "github.com/orrery-rl/orrery/backend/cpu/internal/kernel"

// mapWords is what a [mapPlan] over pairs of bfloat16 adds: two channels that follow
// each other make a word. The right operand is rounded while it is packed, the left one
// block by block into memory of the worker, which stays in L2 while all panels and taps
// read it. Its layout is [image][y][x][word], or, for tiles on blocks,
// [tile][y][x][block][image][word]: a tile of images by a block of words is contiguous.
type mapWords struct {
	pairs    *kernel.PairKernels
	left     operand // as given; q.left places the rounded block
	channels int     // as given; q.i counts words
	block    int     // floats of a block of images, whole cache lines
	blocks   int     // blocks of words of a position, 0 for tiles that are not on blocks
}

// useWords turns the plan to words if its channels are adjacent and enough to pair.
func (m *mapPlan) useWords(pairs *kernel.PairKernels) {
	q := *m.q
	var joined *join
	switch {
	case pairs.Blocks != nil:
		if j, window, ok := newWindow(m.q); ok && m.fold == nil {
			joined, q = j, window
		}
	case q.i%2 != 0 && q.i < 16:
		if m.fold != nil { // whose relation is not that of its problem
			return
		}
		if joined, q, _ = newJoin(m.q); joined == nil {
			return
		}
	}
	if q.i < 2 || q.left.in != 1 {
		return
	}
	words, k := wordsOf(pairs, &q)
	if k == nil {
		return
	}
	m.join = joined
	m.words = &mapWords{pairs: pairs, left: q.left, channels: q.i}
	m.k = k
	q.i = words
	line := q.left.size[1] * q.i
	q.left = operand{in: 1, pos: [2]int{line, q.i}, line: q.left.size[0] * line, size: q.left.size}
	if k == pairs.Blocks {
		m.words.blocks = words / kernel.BlockWords
		q.left.pos = [2]int{line * k.MR, q.i * k.MR}
	}
	m.q = &q
	m.packed = true
}

// chooseFresh lists for every chunk the rows of the left operand that it reads and that
// no chunk before it has read; all that it reads if chunks are tasks of their own.
func (m *mapPlan) chooseFresh() {
	images := m.block
	if m.words.blocks > 0 {
		images = ceilDiv(images, m.k.MR) * m.k.MR
	}
	m.words.block = ceilDiv(images*m.q.left.line, lineFloats) * lineFloats
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
	w.args.A, w.first = block, lo
	for _, y := range ch.fresh {
		switch {
		case m.words.blocks > 0 && m.q.left.size[1] == 1:
			m.roundColumn(block, c.left, lo, hi, y)
		case m.words.blocks > 0:
			for image := lo; image < hi; image++ {
				m.roundLines(block[m.blockAt(image-lo)+y*m.q.left.pos[0]:], c.left, image, y)
			}
		default:
			for image := lo; image < hi; image++ {
				m.roundRow(block[(image-lo)*m.q.left.line+y*m.q.left.pos[0]:], c.left, image, y)
			}
		}
	}
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
		m.words.pairs.Pack(dst[x*m.q.i:][:m.q.i], left[at+x*o.pos[1]:][:n])
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

package relation

import (
	"fmt"
	"math"
	"sort"

	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
)

// Sizes in bytes that blocks are cut to. They leave room in a 1 MB L2 cache for a panel
// of weights, the smallest that the vector paths meet in practice.
const (
	leftBlockBytes = 256 << 10 // images of the left operand that stay in L2
	leftHeavyBytes = 512 << 10 // the same when the weights do not fit and stream past them
	outBlockBytes  = 256 << 10 // output finished between two epilogues
	weightBytes    = 512 << 10 // packed weights that may be read again per chunk
)

// Thresholds, measured on the paper's shapes.
const (
	packRows    = 128     // rows per weight from which packing pays although not needed
	singleFLOPs = 1 << 19 // work below which handing out tasks costs more than it gains
)

// mapPlan computes large outputs: it packs the right operand into panels of columns,
// then, block of images by block, finishes the output in chunks of output rows.
//
//	for block of images (tasks)
//		for chunk of output rows
//			for panel of columns
//				for item (output positions)
//					for tile of rows: images, or positions of the output row
type mapPlan struct {
	k       *kernel.GemmKernels
	p       *problem // as given
	q       *problem // what the tiles compute: folded, over words, or p
	fold    *fold    // nil unless folded
	join    *join    // nil unless joined
	words   *mapWords
	workers int

	packed    bool
	key       string   // of the packed form
	taps      [][2]int // right positions in packed order
	panel     int      // columns of a panel
	panels    int
	panelSize int // floats of a packed panel

	items  []item
	chunks []chunk

	block, blocks int  // images of a block; their number
	perChunk      bool // tasks are chunks of blocks
	dense         bool
}

// item is output positions that share a table: one position, whose tiles run over the
// images of a block, or a run of positions, whose tiles run over it image by image.
type item struct {
	segs       []kernel.Segment
	byPosition bool
	n          int // positions
	y, x, step int // the first position, and their distance along x
	aRow, cRow int
	out        int // offset of the first position in an image of the output
}

// chunk is items[lo:hi], which make up output rows [yLo, yHi).
type chunk struct {
	lo, hi, yLo, yHi int
	fresh            []int // rows of the left operand to round first, see [mapWords]
}

func newMapPlan(t *kernel.Table, p *problem, workers int) (*mapPlan, error) {
	k := &t.Gemm
	m := &mapPlan{k: k, p: p, q: p, workers: workers, dense: p.dense()}
	if f, q, ok := newFold(p, min(k.NR, 16)); ok {
		m.fold, m.q = f, q
	}
	rows := m.q.m * m.q.out.size[0] * m.q.out.size[1]
	m.packed = m.fold != nil || m.q.right.line != 1 || rows >= packRows
	if t.Pairs != nil && rows >= packRows {
		m.useWords(t.Pairs)
	}
	q := m.q
	k = m.k
	m.panel = min(k.NR, ceilDiv(q.j, k.Lanes)*k.Lanes)
	m.panels = ceilDiv(q.j, m.panel)
	m.orderTaps()
	size := len(m.taps) * q.i * m.panel
	if size > math.MaxInt32 {
		return nil, fmt.Errorf("%w: a panel of %d weights", ErrUnsupported, size)
	}
	m.panelSize = size
	m.chooseBlock(k.MR)
	m.buildItems()
	m.chooseChunks()
	m.key = m.packingKey()
	return m, nil
}

// orderTaps lists the right positions so that those of one output position are adjacent:
// along x, classes modulo the distance of consecutive taps come one after another.
func (m *mapPlan) orderTaps() {
	size, dr := m.q.right.size, m.q.axes[1].dr
	xs := make([]int, size[1])
	for i := range xs {
		xs[i] = i
	}
	sort.SliceStable(xs, func(a, b int) bool { return xs[a]%dr < xs[b]%dr })
	for y := range size[0] {
		for _, x := range xs {
			m.taps = append(m.taps, [2]int{y, x})
		}
	}
}

// chooseBlock cuts the images into blocks whose left operand stays in L2, and into
// enough of them for the workers.
func (m *mapPlan) chooseBlock(mr int) {
	q := m.q
	image := 4 * q.i * q.left.size[0] * q.left.size[1]
	limit := leftBlockBytes
	if 4*m.panels*m.panelSize > 2*weightBytes {
		limit = leftHeavyBytes
	}
	tiles := max(1, limit/(image*mr))
	m.block = min(q.m, tiles*mr)
	if q.flops() < singleFLOPs {
		m.block = q.m
	} else if few := ceilDiv(q.m, 8*m.workers); m.block > few {
		m.block = min(m.block, max(few, 4*mr))
		if few := ceilDiv(q.m, 2*m.workers); m.block > few {
			m.block = max(few, min(q.m, mr/2))
		}
	}
	m.blocks = ceilDiv(q.m, m.block)
	m.block = ceilDiv(q.m, m.blocks)
	if m.blocks > 4*m.workers && m.block > mr { // whole tiles
		m.block -= m.block % mr
		m.blocks = ceilDiv(q.m, m.block)
	}
	if m.onBlocks() { // whole tiles, as the memory of the words is laid out
		m.block = ceilDiv(m.block, mr) * mr
		m.blocks = ceilDiv(q.m, m.block)
	}
}

// buildItems makes the tables of all output positions.
func (m *mapPlan) buildItems() {
	runs := m.q.axes[1].runs()
	index := m.tapIndex()
	for y, yPairs := range m.q.axes[0].pairs {
		for _, r := range runs {
			if m.prefersPositions(r) {
				m.items = append(m.items, m.item(index, y, r, yPairs, r.pairs))
				continue
			}
			for n := range r.n {
				x := r.start + n*r.step
				one := run{start: x, n: 1}
				m.items = append(m.items, m.item(index, y, one, yPairs, m.q.axes[1].pairs[x]))
			}
		}
	}
}

// tapIndex maps a right position to its place in the packed order.
func (m *mapPlan) tapIndex() map[[2]int]int {
	index := make(map[[2]int]int, len(m.taps))
	for i, t := range m.taps {
		index[t] = i
	}
	return index
}

// item makes the table of the positions of r in output row y.
func (m *mapPlan) item(index map[[2]int]int, y int, r run, yPairs, xPairs []pair) item {
	q := m.q
	it := item{n: r.n, y: y, x: r.start, step: r.step, aRow: q.left.line, cRow: q.out.row}
	if r.n > 1 {
		it.byPosition = true
		it.aRow, it.cRow = r.dl*q.left.pos[1], r.step*q.out.pos[1]
	}
	if m.onBlocks() {
		it.aRow = kernel.BlockWords
	}
	it.out = y*q.out.pos[0] + r.start*q.out.pos[1]
	bk := m.bStep()
	for _, yp := range yPairs {
		for _, xp := range xPairs {
			b := index[[2]int{yp.r, xp.r}] * q.i * m.panel
			if !m.packed {
				b = yp.r*q.right.pos[0] + xp.r*q.right.pos[1]
			}
			a := yp.l*q.left.pos[0] + xp.l*q.left.pos[1]
			if m.onBlocks() {
				it.segs = m.appendBlocks(it.segs, a, b)
				continue
			}
			it.segs = appendSegment(it.segs, a, b, q.i, q.left.in, bk)
		}
	}
	return it
}

// bStep is the stride of the right operand per contraction step.
func (m *mapPlan) bStep() int {
	if m.packed {
		return m.panel
	}
	return m.q.right.in
}

// appendSegment appends a segment of k steps, or extends the last one if this one goes
// on where that ends.
func appendSegment(segs []kernel.Segment, a, b, k, aStep, bStep int) []kernel.Segment {
	if n := len(segs) - 1; n >= 0 {
		last := &segs[n]
		if int(last.A)+int(last.K)*aStep == a && int(last.B)+int(last.K)*bStep == b {
			last.K += int32(k)
			return segs
		}
	}
	return append(segs, kernel.Segment{A: int32(a), B: int32(b), K: int32(k)})
}

// prefersPositions decides whether the tiles of a run go over its positions, which keeps
// the left operand in L1, or over images, which fills the tiles of short runs.
func (m *mapPlan) prefersPositions(r run) bool {
	if r.n < 2 || m.onBlocks() {
		return false
	}
	byPosition := rowCycles(m.k, r.n, m.panel)
	byImage := float64(r.n) * rowCycles(m.k, m.block, m.panel) / float64(m.block)
	return byPosition <= 1.1*byImage
}

// chooseChunks cuts the output rows so that a finished chunk is still in L2 when the
// epilogue reads it, unless that would stream large weights again and again.
func (m *mapPlan) chooseChunks() {
	size := m.q.out.size
	rows := size[0]
	if m.panels == 1 || 4*m.panels*m.panelSize <= weightBytes {
		perRow := 4 * m.block * size[1] * m.q.j
		rows = min(rows, max(1, outBlockBytes/perRow))
	}
	if m.blocks < m.workers && m.q.flops() >= singleFLOPs {
		rows = min(rows, ceilDiv(size[0], 2*m.workers))
	}
	lo := 0
	for y := 0; y < size[0]; y += rows {
		c := chunk{lo: lo, hi: lo, yLo: y, yHi: min(y+rows, size[0])}
		for c.hi < len(m.items) && m.items[c.hi].y < c.yHi {
			c.hi++
		}
		m.chunks = append(m.chunks, c)
		lo = c.hi
	}
	m.perChunk = m.blocks < 4*m.workers && len(m.chunks) > 1
	if m.words != nil {
		m.chooseFresh()
	}
}

// packing implements plan.
func (m *mapPlan) packing() (key string, size int) {
	if !m.packed {
		return "", 0
	}
	return m.key, m.panels * m.panelSize
}

// packingKey names everything that the packed form depends on.
func (m *mapPlan) packingKey() string {
	key := fmt.Sprintf("%d+%d %d %d %d %d", m.p.right, m.q.right.size, m.p.j, m.p.i, m.panel, m.taps)
	if m.fold != nil {
		key += fmt.Sprintf(" %d", *m.fold)
	}
	if m.join != nil {
		key += " joined"
	}
	if m.words != nil {
		key += fmt.Sprintf(" %d words", m.q.i)
	}
	return key
}

func (m *mapPlan) scratch() int {
	if m.words == nil {
		return 0
	}
	return m.workers * m.words.block
}

// String implements plan.
func (m *mapPlan) String() string {
	positions := 0
	for _, it := range m.items {
		if it.byPosition {
			positions += it.n
		}
	}
	s := fmt.Sprintf("map: %d blocks of %d images, %d chunks, %d panels of %d, %d of %d positions as rows",
		m.blocks, m.block, len(m.chunks), m.panels, m.panel, positions, m.q.out.size[0]*m.q.out.size[1])
	if m.fold != nil {
		s += fmt.Sprintf(", %dx%d phases folded", m.fold.f[0], m.fold.f[1])
	}
	if m.join != nil {
		s += ", columns joined"
	}
	if m.words != nil {
		s += ", bfloat16"
		if m.onBlocks() {
			s += " in blocks"
		}
	}
	if !m.packed {
		s += ", weights in place"
	}
	return s
}

package relation

// phases implements plan.
func (m *mapPlan) phases(c *call) []phase {
	var steps []phase
	tasks := m.blocks
	if m.perChunk {
		tasks *= len(m.chunks)
	}
	steps = append(steps, phase{tasks: tasks, run: func(task, worker int) { m.task(c, task, worker) }})
	if !m.dense {
		steps = append(steps, c.epiloguePhase(m.workers))
	}
	return steps
}

// task computes a block of images, or one chunk of it.
func (m *mapPlan) task(c *call, task, worker int) {
	if m.perChunk {
		m.chunk(c, task/len(m.chunks), m.chunks[task%len(m.chunks)], worker)
		return
	}
	for _, ch := range m.chunks {
		m.chunk(c, task, ch, worker)
	}
}

// chunk computes the output rows ch of a block of images and finishes them.
func (m *mapPlan) chunk(c *call, block int, ch chunk, worker int) {
	lo := block * m.block
	hi := min(lo+m.block, m.q.m)
	w := c.workers[worker]
	m.load(c, w)
	if m.words != nil {
		m.round(c, w, ch, worker, lo, hi)
	}
	m.panelsOf(c, w, ch, lo, hi)
	if m.dense {
		m.finish(c, ch, worker, lo, hi)
	}
}

// panelsOf computes all columns of the output rows ch of images [lo, hi).
func (m *mapPlan) panelsOf(c *call, w *worker, ch chunk, lo, hi int) {
	m.k.Begin(&w.args)
	defer m.k.End(&w.args)
	for panel := range m.panels {
		m.aim(w, panel)
		for i := range m.items[ch.lo:ch.hi] {
			it := &m.items[ch.lo+i]
			if it.byPosition {
				m.positions(c, w, it, panel, lo, hi)
			} else {
				m.images(c, w, it, panel, lo, hi)
			}
		}
	}
}

// load sets the arguments that a chunk shares.
func (m *mapPlan) load(c *call, w *worker) {
	g := &w.args
	g.A, g.B, g.C = c.left, c.right, c.dst
	if m.packed {
		g.B = c.packed
	}
	w.first = 0
	g.AK, g.BK, g.Add = m.q.left.in, m.bStep(), m.q.add
	if m.scattered() {
		g.C, g.COff, g.CRow, g.Add = w.tile, 0, m.panel, false
	}
}

// scattered reports whether tiles go through a buffer because their columns are not
// adjacent in the output.
func (m *mapPlan) scattered() bool { return m.fold != nil || m.q.out.col != 1 }

// aim points at a panel of the right operand.
func (m *mapPlan) aim(w *worker, panel int) {
	if m.packed {
		w.args.BOff = panel * m.panelSize
		return
	}
	w.args.BOff = m.q.right.off + panel*m.panel
}

// positions computes a run of positions, image by image.
func (m *mapPlan) positions(c *call, w *worker, it *item, panel, lo, hi int) {
	size := tiling(it.n, m.k.MR)
	for image := lo; image < hi; image++ {
		for r := 0; r < it.n; r += size {
			m.tile(c, w, it, panel, image, r, min(size, it.n-r))
		}
	}
}

// images computes one position of images [lo, hi).
func (m *mapPlan) images(c *call, w *worker, it *item, panel, lo, hi int) {
	size := tiling(hi-lo, m.k.MR)
	if m.onBlocks() {
		size = m.k.MR
	}
	for image := lo; image < hi; image += size {
		m.tile(c, w, it, panel, image, 0, min(size, hi-image))
	}
}

// tile computes rows of an item that begin at an image and at a position of the run.
func (m *mapPlan) tile(c *call, w *worker, it *item, panel, image, position, rows int) {
	q, g := m.q, &w.args
	col := panel * m.panel
	cols := min(m.panel, q.j-col)
	g.Segs = it.segs
	g.ARow = it.aRow
	g.AOff = q.left.off + (image-w.first)*q.left.line + position*it.aRow
	if m.scattered() {
		m.k.Tile(g, rows, cols)
		m.scatter(c, w, it, col, cols, image, position, rows)
		return
	}
	g.CRow = it.cRow
	g.COff = q.out.off + image*q.out.row + it.out + position*it.cRow + col
	m.k.Tile(g, rows, cols)
}

// scatter moves a tile from the buffer to its places in the output.
func (m *mapPlan) scatter(c *call, w *worker, it *item, col, cols, image, position, rows int) {
	if m.fold != nil {
		m.unfold(c.dst, w.tile, it, image, position, rows)
		return
	}
	o := m.q.out
	at, step := o.off+image*o.row+it.out+position*it.cRow+col*o.col, it.cRow
	for r := range rows {
		store(c.dst, at+r*step, o.col, w.tile[r*m.panel:][:cols], m.q.add)
	}
}

// unfold scatters the phases of rows blocks: those of one image from a position on, or
// the same block of several images.
func (m *mapPlan) unfold(dst, tile []float32, it *item, image, position, rows int) {
	o, f, j := &m.p.out, m.fold, m.p.j
	x, step := (it.x+position*it.step)*f.f[1], 0
	at, stride := o.off+image*o.row+x*o.pos[1], o.row
	if it.byPosition {
		step = it.step * f.f[1]
		stride = step * o.pos[1]
	}
	inside := max(x, x+(rows-1)*step)+f.f[1] <= o.size[1]
	joined := inside && o.col == 1 && o.pos[1] == j
	for ph0 := range min(f.f[0], o.size[0]-it.y*f.f[0]) {
		to := at + (it.y*f.f[0]+ph0)*o.pos[0]
		src := tile[ph0*f.f[1]*j:]
		if joined {
			copyRows(dst, to, stride, src, m.panel, f.f[1]*j, rows)
			continue
		}
		for r := range rows {
			for ph1 := range min(f.f[1], o.size[1]-x-r*step) {
				store(dst, to+r*stride+ph1*o.pos[1], o.col, src[r*m.panel+ph1*j:][:j], false)
			}
		}
	}
}

// copyRows copies rows of n floats, stride apart in dst from at on and panel apart in
// src. Six floats, two positions of three channels, are the last layer of an image
// decoder; a constant size spares them a call of memmove each.
func copyRows(dst []float32, at, stride int, src []float32, panel, n, rows int) {
	for r := range rows {
		to, from := dst[at+r*stride:][:n], src[r*panel:][:n]
		if n == 6 {
			v := [6]float32(from)
			*(*[6]float32)(to) = v
			continue
		}
		copy(to, from)
	}
}

// store writes src to every stride-th element of dst from at on, or adds it there.
func store(dst []float32, at, stride int, src []float32, add bool) {
	if stride == 1 && !add {
		copy(dst[at:at+len(src)], src)
		return
	}
	for i, v := range src {
		if add {
			v += dst[at+i*stride]
		}
		dst[at+i*stride] = v
	}
}

// finish reports the rows of a chunk of images [lo, hi) as final.
func (m *mapPlan) finish(c *call, ch chunk, worker, lo, hi int) {
	if c.epilogue == nil {
		return
	}
	image, line := m.p.image(), m.p.out.size[1]*m.p.j
	yLo, yHi := ch.yLo, ch.yHi
	if m.fold != nil {
		yLo, yHi = yLo*m.fold.f[0], min(yHi*m.fold.f[0], m.p.out.size[0])
	}
	if yHi-yLo == m.p.out.size[0] {
		c.finish(worker, lo*image, hi*image)
		return
	}
	for n := lo; n < hi; n++ {
		c.finish(worker, n*image+yLo*line, n*image+yHi*line)
	}
}

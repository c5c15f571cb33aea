package relation

// packPhase implements plan: it copies the right operand into panels
// [panel][tap][channel][column], a task per panel and some taps.
func (m *mapPlan) packPhase(c *call) phase {
	per := max(1, packTask/(m.q.i*m.panel)) // taps of a task
	groups := ceilDiv(len(m.taps), per)
	return phase{tasks: m.panels * groups, run: func(task, worker int) {
		panel, lo := task/groups, task%groups*per
		for t := lo; t < min(lo+per, len(m.taps)); t++ {
			if m.words != nil {
				m.packTapWords(c, c.workers[worker], panel, t)
				continue
			}
			dst := c.packed[panel*m.panelSize+t*m.q.i*m.panel:]
			m.packTap(dst[:m.q.i*m.panel], c.right, panel, t, 0, m.q.i)
		}
	}}
}

// packTask is the number of floats that a packing task writes, at least.
const packTask = 1 << 14

// packTap packs channels [lo, hi) of one tap of one panel. Columns beyond the last are
// left as they are: the tiles do not read them.
func (m *mapPlan) packTap(dst, right []float32, panel, tap, lo, hi int) {
	q := m.q
	at := m.taps[tap]
	if m.fold != nil {
		for i := lo; i < hi; i++ {
			m.fold.packRow(dst[(i-lo)*m.panel:], right, q.right, at[0], at[1], i)
		}
		return
	}
	col := panel * m.panel
	cols := min(m.panel, q.j-col)
	src := q.right.off + at[0]*q.right.pos[0] + at[1]*q.right.pos[1] + col*q.right.line
	if m.join != nil {
		for i := lo; i < hi; i++ {
			packColumns(dst[(i-lo)*m.panel:], m.panel, right, src+m.join.at(i, q.right.in), q.right.line, 0, cols, 1)
		}
		return
	}
	src += lo * q.right.in
	if q.right.line == 1 {
		for i := range hi - lo {
			copy(dst[i*m.panel:][:cols], right[src+i*q.right.in:])
		}
		return
	}
	packColumns(dst, m.panel, right, src, q.right.line, q.right.in, cols, hi-lo)
}

// packColumns writes element (i, c) of a matrix with strides line per column and in per
// row to dst[i*panel+c]. Columns go in pairs of four so that each visit to a line of dst
// fills a quarter of it.
func packColumns(dst []float32, panel int, src []float32, at, line, in, cols, rows int) {
	c := 0
	for ; c+4 <= cols; c += 4 {
		a := at + c*line
		d := c
		for range rows {
			to := dst[d:][:4]
			to[0], to[1], to[2], to[3] = src[a], src[a+line], src[a+2*line], src[a+3*line]
			a += in
			d += panel
		}
	}
	for ; c < cols; c++ {
		for i := range rows {
			dst[i*panel+c] = src[at+c*line+i*in]
		}
	}
}

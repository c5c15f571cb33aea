package relation

// phases implements plan.
func (r *reducePlan) phases(c *call) []phase {
	var steps []phase
	if r.words != nil && r.words.whole {
		steps = append(steps, phase{tasks: r.blocks, run: func(task, worker int) {
			for n := range r.chunks() {
				r.round(c, task, n, task, worker)
			}
		}})
	}
	steps = append(steps, phase{tasks: r.splits * r.parts, run: func(task, worker int) {
		r.task(c, task/r.parts, task%r.parts, worker)
	}})
	if !r.direct {
		rows := len(r.rows) * r.p.m
		per := max(1, sumTask/(r.p.j*r.splits))
		steps = append(steps, phase{tasks: ceilDiv(rows, per), run: func(task, worker int) {
			r.sum(c, worker, task*per, min((task+1)*per, rows))
		}})
	}
	return append(steps, c.epiloguePhase(r.workers))
}

// sumTask is the number of partial values that a task adds up.
const sumTask = 1 << 16

// task runs the blocks of a split through a part of the units.
func (r *reducePlan) task(c *call, split, part, worker int) {
	w := c.workers[worker]
	g := &w.args
	g.A, g.B, g.AK, g.BK = c.left, c.right, r.aStep, r.bStep
	if g.C = c.dst; !r.direct {
		g.C = c.scratch
	}
	units := len(r.items) * r.panels
	lo, hi := share(units, part, r.parts), share(units, part+1, r.parts)
	first, last := share(r.blocks, split, r.splits), share(r.blocks, split+1, r.splits)
	for block := first; block < last; block++ {
		for n := range r.chunks() {
			g.Add = block > first || n > 0 || r.direct && r.p.add
			at := block
			if r.words != nil {
				at = r.aim(c, w, block, n, worker)
			}
			r.units(w, split, block, at, n, lo, hi)
		}
	}
}

// units adds chunk number n of a block to units [lo, hi).
func (r *reducePlan) units(w *worker, split, block, at, n, lo, hi int) {
	r.k.Begin(&w.args)
	defer r.k.End(&w.args)
	for u := lo; u < hi; u++ {
		r.unit(w, split, block, at, n, &r.items[u/r.panels], u%r.panels)
	}
}

// share returns where part i of n begins when total is divided evenly.
func share(total, i, n int) int { return total * i / n }

// unit adds chunk number n of a block of channels, which is block number at in its
// operands, to one item and panel.
func (r *reducePlan) unit(w *worker, split, block, at, n int, it *reduceItem, panel int) {
	p, g := r.p, &w.args
	col := panel * r.k.NR
	cols := min(r.k.NR, p.j-col)
	g.Segs = it.segs[n]
	if block == r.blocks-1 {
		g.Segs = it.tail[n]
	}
	if g.Add && len(g.Segs) == 0 {
		return
	}
	g.BOff = p.right.off + at*r.block*p.right.in + col
	a := p.left.off + at*r.block*p.left.in
	to := split*r.partial + it.slot*p.m*p.j + col
	g.ARow, g.CRow = it.aRow, p.j
	if r.direct {
		to, g.CRow = r.rows[it.slot]+col, p.out.row
	}
	size := tiling(it.rows, r.k.MR)
	if r.onBlocks() {
		size = r.k.MR
	}
	for row := 0; row < it.rows; row += size {
		g.AOff, g.COff = a+row*g.ARow, to+row*g.CRow
		r.k.Tile(g, min(size, it.rows-row), cols)
	}
}

// sum adds up rows [lo, hi) of the partial outputs, as a product of a row of ones with
// the matrix whose rows are the partial outputs.
func (r *reducePlan) sum(c *call, worker, lo, hi int) {
	p, w := r.p, c.workers[worker]
	g := &w.args
	g.A, g.AOff, g.ARow, g.AK = r.ones, 0, 0, 0
	g.B, g.BK = c.scratch, r.partial
	g.Segs = r.sumSegs
	g.C, g.CRow, g.Add = c.dst, 0, p.add
	strided := p.out.col != 1
	if strided {
		g.C, g.COff, g.Add = w.tile, 0, false
	}
	for row := lo; row < hi; row++ {
		to := r.rows[row/p.m] + row%p.m*p.out.row
		for col := 0; col < p.j; col += r.f32.NR {
			cols := min(r.f32.NR, p.j-col)
			g.BOff = row*p.j + col
			if !strided {
				g.COff = to + col
			}
			r.f32.Tile(g, 1, cols)
			if strided {
				store(c.dst, to+col*p.out.col, p.out.col, w.tile[:cols], p.add)
			}
		}
	}
}

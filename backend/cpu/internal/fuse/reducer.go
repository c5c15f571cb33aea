package fuse

// reducer computes spans of a plan, one at a time.
type reducer struct {
	p       *ReducePlan
	inputs  []Ref
	scratch []float32 // of the producer
	made    [1]Ref    // what the producer made
	acc     []float64
	row     []float32 // columns added in float32, several rows side by side if they are short
	used    int       // elements of row in use
	depth   int       // elements added to each
}

const (
	segmentSize = 1 << 14 // elements looked at together
	wideRow     = 128     // shorter rows are added side by side
)

func newReducer(p *ReducePlan) *reducer {
	w := &reducer{p: p, acc: make([]float64, p.columns), row: make([]float32, p.columns+wideRow)}
	if p.producer != nil {
		w.scratch = make([]float32, p.producer.ScratchLen())
		w.made[0].F32 = make([]float32, segmentSize)
	}
	return w
}

// spans computes spans [first, last) of a part.
func (w *reducer) spans(first, last, part int, dst []float32, partial []float64) {
	p := w.p
	if p.lastReduced && p.units == 1 && len(p.kept) <= 1 { // rows one after another
		for span := first; span < last; span++ {
			dst[span] = w.ofRow(w.segment(span*p.last, p.last))
		}
		return
	}
	for span := first; span < last; span++ {
		p.finish(w.reduce(span, part), span, part, dst, partial)
	}
}

// reduce returns the results of the units of one part for a span.
func (w *reducer) reduce(span, part int) []float64 {
	p := w.p
	from, to := part*p.units/p.parts, (part+1)*p.units/p.parts
	column := span % p.wide * p.columns
	base := offset(p.kept, span/p.wide) + column
	acc := w.acc[:min(p.columns, p.neighbours()-column)]
	for i := range acc {
		acc[i] = p.op.start()
	}
	if p.lastReduced {
		w.addRows(acc, base, from, to)
	} else {
		w.addColumns(acc, base, from, to)
	}
	return acc
}

// addRows adds pieces of rows to the only result.
func (w *reducer) addRows(acc []float64, base, from, to int) {
	pieces := max(1, ceilDiv(w.p.last, rowBlock))
	for u := from; u < to; u++ {
		at := u % pieces * rowBlock
		x := w.segment(base+offset(w.p.reduced, u/pieces)+at, min(rowBlock, w.p.last-at))
		acc[0] = w.p.op.combine(acc[0], float64(w.ofRow(x)))
	}
}

func (w *reducer) ofRow(x []float32) float32 {
	switch w.p.op {
	case MaxOf:
		return w.p.vec.MaxOf(x)
	case MinOf:
		return w.p.vec.MinOf(x)
	}
	return w.p.vec.Sum(x)
}

// addColumns adds rows [from, to) column by column. Rows that lie one after another are added
// together.
func (w *reducer) addColumns(acc []float64, base, from, to int) {
	p, columns := w.p, len(acc)
	beside := max(1, wideRow/columns)
	atOnce := 1
	if columns == p.last && len(p.reduced) > 0 {
		atOnce = max(1, min(segmentSize/columns, deepest*beside))
	}
	w.clear()
	for u := from; u < to; {
		rows := 1
		if atOnce > 1 {
			inner := p.reduced[len(p.reduced)-1].size
			rows = min(atOnce, to-u, inner-u%inner)
		}
		w.addBlock(w.segment(base+offset(p.reduced, u), rows*columns), columns, min(beside, rows))
		if w.depth >= deepest {
			w.flush(acc)
		}
		u += rows
	}
	w.flush(acc)
}

// addBlock adds the rows of x, beside of them at a time.
func (w *reducer) addBlock(x []float32, columns, beside int) {
	width := beside * columns
	whole := len(x) / width
	w.fold(x, whole, width)
	w.fold(x[whole*width:], len(x)/columns-whole*beside, columns)
	w.depth += whole + 1
	w.used = max(w.used, width)
}

func (w *reducer) fold(x []float32, rows, width int) {
	row := w.row[:width]
	if w.p.op == Sum {
		w.p.vec.SumRows(row, x, rows, width)
		return
	}
	combine := w.p.vec.Max
	if w.p.op == MinOf {
		combine = w.p.vec.Min
	}
	for r := range rows {
		combine(row, row, x[r*width:])
	}
}

// flush moves the columns added so far to acc.
func (w *reducer) flush(acc []float64) {
	for i := 0; i < w.used; i += len(acc) {
		row := w.row[i : i+len(acc)]
		for k, v := range row {
			if w.p.op == Sum {
				acc[k] += float64(v)
			} else {
				acc[k] = w.p.op.combine(acc[k], float64(v))
			}
		}
	}
	w.clear()
}

func (w *reducer) clear() {
	w.p.vec.Fill(w.row, float32(w.p.op.start()))
	w.used, w.depth = 0, 0
}

// segment is elements [at, at+n) of the tensor.
func (w *reducer) segment(at, n int) []float32 {
	if w.p.producer == nil {
		return w.inputs[0].F32[at : at+n]
	}
	w.p.producer.run(w.scratch, w.inputs, w.made[:], at, at+n, at)
	return w.made[0].F32[:n]
}

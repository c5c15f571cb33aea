package sched

import "fmt"

// copyStep copies the elements of one view to another of the same dims.
type copyStep struct {
	dst, src view
	walk     collapsed // operand 0 is dst, 1 is src
	why      string
}

func newCopy(dst, src view, why string) *copyStep {
	return &copyStep{dst: dst, src: src, walk: collapse([][]int{dst.strides, src.strides}, src.dims), why: why}
}

func (s *copyStep) reads() []*storage  { return []*storage{s.src.st} }
func (s *copyStep) writes() []*storage { return []*storage{s.dst.st} }

func (s *copyStep) String() string {
	return fmt.Sprintf("copy %v (%s)", s.src.dims, s.why)
}

func (s *copyStep) run(r *run) {
	if s.src.st.isBool {
		copyWalk(r, s, r.bytes(s.dst.st), r.bytes(s.src.st))
		return
	}
	copyWalk(r, s, r.f32(s.dst.st), r.f32(s.src.st))
}

// copyWalk visits the outer axes of the collapsed walk in parallel, and copies
// along the inner one or two.
func copyWalk[T any](r *run, s *copyStep, dst, src []T) {
	dims, ds, ss := s.walk.dims, s.walk.strides[0], s.walk.strides[1]
	inner := min(len(dims), 2)
	outer := dims[:len(dims)-inner]
	count := 1
	for _, d := range outer {
		count *= d
	}
	rows, cols, dRow, sRow, dCol, sCol := 1, 1, 0, 0, 0, 0
	if inner >= 1 {
		k := len(dims) - 1
		cols, dCol, sCol = dims[k], ds[k], ss[k]
	}
	if inner == 2 {
		k := len(dims) - 2
		rows, dRow, sRow = dims[k], ds[k], ss[k]
	}
	work := func(lo, hi int) {
		for i := lo; i < hi; i++ {
			d, q := s.dst.off, s.src.off
			for rest, k := i, len(outer)-1; k >= 0; k-- {
				at := rest % outer[k]
				rest /= outer[k]
				d += at * ds[k]
				q += at * ss[k]
			}
			copyMatrix(dst, src, d, q, rows, cols, dRow, sRow, dCol, sCol)
		}
	}
	if count > 1 {
		r.parallel(count, max(1, grain/max(1, rows*cols)), work)
		return
	}
	r.parallel(rows, max(1, grain/max(1, cols)), func(lo, hi int) {
		copyMatrix(dst, src, s.dst.off+lo*dRow, s.src.off+lo*sRow, hi-lo, cols, dRow, sRow, dCol, sCol)
	})
}

func copyMatrix[T any](dst, src []T, d, q, rows, cols, dRow, sRow, dCol, sCol int) {
	if sRow == 1 && dRow != 1 && cols > 1 && rows > 1 {
		// The source is contiguous along the rows: walk in blocks so that both
		// sides use whole cache lines.
		const block = 16
		for r0 := 0; r0 < rows; r0 += block {
			for c0 := 0; c0 < cols; c0 += block {
				for c := c0; c < min(c0+block, cols); c++ {
					for r := r0; r < min(r0+block, rows); r++ {
						dst[d+r*dRow+c*dCol] = src[q+r+c*sCol]
					}
				}
			}
		}
		return
	}
	for range rows {
		copyRow(dst, src, d, q, cols, dCol, sCol)
		d += dRow
		q += sRow
	}
}

func copyRow[T any](dst, src []T, d, q, n, dCol, sCol int) {
	switch {
	case n == 0:
	case dCol == 1 && sCol == 1:
		copy(dst[d:d+n], src[q:q+n])
	case dCol == 1 && sCol == 0:
		fill := src[q]
		for i := range dst[d : d+n] {
			dst[d+i] = fill
		}
	default:
		for range n {
			dst[d] = src[q]
			d += dCol
			q += sCol
		}
	}
}

// fillStep sets a whole storage to the one value of a scalar view.
type fillStep struct {
	dst   *storage
	value view
}

func (s *fillStep) reads() []*storage  { return []*storage{s.value.st} }
func (s *fillStep) writes() []*storage { return []*storage{s.dst} }
func (s *fillStep) String() string     { return fmt.Sprintf("fill [%d]", s.dst.size) }

func (s *fillStep) run(r *run) {
	dst := r.f32(s.dst)
	v := r.f32(s.value.st)[s.value.off]
	for i := range dst {
		dst[i] = v
	}
}

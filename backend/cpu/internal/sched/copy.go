package sched

import "fmt"

// copyStep copies the elements of one view to another of the same dims.
type copyStep struct {
	dst, src view
	walk     collapsed // operand 0 is dst, 1 is src
	why      string

	// The inner one or two axes of the walk are matrices, the others number them.
	outer      []int
	matrices   int
	rows, cols int
	dRow, dCol int
	sRow, sCol int
}

func newCopy(dst, src view, why string) *copyStep {
	s := &copyStep{dst: dst, src: src, walk: collapse([][]int{dst.strides, src.strides}, src.dims), why: why, rows: 1, cols: 1, matrices: 1}
	dims, ds, ss := s.walk.dims, s.walk.strides[0], s.walk.strides[1]
	if k := len(dims) - 1; k >= 0 {
		s.cols, s.dCol, s.sCol = dims[k], ds[k], ss[k]
	}
	if k := len(dims) - 2; k >= 0 {
		s.rows, s.dRow, s.sRow = dims[k], ds[k], ss[k]
		s.outer = dims[:k]
	}
	for _, d := range s.outer {
		s.matrices *= d
	}
	return s
}

func (s *copyStep) reads() []*storage  { return []*storage{s.src.st} }
func (s *copyStep) writes() []*storage { return []*storage{s.dst.st} }

func (s *copyStep) String() string {
	return fmt.Sprintf("copy %v (%s)", s.src.dims, s.why)
}

func (s *copyStep) run(r *run) {
	if s.matrices == 1 {
		r.parallel(s.rows, max(1, grain/max(1, s.cols)), s)
		return
	}
	r.parallel(s.matrices, max(1, grain/max(1, s.rows*s.cols)), s)
}

// part copies matrices [lo, hi), or rows [lo, hi) of the only one.
func (s *copyStep) part(r *run, _, lo, hi int) {
	if s.src.st.isBool {
		copyPart(s, r.bytes(s.dst.st), r.bytes(s.src.st), lo, hi)
		return
	}
	copyPart(s, r.f32(s.dst.st), r.f32(s.src.st), lo, hi)
}

func copyPart[T any](s *copyStep, dst, src []T, lo, hi int) {
	if s.matrices == 1 {
		copyMatrix(dst, src, s.dst.off+lo*s.dRow, s.src.off+lo*s.sRow, hi-lo, s.cols, s.dRow, s.sRow, s.dCol, s.sCol)
		return
	}
	for i := lo; i < hi; i++ {
		d, q := s.dst.off, s.src.off
		for rest, k := i, len(s.outer)-1; k >= 0; k-- {
			at := rest % s.outer[k]
			rest /= s.outer[k]
			d += at * s.walk.strides[0][k]
			q += at * s.walk.strides[1][k]
		}
		copyMatrix(dst, src, d, q, s.rows, s.cols, s.dRow, s.sRow, s.dCol, s.sCol)
	}
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

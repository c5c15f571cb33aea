package relation

import (
	"fmt"
	"math"
)

// problem is a product of a left operand, which supplies m rows, and a right one, which
// supplies j columns, summed over i channels and over the pairs of both axes:
//
//	out[row, oy, ox, col] = sum over i, y pairs, x pairs of
//		left[row, y.l, x.l, i] * right[y.r, x.r, i, col]
type problem struct {
	m, j, i     int
	left, right operand
	out         output
	rel         [2]relation
	axes        [2]axis
	swapped     bool // the left operand is the kernel of the convolution
	add         bool // add to the output
}

// operand places an operand: strides per row or column (line), per channel of the
// contraction (in) and per spatial position (pos), whose number is size.
type operand struct {
	off, line, in int
	pos, size     [2]int
	end           int // elements that its slice must have
}

// output places the output.
type output struct {
	off, row, col int
	pos, size     [2]int
	end           int
}

// prepare fills in what follows from the sizes and strides: pairs, extents, and zero
// strides along axes of one element, which tensor libraries leave undefined.
func (p *problem) prepare() error {
	clearUnit := func(stride *int, size int) {
		if size == 1 {
			*stride = 0
		}
	}
	for a := range 2 {
		p.axes[a] = p.rel[a].axis()
		clearUnit(&p.left.pos[a], p.left.size[a])
		clearUnit(&p.right.pos[a], p.right.size[a])
		clearUnit(&p.out.pos[a], p.out.size[a])
	}
	clearUnit(&p.left.line, p.m)
	clearUnit(&p.left.in, p.i)
	clearUnit(&p.right.in, p.i)
	clearUnit(&p.out.row, p.m)
	if p.j == 1 { // a lone column is adjacent to itself
		p.right.line, p.out.col = 1, 1
	}
	var err error
	l, r, o := &p.left, &p.right, &p.out
	if l.end, err = extent("left operand", l.off, dim{p.m, l.line}, dim{p.i, l.in}, dim{l.size[0], l.pos[0]}, dim{l.size[1], l.pos[1]}); err != nil {
		return err
	}
	if r.end, err = extent("right operand", r.off, dim{p.j, r.line}, dim{p.i, r.in}, dim{r.size[0], r.pos[0]}, dim{r.size[1], r.pos[1]}); err != nil {
		return err
	}
	o.end, err = extent("output", o.off, dim{p.m, o.row}, dim{p.j, o.col}, dim{o.size[0], o.pos[0]}, dim{o.size[1], o.pos[1]})
	return err
}

type dim struct{ size, stride int }

// extent returns the length of the shortest slice that holds a tensor.
func extent(name string, off int, dims ...dim) (int, error) {
	lo, hi := float64(off), float64(off)
	for _, d := range dims {
		span := float64(d.size-1) * float64(d.stride)
		lo, hi = lo+min(0, span), hi+max(0, span)
	}
	if lo < 0 {
		return 0, fmt.Errorf("%w: %s begins %g elements before its slice", ErrUnsupported, name, -lo)
	}
	if hi >= math.MaxInt32 { // offsets must fit a segment
		return 0, fmt.Errorf("%w: %s spans %g elements", ErrUnsupported, name, hi)
	}
	return int(hi) + 1, nil
}

// flops counts the products that contribute, twice.
func (p *problem) flops() int64 {
	return 2 * int64(p.m) * int64(p.j) * int64(p.i) * int64(p.axes[0].count()) * int64(p.axes[1].count())
}

// swap returns the same product with the roles of rows and columns exchanged.
func (p *problem) swap() *problem {
	s := *p
	s.m, s.j = p.j, p.m
	s.left, s.right = p.right, p.left
	s.out.row, s.out.col = p.out.col, p.out.row
	s.axes = [2]axis{p.rel[0].swapped(), p.rel[1].swapped()}
	s.swapped = true
	if s.m == 1 {
		s.left.line, s.out.row = 0, 0
	}
	if s.j == 1 {
		s.right.line, s.out.col = 1, 1
	}
	return &s
}

// dense reports whether the output is row-major [m, oy, ox, j], so that whole images and
// whole rows of positions are contiguous.
func (p *problem) dense() bool {
	o := p.out
	want := func(stride, size, dense int) bool { return size == 1 || stride == dense }
	line := o.size[1] * p.j
	return o.off == 0 && o.col == 1 && want(o.pos[1], o.size[1], p.j) &&
		want(o.pos[0], o.size[0], line) && want(o.row, p.m, line*o.size[0])
}

// image returns the number of elements of one image of the output.
func (p *problem) image() int { return p.out.size[0] * p.out.size[1] * p.j }

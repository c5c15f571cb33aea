// Package move rearranges the elements of tensors: transpose, slice, pad, concatenate,
// reverse, broadcast and row lookup.
//
// All but the last are one thing, a strided copy: a [Plan] is built once from the shapes and
// run often. Axes that both sides walk alike are merged; rows that are contiguous on both
// sides are copied whole, and a transposition goes block by block, so that each cache line is
// fetched once.
package move

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// ErrShape is wrapped by errors about shapes, axes and lengths that contradict each other.
var ErrShape = errors.New("move: shapes do not fit")

// Pool runs tasks on workers; see package pool.
type Pool interface {
	// Run calls f for every task in [0, tasks); worker is in [0, Workers).
	Run(ctx context.Context, tasks int, f func(task, worker int)) error
	// Workers is the number of workers.
	Workers() int
}

// Element is what tensors are made of: a size of 1, 4 or 8 bytes.
type Element interface {
	~bool | ~uint8 | ~int8 | ~int32 | ~uint32 | ~float32 | ~int64 | ~uint64 | ~float64
}

// view is a walk over elements: the first lies at offset, and those of axis i are strides[i]
// apart.
type view struct {
	offset  int
	strides []int
}

// Plan copies elements from one place to another. It has no state and may be run by several
// goroutines at once.
type Plan struct {
	axes             []axis // outermost first, at least one
	dstOff, srcOff   int
	dstLen, srcLen   int // what the slices must have
	count            int
	rows, cols       int // product of all axes but the last, and the last
	perRows, perCols int // size of a task
}

// axis is one loop of a copy.
type axis struct{ size, dst, src int }

// taskElements is about how many elements one task copies, squareRows how many rows of a
// transposition.
const (
	taskElements = 1 << 15
	squareRows   = 128
)

// newPlan plans the copy of all elements of dims.
func newPlan(dims []int, dst, src view, dstLen, srcLen int) *Plan {
	p := &Plan{dstOff: dst.offset, srcOff: src.offset, dstLen: dstLen, srcLen: srcLen, count: product(dims)}
	for i, d := range dims {
		if d != 1 {
			p.axes = append(p.axes, axis{d, dst.strides[i], src.strides[i]})
		}
	}
	// The order of axes is free; along dst it writes forward.
	slices.SortStableFunc(p.axes, func(a, b axis) int { return cmp.Compare(b.dst, a.dst) })
	p.merge()
	p.adjoin()
	p.cut()
	return p
}

// merge joins neighbours that both sides walk with one stride.
func (p *Plan) merge() {
	var merged []axis
	for _, a := range p.axes {
		if n := len(merged); n > 0 && merged[n-1].dst == a.dst*a.size && merged[n-1].src == a.src*a.size {
			merged[n-1] = axis{merged[n-1].size * a.size, a.dst, a.src}
			continue
		}
		merged = append(merged, a)
	}
	if len(merged) == 0 {
		merged = []axis{{1, 1, 1}}
	}
	p.axes = merged
}

// adjoin puts the axis along which src is contiguous before the last one, along which dst
// usually is, so that both appear in one block.
func (p *Plan) adjoin() {
	last := len(p.axes) - 1
	along := slices.IndexFunc(p.axes, func(a axis) bool { return a.src == 1 })
	if along < 0 || along >= last {
		return
	}
	a := p.axes[along]
	p.axes = slices.Insert(slices.Delete(p.axes, along, along+1), last-1, a)
}

// cut chooses the size of tasks: whole rows where they are short, but rather square ones for
// a transposition, which must see several rows at once.
func (p *Plan) cut() {
	last := len(p.axes) - 1
	p.cols = p.axes[last].size
	p.rows = p.count / max(1, p.cols)
	p.perCols = max(1, min(p.cols, taskElements))
	if last > 0 && p.axes[last-1].src == 1 {
		p.perCols = max(1, min(p.cols, taskElements/max(tileSide, min(p.axes[last-1].size, squareRows))))
	}
	p.perRows = max(1, taskElements/p.perCols)
}

// Run copies from src to dst, which must not overlap. The error says which slice is too
// short, or is that of the context, after which dst is undefined.
func Run[T Element](ctx context.Context, pool Pool, p *Plan, dst, src []T) error {
	if len(dst) < p.dstLen || len(src) < p.srcLen {
		return fmt.Errorf("%w: %d elements to %d, the plan needs %d and %d", ErrShape, len(src), len(dst), p.srcLen, p.dstLen)
	}
	if p.count == 0 {
		return nil
	}
	beside := (p.cols + p.perCols - 1) / p.perCols
	tasks := (p.rows + p.perRows - 1) / p.perRows * beside
	return pool.Run(ctx, tasks, func(task, _ int) {
		row, col := task/beside*p.perRows, task%beside*p.perCols
		copyPart(p, dst, src, row, min(p.rows, row+p.perRows), col, min(p.cols, col+p.perCols))
	})
}

// copyPart copies columns [left, right) of rows [lo, hi), counted over all axes but the last,
// in runs along the last but one.
func copyPart[T Element](p *Plan, dst, src []T, lo, hi, left, right int) {
	last := p.axes[len(p.axes)-1]
	b := block[T]{dst: dst, src: src, dCol: last.dst, sCol: last.src}
	outer := p.axes[:len(p.axes)-1]
	for lo < hi {
		d, s, n := p.dstOff+left*last.dst, p.srcOff+left*last.src, 1
		rest := lo
		for k, a := range slices.Backward(outer) {
			i := rest % a.size
			rest /= a.size
			d += i * a.dst
			s += i * a.src
			if k == len(outer)-1 {
				n, b.dRow, b.sRow = min(hi-lo, a.size-i), a.dst, a.src
			}
		}
		b.copy(d, s, n, right-left)
		lo += n
	}
}

func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// rowMajor returns the strides of a dense tensor.
func rowMajor(dims []int) []int {
	strides, step := make([]int, len(dims)), 1
	for i, d := range slices.Backward(dims) {
		strides[i] = step
		step *= d
	}
	return strides
}

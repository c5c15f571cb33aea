package sched

import (
	"fmt"

	"github.com/orrery-rl/orrery/backend/cpu/internal/ir"
)

// reduceStep reduces the middle axis of [outer, middle, inner].
type reduceStep struct {
	op                   ir.Op
	dst                  *storage
	src                  view
	outer, middle, inner int
	// blocks is the number of parts that the middle axis is cut into, fixed by
	// the shape alone so that the result does not depend on the schedule. With
	// more than one, partial results go to scratch and are then combined.
	blocks  int
	scratch *storage
}

// blockElements is about how many elements one part of a long reduction has.
const blockElements = 1 << 16

func newReduce(op ir.Op, dst *storage, src view, outer, middle, inner int) *reduceStep {
	s := &reduceStep{op: op, dst: dst, src: src, outer: outer, middle: middle, inner: inner, blocks: 1}
	if outer == 1 {
		s.blocks = max(1, min(middle, (middle*inner+blockElements-1)/blockElements))
	}
	return s
}

func (s *reduceStep) reads() []*storage { return []*storage{s.src.st} }

func (s *reduceStep) writes() []*storage {
	if s.scratch != nil {
		return []*storage{s.dst, s.scratch}
	}
	return []*storage{s.dst}
}

func (s *reduceStep) String() string {
	return fmt.Sprintf("%s [%d, %d, %d] in %d parts", s.op, s.outer, s.middle, s.inner, s.blocks)
}

func (s *reduceStep) run(r *run) {
	if s.blocks == 1 {
		r.parallel(s.outer, max(1, grain/max(1, s.middle*s.inner)), s)
		return
	}
	r.parallel(s.blocks, 1, s)
	s.reduce(r, 0, r.f32(s.dst), r.f32(s.scratch)[:s.blocks*s.inner])
}

// part reduces outer elements [lo, hi), or blocks [lo, hi) of the only one.
func (s *reduceStep) part(r *run, worker, lo, hi int) {
	src := r.f32(s.src.st)[s.src.off:]
	for i := lo; i < hi; i++ {
		if s.blocks == 1 {
			each := s.middle * s.inner
			s.reduce(r, worker, r.f32(s.dst)[i*s.inner:][:s.inner], src[i*each:][:each])
			continue
		}
		from, to := i*s.middle/s.blocks, (i+1)*s.middle/s.blocks
		s.reduce(r, worker, r.f32(s.scratch)[i*s.inner:][:s.inner], src[from*s.inner:to*s.inner])
	}
}

// reduce combines the rows of src, each as long as dst.
func (s *reduceStep) reduce(r *run, worker int, dst, src []float32) {
	if len(dst) == 1 {
		dst[0] = s.reduceRow(r, src)
		return
	}
	if len(src) == 0 {
		for i := range dst {
			dst[i] = s.reduceRow(r, nil)
		}
		return
	}
	// Short rows are combined many at a time, and the result is folded.
	if n := wideRow / len(dst); n > 1 && len(src) >= 2*n*len(dst) {
		acc := r.wide[worker][:n*len(dst)]
		whole := len(src) / len(acc) * len(acc)
		copy(acc, src)
		s.combine(r, acc, src[len(acc):whole])
		copy(dst, acc)
		s.combine(r, dst, acc[len(dst):])
		s.combine(r, dst, src[whole:])
		return
	}
	copy(dst, src)
	s.combine(r, dst, src[len(dst):])
}

// wideRow is about how many elements are worth one call of a kernel.
const wideRow = 1024

// combine folds the rows of src, each as long as dst, into dst.
func (s *reduceStep) combine(r *run, dst, src []float32) {
	for ; len(src) > 0; src = src[len(dst):] {
		row := src[:len(dst)]
		switch s.op {
		case ir.ReduceSum:
			r.vec.AddTo(dst, row)
		case ir.ReduceMax:
			r.vec.Max(dst, dst, row)
		default:
			r.vec.Min(dst, dst, row)
		}
	}
}

func (s *reduceStep) reduceRow(r *run, src []float32) float32 {
	switch s.op {
	case ir.ReduceSum:
		return r.vec.Sum(src)
	case ir.ReduceMax:
		return r.vec.MaxOf(src)
	default:
		return r.vec.MinOf(src)
	}
}

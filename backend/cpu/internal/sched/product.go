package sched

import (
	"fmt"

	"github.com/orrery-rl/orrery/backend/cpu/internal/relation"
)

// productStep is a convolution or a product of matrices, and possibly the
// element-wise operations on its result.
type productStep struct {
	dst, x, w *storage
	product   *relation.Product
	packed    *storage // w prepared by a packStep; nil if the product does it itself
	what      string
	operands  int          // elements of both operands
	epilogue  *clusterStep // may be nil
}

// scratch is how many floats a run needs beside the arena.
func (s *productStep) scratch() int {
	if s.packed != nil {
		return s.product.Scratch() - s.product.PackedSize()
	}
	return s.product.Scratch()
}

func (s *productStep) reads() []*storage {
	reads := []*storage{s.x, s.w}
	if s.packed != nil {
		reads = append(reads, s.packed)
	}
	if s.epilogue != nil {
		reads = append(reads, s.epilogue.reads()...)
	}
	return reads
}

func (s *productStep) writes() []*storage {
	writes := []*storage{s.dst}
	if s.epilogue != nil {
		writes = append(writes, s.epilogue.writes()...)
	}
	return writes
}

func (s *productStep) String() string {
	line := fmt.Sprintf("%s, %.1f MFLOP: %s", s.what, float64(s.product.FLOPs())/1e6, s.product)
	if s.epilogue != nil {
		line += "; then " + s.epilogue.String()
	}
	return line
}

func (s *productStep) run(r *run) {
	var finish relation.Epilogue
	if s.epilogue != nil {
		finish = r.epilogue(s.epilogue)
	}
	var err error
	if s.packed != nil {
		err = s.product.RunPacked(r.ctx, r.pool, r.f32(s.dst), r.f32(s.x), r.f32(s.w), r.f32(s.packed), r.scratch, finish)
	} else {
		err = s.product.Run(r.ctx, r.pool, r.f32(s.dst), r.f32(s.x), r.f32(s.w), r.scratch, finish)
	}
	if err != nil && r.err == nil {
		r.err = err
	}
}

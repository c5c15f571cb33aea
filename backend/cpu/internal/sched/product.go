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
	what      string
	operands  int          // elements of both operands
	epilogue  *clusterStep // may be nil
}

func (s *productStep) reads() []*storage {
	reads := []*storage{s.x, s.w}
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
	err := s.product.Run(r.ctx, r.pool, r.f32(s.dst), r.f32(s.x), r.f32(s.w), r.scratch, finish)
	if err != nil && r.err == nil {
		r.err = err
	}
}

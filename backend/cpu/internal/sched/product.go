package sched

import (
	"fmt"

	"github.com/orrery-rl/orrery/backend/cpu/internal/relation"
)

// productStep is a convolution or a product of matrices.
type productStep struct {
	dst, x, w *storage
	product   *relation.Product
	what      string
}

func (s *productStep) reads() []*storage  { return []*storage{s.x, s.w} }
func (s *productStep) writes() []*storage { return []*storage{s.dst} }

func (s *productStep) String() string {
	return fmt.Sprintf("%s, %.1f MFLOP: %s", s.what, float64(s.product.FLOPs())/1e6, s.product)
}

func (s *productStep) run(r *run) {
	err := s.product.Run(r.ctx, r.pool, r.f32(s.dst), r.f32(s.x), r.f32(s.w), r.scratch, nil)
	if err != nil && r.err == nil {
		r.err = err
	}
}

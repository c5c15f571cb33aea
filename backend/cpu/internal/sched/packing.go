package sched

import (
	"fmt"

	"github.com/orrery-rl/orrery/backend/cpu/internal/relation"
)

// packStep prepares the second operand of several products, which then do not each
// prepare it for themselves: the weights of an unrolled loop are packed once.
type packStep struct {
	dst, w  *storage
	product *relation.Product // any of them
	users   int
}

func (s *packStep) reads() []*storage  { return []*storage{s.w} }
func (s *packStep) writes() []*storage { return []*storage{s.dst} }

func (s *packStep) String() string {
	return fmt.Sprintf("pack %d KiB of weights for %d products", s.dst.size>>8, s.users)
}

func (s *packStep) run(r *run) {
	if err := s.product.Pack(r.ctx, r.pool, r.f32(s.dst), r.f32(s.w)); err != nil && r.err == nil {
		r.err = err
	}
}

// packed names one packed form of one operand.
type packed struct {
	w    *storage
	form string
}

// sharePacking puts a packStep before the first of all products that pack the same
// operand in the same way. A storage is written before anything reads it and never
// again, so what was packed stays true.
func sharePacking(steps []step, alloc func(size int, isBool bool) *storage) []step {
	users := map[packed][]*productStep{}
	for _, s := range steps {
		if p, ok := s.(*productStep); ok && p.product.PackedSize() > 0 {
			key := packed{p.w, p.product.Packing()}
			users[key] = append(users[key], p)
		}
	}
	var out []step
	for _, s := range steps {
		p, ok := s.(*productStep)
		if !ok || p.product.PackedSize() == 0 || p.packed != nil {
			out = append(out, s)
			continue
		}
		if group := users[packed{p.w, p.product.Packing()}]; len(group) > 1 {
			pack := &packStep{dst: alloc(p.product.PackedSize(), false), w: p.w, product: p.product, users: len(group)}
			for _, user := range group {
				user.packed = pack.dst
			}
			out = append(out, pack)
		}
		out = append(out, s)
	}
	return out
}

// scratchSize is how many floats the products of a schedule need beside the arena.
func scratchSize(steps []step) int {
	size := 0
	for _, s := range steps {
		if p, ok := s.(*productStep); ok {
			size = max(size, p.scratch())
		}
	}
	return size
}

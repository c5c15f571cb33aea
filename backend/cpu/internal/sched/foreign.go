package sched

import (
	"fmt"

	"github.com/orrery-rl/orrery/backend/cpu/internal/ir"
)

// foreignStep is an operation that is computed elsewhere.
type foreignStep struct {
	dst  *storage
	in   []view // dense
	call ir.Call
}

func (s *foreignStep) reads() []*storage {
	var out []*storage
	for _, v := range s.in {
		out = append(out, v.st)
	}
	return out
}

func (s *foreignStep) writes() []*storage { return []*storage{s.dst} }
func (s *foreignStep) String() string     { return fmt.Sprintf("%s, by the reference", s.call.Name()) }

func (s *foreignStep) run(r *run) {
	operands := make([]ir.Memory, len(s.in))
	for i, v := range s.in {
		operands[i] = r.memory(v.st, v.off, v.size())
	}
	if err := s.call.Run(operands, r.memory(s.dst, 0, s.dst.size)); err != nil && r.err == nil {
		r.err = fmt.Errorf("%s: %w", s.call.Name(), err)
	}
}

// memory is a part of a storage.
func (r *run) memory(st *storage, off, size int) ir.Memory {
	if st.isBool {
		return ir.Memory{Bytes: r.bytes(st)[off:][:size]}
	}
	return ir.Memory{Float32: r.f32(st)[off:][:size]}
}

func (l *lowering) lowerForeign(n *ir.Node) {
	s := &foreignStep{dst: l.alloc(n.Size(), n.Bool), call: n.Foreign}
	for _, x := range n.In {
		v := l.view(x)
		if !v.contiguous() {
			v = l.materialise(v, n.Foreign.Name())
		}
		s.in = append(s.in, v)
	}
	l.steps = append(l.steps, s)
	l.views[n] = dense(s.dst, n.Dims)
}

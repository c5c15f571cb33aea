package fuse

import (
	"context"
	"sync"
)

// taskElements is about how many elements one task has: enough to make handing it out cheap,
// few enough that its memory stays in the second-level cache.
const taskElements = 1 << 14

// Parallel runs a program on all workers of a pool. It may be used by several goroutines.
type Parallel struct {
	program *Program
	scratch sync.Pool // *[]float32
}

// NewParallel returns a runner of p.
func NewParallel(p *Program) *Parallel {
	r := &Parallel{program: p}
	r.scratch.New = func() any {
		s := make([]float32, p.ScratchLen())
		return &s
	}
	return r
}

// Run computes n elements of every output; see [Program.Run]. The error says what does not
// fit, or is that of the context, after which outputs are undefined.
func (r *Parallel) Run(ctx context.Context, pool Pool, inputs, outputs []Ref, n int) error {
	if err := r.program.Check(inputs, outputs, n); err != nil {
		return err
	}
	tasks := (n + taskElements - 1) / taskElements
	return pool.Run(ctx, tasks, func(task, _ int) {
		scratch := r.scratch.Get().(*[]float32)
		r.program.Run(*scratch, inputs, outputs, task*taskElements, min(n, (task+1)*taskElements))
		r.scratch.Put(scratch)
	})
}

// Package relation plans and runs convolutions and matrix products of f32 tensors on the
// tiles of package kernel.
//
// # One relation
//
// Along a spatial axis a convolution relates three positions, of its input (h), its
// kernel (k) and its output (o):
//
//	inputDilation*h = stride*o + kernelDilation*k - padLow
//
// The forward pass, the gradient of the input, the gradient of the kernel and the
// transposed convolution are all sums over such triples; they differ in the numbers and
// in which tensor plays which part. The planner therefore knows no directions: it takes
// sizes, element strides and this relation, lists the triples once, and emits for every
// tile of the output a table of [kernel.Segment]. Triples that fall outside of a tensor
// are not in the table, so borders cost nothing and nothing is padded or copied to
// columns. A matrix product is the case of one position per axis.
//
// # Two loop orders
//
// Both walk [problem], in which the left operand supplies rows and the right one
// columns. A [mapPlan] serves outputs that are large compared with the right operand
// (forward passes, input gradients, products with weights): it packs the right operand
// and finishes each block of images before the next. A [reducePlan] serves outputs that
// are small compared with what is summed (kernel gradients): it keeps partial outputs
// and streams blocks of the contraction past them.
//
// # Precision
//
// Where the table has bfloat16 kernels, large products round both operands to pairs of
// bfloat16 on the way into the cache and add up in f32. A pair is a word of the size of
// a float, so that the loops above run unchanged over half as many steps.
//
// Results do not depend on scheduling: every element is summed in an order that the
// sizes alone fix, whatever the number of workers.
package relation

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
)

// ErrUnsupported is wrapped by errors about operations that this package does not take;
// the caller should fall back to another implementation.
var ErrUnsupported = errors.New("relation: unsupported operation")

// Pool runs tasks 0..tasks-1, each once, on workers 0..Workers()-1, and returns when all
// have ended or ctx is done. No two tasks run on one worker at the same time.
type Pool interface {
	Run(ctx context.Context, tasks int, f func(task, worker int)) error
	Workers() int
}

// Epilogue is called with element ranges [lo, hi) of the output that are final and
// recently written, on the worker that is to process them. The ranges of one run cover
// each element of a dense output once. The output may be any permutation of the axes of
// a dense tensor, but not have gaps.
type Epilogue func(worker, lo, hi int)

// Product is a planned convolution or matrix product, made by [NewConv] or [NewDot]. It
// may be run by several goroutines at once.
type Product struct {
	problem *problem
	plan    plan
	tile    int // floats of the largest tile
	workers int

	mu   sync.Mutex
	idle []*call // kept, so that Run does not allocate
}

// plan is a loop order with its tables.
type plan interface {
	// scratch is the number of floats that a run needs, without alignment and the
	// packed operand.
	scratch() int
	// packing names the packed form of the right operand and says how many floats it
	// has; 0 if the operand is read in place.
	packing() (key string, size int)
	// packPhase is the step that packs it.
	packPhase(c *call) phase
	// phases returns the steps of a run of c; they run one after another.
	phases(c *call) []phase
	// String describes the strategy in one line.
	String() string
}

// phase is one step of a run: tasks that may run at the same time.
type phase struct {
	tasks int
	run   func(task, worker int)
}

// lineFloats is a cache line in floats; scratch memory is aligned to it.
const lineFloats = 16

// newProduct chooses the plan for p.
func newProduct(t *kernel.Table, p *problem, workers int) (*Product, error) {
	pr := &Product{problem: p, tile: tileFloats(t), workers: workers}
	if reduce, ok := orientReduce(&t.Gemm, p); ok {
		pr.problem = reduce
		pr.plan = newReducePlan(t, reduce, workers)
	} else {
		m, err := newMapPlan(t, p, workers)
		if err != nil {
			return nil, err
		}
		pr.plan = m
	}
	return pr, nil
}

// FLOPs returns the number of floating-point operations of a run, two per product that
// contributes to the output.
func (p *Product) FLOPs() int64 { return p.problem.flops() }

// Scratch returns how many floats Run needs as scratch memory, and RunPacked without
// the packed operand.
func (p *Product) Scratch() int { return p.scratch() + p.PackedSize() }

func (p *Product) scratch() int {
	if n := p.plan.scratch(); n > 0 {
		return n + lineFloats
	}
	return 0
}

// PackedSize returns how many floats Pack fills; 0 for products that read their second
// operand in place.
func (p *Product) PackedSize() int {
	if _, n := p.plan.packing(); n > 0 {
		return n + lineFloats
	}
	return 0
}

// Packing names the form that Pack gives the second operand. Products of the same name
// and operand can share what one of them packed.
func (p *Product) Packing() string {
	key, _ := p.plan.packing()
	return key
}

// String describes the chosen strategy in one line.
func (p *Product) String() string { return p.plan.String() }

// Run computes dst from x and w: the output from the input and the kernel of a
// convolution, or C from A and B of a matrix product. dst must not overlap the others.
// scratch needs Scratch() floats and comes back with unspecified contents; epilogue may
// be nil. Operands that begin at a cache line are faster. After an error (a slice that
// is too short, or that of the pool) dst is undefined.
func (p *Product) Run(ctx context.Context, pool Pool, dst, x, w, scratch []float32, epilogue Epilogue) error {
	n := p.PackedSize()
	if len(scratch) < p.Scratch() {
		return fmt.Errorf("relation: scratch has %d elements, needs at least %d", len(scratch), p.Scratch())
	}
	if n > 0 {
		if err := p.Pack(ctx, pool, scratch[:n], w); err != nil {
			return err
		}
	}
	return p.RunPacked(ctx, pool, dst, x, w, scratch[:n], scratch[n:], epilogue)
}

// Pack prepares the second operand w for RunPacked in packed, PackedSize() floats.
func (p *Product) Pack(ctx context.Context, pool Pool, packed, w []float32) error {
	if p.PackedSize() == 0 {
		return nil
	}
	if len(w) < p.problem.right.end || len(packed) < p.PackedSize() {
		return fmt.Errorf("relation: packing %d elements into %d, needs %d and %d", len(w), len(packed), p.problem.right.end, p.PackedSize())
	}
	c := p.take()
	defer p.put(c)
	c.staff(pool.Workers())
	c.right, c.packed = w, alignLine(packed)
	return p.run(ctx, pool, c.pack)
}

// RunPacked is Run with the second operand packed already, by a product of the same
// Packing. scratch needs Scratch()-PackedSize() floats.
func (p *Product) RunPacked(ctx context.Context, pool Pool, dst, x, w, packed, scratch []float32, epilogue Epilogue) error {
	if err := p.check(dst, x, w, packed, scratch); err != nil {
		return err
	}
	if n := pool.Workers(); n > p.workers {
		return fmt.Errorf("relation: a pool of %d workers for a product planned for %d", n, p.workers)
	}
	c := p.take()
	defer p.put(c)
	c.start(dst, x, w, scratch, epilogue, pool.Workers())
	c.packed = alignLine(packed)
	return p.run(ctx, pool, c.steps)
}

func (p *Product) run(ctx context.Context, pool Pool, steps []phase) error {
	for _, ph := range steps {
		if err := pool.Run(ctx, ph.tasks, ph.run); err != nil {
			return fmt.Errorf("relation: %w", err)
		}
	}
	return nil
}

// check refuses slices that the kernels would run past.
func (p *Product) check(dst, x, w, packed, scratch []float32) error {
	pr := p.problem
	if pr.swapped {
		x, w = w, x
	}
	for _, s := range []struct {
		name      string
		have, end int
	}{
		{"output", len(dst), pr.out.end},
		{"left operand", len(x), pr.left.end},
		{"right operand", len(w), pr.right.end},
		{"packed operand", len(packed), p.PackedSize()},
		{"scratch", len(scratch), p.scratch()},
	} {
		if s.have < s.end {
			return fmt.Errorf("relation: %s has %d elements, needs at least %d", s.name, s.have, s.end)
		}
	}
	return nil
}

// take returns an idle call, or a new one.
func (p *Product) take() *call {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		return newCall(p.tile, p.problem, p.plan)
	}
	c := p.idle[n-1]
	p.idle = p.idle[:n-1]
	return c
}

// put makes c idle.
func (p *Product) put(c *call) {
	c.end()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, c)
}

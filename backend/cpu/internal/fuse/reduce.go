package fuse

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
)

// ReduceOp is what a reduction does with the elements.
type ReduceOp uint8

// The reductions. Extremes are NaN if an element is. No elements give 0, -Inf and +Inf.
const (
	Sum ReduceOp = iota
	MaxOf
	MinOf
)

func (op ReduceOp) start() float64 {
	switch op {
	case MaxOf:
		return math.Inf(-1)
	case MinOf:
		return math.Inf(1)
	}
	return 0
}

func (op ReduceOp) combine(a, b float64) float64 {
	switch op {
	case MaxOf:
		return max(a, b)
	case MinOf:
		return min(a, b)
	}
	return a + b
}

// ReducePlan reduces a row-major float32 tensor along some of its axes. The tensor is seen as
//
//	[kept 0, reduced 0, kept 1, reduced 1, ..., last]
//
// with neighbours of one kind merged and the first and the last possibly absent. If the last
// is reduced, results are sums of rows; if it is kept, results are sums of columns.
//
// Sums add at most 64 elements in float32 one after another, or 4096 in many lanes, and all
// else in float64: the error stays below 1e-6 of the sum of magnitudes. The work is cut by the
// shape alone, so that results do not depend on the number of workers.
type ReducePlan struct {
	op       ReduceOp
	vec      *kernel.VecKernels
	producer *Program

	kept, reduced []axis // without last, outermost first
	last          int    // elements of the last group
	lastReduced   bool
	size          int // elements of the tensor
	results       int // elements of the result

	columns  int // neighbouring results computed together, a span
	wide     int // spans beside each other
	spans    int // all spans
	units    int // rows, or pieces of rows, that a span adds up
	parts    int // into how many the units are cut, each with private results
	work     sync.Pool
	partials sync.Pool // *[]float64: results of every part
}

// axis is a group of merged axes.
type axis struct{ size, stride int }

const (
	rowBlock    = 1 << 12 // elements of a row added at once
	columnBlock = 1 << 12 // columns of one task
	deepest     = 64      // rows added in float32 one after another
	partSize    = 1 << 16 // elements worth a part of their own
	maxParts    = 64
)

// NewReduce plans the reduction of a tensor of shape dims along axes. With a producer, its
// only output, float32, is the tensor, and is never stored.
func NewReduce(v *kernel.VecKernels, op ReduceOp, dims, axes []int, producer *Program) (*ReducePlan, error) {
	if op > MinOf {
		return nil, fmt.Errorf("%w reduction: operation %d", ErrInvalid, op)
	}
	if producer != nil && (len(producer.outputs) != 1 || producer.outputs[0].dtype != F32) {
		return nil, fmt.Errorf("%w reduction: the producer needs one output of float32", ErrInvalid)
	}
	reduced := make([]bool, len(dims))
	for _, a := range axes {
		if a < 0 || a >= len(dims) || reduced[a] {
			return nil, fmt.Errorf("%w reduction: axes %v of a tensor %v", ErrInvalid, axes, dims)
		}
		reduced[a] = true
	}
	if slices.ContainsFunc(dims, func(d int) bool { return d < 0 }) {
		return nil, fmt.Errorf("%w reduction: dimensions %v", ErrInvalid, dims)
	}
	p := &ReducePlan{op: op, vec: v, producer: producer}
	p.group(dims, reduced)
	p.cut()
	p.work.New = func() any { return newReducer(p) }
	p.partials.New = func() any {
		s := make([]float64, 0)
		if p.parts > 1 {
			s = make([]float64, p.parts*p.results)
		}
		return &s
	}
	return p, nil
}

// group merges axes into kept, reduced and last.
func (p *ReducePlan) group(dims []int, reduced []bool) {
	p.size, p.results, p.last = 1, 1, 1
	var groups []axis
	var kinds []bool
	for i, d := range slices.Backward(dims) {
		switch n := len(groups); {
		case d == 1:
		case n > 0 && kinds[n-1] == reduced[i]:
			groups[n-1].size *= d
		default:
			groups, kinds = append(groups, axis{d, p.size}), append(kinds, reduced[i])
		}
		p.size *= d
		if !reduced[i] {
			p.results *= d
		}
	}
	for i, g := range groups {
		switch {
		case i == 0:
			p.last, p.lastReduced = g.size, kinds[0]
		case kinds[i]:
			p.reduced = append([]axis{g}, p.reduced...)
		default:
			p.kept = append([]axis{g}, p.kept...)
		}
	}
}

// cut divides the work by the shape.
func (p *ReducePlan) cut() {
	kept, outer := count(p.kept), count(p.reduced)
	neighbours := p.neighbours()
	p.columns = min(neighbours, columnBlock)
	p.wide = ceilDiv(neighbours, max(1, p.columns))
	p.spans = kept * p.wide
	p.units = outer
	if p.lastReduced {
		p.units *= max(1, ceilDiv(p.last, rowBlock))
	}
	each := p.size / max(1, p.spans)
	p.parts = max(1, min(p.units, each/partSize, maxParts/max(1, p.spans)))
}

// neighbours is how many results lie beside each other for one element of kept.
func (p *ReducePlan) neighbours() int {
	if p.lastReduced {
		return 1
	}
	return p.last
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

func count(axes []axis) int {
	n := 1
	for _, a := range axes {
		n *= a.size
	}
	return n
}

// offset is where element i of the axes, counted row-major, lies.
func offset(axes []axis, i int) int {
	at := 0
	for _, a := range slices.Backward(axes) {
		at += i % a.size * a.stride
		i /= a.size
	}
	return at
}

// Results is the number of elements of the result.
func (p *ReducePlan) Results() int { return p.results }

// Run reduces the tensor, or what the producer makes of inputs, to dst in row-major order.
// Without a producer inputs is the tensor. The error says what does not fit, or is that of
// the context, after which dst is undefined.
func (p *ReducePlan) Run(ctx context.Context, pool Pool, dst []float32, inputs []Ref) error {
	if err := p.check(dst, inputs); err != nil || p.results == 0 {
		return err
	}
	partial := p.partials.Get().(*[]float64)
	defer p.partials.Put(partial)
	perTask := max(1, partSize/4*p.spans/max(1, p.size))
	batches := ceilDiv(p.spans, perTask)
	err := pool.Run(ctx, batches*p.parts, func(task, _ int) {
		w := p.work.Get().(*reducer)
		w.inputs = inputs
		part, first := task%p.parts, task/p.parts*perTask
		w.spans(first, min(p.spans, first+perTask), part, dst, *partial)
		w.inputs = nil
		p.work.Put(w)
	})
	if err != nil || p.parts == 1 {
		return err
	}
	p.join(dst, *partial)
	return nil
}

func (p *ReducePlan) check(dst []float32, inputs []Ref) error {
	if len(dst) < p.results {
		return fmt.Errorf("%w reduction: %d elements for %d results", ErrInvalid, len(dst), p.results)
	}
	if p.producer != nil {
		return p.producer.checkInputs(inputs, p.size)
	}
	if len(inputs) != 1 || len(inputs[0].F32) < p.size {
		return fmt.Errorf("%w reduction: one input of %d float32 is needed", ErrInvalid, p.size)
	}
	return nil
}

// finish stores the results of a span: in dst, or with those of its part.
func (p *ReducePlan) finish(acc []float64, span, part int, dst []float32, partial []float64) {
	at := span/p.wide*p.neighbours() + span%p.wide*p.columns
	if p.parts > 1 {
		copy(partial[part*p.results+at:], acc)
		return
	}
	for i, v := range acc {
		dst[at+i] = float32(v)
	}
}

// join combines the private results of all parts in order.
func (p *ReducePlan) join(dst []float32, partial []float64) {
	for i := range p.results {
		total := p.op.start()
		for part := range p.parts {
			total = p.op.combine(total, partial[part*p.results+i])
		}
		dst[i] = float32(total)
	}
}

// Package sched turns a graph into a fixed sequence of steps over one block of
// memory, and runs it.
package sched

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/orrery-rl/orrery/backend/cpu/internal/ir"
	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
	"github.com/orrery-rl/orrery/backend/cpu/internal/pool"
)

// grain is about how many element operations are worth a task of their own.
const grain = 1 << 14

// step is one entry of a schedule.
type step interface {
	run(r *run)
	reads() []*storage
	writes() []*storage
	String() string
}

// Program is a compiled graph. It may be run by several goroutines at once.
type Program struct {
	steps   []step
	arena   int // floats
	bytes   int // for booleans
	scratch int // floats for products
	table   *kernel.Table
	workers int
	outputs []Output
	inPlace []int

	mu        sync.Mutex
	idle      []*run
	profiling bool
	took      []time.Duration // by step, while or since profiling is on
}

// Output describes a result.
type Output struct {
	Size int
	Bool bool
}

// Buffers is memory of the caller.
type Buffers = ir.Memory

// Compile lowers the graph of the outputs. table provides the kernels and
// workers is the size of the pool that will run the program.
func Compile(outputs []*ir.Node, table *kernel.Table, workers int) (*Program, error) {
	l := &lowering{table: table, workers: workers, views: map[*ir.Node]view{}, member: map[*ir.Node]membership{}}
	nodes := ir.Live(outputs)
	for _, n := range nodes {
		if err := l.lower(n); err != nil {
			return nil, err
		}
	}
	p := &Program{table: table, workers: workers}
	for i, n := range outputs {
		p.outputs = append(p.outputs, Output{n.Size(), n.Bool})
		l.output(i, n)
	}
	l.closeAll(nodes)
	p.steps = l.steps
	for _, s := range p.steps {
		if c, ok := s.(*clusterStep); ok {
			c.finish()
		}
	}
	p.steps = sharePacking(fuseEpilogues(p.steps), l.alloc)
	p.scratch = scratchSize(p.steps)
	p.inPlace = inPlace(p.steps, len(outputs))
	p.arena, p.bytes = plan(p.steps, l.storages)
	return p, nil
}

// output makes result i the contents of n: computed in place where n has
// storage of its own, copied otherwise.
func (l *lowering) output(i int, n *ir.Node) {
	v := l.view(n)
	if v.st.kind == inArena && v.st.size == n.Size() && v.off == 0 && v.contiguous() {
		v.st.kind, v.st.index = isOutput, i
		return
	}
	st := l.alloc(n.Size(), n.Bool)
	st.kind, st.index = isOutput, i
	l.steps = append(l.steps, newCopy(dense(st, n.Dims), v, "output"))
}

// Outputs describes the results in order.
func (p *Program) Outputs() []Output { return p.outputs }

// InPlace returns, for each output, the number of an input of the same size
// whose memory may be given to Run for the output too, or -1. No input occurs
// twice. The input's elements are then lost.
func (p *Program) InPlace() []int { return p.inPlace }

// Dump writes the schedule, one step a line.
func (p *Program) Dump(w io.Writer) error {
	for i, s := range p.steps {
		if _, err := fmt.Fprintf(w, "%5d  %s\n", i, s); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%d steps, %d MiB of intermediate results, %d MiB of scratch\n",
		len(p.steps), (4*p.arena+p.bytes)>>20, 4*p.scratch>>20)
	return err
}

// Run executes the program. inputs are numbered as the graph's parameters;
// outputs have the sizes of Outputs and overlap no inputs but those of InPlace.
func (p *Program) Run(ctx context.Context, workers *pool.Pool, inputs, outputs []Buffers) error {
	r := p.acquire()
	defer p.release(r)
	r.ctx, r.pool, r.inputs, r.outputs = ctx, workers, inputs, outputs
	if r.profiled {
		p.timed(r)
		return r.err
	}
	for _, s := range p.steps {
		if s.run(r); r.err != nil {
			return r.err
		}
	}
	return nil
}

func (p *Program) acquire() *run {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.idle); n > 0 {
		r := p.idle[n-1]
		p.idle = p.idle[:n-1]
		r.profiled = p.profiling
		return r
	}
	r := &run{
		profiled: p.profiling,
		vec:      &p.table.Vec, arena: make([]float32, p.arena), boolArena: make([]byte, p.bytes),
		scratch: make([]float32, p.scratch), evaluators: make([]evaluator, p.workers),
		wide: make([][wideRow]float32, p.workers),
	}
	r.task, r.finish = r.runTask, r.finishRange
	return r
}

func (p *Program) release(r *run) {
	r.ctx, r.inputs, r.outputs, r.part, r.err = nil, nil, nil, nil, nil
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, r)
}

// run is one execution: the memory of all intermediate results and the
// caller's buffers.
type run struct {
	ctx             context.Context
	pool            *pool.Pool
	vec             *kernel.VecKernels
	arena           []float32
	boolArena       []byte
	scratch         []float32
	inputs, outputs []Buffers
	evaluators      []evaluator
	wide            [][wideRow]float32 // one a worker, for reductions
	generation      int                // counts clusters, so that an evaluator knows a new one
	err             error
	profiled        bool // whether the time of each step is wanted

	// What the workers are doing. The functions are bound once: a closure for each
	// step would be an allocation.
	part         part
	items, tasks int
	task         func(task, worker int)
	finishing    *clusterStep
	finish       func(worker, lo, hi int)
}

// f32 returns the elements of a storage.
func (r *run) f32(st *storage) []float32 {
	switch st.kind {
	case isInput:
		return r.inputs[st.index].Float32
	case isOutput:
		return r.outputs[st.index].Float32
	case isConstant:
		return st.f32
	}
	return r.arena[st.index:][:st.size:st.size]
}

// bytes returns the elements of a boolean storage.
func (r *run) bytes(st *storage) []byte {
	switch st.kind {
	case isInput:
		return r.inputs[st.index].Bytes
	case isOutput:
		return r.outputs[st.index].Bytes
	case isConstant:
		return st.bools
	}
	return r.boolArena[st.index:][:st.size:st.size]
}

// part is a step whose work can be divided: part does items [lo, hi) of it.
type part interface {
	part(r *run, worker, lo, hi int)
}

// parallel divides items [0, n) of s into ranges of at least least each.
func (r *run) parallel(n, least int, s part) {
	if n <= least {
		if n > 0 {
			s.part(r, 0, 0, n)
		}
		return
	}
	tasks := min((n+least-1)/least, 16*r.pool.Workers())
	r.part, r.items, r.tasks = s, n, tasks
	if err := r.pool.Run(r.ctx, tasks, r.task); err != nil && r.err == nil {
		r.err = err
	}
}

// runTask does one of the ranges that parallel made.
func (r *run) runTask(task, worker int) {
	r.part.part(r, worker, task*r.items/r.tasks, (task+1)*r.items/r.tasks)
}

// evaluator returns a worker's evaluator, prepared for the current cluster.
func (r *run) evaluator(worker int, c *clusterStep) *evaluator {
	e := &r.evaluators[worker]
	if e.generation != r.generation {
		e.start(r, c)
		e.generation = r.generation
	}
	return e
}

// plan gives every storage in the arena a place, so that storages that are
// alive at the same time do not overlap, and returns the sizes of both arenas.
func plan(steps []step, storages []*storage) (floats, bytes int) {
	for _, st := range storages {
		st.first, st.last = -1, -1
	}
	for i, s := range steps {
		for _, st := range append(s.reads(), s.writes()...) {
			if st.first < 0 {
				st.first = i
			}
			st.last = i
		}
	}
	return place(storages, false), place(storages, true)
}

// align keeps every storage on a cache line of its own.
const align = 64

// place packs the storages of one type: longest first, each at the lowest
// place that is free during its whole life.
func place(storages []*storage, isBool bool) (size int) {
	var todo, placed []*storage
	for _, st := range storages {
		if st.kind == inArena && st.isBool == isBool && st.first >= 0 {
			todo = append(todo, st)
		}
	}
	slices.SortStableFunc(todo, func(a, b *storage) int { return cmp.Compare(b.size, a.size) })
	for _, st := range todo {
		st.index = lowestGap(placed, st)
		size = max(size, st.index+st.size)
		at, _ := slices.BinarySearchFunc(placed, st, func(a, b *storage) int { return cmp.Compare(a.index, b.index) })
		placed = slices.Insert(placed, at, st)
	}
	return size
}

// lowestGap finds the lowest place for st among those that live at the same
// time; placed is sorted by place.
func lowestGap(placed []*storage, st *storage) int {
	at := 0
	for _, other := range placed {
		if other.last < st.first || other.first > st.last {
			continue
		}
		if at+st.size <= other.index {
			return at
		}
		at = max(at, (other.index+other.size+align-1)/align*align)
	}
	return at
}

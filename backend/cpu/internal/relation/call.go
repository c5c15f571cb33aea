package relation

import (
	"unsafe"

	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
)

// call is one run in progress. Calls are reused; their steps are bound to them once.
type call struct {
	problem                   *problem
	tile                      int // floats of a worker's tile
	dst, left, right, scratch []float32
	packed                    []float32 // the packed right operand
	epilogue                  Epilogue
	workers                   []*worker
	pack, steps               []phase
}

// worker is what one worker of the pool owns during a call.
type worker struct {
	args  kernel.GemmArgs
	tile  []float32 // a few rows of NR elements on their way to a strided output or to words
	first int       // the image that the left operand of args begins with
}

// tileFloats is how much the largest tile of a table takes, and the rows of one that are
// packed at a time.
func tileFloats(t *kernel.Table) int {
	size := max(t.Gemm.MR, 2*wordRows) * t.Gemm.NR
	if t.Pairs != nil {
		size = max(size, t.Pairs.Gemm.MR*t.Pairs.Gemm.NR)
		if b := t.Pairs.Blocks; b != nil {
			size = max(size, max(b.MR, 2*wordRows)*b.NR)
		}
	}
	return size
}

// newCall makes a call for pl.
func newCall(tile int, p *problem, pl plan) *call {
	c := &call{problem: p, tile: tile}
	c.steps = pl.phases(c)
	if _, size := pl.packing(); size > 0 {
		c.pack = []phase{pl.packPhase(c)}
	}
	return c
}

// start points the call at the operands of one run.
func (c *call) start(dst, x, w, scratch []float32, epilogue Epilogue, workers int) {
	c.dst, c.left, c.right, c.epilogue = dst, x, w, epilogue
	if c.problem.swapped {
		c.left, c.right = w, x
	}
	c.scratch = alignLine(scratch)
	c.staff(workers)
}

// staff makes sure that the call has so many workers.
func (c *call) staff(workers int) {
	for len(c.workers) < workers {
		tile := make([]float32, c.tile+lineFloats)
		c.workers = append(c.workers, &worker{tile: alignLine(tile)})
	}
}

// end drops the references to the operands, which the caller may reuse.
func (c *call) end() {
	c.dst, c.left, c.right, c.scratch, c.packed, c.epilogue = nil, nil, nil, nil, nil, nil
	for _, w := range c.workers {
		w.args = kernel.GemmArgs{}
	}
}

// finish reports elements [lo, hi) of the output as final.
func (c *call) finish(worker, lo, hi int) {
	if c.epilogue != nil && lo < hi {
		c.epilogue(worker, lo, hi)
	}
}

// epiloguePhase runs the epilogue over the whole output, for plans whose tasks do not
// finish contiguous ranges.
func (c *call) epiloguePhase(workers int) phase {
	total := c.problem.out.end
	part := max(1<<14, (total+4*workers-1)/(4*workers))
	return phase{tasks: (total + part - 1) / part, run: func(task, worker int) {
		c.finish(worker, task*part, min((task+1)*part, total))
	}}
}

// alignLine drops the elements of s before its first cache line; vector loads that
// straddle lines cost twice as much.
func alignLine(s []float32) []float32 {
	addr := uintptr(unsafe.Pointer(unsafe.SliceData(s)))
	skip := int(-addr%(4*lineFloats)) / 4
	return s[min(skip, len(s)):]
}

package cpu

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
	"github.com/orrery-rl/orrery/backend/cpu/internal/sched"
)

// Step describes one step of a schedule: its operation, FLOPs, bytes, and the
// shortest time it took while profiling was on.
type Step = sched.Step

// Steps describes the schedule in order; it is empty unless the graph is Native.
func (e *Executable) Steps() []Step {
	if e.program == nil {
		return nil
	}
	return e.program.Steps()
}

// Profile starts to measure the time of each step anew, or stops. It does
// nothing unless the graph is Native.
func (e *Executable) Profile(on bool) {
	if e.program != nil {
		e.program.Profile(on)
	}
}

// Memory is the size in bytes of one execution's intermediate results, and of
// the scratch memory of its products; zero unless the graph is Native.
func (e *Executable) Memory() (arena, scratch int64) {
	if e.program == nil {
		return 0, 0
	}
	return e.program.Memory()
}

// Memory is how many bytes the graphs compiled so far take together when each
// has been executed: intermediate results and scratch memory, which stay with
// them. Graphs that are left to the reference backend do not count.
func (b *Backend) Memory() int64 { return b.memory.Load() }

// Threads is the number of workers.
func (b *Backend) Threads() int { return b.pool.Workers() }

// Path names the family of kernels in use.
func (b *Backend) Path() string { return b.table.Path.String() }

// peakSteps is the length of the contraction that MeasurePeak repeats: its
// operands stay in the first-level cache.
const peakSteps = 128

// MeasurePeak runs the matrix kernel of large products, in the backend's
// precision, on operands in the first-level cache, on the given number of threads
// for about the given time, and returns the FLOP/s of all of them together, a
// multiply-add counted as two: what no product of this backend can exceed here.
func (b *Backend) MeasurePeak(ctx context.Context, threads int, d time.Duration) (float64, error) {
	if threads < 1 || d <= 0 {
		return 0, fmt.Errorf("cpu: measure peak on %d threads for %v: both must be positive", threads, d)
	}
	gemm, perStep := &b.table.Gemm, 1.0
	if b.table.Pairs != nil {
		gemm, perStep = &b.table.Pairs.Gemm, 2
		if blocks := b.table.Pairs.Blocks; blocks != nil {
			gemm = blocks
		}
	}
	var workers sync.WaitGroup
	rates := make([]float64, threads)
	for i := range rates {
		workers.Go(func() { rates[i] = perStep * tileRate(ctx, gemm, d) })
	}
	workers.Wait()
	sum := 0.0
	for _, r := range rates {
		sum += r
	}
	return sum, ctx.Err()
}

// tileRate is the FLOP/s of one thread, if a step is one multiply-add.
func tileRate(ctx context.Context, k *kernel.GemmKernels, d time.Duration) float64 {
	g := &kernel.GemmArgs{
		A: ones(k.MR * peakSteps), B: ones(peakSteps * k.NR), C: make([]float32, k.MR*k.NR),
		ARow: peakSteps, AK: 1, BK: k.NR, CRow: k.NR, Segs: []kernel.Segment{{K: peakSteps}},
	}
	const calls = 100 // between looks at the clock
	k.Begin(g)
	defer k.End(g)
	flops, start := 0.0, time.Now()
	for time.Since(start) < d && ctx.Err() == nil {
		for range calls {
			k.Tile(g, k.MR, k.NR)
		}
		flops += calls * 2 * float64(k.MR*k.NR*peakSteps)
	}
	return flops / time.Since(start).Seconds()
}

func ones(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = 1
	}
	return x
}

// Package cpu is a GoMLX backend that runs graphs on the processor: pure Go and
// Go assembly, no cgo. See the README beside this file for how it works.
//
// Graphs on float32 and boolean tensors of fixed shape are compiled to a fixed
// schedule of fused vector loops and blocked products. An operation it does not
// know is run by GoMLX's reference backend in its place in the schedule; a graph
// with other element types, or with functions, is run by the reference as a
// whole. So every graph runs.
package cpu

import (
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"

	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
	"github.com/orrery-rl/orrery/backend/cpu/internal/pool"
)

// Name is the name of the backend.
const Name = "cpu"

// Config is how a backend uses the machine. The zero value is a good choice.
type Config struct {
	// Threads is the number of workers; 0 takes one per processor. Results do
	// not depend on it.
	Threads int
	// Path forces a family of kernels: generic, avx2, avx512 or amx; empty or auto
	// takes the fastest this CPU has.
	Path string
	// Precision is that of large products: f32, bf16 (operands rounded to bfloat16, sums
	// in float32; an error where the kernels have none), or auto, the default: bf16 where
	// the kernels are those of AMX, else f32. Everything else is computed in float32.
	Precision string
	// Log is told when a graph is left to the reference backend; nil discards it.
	Log *slog.Logger
}

// Backend implements compute.Backend. It is safe for concurrent use; programs
// that run at the same time take turns on the workers, operation by operation.
type Backend struct {
	table     *kernel.Table
	pool      *pool.Pool
	reference compute.Backend
	log       *slog.Logger
	finalized atomic.Bool
	memory    atomic.Int64 // see Memory
}

var _ compute.Backend = (*Backend)(nil)

// New starts a backend. Finalize releases its workers.
func New(cfg Config) (*Backend, error) {
	path := kernel.Detect()
	if cfg.Path != "" && cfg.Path != "auto" {
		var err error
		if path, err = kernel.ParsePath(cfg.Path); err != nil {
			return nil, fmt.Errorf("cpu: %w", err)
		}
	}
	table, err := kernel.New(path)
	if err != nil {
		return nil, fmt.Errorf("cpu: %w", err)
	}
	if table, err = withPrecision(table, cfg.Precision); err != nil {
		return nil, err
	}
	if cfg.Threads < 0 {
		return nil, fmt.Errorf("cpu: %d threads; it must be at least 1, or 0 for one per processor", cfg.Threads)
	}
	if cfg.Threads == 0 {
		cfg.Threads = runtime.GOMAXPROCS(0)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	reference, err := gobackend.New("")
	if err != nil {
		return nil, fmt.Errorf("cpu: reference backend: %w", err)
	}
	return &Backend{table: table, pool: pool.New(cfg.Threads), reference: reference, log: cfg.Log}, nil
}

// DetectPath names the fastest family of kernels that this CPU has.
func DetectPath() string { return kernel.Detect().String() }

// Name implements compute.Backend.
func (b *Backend) Name() string { return Name }

// String implements compute.Backend.
func (b *Backend) String() string { return Name }

// Description says which kernels and how many threads are used.
func (b *Backend) Description() string {
	return fmt.Sprintf("cpu backend, %s kernels, %s products, %d threads", b.table.Path, b.Precision(), b.pool.Workers())
}

// NumDevices is 1.
func (b *Backend) NumDevices() int { return 1 }

// DeviceDescription is Description.
func (b *Backend) DeviceDescription(compute.DeviceNum) string { return b.Description() }

// Capabilities are those of the reference backend, which runs what this one
// does not compile.
func (b *Backend) Capabilities() compute.Capabilities { return b.reference.Capabilities() }

// Builder starts a new computation.
func (b *Backend) Builder(name string) compute.Builder {
	builder := &Builder{Builder: b.reference.Builder(name), backend: b}
	builder.main = newFunction(builder, builder.Builder.Main())
	return builder
}

// BufferFromFlatData copies a slice into a new buffer.
func (b *Backend) BufferFromFlatData(device compute.DeviceNum, flat any, shape shapes.Shape) (compute.Buffer, error) {
	return b.wrap(b.reference.BufferFromFlatData(device, flat, shape))
}

// HasSharedBuffers is true: buffers are Go slices.
func (b *Backend) HasSharedBuffers() bool { return true }

// NewSharedBuffer returns a buffer and the slice that is its memory.
func (b *Backend) NewSharedBuffer(device compute.DeviceNum, shape shapes.Shape) (compute.Buffer, any, error) {
	inner, flat, err := b.reference.NewSharedBuffer(device, shape)
	if err != nil {
		return nil, nil, err
	}
	return &Buffer{Buffer: inner, backend: b}, flat, nil
}

// Finalize ends the workers and waits for them. Buffers and executables must
// not be used afterwards.
func (b *Backend) Finalize() {
	if !b.finalized.Swap(true) {
		b.pool.Close()
		b.reference.Finalize()
	}
}

// IsFinalized reports whether Finalize was called.
func (b *Backend) IsFinalized() bool { return b.finalized.Load() }

func (b *Backend) wrap(inner compute.Buffer, err error) (compute.Buffer, error) {
	if err != nil {
		return nil, err
	}
	return &Buffer{Buffer: inner, backend: b}, nil
}

// Paths names the families of kernels that this CPU has, slowest first.
func Paths() []string {
	var names []string
	for _, p := range kernel.Available() {
		names = append(names, p.String())
	}
	return names
}

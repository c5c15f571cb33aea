package bench

import (
	"context"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/orrery-rl/orrery/backend/cpu"
)

// Machine is what ran a measurement, and what it can do at most.
type Machine struct {
	CPU   string `json:"cpu"` // the model's name, if the system tells
	OS    string `json:"os"`
	Arch  string `json:"arch"`
	Cores int    `json:"cores"` // that this process may use
	Go    string `json:"go"`
	Path  string `json:"path"` // family of kernels
	// Precision is that of large products, f32 or bf16.
	Precision string `json:"precision"`
	// Threads is what the limits of All were measured with.
	Threads int `json:"threads"`
	// One and All are the limits of one thread and of all together, zero if they
	// were not measured.
	One Limits `json:"one_thread"`
	All Limits `json:"all_threads"`
}

// Limits is what threads can do at most.
type Limits struct {
	// FLOPS is multiply-adds of the matrix kernel on data in the first-level
	// cache, two operations each, a second.
	FLOPS float64 `json:"flops"`
	// Read, Write and Copy are bytes a second of memory far beyond the caches;
	// Copy counts what is read and what is written.
	Read  float64 `json:"read"`
	Write float64 `json:"write"`
	Copy  float64 `json:"copy"`
}

// MachineConfig is how thoroughly a machine is measured.
type MachineConfig struct {
	// Each is how long one limit is measured; there are eight. 0 measures none.
	Each time.Duration
	// Bytes is the size of the two buffers that bandwidth is measured with; it
	// should be many times that of the caches.
	Bytes int
}

// DefaultMachineConfig takes two to three seconds and 512 MiB.
func DefaultMachineConfig() MachineConfig {
	return MachineConfig{Each: 300 * time.Millisecond, Bytes: 256 << 20}
}

// MeasureMachine measures the limits of one thread and of all threads of b. The
// memory that it takes does not show in the peak of later measurements.
func MeasureMachine(ctx context.Context, b *cpu.Backend, cfg MachineConfig, report Report) (Machine, error) {
	m := Machine{
		CPU: cpuName(), OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.GOMAXPROCS(0),
		Go: runtime.Version(), Path: b.Path(), Precision: b.Precision(), Threads: b.Threads(),
	}
	if cfg.Each <= 0 {
		return m, nil
	}
	report.say("measuring the machine: %d threads, %s kernels", m.Threads, m.Path)
	defer forgetPeak()
	memory := newMemory(cfg.Bytes)
	var err error
	if m.One, err = limits(ctx, b, memory, 1, cfg.Each); err != nil {
		return m, err
	}
	if m.All = m.One; m.Threads > 1 {
		m.All, err = limits(ctx, b, memory, m.Threads, cfg.Each)
	}
	return m, err
}

func limits(ctx context.Context, b *cpu.Backend, memory memory, threads int, d time.Duration) (l Limits, err error) {
	if l.FLOPS, err = b.MeasurePeak(ctx, threads, d); err != nil {
		return l, err
	}
	l.Read = memory.rate(ctx, threads, d, readPiece)
	l.Write = memory.rate(ctx, threads, d, writePiece)
	l.Copy = 2 * memory.rate(ctx, threads, d, copyPiece)
	return l, ctx.Err()
}

// cpuName is the processor's model name, or its architecture when the system
// does not tell.
func cpuName() string {
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				return strings.TrimSpace(value)
			}
		}
	}
	return runtime.GOARCH
}

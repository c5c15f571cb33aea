package bench

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// peakMemory is the most memory in bytes that this process has had resident, or
// where the system does not tell, what the Go runtime has taken from it.
func peakMemory() int64 {
	if status, err := os.ReadFile("/proc/self/status"); err == nil {
		for line := range strings.Lines(string(status)) {
			if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmHWM:" {
				if kib, err := strconv.ParseInt(fields[1], 10, 64); err == nil {
					return kib << 10
				}
			}
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys)
}

// forgetPeak returns memory that is not used to the system, and makes Linux
// forget the most that was resident; others do not offer it, so that their peak
// includes what came before.
func forgetPeak() {
	debug.FreeOSMemory()
	if f, err := os.OpenFile("/proc/self/clear_refs", os.O_WRONLY, 0); err == nil {
		defer f.Close()
		_, _ = f.WriteString("5")
	}
}

// usage is what the process has used up to a moment, or between two.
type usage struct {
	count, bytes uint64 // allocated on the Go heap
	cpu, wall    time.Duration
	at           time.Time
}

func used() usage {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{count: m.Mallocs, bytes: m.TotalAlloc, cpu: cpuTime(), at: time.Now()}
}

func (u usage) since(before usage) usage {
	return usage{count: u.count - before.count, bytes: u.bytes - before.bytes, cpu: u.cpu - before.cpu, wall: u.at.Sub(before.at)}
}

// Process is what a process used while something was measured.
type Process struct {
	// AllocCount and AllocBytes are what one repetition allocates on the Go heap.
	AllocCount uint64 `json:"alloc_count"`
	AllocBytes uint64 `json:"alloc_bytes"`
	// PeakMemory is the most bytes that were resident by then.
	PeakMemory int64 `json:"peak_memory"`
	// Cores is processor time by time: how many cores the process really had. On
	// a machine with other work it is less than the threads that it keeps busy.
	Cores float64 `json:"cores"`
}

// process describes count repetitions since before.
func process(before usage, count int) Process {
	u, n := used().since(before), uint64(count)
	return Process{AllocCount: u.count / n, AllocBytes: u.bytes / n, PeakMemory: peakMemory(), Cores: per(u.cpu.Seconds(), u.wall.Seconds())}
}

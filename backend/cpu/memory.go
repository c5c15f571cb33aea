package cpu

import (
	"unsafe"

	"github.com/orrery-rl/orrery/backend/cpu/internal/sched"
)

// memory is the slice of a buffer as programs see it. A Go bool is one byte that
// is 0 or 1.
func memory(flat any) sched.Buffers {
	switch data := flat.(type) {
	case []float32:
		return sched.Buffers{Float32: data}
	case []bool:
		return sched.Buffers{Bytes: unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(data))), len(data))}
	}
	return sched.Buffers{}
}

//go:build !unix

package bench

import "time"

// cpuTime is the processor time that this process has had; 0: unknown here.
func cpuTime() time.Duration { return 0 }

package cpu_test

import (
	"testing"

	"github.com/gomlx/compute/support/backendtest"

	"github.com/orrery-rl/orrery/backend/cpu"
)

// TestCompliance runs GoMLX's own suite on every path of this CPU.
func TestCompliance(t *testing.T) {
	for _, path := range cpu.Paths() {
		t.Run(path, func(t *testing.T) {
			b, err := cpu.New(cpu.Config{Path: path})
			if err != nil {
				t.Fatal(err)
			}
			defer b.Finalize()
			backendtest.RunAll(t, b, nil)
		})
	}
}

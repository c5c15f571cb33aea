//go:build mujoco

package mujoco

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/env"
)

// residentPages is how much memory this process has.
func residentPages(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("this system does not tell how much memory a process has: no /proc/self/statm; CI runs on Linux, which has it")
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// The garbage collector knows nothing of models, states and pictures. If one of them is
// forgotten, every copy adds to what the process has: the median of what copies add tells
// that from allocators, which now and then take tens of megabytes for later.
func TestClosedEnvironmentsLeaveNothing(t *testing.T) {
	const warm, copies = 8, 15
	var added []int
	for i, before := 0, 0; i < warm+copies; i++ {
		e, err := registered(t).New("dmc/pendulum-swingup:render=fast", env.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := play(e, 1, 1); err != nil {
			t.Fatal(err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		now := residentPages(t)
		if i >= warm {
			added = append(added, now-before)
		}
		before = now
	}
	slices.Sort(added)
	// One copy has 12 MB for the model alone, and as much for its pictures.
	median := float64(added[copies/2]) * float64(os.Getpagesize()) / 1e6
	t.Logf("%.2f MB a copy remain; pages %v", median, added)
	if median > 1 {
		t.Errorf("%.1f MB a copy remain", median)
	}
}

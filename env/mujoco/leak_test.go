//go:build mujoco

package mujoco

import (
	"os"
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
		t.Skip("this system does not tell how much memory a process has")
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// The garbage collector knows nothing of models, states and pictures.
func TestClosedEnvironmentsLeaveNothing(t *testing.T) {
	const warm, copies = 5, 15
	var before int
	for i := range warm + copies {
		if i == warm {
			before = residentPages(t)
		}
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
	}
	// One copy has 12 MB for the model alone, and as much for its pictures; the
	// allocator keeps some.
	grown := float64(residentPages(t)-before) * float64(os.Getpagesize()) / copies / 1e6
	t.Logf("%.2f MB a copy remain", grown)
	if grown > 6 {
		t.Errorf("%.1f MB a copy remain", grown)
	}
}

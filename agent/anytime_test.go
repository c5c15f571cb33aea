package agent_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/orrery-rl/orrery/plan"
)

// With time for all of it, a search in pieces returns the bits of a search in one
// graph, decision after decision; with no time it returns what one iteration found.
func TestAnytimePlanIsThePlan(t *testing.T) {
	for _, method := range plan.Methods() {
		f := newFixture(t)
		f.plan.Method = method
		episode := func(deadline float64, iterations int) [][][]float32 {
			g := *f
			g.plan.DeadlineMS, g.plan.Iterations = deadline, iterations
			a := g.agent(t, 2, 0)
			begin(t, a, 1, 2)
			var out [][][]float32
			for i := range uint64(3) {
				out = append(out, act(t, a, picture(i), picture(i+10)))
			}
			return out
		}
		const hour, instant = 3.6e6, 1e-6
		if diff := cmp.Diff(episode(0, 3), episode(hour, 3)); diff != "" {
			t.Errorf("%s: the plan in pieces differs (-whole +pieces):\n%s", method, diff)
		}
		if method == plan.ICEM {
			continue // its iterations depend on their number
		}
		if diff := cmp.Diff(episode(0, 1), episode(instant, 3)); diff != "" {
			t.Errorf("%s: without time (-one iteration +no time):\n%s", method, diff)
		}
	}
}

// A plan that would take seconds ends soon after its deadline.
func TestDeadlineIsKept(t *testing.T) {
	f := newFixture(t)
	f.plan.Iterations, f.plan.DeadlineMS = 1000, 20
	a := f.agent(t, 1, 0)
	begin(t, a, 1)
	act(t, a, picture(1))
	start := time.Now()
	act(t, a, picture(2))
	if took := time.Since(start); took > time.Second {
		t.Errorf("a decision with a deadline of 20 ms took %v", took)
	}
}

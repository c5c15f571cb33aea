package agent_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/plan"
)

// With time for all of it, a search in pieces returns the bits of a search in one
// graph, decision after decision; with no time it returns what one iteration found.
func TestAnytimePlanIsThePlan(t *testing.T) {
	for _, method := range plan.Methods() {
		f := newFixture(t)
		f.plan.Method = method
		episode := func(deadline time.Duration, iterations int) [][][]float32 {
			g := *f
			g.plan.Deadline, g.plan.Iterations = deadline, iterations
			a := g.agent(t, 2, 0)
			begin(t, a, 1, 2)
			var out [][][]float32
			for i := range uint64(3) {
				out = append(out, act(t, a, picture(i), picture(i+10)))
			}
			return out
		}
		const hour, instant = time.Hour, time.Nanosecond
		if diff := cmp.Diff(episode(0, 3), episode(hour, 3)); diff != "" {
			t.Errorf("%s: the plan in pieces differs (-whole +pieces):\n%s", method, diff)
		}
		if method == plan.ICEM {
			continue // its only iteration is its last, which is different
		}
		// The first decision: later ones go on with other random numbers.
		if diff := cmp.Diff(episode(0, 1)[0], episode(instant, 3)[0]); diff != "" {
			t.Errorf("%s: without time (-one iteration +no time):\n%s", method, diff)
		}
	}
}

// A plan that would take seconds ends soon after its deadline.
func TestDeadlineIsKept(t *testing.T) {
	f := newFixture(t)
	f.plan.Iterations, f.plan.Deadline = 1000, 20*time.Millisecond
	a := f.agent(t, 1, 0)
	begin(t, a, 1)
	act(t, a, picture(1))
	start := time.Now()
	act(t, a, picture(2))
	if took := time.Since(start); took > time.Second {
		t.Errorf("a decision with a deadline of 20 ms took %v", took)
	}
}

// The deadline of a context is one of the search: far away it changes no bit, and
// when it passes in the middle the decision is the best so far, not an error.
func TestContextDeadlineEndsTheSearch(t *testing.T) {
	f := newFixture(t)
	first := func(ctx context.Context, iterations int) [][]float32 {
		g := *f
		g.plan.Iterations = iterations
		a := g.agent(t, 1, 0)
		begin(t, a, 1)
		out, err := a.Act(ctx, []env.Observation{picture(1)})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	far, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if diff := cmp.Diff(first(t.Context(), 3), first(far, 3)); diff != "" {
		t.Errorf("a deadline far away changes the plan (-none +far):\n%s", diff)
	}

	f.plan.Iterations, f.plan.Deadline = 1000, time.Hour // the context's is earlier
	a := f.agent(t, 1, 0)
	begin(t, a, 1)
	near, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := a.Act(near, []env.Observation{picture(2)}); err != nil {
		t.Errorf("deadline in the middle of the search: %v", err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("a decision with a deadline of 30 ms took %v", took)
	}
}

// A deadline that is over before the search begins still leaves time for the
// observation and one iteration, and the next decision knows what was seen.
func TestPassedDeadlineLeavesOneIteration(t *testing.T) {
	f := newFixture(t)
	second := func(ctx context.Context) [][]float32 {
		g := *f
		g.plan.Iterations = 1
		a := g.agent(t, 1, 0)
		begin(t, a, 1)
		if _, err := a.Act(ctx, []env.Observation{picture(1)}); err != nil {
			t.Fatal(err)
		}
		return act(t, a, picture(2))
	}
	passed, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if diff := cmp.Diff(second(t.Context()), second(passed)); diff != "" {
		t.Errorf("one iteration with and without time (-with +without):\n%s", diff)
	}
}

func TestCancelledPlansFail(t *testing.T) {
	f := newFixture(t)
	f.plan.Deadline = time.Hour
	a := f.agent(t, 1, 0)
	begin(t, a, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Act(ctx, []env.Observation{picture(1)}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

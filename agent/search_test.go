package agent_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/plan"
)

// TestShownSearchIsTheSearch: what is shown of a search agrees with its statistics
// and with the action, in each environment, and a search in pieces shows the same
// bits.
func TestShownSearchIsTheSearch(t *testing.T) {
	for _, method := range plan.Methods() {
		if method == plan.Random {
			continue
		}
		f := newFixture(t)
		f.plan.Method = method
		search := func(deadline time.Duration) (all []agent.Search, out [][]float32) {
			g := *f
			g.plan.Deadline = deadline
			a := g.agent(t, 2, 0)
			begin(t, a, 1, 2)
			act(t, a, picture(1), picture(11))
			out = act(t, a, picture(2), picture(12))
			for i := range out {
				s, ok, err := a.ShowSearch(i)
				if err != nil || !ok {
					t.Fatalf("%s: %v %v", method, ok, err)
				}
				if stats, ok := a.LastSearch(i); ok && float32(stats.Best) != slices.Max(s.Scores) {
					t.Errorf("%s: the best is %v, of those shown %v", method, stats.Best, slices.Max(s.Scores))
				}
				all = append(all, s)
			}
			return all, out
		}
		whole, out := search(0)
		for i, s := range whole {
			if len(s.Scores) < f.plan.Elites || len(s.Mean) != f.plan.Horizon || len(s.Std) != f.plan.Horizon || len(s.Mean[0]) != actions {
				t.Fatalf("%s: %d scores, mean [%d][%d], std [%d]", method, len(s.Scores), len(s.Mean), len(s.Mean[0]), len(s.Std))
			}
			if method == plan.CEM && !slices.Equal(out[i], s.Mean[0]) {
				t.Errorf("the plan's mean begins with %v, executed was %v", s.Mean[0], out[i])
			}
			if low, high := slices.Min(s.Scores), slices.Max(s.Scores); s.Predicted <= low || s.Predicted > high {
				t.Errorf("%s: predicted %v of candidates in [%v, %v]", method, s.Predicted, low, high)
			}
		}
		if pieces, _ := search(time.Hour); !reflect.DeepEqual(pieces, whole) {
			t.Errorf("%s: a search in pieces shows something else", method)
		}
		if reflect.DeepEqual(whole[0], whole[1]) {
			t.Errorf("%s: both environments show the same", method)
		}
	}
}

// TestNothingIsShownOfNoSearch: nor before the first decision.
func TestNothingIsShownOfNoSearch(t *testing.T) {
	f := newFixture(t)
	a := f.agent(t, 1, 0)
	begin(t, a, 1)
	if _, ok, err := a.ShowSearch(0); ok || err != nil {
		t.Errorf("before the first decision: %v %v", ok, err)
	}
	for name, change := range map[string]func(*plan.Config){
		"random": func(c *plan.Config) { c.Method = plan.Random }, "no iterations": func(c *plan.Config) { c.Iterations = 0 },
		"random with a deadline": func(c *plan.Config) { c.Method, c.Deadline = plan.Random, time.Hour },
	} {
		g := *f
		change(&g.plan)
		a := g.agent(t, 1, 0)
		begin(t, a, 1)
		act(t, a, picture(1))
		if _, ok, err := a.ShowSearch(0); ok || err != nil {
			t.Errorf("%s: %v %v", name, ok, err)
		}
	}
}

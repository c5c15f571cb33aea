package plan_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/orrery-rl/orrery/internal/gx/gxtest"
	"github.com/orrery-rl/orrery/plan"
)

// TestLoopsAreTheIterationsWrittenOut compares two decisions of every method, bit
// for bit, on a backend that prefers loops with one that does not: iterations that
// are all alike, alike at the end only, and none.
func TestLoopsAreTheIterationsWrittenOut(t *testing.T) {
	for _, method := range plan.Methods() {
		compared := 0
		for _, iterations := range []int{0, 1, 2, 7} {
			for _, rollouts := range []int{1, 2} {
				cfg := with(method, func(c *plan.Config) {
					c.Horizon, c.Candidates, c.Elites, c.Iterations, c.Rollouts = 3, 24, 5, iterations, rollouts
				})
				if cfg.Validate() != nil { // not for this method
					continue
				}
				compared++
				t.Run(fmt.Sprintf("%s/%d/%d", method, iterations, rollouts), func(t *testing.T) {
					model := toy{score: quadratic, noise: 1}
					written := newEpisode(t, cfg, model, 2, 2)
					looped := newEpisodeOn(gxtest.Looping(newBackend(t)), t, cfg, model, 2, 2)
					if n := looped.program.NumNodes(); cfg.Iterations == 7 && method == plan.CEM && n >= written.program.NumNodes() {
						t.Errorf("%d nodes in loops, %d written out: nothing became a loop", n, written.program.NumNodes())
					}
					for decision := range uint64(2) {
						targets := []float32{0.4, -0.2, 0.1, 0.9}
						written.decide(targets, decision)
						looped.decide(targets, decision)
						if !reflect.DeepEqual(written.all, looped.all) {
							t.Errorf("decision %d: %v in loops, %v written out", decision, looped.all, written.all)
						}
					}
				})
			}
		}
		if compared == 0 {
			t.Errorf("%s: nothing to compare", method)
		}
	}
}

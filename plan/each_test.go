package plan_test

import (
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/google/go-cmp/cmp"

	"github.com/orrery-rl/orrery/plan"
)

// searching are the methods that ask a model.
func searching() []plan.Method {
	return slices.DeleteFunc(plan.Methods(), func(m plan.Method) bool { return m == plan.Random })
}

// solveWith plans once with a method: its noise is what an agent would draw.
func solveWith(t *testing.T, cfg plan.Config, score func(toyState) *graph.Node, actions int) (action, mean, std []float32) {
	t.Helper()
	return newEpisode(t, cfg, toy{score: score}, actions, 1).decide(make([]float32, actions), 1)
}

// A reward at the horizon makes every method choose the action that earns it, one
// beyond the horizon or in the start leaves it as if there were none.
func TestEveryMethodSeesRewardsUpToHorizonOnly(t *testing.T) {
	for _, method := range searching() {
		cfg := with(method)
		prefer := func(n int) func(toyState) *graph.Node {
			return func(s toyState) *graph.Node {
				now := graph.Equal(s.count, graph.MulScalar(graph.OnesLike(s.count), float64(n)))
				last := graph.SliceAxis(s.first, 1, graph.AxisRangeToEnd(-1))
				return graph.Squeeze(graph.Where(now, last, graph.ZerosLike(last)), 1)
			}
		}
		none, _, _ := solveWith(t, cfg, constantZero, 2)
		if got, _, _ := solveWith(t, cfg, prefer(cfg.Horizon), 2); got[1] < 0.8 {
			t.Errorf("%s: reward at the horizon: action %v, want the last component high", method, got)
		}
		for _, n := range []int{0, cfg.Horizon + 1} {
			got, _, _ := solveWith(t, cfg, prefer(n), 2)
			if diff := cmp.Diff(none, got); diff != "" {
				t.Errorf("%s: reward after %d decisions was counted (-none +got):\n%s", method, n, diff)
			}
		}
	}
}

func constantZero(s toyState) *graph.Node { return graph.Squeeze(graph.ZerosLike(s.count), 1) }

// Under constant reward all candidates tie. The proposal may shrink and drift but
// stays a proposal: within the bounds, and wide for those that go on from it.
func TestEveryMethodSurvivesConstantReward(t *testing.T) {
	for _, method := range searching() {
		action, mean, std := solveWith(t, with(method), constant, 2)
		if d := maxDistance(slices.Concat(action, mean), 0); !(d <= 1) {
			t.Errorf("%s: action %v, mean %v leave the bounds", method, action, mean)
		}
		if method == plan.Shooting {
			continue // does not refit
		}
		least := float32(0.04)
		if method == plan.Categorical {
			// Probabilities drift under ties, at worst to what smoothing leaves each of two.
			least = float32(plan.DefaultConfig().Categorical.Smoothing)/2 - 1e-6
		}
		if low := slices.Min(std); !(low > least) {
			t.Errorf("%s: smallest deviation or probability is %v, want above %v", method, low, least)
		}
	}
}

// NaN loses to every number, and a model that knows nothing but NaN still leaves a
// plan within the bounds. Positive actions score NaN here.
func TestEveryMethodAvoidsNaN(t *testing.T) {
	nanAboveZero := func(s toyState) *graph.Node {
		x := graph.Squeeze(graph.SliceAxis(s.latest, 1, graph.AxisRange(0, 1)), 1)
		return graph.Where(graph.GreaterThan(x, graph.ZerosLike(x)), graph.Sqrt(graph.SubScalar(graph.ZerosLike(x), 1)), x)
	}
	nan := func(s toyState) *graph.Node {
		return graph.Squeeze(graph.Sqrt(graph.SubScalar(graph.ZerosLike(s.count), 1)), 1)
	}
	for _, method := range searching() {
		cfg := with(method, func(c *plan.Config) { c.Horizon = 1 })
		if action, _, _ := solveWith(t, cfg, nanAboveZero, 2); !(action[0] <= 0 && action[0] > -0.3) {
			t.Errorf("%s: action %v, want the first just below or at 0", method, action)
		}
		action, mean, _ := solveWith(t, cfg, nan, 2)
		if d := maxDistance(slices.Concat(action, mean), 0); !(d <= 1) {
			t.Errorf("%s: all NaN: action %v, mean %v", method, action, mean)
		}
	}
}

// MPPI with temperature 0 weighs elites alike, also when some scored -Inf.
func TestFlatMPPIIgnoresLostElites(t *testing.T) {
	cfg := with(plan.MPPI, func(c *plan.Config) {
		c.MPPI.Temperature, c.Elites, c.Horizon = 0, 190, 1 // more elites than candidates with a score
	})
	nanAboveZero := func(s toyState) *graph.Node {
		x := graph.Squeeze(s.latest, 1)
		return graph.Where(graph.GreaterThan(x, graph.ZerosLike(x)), graph.Sqrt(graph.SubScalar(graph.ZerosLike(x), 1)), x)
	}
	if action, _, _ := solveWith(t, cfg, nanAboveZero, 1); !(action[0] < 0 && action[0] >= -1) {
		t.Errorf("action %v, want one below 0", action)
	}
}

// The same numbers give the same plan, others another, and what was planned in
// between leaves no trace in a method that keeps nothing.
func TestEveryMethodDependsOnItsNoise(t *testing.T) {
	target := []float32{0.3, -0.6}
	once := func(method plan.Method) plan.Config {
		return with(method, func(c *plan.Config) { c.Iterations = 1 }) // none converges
	}
	for _, method := range plan.Methods() {
		plans := func(seeds ...uint64) (mean []float32) {
			ep := newEpisode(t, once(method), toy{score: quadratic}, 2, 1)
			for _, seed := range seeds {
				action, m, _ := ep.decide(target, seed)
				mean = slices.Concat(action, m)
			}
			return mean
		}
		first := plans(1)
		if diff := cmp.Diff(first, plans(1)); diff != "" {
			t.Errorf("%s: same noise, another plan:\n%s", method, diff)
		}
		if slices.Equal(first, plans(2)) {
			t.Errorf("%s: plans from different noise are equal", method)
		}
		keeps := len(newEpisode(t, once(method), toy{score: quadratic}, 2, 1).carry) > 0
		if same := slices.Equal(first, plans(7, 1)); same == keeps {
			t.Errorf("%s: keeps something is %v, but a decision before leaves the plan equal is %v", method, keeps, same)
		}
	}
}

// The score is the largest action the model was ever given.
func TestEveryMethodKeepsActionsWithinBounds(t *testing.T) {
	largest := func(s toyState) *graph.Node { return graph.ReduceMax(graph.Abs(s.latest), 1) }
	for _, method := range searching() {
		cfg := with(method, func(c *plan.Config) { c.ICEM.InitStd, c.MPPI.InitStd = 10, 10 })
		ep := newEpisode(t, cfg, toy{score: largest}, 2, 1)
		for decision := range 3 {
			action, mean, _ := ep.decide(make([]float32, 2), uint64(decision))
			if d := maxDistance(slices.Concat(action, mean), 0); !(d <= 1) {
				t.Errorf("%s: decision %d: action %v, mean %v", method, decision, action, mean)
			}
			if high := slices.Max(ep.best); !(high <= float32(cfg.Horizon)) {
				t.Errorf("%s: best score %v, want at most %d", method, high, cfg.Horizon)
			}
		}
	}
}

// The paper's search with refits other than its own. The bounds are about twice
// what other seeds reach: icem's momentum, and the candidates it saves, cost it
// precision at the optimum, which is not what it is for.
func TestRefitsConvergeLikeCEM(t *testing.T) {
	for _, c := range []struct {
		method  plan.Method
		actions int
		bound   float64
	}{
		{plan.MPPI, 1, 0.025}, {plan.MPPI, 2, 0.05}, {plan.MPPI, 6, 0.3},
		{plan.ICEM, 1, 0.03}, {plan.ICEM, 2, 0.12}, {plan.ICEM, 6, 0.45},
	} {
		cfg := plan.DefaultConfig()
		cfg.Method = c.method
		_, mean, _ := newEpisode(t, cfg, toy{score: quadratic}, c.actions, 1).decide(repeated(0.4, c.actions), 1)
		if d := maxDistance(mean, 0.4); !(d <= c.bound) {
			t.Errorf("%s, %d dimensions: mean is %.4f from the optimum, want at most %v", c.method, 12*c.actions, d, c.bound)
		}
	}
}

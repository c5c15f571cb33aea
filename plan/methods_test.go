package plan_test

import (
	"math"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/google/go-cmp/cmp"

	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/plan"
)

// episode plans again and again with what it kept, as an agent does.
type episode struct {
	t       testing.TB
	backend compute.Backend
	p       plan.Planner
	program *gx.Program
	carry   [][]float32
	noise   [][]float32
	best    []float32   // by iteration, of the last decision
	all     [][]float32 // what the last decision made
}

// newEpisode compiles the search of cfg in the toy world with targets [E, A].
func newEpisode(t testing.TB, cfg plan.Config, model toy, actions, envs int) *episode {
	t.Helper()
	return newEpisodeOn(newBackend(t), t, cfg, model, actions, envs)
}

func newEpisodeOn(backend compute.Backend, t testing.TB, cfg plan.Config, model toy, actions, envs int) *episode {
	t.Helper()
	p, err := plan.New(cfg, envs, actions, model.noise)
	if err != nil {
		t.Fatal(err)
	}
	ep := &episode{t: t, backend: backend, p: p}
	inputs := append([]gx.Input{{Name: "target", Shape: shapes.Make(dtypes.Float32, envs, actions)}}, p.Carry()...)
	k := len(inputs)
	ep.program, err = gx.Compile(ep.backend, "plan", append(inputs, p.Noise().Inputs()...), func(g *graph.Graph, in []*graph.Node) []*graph.Node {
		count, zero := graph.Zeros(g, shapes.Make(dtypes.Float32, envs, 1)), graph.ZerosLike(in[0])
		r := plan.Build(p, model, plan.State{count, zero, zero, in[0]}, in[1:k], in[k:])
		out := append([]*graph.Node{r.Action, r.Mean, r.Std}, r.Carry...)
		if r.Best != nil {
			out = append(out, r.Best, r.MeanScore, r.EliteScore, r.Scores)
		}
		return out
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ep.program.Close)
	for _, in := range p.Carry() {
		ep.carry = append(ep.carry, make([]float32, in.Shape.Size()))
	}
	return ep
}

// decide plans once from fresh numbers.
func (ep *episode) decide(targets []float32, seed uint64) (action, mean, std []float32) {
	ep.t.Helper()
	ep.noise = buffers(ep.p.Noise())
	var streams []*rng.Stream
	for e := range ep.p.Noise().Envs {
		streams = append(streams, rng.New(seed+uint64(e), "plan"))
	}
	if err := ep.p.Noise().Fill(streams, ep.noise); err != nil {
		ep.t.Fatal(err)
	}
	data := slices.Concat([][]float32{targets}, ep.carry, ep.noise)
	var in []compute.Buffer
	for i, input := range ep.program.Inputs() {
		buf, err := gx.Upload(ep.backend, data[i], input.Shape.Dimensions...)
		if err != nil {
			ep.t.Fatal(err)
		}
		in = append(in, buf)
	}
	out, err := ep.program.Run(ep.t.Context(), in, nil)
	if err != nil {
		ep.t.Fatal(err)
	}
	var host [][]float32
	for _, buf := range out {
		x, err := gx.Download(buf)
		if err != nil {
			ep.t.Fatal(err)
		}
		host = append(host, x)
	}
	ep.all, ep.carry = host, host[3:3+len(ep.carry)]
	if len(host) > 3+len(ep.carry) {
		ep.best = host[3+len(ep.carry)]
	}
	return host[0], host[1], host[2]
}

func with(method plan.Method, change ...func(*plan.Config)) plan.Config {
	cfg := plan.DefaultConfig()
	cfg.Method, cfg.Horizon, cfg.Iterations, cfg.Candidates, cfg.Elites = method, 6, 6, 200, 20
	for _, c := range change {
		c(&cfg)
	}
	return cfg
}

// Every method finds the first action of a quadratic optimum, as closely as its
// kind of search allows, and stays within the bounds when the optimum does not.
func TestMethodsFindOptimum(t *testing.T) {
	for _, c := range []struct {
		cfg   plan.Config
		bound float64
	}{
		{with(plan.CEM), 0.03},
		{with(plan.CEM, func(c *plan.Config) { c.WarmStart = true }), 0.03},
		{with(plan.CEM, func(c *plan.Config) { c.Rollouts = 3 }), 0.03},
		{with(plan.ICEM), 0.1},
		{with(plan.MPPI), 0.1},
		{with(plan.Shooting, func(c *plan.Config) { c.Horizon, c.Candidates = 1, 2000 }), 0.02},
	} {
		ep := newEpisode(t, c.cfg, toy{score: quadratic}, 1, 1)
		var action []float32
		for decision := range 3 {
			action, _, _ = ep.decide([]float32{0.4}, uint64(decision))
		}
		if d := maxDistance(action, 0.4); d > c.bound {
			t.Errorf("%s: action is %.3f from the optimum, want at most %v", c.cfg.Method, d, c.bound)
		}
		action, _, _ = newEpisode(t, c.cfg, toy{score: quadratic}, 1, 1).decide([]float32{3}, 1)
		if action[0] < 0.9 || action[0] > 1 {
			t.Errorf("%s: optimum at 3: action %v, want close to the bound 1", c.cfg.Method, action)
		}
	}
}

// Plans for several environments with different optima are those of each alone.
func TestMethodsKeepEnvironmentsApart(t *testing.T) {
	for _, method := range plan.Methods() {
		cfg := with(method, func(c *plan.Config) { c.Candidates, c.Elites, c.Rollouts = 40, 8, 2 })
		targets := []float32{0.5, -0.5, 0.1, -0.9, 0.2, 0.8}
		model := toy{score: quadratic, noise: 1}
		together := newEpisode(t, cfg, model, 2, 3)
		var all []float32
		for decision := range 2 {
			all, _, _ = together.decide(targets, uint64(10*decision))
		}
		for e := range 3 {
			alone := newEpisode(t, cfg, model, 2, 1)
			var one []float32
			for decision := range 2 {
				one, _, _ = alone.decide(targets[2*e:2*e+2], uint64(10*decision+e))
			}
			if diff := cmp.Diff(one, all[2*e:2*e+2]); diff != "" {
				t.Errorf("%s: environment %d (-alone +together):\n%s", method, e, diff)
			}
		}
	}
}

// What a warm method keeps helps the next decision: with few candidates and one
// iteration the plan gets better from decision to decision. What is cold forgets.
func TestWarmMethodsImproveFromDecisionToDecision(t *testing.T) {
	one := func(c *plan.Config) { c.Iterations, c.Candidates, c.Elites = 1, 30, 6 }
	for _, c := range []struct {
		cfg  plan.Config
		warm bool
	}{
		{with(plan.ICEM, one), true}, {with(plan.MPPI, one), true},
		{with(plan.CEM, one, func(c *plan.Config) { c.WarmStart = true }), true}, {with(plan.CEM, one), false},
	} {
		ep := newEpisode(t, c.cfg, toy{score: quadratic}, 2, 1)
		target := []float32{0.6, -0.6}
		_, first, _ := ep.decide(target, 1)
		kept := len(ep.carry) > 0
		if kept != c.warm {
			t.Errorf("%s: keeps %d tensors, warm is %v", c.cfg.Method, len(ep.carry), c.warm)
		}
		for range 8 {
			ep.decide(target, 1)
		}
		_, last, _ := ep.decide(target, 1)
		if better := distance(last, target) < 0.9*distance(first, target); better != c.warm {
			t.Errorf("%s: distance %v at first, %v after nine decisions; warm is %v", c.cfg.Method, distance(first, target), distance(last, target), c.warm)
		}
	}
}

// distance is the mean distance of the actions of a plan, but the last, which a warm
// start begins anew, from the target.
func distance(mean, target []float32) float64 {
	n := len(target)
	sum := 0.0
	for i, m := range mean[:len(mean)-n] {
		sum += math.Abs(float64(m - target[i%n]))
	}
	return sum / float64(len(mean)-n)
}

// The best of four actions is found, returned one-hot, and no probability is zero.
func TestCategoricalFindsBestAction(t *testing.T) {
	best := func(s toyState) *graph.Node { return graph.ReduceSum(graph.Mul(s.latest, s.target), 1) }
	ep := newEpisode(t, with(plan.Categorical), toy{score: best}, 4, 2)
	action, p, _ := ep.decide([]float32{0.1, 0.9, 0.3, 0, -1, -2, -3, -0.5}, 3)
	if want := []float32{0, 1, 0, 0, 0, 0, 0, 1}; !slices.Equal(action, want) {
		t.Errorf("actions %v, want %v", action, want)
	}
	for i := 0; i < len(p); i += 4 {
		sum := p[i] + p[i+1] + p[i+2] + p[i+3]
		if low := slices.Min(p[i : i+4]); math.Abs(float64(sum)-1) > 1e-5 || low < 0.05/4*0.99 {
			t.Errorf("probabilities %v: sum %v, smallest %v", p[i:i+4], sum, low)
		}
	}
}

// Categorical candidates follow the probabilities: with all scores equal one refit
// to all candidates estimates them.
func TestCategoricalSamplesEvenly(t *testing.T) {
	cfg := with(plan.Categorical, func(c *plan.Config) { c.Iterations, c.Candidates, c.Elites = 1, 4000, 4000 })
	cfg.Horizon = 1
	_, p, _ := newEpisode(t, cfg, toy{score: constant}, 5, 1).decide(make([]float32, 5), 1)
	if d := maxDistance(p, 0.2); d > 0.02 { // three standard errors
		t.Errorf("probabilities %v, want 0.2 each", p)
	}
}

// An episode that probably ends makes what comes after worth less: the reward of
// the second step counts by the probability to get there.
func TestContinueDiscountsLaterRewards(t *testing.T) {
	cfg := plan.Config{Horizon: 3, Iterations: 1, Candidates: 8, Elites: 1}
	p := problem{cfg: cfg, model: toy{score: constant}, actions: 1, targets: []float32{0}}
	got := runContinuing(t, p, 0.5)
	if want := float32(1 + 0.5 + 0.25); got != want {
		t.Errorf("score is %v, want %v", got, want)
	}
	if got := runContinuing(t, p, 1); got != 3 {
		t.Errorf("score without an end is %v, want 3", got)
	}
}

// mortal ends episodes with the same probability everywhere.
type mortal struct {
	toy
	p float64
}

func (m mortal) Continue(s plan.State) *graph.Node {
	return graph.Squeeze(graph.MulScalar(graph.OnesLike(s[0]), m.p), 1)
}

func runContinuing(t *testing.T, p problem, probability float64) float32 {
	t.Helper()
	backend := newBackend(t)
	program, err := gx.Compile(backend, "plan", p.layout().Inputs(), func(g *graph.Graph, in []*graph.Node) []*graph.Node {
		zero := graph.Zeros(g, shapes.Make(dtypes.Float32, 1, 1))
		return plan.Search(p.cfg, mortal{p.model, probability}, plan.State{zero, zero, zero, zero}, 1, in).Outputs()
	})
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	buf, err := gx.Upload(backend, normals(p.layout(), 1)[0], p.layout().Inputs()[0].Shape.Dimensions...)
	if err != nil {
		t.Fatal(err)
	}
	out, err := program.Run(t.Context(), []compute.Buffer{buf}, nil)
	if err != nil {
		t.Fatal(err)
	}
	best, err := gx.Download(out[3])
	if err != nil {
		t.Fatal(err)
	}
	return best[0]
}

func TestRandomNeedsNoModel(t *testing.T) {
	ep := newEpisode(t, with(plan.Random), toy{score: quadratic}, 3, 500)
	action, _, _ := ep.decide(make([]float32, 1500), 1)
	var sum, squares float64
	for _, a := range action {
		if a < -1 || a > 1 {
			t.Fatalf("action %v", a)
		}
		sum += float64(a)
		squares += float64(a) * float64(a)
	}
	// A standard normal clipped to [-1, 1] has variance 0.516.
	if mean, variance := sum/1500, squares/1500; math.Abs(mean) > 0.06 || math.Abs(variance-0.516) > 0.04 {
		t.Errorf("mean %v, variance %v", mean, variance)
	}
}

func TestEvaluationsCountModelSteps(t *testing.T) {
	if got := plan.DefaultConfig().Evaluations(); got != 12*10*1000 {
		t.Errorf("the paper's plan takes %d model steps, want 120000", got)
	}
	icem := plan.DefaultConfig()
	icem.Method, icem.Iterations, icem.Candidates, icem.Elites = plan.ICEM, 3, 100, 10
	// 100, 80 and 64 samples, three elites each time, and the mean at the end.
	if got, want := icem.Evaluations(), 12*(103+83+68); got != want {
		t.Errorf("icem takes %d model steps, want %d", got, want)
	}
	shooting := with(plan.Shooting)
	if got, want := shooting.Evaluations(), 6*200; got != want {
		t.Errorf("shooting takes %d model steps, want %d", got, want)
	}
	if got := with(plan.Random).Evaluations(); got != 0 {
		t.Errorf("random takes %d model steps", got)
	}
}

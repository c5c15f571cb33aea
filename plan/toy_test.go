package plan_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/plan"
)

// toy is a model with a readable state, {count [N, 1], first [N, A],
// latest [N, A], target [N, A]}: decisions taken, the first and the latest
// action, and a constant that differs between environments.
type toy struct {
	score func(s toyState) *graph.Node
	noise int // NoiseSize; added to count, so that it shows if used
}

type toyState struct{ count, first, latest, target *graph.Node }

func (m toy) NoiseSize() int { return m.noise }

func (m toy) StepPrior(s plan.State, action, noise *graph.Node) plan.State {
	isFirst := graph.BroadcastToShape(graph.Equal(s[0], graph.ZerosLike(s[0])), shapes.Make(dtypes.Bool, action.Shape().Dimensions...))
	first := graph.Where(isFirst, action, s[1])
	target := s[3]
	if noise != nil {
		target = graph.Add(target, graph.ReduceAndKeep(noise, graph.ReduceSum, 1))
	}
	return plan.State{graph.AddScalar(s[0], 1), first, action, target}
}

func (m toy) Score(s plan.State) *graph.Node {
	return m.score(toyState{s[0], s[1], s[2], s[3]})
}

// quadratic rewards actions close to the target: -|a - target|^2.
func quadratic(s toyState) *graph.Node {
	return graph.Neg(graph.ReduceSum(graph.Square(graph.Sub(s.latest, s.target)), 1))
}

// firstActionAt rewards the sum of the first action, once, after n decisions.
func firstActionAt(n int) func(toyState) *graph.Node {
	return func(s toyState) *graph.Node {
		now := graph.Equal(s.count, graph.MulScalar(graph.OnesLike(s.count), float64(n)))
		sum := graph.ReduceAndKeep(s.first, graph.ReduceSum, 1)
		return graph.Squeeze(graph.Where(now, sum, graph.ZerosLike(sum)), 1)
	}
}

func constant(s toyState) *graph.Node { return graph.Squeeze(graph.OnesLike(s.count), 1) }

// problem is everything one test plan depends on.
type problem struct {
	cfg     plan.Config
	model   toy
	actions int
	targets []float32 // [E, actions]
	noise   [][]float32
}

func (p problem) envs() int { return len(p.targets) / p.actions }

func (p problem) layout() plan.NoiseLayout {
	return p.cfg.Noise(p.envs(), p.actions, p.model.noise)
}

// outcome is a plan on the host: [E, A], [E, H, A] twice, [I, E] three times.
type outcome struct{ action, mean, std, best, meanScore, eliteScore []float32 }

// normals draws the noise of a layout.
func normals(layout plan.NoiseLayout, seed uint64) [][]float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	var out [][]float32
	for _, in := range layout.Inputs() {
		x := make([]float32, in.Shape.Size())
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		out = append(out, x)
	}
	return out
}

func repeated(v float32, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func newBackend(t testing.TB) compute.Backend {
	t.Helper()
	backend, err := gobackend.New("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(backend.Finalize)
	return backend
}

// compileToy compiles a plan whose inputs are the target followed by the noise.
func compileToy(t testing.TB, backend compute.Backend, p problem) *gx.Program {
	t.Helper()
	inputs := append([]gx.Input{{Name: "target", Shape: shapes.Make(dtypes.Float32, p.envs(), p.actions)}}, p.layout().Inputs()...)
	program, err := gx.Compile(backend, "plan", inputs, func(g *graph.Graph, in []*graph.Node) []*graph.Node {
		count := graph.Zeros(g, shapes.Make(dtypes.Float32, p.envs(), 1))
		zero := graph.ZerosLike(in[0])
		return plan.Search(p.cfg, p.model, plan.State{count, zero, zero, in[0]}, p.actions, in[1:]).Outputs()
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(program.Close)
	return program
}

// solve compiles p and runs it once.
func solve(t testing.TB, p problem) outcome {
	t.Helper()
	backend := newBackend(t)
	return runToy(t, backend, compileToy(t, backend, p), p)
}

// runToy runs a compiled plan with the targets and noise of p; without noise of
// its own p gets some from seed 1.
func runToy(t testing.TB, backend compute.Backend, program *gx.Program, p problem) outcome {
	t.Helper()
	if p.noise == nil {
		p.noise = normals(p.layout(), 1)
	}
	data := append([][]float32{p.targets}, p.noise...)
	buffers := make([]compute.Buffer, len(data))
	for i, in := range program.Inputs() {
		var err error
		if buffers[i], err = gx.Upload(backend, data[i], in.Shape.Dimensions...); err != nil {
			t.Fatal(err)
		}
	}
	out, err := program.Run(t.Context(), buffers, nil)
	if err != nil {
		t.Fatal(err)
	}
	host := make([][]float32, 6)
	for i, buf := range out {
		if host[i], err = gx.Download(buf); err != nil {
			t.Fatal(err)
		}
	}
	return outcome{host[0], host[1], host[2], host[3], host[4], host[5]}
}

func maxDistance(x []float32, v float64) float64 {
	var d float64
	for _, xi := range x {
		d = max(d, math.Abs(float64(xi)-v))
	}
	return d
}

// movedTo rewards by how far latent numbers have moved the target.
func movedTo(s toyState) *graph.Node { return graph.Squeeze(s.target, 1) }

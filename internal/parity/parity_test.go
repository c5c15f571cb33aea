// Package parity compares backends on the project's own graphs.
package parity

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/backend/cpu"
	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/internal/optim"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/plan"
	"github.com/orrery-rl/orrery/worldmodel"
)

// updateGraph is one optimiser step: parameters and moments, data, correction.
func updateGraph(t testing.TB, b compute.Backend, m *worldmodel.Model, batch, length int) *gx.Program {
	t.Helper()
	return updateGraphWith(t, b, m, optim.DefaultConfig(), batch, length)
}

// updateGraphWith is updateGraph with the optimiser's settings.
func updateGraphWith(t testing.TB, b compute.Backend, m *worldmodel.Model, cfg optim.Config, batch, length int) *gx.Program {
	t.Helper()
	d := m.Dims()
	inputs := append(m.ParamInputs("", dtypes.Float32), m.ParamInputs("m/", dtypes.Float32)...)
	inputs = append(inputs, m.ParamInputs("v/", dtypes.Float32)...)
	n := len(inputs) / 3
	in := func(name string, dims ...int) {
		inputs = append(inputs, gx.Input{Name: name, Shape: shapes.Make(dtypes.Float32, dims...)})
	}
	in("images", batch, length, d.Height, d.Width, d.Channels)
	in("actions", batch, length, d.ActionSize)
	in("rewards", batch, length)
	in("noise", batch, length, m.Config().StochSize)
	in("correction", 2)
	p, err := gx.Compile(b, "update", inputs, func(_ *graph.Graph, x []*graph.Node) []*graph.Node {
		net, err := m.Bind(x[:n])
		if err != nil {
			panic(err)
		}
		data := x[3*n:]
		losses := net.Loss(net.BatchFromNodes(data[:4]))
		grads := graph.Gradient(losses.Total, x[:n]...)
		step := cfg.Adam(x[:n], grads, x[n:2*n], x[2*n:3*n], data[4])
		out := append(append(append([]*graph.Node{}, step.Params...), step.M...), step.V...)
		return append(append(out, losses.Nodes()...), step.GradNorm)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// fill makes one slice of plausible data for each input.
func fill(m *worldmodel.Model, p *gx.Program) [][]float32 {
	s := rng.New(1, "parity")
	params := m.InitParams(s)
	var out [][]float32
	for i, in := range p.Inputs() {
		values := make([]float32, in.Shape.Size())
		switch {
		case i < len(params):
			values = params[i]
		case i < 3*len(params):
		case in.Name == "correction":
			c := optim.DefaultConfig().Correction(1)
			values[0], values[1] = float32(c[0]), float32(c[1])
		case in.Name == "images":
			s.FillUniform(values)
			for k := range values {
				values[k] -= 0.5
			}
		default:
			s.FillNormal(values)
		}
		out = append(out, values)
	}
	return out
}

func upload(t testing.TB, b compute.Backend, p *gx.Program, data [][]float32) []compute.Buffer {
	t.Helper()
	bufs := make([]compute.Buffer, len(data))
	for i, in := range p.Inputs() {
		var err error
		if bufs[i], err = gx.Upload(b, data[i], in.Shape.Dimensions...); err != nil {
			t.Fatal(err)
		}
	}
	return bufs
}

func run(t testing.TB, b compute.Backend, p *gx.Program, data [][]float32) [][]float32 {
	t.Helper()
	out, err := p.Run(context.Background(), upload(t, b, p, data), nil)
	if err != nil {
		t.Fatal(err)
	}
	values := make([][]float32, len(out))
	for i, buf := range out {
		if values[i], err = gx.Download(buf); err != nil {
			t.Fatal(err)
		}
	}
	return values
}

func model(t testing.TB, preset string, size int) *worldmodel.Model {
	t.Helper()
	cfg, err := worldmodel.PresetConfig(preset)
	if err != nil {
		t.Fatal(err)
	}
	m, err := worldmodel.New(cfg, worldmodel.Dims{Height: size, Width: size, Channels: 3, ActionSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func backend(t testing.TB, path string) compute.Backend {
	t.Helper()
	b, err := cpu.New(cpu.Config{Path: path, Precision: "f32"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Finalize)
	return b
}

func reference(t testing.TB) compute.Backend {
	t.Helper()
	b, err := gobackend.New("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Finalize)
	return b
}

// distance is the largest difference relative to the largest value.
func distance(got, want []float32) float64 {
	diff, size := 0.0, 1e-12
	for i := range want {
		diff = math.Max(diff, math.Abs(float64(got[i])-float64(want[i])))
		size = math.Max(size, math.Abs(float64(want[i])))
		if got[i] != got[i] {
			return math.Inf(1)
		}
	}
	return diff / size
}

// TestUpdateAgrees compares every output of an update, moments (and so all
// gradients) included, with the reference backend.
func TestUpdateAgrees(t *testing.T) {
	for _, test := range []struct {
		preset              string
		size, batch, length int
	}{{"tiny", 16, 3, 6}, {"small", 64, 2, 3}} {
		m := model(t, test.preset, test.size)
		ref := reference(t)
		p := updateGraph(t, ref, m, test.batch, test.length)
		data := fill(m, p)
		want := run(t, ref, p, data)
		for _, path := range cpu.Paths() {
			t.Run(test.preset+"/"+path, func(t *testing.T) {
				b := backend(t, path)
				got := run(t, b, updateGraph(t, b, m, test.batch, test.length), data)
				n := len(m.ParamSpecs())
				for i := range want {
					// New parameters divide by small moments; the moments are exact.
					if d := distance(got[i], want[i]); d > 2e-4 && (i >= n || d > 2e-2) {
						t.Errorf("output %d: relative distance %.2g", i, d)
					}
				}
			})
		}
	}
}

// TestUpdateIsReproducible demands the same bits from run to run and for any
// number of threads.
func TestUpdateIsReproducible(t *testing.T) {
	m := model(t, "tiny", 64)
	var want [][]float32
	for _, threads := range []int{1, 2, 3} {
		b, err := cpu.New(cpu.Config{Precision: "f32", Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		p := updateGraph(t, b, m, 4, 8)
		data := fill(m, p)
		for range 3 {
			got := run(t, b, p, data)
			if want == nil {
				want = got
			}
			for i := range want {
				for k := range want[i] {
					if math.Float32bits(got[i][k]) != math.Float32bits(want[i][k]) {
						t.Fatalf("%d threads: output %d element %d differs", threads, i, k)
					}
				}
			}
		}
		p.Close()
		b.Finalize()
	}
}

// imagination is a world model as the planner sees it.
type imagination struct {
	net   *worldmodel.Net
	noise int
}

func (m imagination) StepPrior(s plan.State, action, noise *graph.Node) plan.State {
	next, _ := m.net.StepPrior(worldmodel.State{Deter: s[0], Stoch: s[1]}, action, noise)
	return plan.State{next.Deter, next.Stoch}
}

func (m imagination) Score(s plan.State) *graph.Node {
	return m.net.Reward(m.net.Features(worldmodel.State{Deter: s[0], Stoch: s[1]}))
}

func (m imagination) NoiseSize() int { return m.noise }

// planGraph compiles the search for plans of envs environments.
func planGraph(t testing.TB, b compute.Backend, m *worldmodel.Model, cfg plan.Config, envs int) *gx.Program {
	size := m.Config()
	layout := cfg.Noise(envs, 1, size.StochSize)
	state := func(n int) shapes.Shape { return shapes.Make(dtypes.Float32, envs, n) }
	inputs := append(m.ParamInputs("", dtypes.Float32),
		gx.Input{Name: "deter", Shape: state(size.DeterSize)}, gx.Input{Name: "stoch", Shape: state(size.StochSize)})
	n := len(m.ParamSpecs())
	p, err := gx.Compile(b, "plan", append(inputs, layout.Inputs()...), func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
		net, err := m.Bind(in[:n])
		if err != nil {
			panic(err)
		}
		return plan.Search(cfg, imagination{net, size.StochSize}, plan.State{in[n], in[n+1]}, 1, in[n+2:]).Outputs()
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// TestPlanAgrees compares the planner's graph on a tiny model.
func TestPlanAgrees(t *testing.T) {
	m := model(t, "tiny", 16)
	cfg, err := plan.PresetConfig("tiny")
	if err != nil {
		t.Fatal(err)
	}
	compile := func(b compute.Backend) *gx.Program { return planGraph(t, b, m, cfg, 2) }
	ref := reference(t)
	p := compile(ref)
	data := fill(m, p)
	want := run(t, ref, p, data)
	for _, path := range cpu.Paths() {
		b := backend(t, path)
		got := run(t, b, compile(b), data)
		for i := range want {
			if d := distance(got[i], want[i]); d > 1e-3 {
				t.Errorf("%s: output %d: relative distance %.2g", path, i, d)
			}
		}
	}
}

// precisions are those that the products of this machine have.
func precisions(t testing.TB) map[string]compute.Backend {
	have := map[string]compute.Backend{}
	for _, precision := range []string{"f32", "bf16"} {
		b, err := cpu.New(cpu.Config{Precision: precision})
		if err != nil {
			t.Log(err)
			continue
		}
		t.Cleanup(b.Finalize)
		have[precision] = b
	}
	return have
}

func BenchmarkUpdate(b *testing.B) {
	backends := precisions(b)
	for _, test := range []struct {
		preset        string
		batch, length int
	}{{"small", 16, 32}, {"small", 32, 32}, {"paper", 50, 50}} {
		m := model(b, test.preset, 64)
		for name, backend := range backends {
			b.Run(fmt.Sprintf("%s/%dx%d/%s", test.preset, test.batch, test.length, name), func(b *testing.B) {
				p := updateGraph(b, backend, m, test.batch, test.length)
				bench(b, backend, p, fill(m, p))
			})
		}
	}
}

// BenchmarkPlan times one plan for one environment.
func BenchmarkPlan(b *testing.B) {
	backends := precisions(b)
	for _, preset := range []string{"small", "paper"} {
		m := model(b, preset, 64)
		cfg, err := plan.PresetConfig(preset)
		if err != nil {
			b.Fatal(err)
		}
		for name, backend := range backends {
			b.Run(preset+"/"+name, func(b *testing.B) {
				p := planGraph(b, backend, m, cfg, 1)
				bench(b, backend, p, fill(m, p))
			})
		}
	}
}

// bench times executions of p on the same inputs.
func bench(b *testing.B, backend compute.Backend, p *gx.Program, data [][]float32) {
	bufs := upload(b, backend, p, data)
	for b.Loop() {
		out, err := p.Run(context.Background(), bufs, nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := gx.Finalize(out...); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAgainstReference times one small update on both backends, so that
// the ratio comes from one run.
func BenchmarkAgainstReference(b *testing.B) {
	m := model(b, "small", 64)
	for name, backend := range map[string]compute.Backend{"cpu": backend(b, ""), "go": reference(b)} {
		b.Run(name, func(b *testing.B) {
			p := updateGraph(b, backend, m, 4, 4)
			bench(b, backend, p, fill(m, p))
		})
	}
}

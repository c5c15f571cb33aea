package worldmodel

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
)

// tensor is a float64 operand of a test graph.
type tensor struct {
	dims []int
	data []float64
}

func tensorOf(data []float64, dims ...int) tensor { return tensor{dims, data} }

func (t tensor) clone() tensor { return tensor{t.dims, append([]float64(nil), t.data...)} }

// normal returns a standard normal tensor times scale.
func normal(random *rand.Rand, scale float64, dims ...int) tensor {
	data := make([]float64, product(dims))
	for i := range data {
		data[i] = scale * random.NormFloat64()
	}
	return tensor{dims, data}
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

// evaluator runs one compiled float64 graph on changing operands.
type evaluator struct {
	t       testing.TB
	backend compute.Backend
	program *gx.Program
}

// compile builds a graph over operands shaped like the examples.
func compile(t testing.TB, examples []tensor, build func(in []*graph.Node) []*graph.Node) evaluator {
	t.Helper()
	return compileOn(t, newBackend(t), examples, build)
}

func compileOn(t testing.TB, backend compute.Backend, examples []tensor, build func(in []*graph.Node) []*graph.Node) evaluator {
	t.Helper()
	inputs := make([]gx.Input, len(examples))
	for i, x := range examples {
		inputs[i] = gx.Input{Name: layerName("operand", i), Shape: shapes.Make(dtypes.Float64, x.dims...)}
	}
	program, err := gx.Compile(backend, t.Name(), inputs,
		func(_ *graph.Graph, in []*graph.Node) []*graph.Node { return build(in) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(program.Close)
	return evaluator{t, backend, program}
}

// run returns the outputs for operands, flattened.
func (e evaluator) run(operands ...tensor) [][]float64 {
	e.t.Helper()
	buffers := make([]compute.Buffer, len(operands))
	for i, x := range operands {
		buf, err := gx.Upload(e.backend, x.data, x.dims...)
		if err != nil {
			e.t.Fatal(err)
		}
		buffers[i] = buf
	}
	out, err := e.program.Run(e.t.Context(), buffers, nil)
	if err != nil {
		e.t.Fatal(err)
	}
	values := make([][]float64, len(out))
	for i, buf := range out {
		values[i] = make([]float64, e.program.Outputs()[i].Size())
		if err := gx.DownloadInto(buf, values[i]); err != nil {
			e.t.Fatal(err)
		}
	}
	return values
}

// fixture is a small float64 model with parameters and a batch.
type fixture struct {
	t      testing.TB
	m      *Model
	params []tensor
	// The batch: B chunks of L records.
	b, l                            int
	images, actions, rewards, noise tensor
	// Of models that use them.
	vectors, continues, rolloutNoise tensor
}

// microConfig is smaller than the tiny preset, with all sizes different so that
// no transposition goes unnoticed. All KL counts.
func microConfig() Config {
	return Config{
		Depth: 3, DeterSize: 5, StochSize: 3, HiddenSize: 6, RewardLayers: []int{7, 4},
		GRU: ResetBefore, MinStd: 0.1, FreeNats: 0, KLScale: 1, RewardScale: 10,
		VectorLayers: []int{5, 8}, VectorEmbed: 3, VectorScale: 0.7, ContinueLayers: []int{3}, ContinueScale: 6,
	}
}

func newFixture(t testing.TB, cfg Config, b, l int) *fixture {
	t.Helper()
	m, err := New(cfg, Dims{Height: 12, Width: 9, Channels: 2, ActionSize: 2, VectorSize: 4})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, m: m, b: b, l: l}
	for i, values := range m.InitParams(rand.New(rand.NewPCG(7, 7))) {
		data := make([]float64, len(values))
		for j, v := range values {
			data[j] = float64(v)
		}
		f.params = append(f.params, tensorOf(data, m.ParamSpecs()[i].Dims...))
	}
	random := rand.New(rand.NewPCG(11, 13))
	// Biases off zero, so that a missing one shows.
	for i, spec := range m.ParamSpecs() {
		if len(spec.Dims) == 1 {
			for j := range f.params[i].data {
				f.params[i].data[j] += 0.2 * random.NormFloat64()
			}
		}
	}
	f.images = normal(random, 0.3, b, l, 12, 9, 2)
	f.actions = normal(random, 0.5, b, l, 2)
	f.rewards = normal(random, 1, b, l)
	f.noise = normal(random, 1, b, l, cfg.StochSize)
	f.vectors = normal(random, 3, b, l, 4)
	f.continues = normal(random, 0, b, l)
	for i := range f.continues.data {
		f.continues.data[i] = float64(i % 3 % 2)
	}
	f.rolloutNoise = normal(random, 1, b, l, m.Config().Objective.OvershootingDistance, cfg.StochSize)
	return f
}

// param returns a parameter's values by name, to read or to set.
func (f *fixture) param(name string) []float64 {
	f.t.Helper()
	for i, spec := range f.m.ParamSpecs() {
		if spec.Name == name {
			return f.params[i].data
		}
	}
	f.t.Fatalf("no parameter %q", name)
	return nil
}

// compile builds a graph of the model's net and further operands.
func (f *fixture) compile(examples []tensor, build func(n *Net, in []*graph.Node) []*graph.Node) evaluator {
	f.t.Helper()
	return f.compileOn(newBackend(f.t), examples, build)
}

func (f *fixture) compileOn(backend compute.Backend, examples []tensor, build func(n *Net, in []*graph.Node) []*graph.Node) evaluator {
	f.t.Helper()
	count := len(f.params)
	return compileOn(f.t, backend, append(append([]tensor{}, f.params...), examples...), func(in []*graph.Node) []*graph.Node {
		net, err := f.m.Bind(in[:count])
		if err != nil {
			panic(err)
		}
		return build(net, in[count:])
	})
}

// run evaluates such a graph with the fixture's parameters.
func (f *fixture) run(e evaluator, operands ...tensor) [][]float64 {
	f.t.Helper()
	return e.run(append(append([]tensor{}, f.params...), operands...)...)
}

// once compiles and runs.
func (f *fixture) once(operands []tensor, build func(n *Net, in []*graph.Node) []*graph.Node) [][]float64 {
	f.t.Helper()
	return f.run(f.compile(operands, build), operands...)
}

// batch lists the operands of Loss: images, actions, rewards and noise, unless
// the model uses others.
func (f *fixture) batch() []tensor {
	all := map[string]tensor{"images": f.images, "vectors": f.vectors, "actions": f.actions,
		"rewards": f.rewards, "continues": f.continues, "noise": f.noise, "rollout_noise": f.rolloutNoise}
	var batch []tensor
	for _, in := range f.m.BatchInputs(dtypes.Float64, f.b, f.l) {
		batch = append(batch, all[in.Name])
	}
	return batch
}

func assertClose(t testing.TB, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s has %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !(math.Abs(got[i]-want[i]) <= tolerance*(1+math.Abs(want[i]))) {
			t.Fatalf("%s[%d] = %.12g, want %.12g", what, i, got[i], want[i])
		}
	}
}

// differ reports whether any entry of a is not the same in b.
func differ(a, b []float64) bool {
	for i := range a {
		if a[i] != b[i] {
			return true
		}
	}
	return false
}

func zero(values []float64) bool {
	for _, v := range values {
		if v != 0 {
			return false
		}
	}
	return true
}

// withLeading is the shape of x with one more axis in front.
func withLeading(x *graph.Node, size int) shapes.Shape {
	return shapes.Make(x.DType(), append([]int{size}, x.Shape().Dimensions...)...)
}

package parity

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/worldmodel"
)

// torchGraph evaluates the model on parameters and further inputs.
type torchGraph struct {
	names  []string
	inputs []tensor
	build  func(n *worldmodel.Net, params, data []*graph.Node) []*graph.Node
}

// run compiles the graph for a backend and compares every output with the
// fixture's array of the same name.
func (g torchGraph) run(t *testing.T, b tested, m *worldmodel.Model, f fixture) {
	t.Helper()
	inputs := m.ParamInputs("", dtypes.Float32)
	n := len(inputs)
	for i, x := range g.inputs {
		inputs = append(inputs, gx.Input{Name: fmt.Sprint("data", i), Shape: shapes.Make(dtypes.Float32, x.dims...)})
	}
	p, err := gx.Compile(b.Backend, "torch", inputs, func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
		net, err := m.Bind(in[:n])
		if err != nil {
			panic(err)
		}
		return g.build(net, in[:n], in[n:])
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	data := params(t, m, f)
	for _, x := range g.inputs {
		data = append(data, x.values)
	}
	for i, got := range run(t, b.Backend, p, data) {
		compareTensor(t, g.names[i], got, p.Outputs()[i].Dimensions, f.get(t, g.names[i]), b.tolerance)
	}
}

// params returns the fixture's parameters in the model's order. All must be
// used, and have the shapes of the model's.
func params(t testing.TB, m *worldmodel.Model, f fixture) [][]float32 {
	t.Helper()
	var out [][]float32
	for _, spec := range m.ParamSpecs() {
		p := f.get(t, "param/"+spec.Name)
		if !slices.Equal(p.dims, spec.Dims) {
			t.Fatalf("parameter %q is %v in the fixture, %v in the model", spec.Name, p.dims, spec.Dims)
		}
		out = append(out, p.values)
	}
	if there := f.under("param/"); len(there) != len(out) {
		t.Fatalf("the fixture has %d parameters, the model %d", len(there), len(out))
	}
	return out
}

func compareTensor(t *testing.T, name string, got []float32, dims []int, want tensor, tolerance float64) {
	t.Helper()
	if !slices.Equal(dims, want.dims) {
		t.Errorf("%s is %v, PyTorch's %v", name, dims, want.dims)
		return
	}
	if d := distance(got, want.values); d > tolerance {
		t.Errorf("%s: relative distance %.2g from PyTorch's", name, d)
	}
}

// batchInputs are what the model learns from, in the order of its batches.
func batchInputs(t testing.TB, m *worldmodel.Model, f fixture) []tensor {
	t.Helper()
	records := f.get(t, "rewards").dims
	var out []tensor
	for _, in := range m.BatchInputs(dtypes.Float32, records[0], records[1]) {
		switch in.Name {
		case "images":
			out = append(out, f.images(t))
		case "rollout_noise":
			out = append(out, rolloutNoise(f.get(t, in.Name), m.Config().Objective.OvershootingDistance))
		default:
			out = append(out, f.get(t, in.Name))
		}
	}
	return out
}

// TestLossesMatchPyTorch compares every term of the objective and the gradient
// of the total with respect to every parameter.
func TestLossesMatchPyTorch(t *testing.T) {
	onEveryCase(t, func(t *testing.T, b tested, m *worldmodel.Model, f fixture) {
		lossGraph(t, m, f, "default").run(t, b, m, f)
	})
}

// lossGraph computes the losses of one objective and their gradients.
func lossGraph(t *testing.T, m *worldmodel.Model, f fixture, objective string) torchGraph {
	var names []string
	for _, name := range m.LossNames() {
		names = append(names, objective+"/loss/"+name)
	}
	for _, spec := range m.ParamSpecs() {
		names = append(names, objective+"/grad/"+spec.Name)
	}
	return torchGraph{names: names, inputs: batchInputs(t, m, f), build: func(n *worldmodel.Net, params, data []*graph.Node) []*graph.Node {
		losses := n.Loss(n.BatchFromNodes(data))
		return append(losses.Nodes(), graph.Gradient(losses.Total, params...)...)
	}}
}

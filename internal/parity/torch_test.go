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

// torchCase is a file of testdata/torch and the model it was made with.
type torchCase struct {
	file string
	dims worldmodel.Dims
	cfg  worldmodel.Config
}

// torchCases mirrors CASES of torch/fixtures.py.
func torchCases() []torchCase {
	paper := worldmodel.Config{
		Depth: 4, DeterSize: 16, StochSize: 4, HiddenSize: 16, RewardLayers: []int{16}, GRU: worldmodel.ResetBefore,
		MinStd: 0.1, FreeNats: 3, KLScale: 1, RewardScale: 10,
	}
	before := paper
	before.Depth, before.DeterSize, before.StochSize, before.HiddenSize, before.RewardLayers = 2, 9, 5, 7, []int{6, 8}
	before.FreeNats = 1
	after := before
	after.GRU, after.FreeNats = worldmodel.ResetAfter, 3
	deterministic, ssm, drnn := before, before, before
	deterministic.Transition, deterministic.FreeNats = worldmodel.Deterministic, 0
	ssm.Transition, ssm.FreeNats = worldmodel.SSM, 3
	drnn.Transition, drnn.FreeNats = worldmodel.DRNN, 0.5
	drnnAfter := drnn
	drnnAfter.GRU = worldmodel.ResetAfter
	small := worldmodel.Dims{Height: 18, Width: 13, Channels: 2, ActionSize: 2}
	return []torchCase{
		{"rssm-paper", worldmodel.Dims{Height: 64, Width: 64, Channels: 3, ActionSize: 2}, paper},
		{"rssm-reset_before", small, before},
		{"rssm-reset_after", small, after},
		{"deterministic", small, deterministic},
		{"ssm", small, ssm},
		{"drnn-reset_before", small, drnn},
		{"drnn-reset_after", small, drnnAfter},
	}
}

// torchGraph evaluates the model on parameters and the four inputs of a loss.
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

// lossInputs are images, actions, rewards and noise.
func lossInputs(t testing.TB, f fixture) []tensor {
	t.Helper()
	return []tensor{f.images(t), f.get(t, "actions"), f.get(t, "rewards"), f.get(t, "noise")}
}

// TestTrajectoriesMatchPyTorch compares embeddings, states, priors, posteriors
// and predictions, closed and open loop, over 20 steps.
func TestTrajectoriesMatchPyTorch(t *testing.T) {
	for _, c := range torchCases() {
		t.Run(c.file, func(t *testing.T) {
			f := loadFixture(t, "torch", c.file+".npz")
			m, err := worldmodel.New(c.cfg, c.dims)
			if err != nil {
				t.Fatal(err)
			}
			onEveryBackend(t, func(t *testing.T, b tested) { trajectoryGraph(t, f).run(t, b, m, f) })
		})
	}
}

// trajectoryGraph computes what the function trajectories of torch/fixtures.py
// does.
func trajectoryGraph(t *testing.T, f fixture) torchGraph {
	const context, every = 5, 10
	return torchGraph{
		names: []string{
			"embed", "features", "prior_mean", "prior_std", "posterior_mean", "posterior_std",
			"dream_features", "dream_mean", "dream_std", "decoded", "predicted_rewards",
		},
		inputs: lossInputs(t, f),
		build: func(n *worldmodel.Net, _, data []*graph.Node) []*graph.Node {
			images, actions, noise := data[0], data[1], data[3]
			shape := images.Shape().Dimensions
			embed := joined(images, n.Encode)
			seq := n.Observe(embed, actions, noise)
			tail := func(x *graph.Node) *graph.Node { return graph.SliceAxis(x, 1, graph.AxisRangeToEnd(context)) }
			dream := n.Imagine(seq.States[context-1], tail(actions), tail(noise))
			decoded := graph.SliceAxis(joined(seq.Features, n.Decode), 1, graph.AxisRange(0, shape[1]).Stride(every))
			return []*graph.Node{
				embed, seq.Features, seq.Prior.Mean, seq.Prior.Std, seq.Posterior.Mean, seq.Posterior.Std,
				dream.Features, dream.Prior.Mean, dream.Prior.Std, decoded, joined(seq.Features, n.Reward),
			}
		},
	}
}

// joined applies f, which takes rows, to [B, L, ...].
func joined(x *graph.Node, f func(*graph.Node) *graph.Node) *graph.Node {
	lead, rest := x.Shape().Dimensions[:2], x.Shape().Dimensions[2:]
	y := f(graph.Reshape(x, append([]int{lead[0] * lead[1]}, rest...)...))
	return graph.Reshape(y, append(slices.Clone(lead), y.Shape().Dimensions[1:]...)...)
}

// TestLossesMatchPyTorch compares every term of the objective and the gradient
// of the total with respect to every parameter.
func TestLossesMatchPyTorch(t *testing.T) {
	for _, c := range torchCases() {
		t.Run(c.file, func(t *testing.T) {
			f := loadFixture(t, "torch", c.file+".npz")
			m, err := worldmodel.New(c.cfg, c.dims)
			if err != nil {
				t.Fatal(err)
			}
			onEveryBackend(t, func(t *testing.T, b tested) { lossGraph(t, m, f, "default").run(t, b, m, f) })
		})
	}
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
	return torchGraph{names: names, inputs: lossInputs(t, f), build: func(n *worldmodel.Net, params, data []*graph.Node) []*graph.Node {
		losses := n.Loss(n.BatchFromNodes(data))
		return append(losses.Nodes(), graph.Gradient(losses.Total, params...)...)
	}}
}

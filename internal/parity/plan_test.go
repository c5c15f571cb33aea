package parity

import (
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/plan"
	"github.com/orrery-rl/orrery/worldmodel"
)

// TestPlansMatchPyTorch plans from the last states of the two chunks with the
// noise of torch/planner.py.
func TestPlansMatchPyTorch(t *testing.T) {
	c := torchCases()[2]
	f := loadFixture(t, "torch", c.file+".npz")
	m, err := worldmodel.New(c.cfg, c.dims)
	if err != nil {
		t.Fatal(err)
	}
	onEveryBackend(t, func(t *testing.T, b tested) { cemGraph(t, m, f).run(t, b, m, f) })
}

// cemGraph plans with the settings of torch/planner.py.
func cemGraph(t *testing.T, m *worldmodel.Model, f fixture) torchGraph {
	cfg := plan.Config{Horizon: 5, Iterations: 3, Candidates: 24, Elites: 6}
	g := torchGraph{
		names:  []string{"plan/action", "plan/mean", "plan/std", "plan/best", "plan/mean_score", "plan/elite_score"},
		inputs: []tensor{last(f.get(t, "features"))},
	}
	stoch := m.Config().StochSize
	for _, in := range cfg.Noise(2, m.Dims().ActionSize, stoch).Inputs() {
		g.inputs = append(g.inputs, f.get(t, in.Name))
	}
	g.build = func(n *worldmodel.Net, _, data []*graph.Node) []*graph.Node {
		features := data[0]
		start := plan.State{
			graph.SliceAxis(features, 1, graph.AxisRangeToEnd(stoch)), graph.SliceAxis(features, 1, graph.AxisRange(0, stoch)),
		}
		return plan.Search(cfg, imagination{n, stoch}, start, m.Dims().ActionSize, data[1:]).Outputs()
	}
	return g
}

// last is the last step of [B, L, D], as [B, D].
func last(x tensor) tensor {
	rows, length, size := x.dims[0], x.dims[1], x.dims[2]
	out := tensor{dims: []int{rows, size}}
	for b := range rows {
		at := (b*length + length - 1) * size
		out.values = append(out.values, x.values[at:at+size]...)
	}
	return out
}

package parity

import (
	"fmt"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/internal/optim"
	"github.com/orrery-rl/orrery/worldmodel"
)

// adamUpdates is the number of updates in the fixtures of torch/adam.py.
const adamUpdates = 5

// TestAdamMatchesPyTorch makes five updates with given gradients, whose norms
// range from nearly nothing to far above the clipping norm.
func TestAdamMatchesPyTorch(t *testing.T) {
	f := loadFixture(t, "torch", "adam.npz")
	onEveryBackend(t, func(t *testing.T, b tested) {
		p := adamGraph(t, b, f)
		n := len(f.under("value/"))
		values, moments := make([][]float32, n), make([][]float32, 2*n)
		for i := range n {
			values[i] = f.get(t, fmt.Sprint("value/", i)).values
			moments[i] = make([]float32, len(values[i]))
			moments[n+i] = moments[i]
		}
		for step := 1; step <= adamUpdates; step++ {
			data := append(append([][]float32{}, values...), moments...)
			for i := range n {
				data = append(data, f.get(t, fmt.Sprintf("grad/%d/%d", step, i)).values)
			}
			out := run(t, b.Backend, p, append(data, correction(step)))
			values, moments = out[:n], out[n:3*n]
			for i := range n {
				name := fmt.Sprintf("after/%d/%d", step, i)
				if d := distance(out[i], f.get(t, name).values); d > 1e-6 {
					t.Errorf("%s: relative distance %.2g from PyTorch's", name, d)
				}
			}
			if d := distance(out[3*n], f.get(t, "norms").values[step-1:step]); d > 1e-6 {
				t.Errorf("norm of update %d: relative distance %.2g from PyTorch's", step, d)
			}
		}
	})
}

// adamGraph takes values, both moments and gradients of the fixture's tensors,
// and the correction; it returns values, moments and the norm.
func adamGraph(t *testing.T, b tested, f fixture) *gx.Program {
	t.Helper()
	var inputs []gx.Input
	n := len(f.under("value/"))
	for _, kind := range []string{"value", "m", "v", "grad"} {
		for i := range n {
			dims := f.get(t, fmt.Sprint("value/", i)).dims
			inputs = append(inputs, gx.Input{Name: fmt.Sprint(kind, i), Shape: shapes.Make(dtypes.Float32, dims...)})
		}
	}
	inputs = append(inputs, gx.Input{Name: "correction", Shape: shapes.Make(dtypes.Float32, 2)})
	p, err := gx.Compile(b.Backend, "adam", inputs, func(_ *graph.Graph, x []*graph.Node) []*graph.Node {
		step := optim.DefaultConfig().Adam(x[:n], x[3*n:4*n], x[n:2*n], x[2*n:3*n], x[4*n])
		return append(append(append(step.Params, step.M...), step.V...), step.GradNorm)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func correction(step int) []float32 {
	c := optim.DefaultConfig().Correction(step)
	return []float32{float32(c[0]), float32(c[1])}
}

// TestUpdatesMatchPyTorch trains the model five times on a batch, clipped, and
// compares losses, norms and by how much each parameter has changed: at most
// 5e-3, which the tolerances are relative to.
func TestUpdatesMatchPyTorch(t *testing.T) {
	c := torchCases()[1]
	f := loadFixture(t, "torch", c.file+".npz")
	m, err := worldmodel.New(c.cfg, c.dims)
	if err != nil {
		t.Fatal(err)
	}
	cfg := optim.DefaultConfig()
	cfg.ClipNorm = 50
	onEveryBackend(t, func(t *testing.T, b tested) {
		actions := f.get(t, "actions")
		p := updateGraphWith(t, b.Backend, m, cfg, actions.dims[0], actions.dims[1])
		before := params(t, m, f)
		n := len(before)
		state := append([][]float32{}, before...)
		for range 2 {
			for _, x := range before {
				state = append(state, make([]float32, len(x)))
			}
		}
		for step := range adamUpdates {
			data := append([][]float32{}, state...)
			for _, x := range batchInputs(t, m, f) {
				data = append(data, x.values)
			}
			out := run(t, b.Backend, p, append(data, correction(step+1)))
			state = out[:3*n]
			compareAt(t, f, "update/totals", step, out[3*n][0])
			compareAt(t, f, "update/norms", step, out[len(out)-1][0])
		}
		for i, spec := range m.ParamSpecs() {
			change := make([]float32, len(before[i]))
			for k := range change {
				change[k] = state[i][k] - before[i][k]
			}
			compareTensor(t, "update/change/"+spec.Name, change, spec.Dims, f.get(t, "update/change/"+spec.Name), 1e-3)
		}
	})
}

// compareAt compares a number with an entry of a list.
func compareAt(t *testing.T, f fixture, name string, i int, got float32) {
	t.Helper()
	if d := distance([]float32{got}, f.get(t, name).values[i:i+1]); d > 1e-5 {
		t.Errorf("%s[%d] = %v: relative distance %.2g from PyTorch's", name, i, got, d)
	}
}

package optim_test

import (
	"math"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/internal/optim"
)

// adam runs updates of a few float64 tensors and keeps their moments.
type adam struct {
	t       *testing.T
	cfg     optim.Config
	backend compute.Backend
	program *gx.Program
	params  [][]float64
	m, v    [][]float64
	updates int
}

func newAdam(t *testing.T, cfg optim.Config, sizes ...int) *adam {
	t.Helper()
	backend, err := gobackend.New("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(backend.Finalize)
	a := &adam{t: t, cfg: cfg, backend: backend}
	var inputs []gx.Input
	for _, kind := range []string{"param", "grad", "m", "v"} {
		for i, size := range sizes {
			inputs = append(inputs, gx.Input{Name: kind + string(rune('0'+i)), Shape: shapes.Make(dtypes.Float64, size)})
		}
	}
	inputs = append(inputs, gx.Input{Name: "correction", Shape: shapes.Make(dtypes.Float64, 2)})
	n := len(sizes)
	a.program, err = gx.Compile(backend, "adam", inputs, func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
		step := cfg.Adam(in[:n], in[n:2*n], in[2*n:3*n], in[3*n:4*n], in[4*n])
		return append(append(append(step.Params, step.M...), step.V...), step.GradNorm)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.program.Close)
	for _, size := range sizes {
		a.params = append(a.params, make([]float64, size))
		a.m = append(a.m, make([]float64, size))
		a.v = append(a.v, make([]float64, size))
	}
	return a
}

// step makes one update and returns the gradient norm.
func (a *adam) step(grads ...[]float64) float64 {
	a.t.Helper()
	a.updates++
	correction := a.cfg.Correction(a.updates)
	var inputs []compute.Buffer
	for _, list := range [][][]float64{a.params, grads, a.m, a.v, {correction[:]}} {
		for _, values := range list {
			buf, err := gx.Upload(a.backend, values, len(values))
			if err != nil {
				a.t.Fatal(err)
			}
			inputs = append(inputs, buf)
		}
	}
	out, err := a.program.Run(a.t.Context(), inputs, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	norm := make([]float64, 1)
	for i, values := range append(append(append(append([][]float64{}, a.params...), a.m...), a.v...), norm) {
		if err := gx.DownloadInto(out[i], values); err != nil {
			a.t.Fatal(err)
		}
	}
	return norm[0]
}

// TestThreeSteps holds the values of PyTorch's form for g = .01, -.02, .005,
// lr 1e-3, epsilon 1e-4; TensorFlow's form would give -7.597469e-4 first.
func TestThreeSteps(t *testing.T) {
	a := newAdam(t, optim.DefaultConfig(), 1)
	want := []float64{-9.900990e-4, -6.262960e-4, -4.906310e-4}
	for i, g := range []float64{.01, -.02, .005} {
		a.step([]float64{g})
		if math.Abs(a.params[0][0]-want[i]) > 5e-11 {
			t.Errorf("after step %d: %.6e, want %.6e", i+1, a.params[0][0], want[i])
		}
	}
}

// TestClipIsJoint: the moments after one step are (1-beta1) times the clipped
// gradient, whose norm over both tensors is the limit and whose direction is
// the gradient's.
func TestClipIsJoint(t *testing.T) {
	cfg := optim.DefaultConfig()
	for _, scale := range []float64{1, 1000} {
		a := newAdam(t, cfg, 2, 3)
		grads := [][]float64{{30 * scale, -40 * scale}, {0, 120 * scale, 0}}
		norm := a.step(grads...)
		if want := 130 * scale; math.Abs(norm-want) > 1e-9*want {
			t.Errorf("norm %v, want %v", norm, want)
		}
		factor := math.Min(1, cfg.ClipNorm/(norm+1e-6))
		for i := range grads {
			for j, g := range grads[i] {
				if got, want := a.m[i][j]/(1-cfg.Beta1), g*factor; math.Abs(got-want) > 1e-9 {
					t.Errorf("scale %v: clipped gradient %d,%d is %v, want %v", scale, i, j, got, want)
				}
			}
		}
	}
}

func TestZeroClipNormDoesNotClip(t *testing.T) {
	cfg := optim.DefaultConfig()
	cfg.ClipNorm = 0
	a := newAdam(t, cfg, 1)
	a.step([]float64{1e6})
	if got := a.m[0][0] / (1 - cfg.Beta1); math.Abs(got-1e6) > 1e-3 {
		t.Errorf("gradient became %v", got)
	}
}

func TestZeroGradientLeavesParameters(t *testing.T) {
	a := newAdam(t, optim.DefaultConfig(), 2)
	a.params[0] = []float64{3, -4}
	if norm := a.step([]float64{0, 0}); norm != 0 {
		t.Errorf("norm %v", norm)
	}
	if a.params[0][0] != 3 || a.params[0][1] != -4 {
		t.Errorf("parameters moved to %v", a.params[0])
	}
}

func TestValidateNamesEverySetting(t *testing.T) {
	if err := optim.DefaultConfig().Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
	err := optim.Config{LearningRate: math.NaN(), Beta1: 1, Beta2: -1, ClipNorm: math.Inf(1)}.Validate()
	for _, name := range []string{"learning_rate", "beta1", "beta2", "epsilon", "clip_norm"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not reported in %v", name, err)
		}
	}
}

func TestAdamRefusesUnequalLists(t *testing.T) {
	backend, err := gobackend.New("")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	_, err = gx.Compile(backend, "bad", []gx.Input{{Name: "x", Shape: shapes.Make(dtypes.Float64, 2)}},
		func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
			return optim.DefaultConfig().Adam(in, nil, in, in, in[0]).Params
		})
	if err == nil || !strings.Contains(err.Error(), "0 gradients") {
		t.Errorf("got %v", err)
	}
}

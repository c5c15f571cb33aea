package plan_test

import (
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/plan"
)

// buffers allocates what Fill writes.
func buffers(layout plan.NoiseLayout) [][]float32 {
	var out [][]float32
	for _, in := range layout.Inputs() {
		out = append(out, make([]float32, in.Shape.Size()))
	}
	return out
}

func filled(t testing.TB, layout plan.NoiseLayout, streams ...*rng.Stream) [][]float32 {
	t.Helper()
	out := buffers(layout)
	if err := layout.Fill(streams, out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestInputsAreOnePairForEachIteration(t *testing.T) {
	cfg := plan.Config{Horizon: 3, Iterations: 2, Candidates: 5, Elites: 1}
	shapes := func(layout plan.NoiseLayout) map[string][]int {
		out := map[string][]int{}
		for _, in := range layout.Inputs() {
			out[in.Name] = in.Shape.Dimensions
		}
		return out
	}
	want := map[string][]int{
		"plan/action_0": {3, 2, 5, 4}, "plan/latent_0": {3, 10, 7},
		"plan/action_1": {3, 2, 5, 4}, "plan/latent_1": {3, 10, 7},
	}
	if diff := cmp.Diff(want, shapes(cfg.Noise(2, 4, 7))); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
	delete(want, "plan/latent_0")
	delete(want, "plan/latent_1")
	if diff := cmp.Diff(want, shapes(cfg.Noise(2, 4, 0))); diff != "" {
		t.Errorf("inputs of a model without noise (-want +got):\n%s", diff)
	}
	cfg.Iterations = 0
	if n := len(cfg.Noise(2, 4, 7).Inputs()); n != 0 {
		t.Errorf("%d inputs without iterations, want none", n)
	}
}

func TestFillIsStandardNormalAndNeverRepeats(t *testing.T) {
	layout := plan.Config{Horizon: 4, Iterations: 2, Candidates: 500, Elites: 1}.Noise(1, 2, 3)
	stream := rng.New(1, "plan")
	first, second := filled(t, layout, stream), filled(t, layout, stream)
	all := slices.Concat(append(slices.Clone(first), second...)...)
	var sum, squares float64
	seen := make(map[float32]int)
	for _, x := range all {
		sum += float64(x)
		squares += float64(x) * float64(x)
		seen[x]++
	}
	n := float64(len(all)) // 40000: the standard error of the mean is 0.005
	if mean, variance := sum/n, squares/n; math.Abs(mean) > 0.025 || math.Abs(variance-1) > 0.04 {
		t.Errorf("mean %v, variance %v; want 0 and 1", mean, variance)
	}
	if len(seen) < len(all)*98/100 {
		t.Errorf("%d different values of %d: some tensors share their numbers", len(seen), len(all))
	}
}

func TestFillDependsOnStreamOnly(t *testing.T) {
	layout := small().Noise(1, 3, 4)
	want := filled(t, layout, rng.New(5, "plan"))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if diff := cmp.Diff(want, filled(t, layout, rng.New(5, "plan"))); diff != "" {
		t.Error("one processor draws other numbers")
	}
	a, b := rng.New(5, "plan"), rng.New(5, "plan")
	filled(t, layout, a)
	for _, x := range buffers(layout) { // H rows each
		for n := len(x) / small().Horizon; len(x) > 0; x = x[n:] {
			b.FillNormal(x[:n])
		}
	}
	if a.Uint64() != b.Uint64() {
		t.Error("a plan does not take its numbers one after the other")
	}
}

func TestFillNamesTheWrongBuffer(t *testing.T) {
	layout := small().Noise(1, 2, 3)
	dst := buffers(layout)
	dst[3] = dst[3][:5]
	if err := layout.Fill([]*rng.Stream{rng.New(1, "plan")}, dst); err == nil || !strings.Contains(err.Error(), "plan/latent_1") {
		t.Errorf("error %v does not name the buffer", err)
	}
	if err := layout.Fill([]*rng.Stream{rng.New(1, "plan")}, dst[:1]); err == nil {
		t.Error("too few buffers are accepted")
	}
}

func BenchmarkFill(b *testing.B) {
	layout := plan.DefaultConfig().Noise(1, 1, 30)
	dst := buffers(layout)
	stream := rng.New(1, "plan")
	b.SetBytes(10 * 12 * 1000 * 31 * 4)
	for b.Loop() {
		if err := layout.Fill([]*rng.Stream{stream}, dst); err != nil {
			b.Fatal(err)
		}
	}
}

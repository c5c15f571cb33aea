package plan

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// run evaluates a graph without inputs.
func run(t testing.TB, build func(g *graph.Graph) []*graph.Node) [][]float32 {
	t.Helper()
	backend, err := gobackend.New("")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	program, err := gx.Compile(backend, "test", nil, func(g *graph.Graph, _ []*graph.Node) []*graph.Node { return build(g) })
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	buffers, err := program.Run(t.Context(), []compute.Buffer{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := make([][]float32, len(buffers))
	for i, buf := range buffers {
		if out[i], err = gx.Download(buf); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// The four elites of the reference vector, among candidates that must not
// count. Deviations: NumPy std(ddof=0) of (-0.5, 0.1, 0.4, 0.8), without and
// with 1e-6 added to the variance; ddof=1 would give 0.5477226.
func TestRefitIsPopulationMeanAndDeviation(t *testing.T) {
	for _, c := range []struct{ epsilon, std float64 }{{0, 0.4743416}, {1e-6, 0.4743427}} {
		out := run(t, func(g *graph.Graph) []*graph.Node {
			actions := graph.Const(g, [][][][]float32{{{{-0.5}, {0.9}, {0.1}, {0.4}, {-1}, {0.8}}}})
			elites := graph.Const(g, [][]float32{{1, 0, 1, 1, 0, 1}})
			method := gaussian{search{cfg: Config{Elites: 4, VarianceEpsilon: c.epsilon}}}
			p := method.fit(actions, elites, 4)
			return []*graph.Node{p.mean, p.std}
		})
		if mean := float64(out[0][0]); math.Abs(mean-0.2) > 1e-7 {
			t.Errorf("mean is %v, want 0.2", mean)
		}
		if std := float64(out[1][0]); math.Abs(std-c.std) > 2e-7 {
			t.Errorf("epsilon %v: std is %.7f, want %.7f", c.epsilon, std, c.std)
		}
	}
}

// obviousMask sorts.
func obviousMask(scores []float32, k int) []float32 {
	index := make([]int, len(scores))
	for i := range index {
		index[i] = i
	}
	slices.SortStableFunc(index, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	mask := make([]float32, len(scores))
	for _, i := range index[:k] {
		mask[i] = 1
	}
	return mask
}

func TestTopMaskEqualsStableSort(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	inf := float32(math.Inf(1))
	rows := [][]float32{
		{1, 1, 1, 1, 1, 1, 1, 1},
		{-inf, 3, -inf, inf, 3, 3, inf, -inf},
		{-inf, -inf, -inf, -inf, -inf, -inf, -inf, -inf},
		{0, float32(math.Copysign(0, -1)), 1e-45, -1e-45, 0, 1, 1, 0},
	}
	for range 20 {
		row := make([]float32, 8)
		for i := range row {
			row[i] = float32(r.IntN(5)) - 2 // many ties
		}
		rows = append(rows, row)
	}
	for k := 1; k <= 8; k++ {
		got := run(t, func(g *graph.Graph) []*graph.Node { return []*graph.Node{topMask(ranks(graph.Const(g, rows)), k)} })[0]
		for i, row := range rows {
			if want := obviousMask(row, k); !slices.Equal(got[i*8:(i+1)*8], want) {
				t.Errorf("top %d of %v is %v, want %v", k, row, got[i*8:(i+1)*8], want)
			}
		}
	}
}

func TestWorstIfNaNKeepsNumbers(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	got := run(t, func(g *graph.Graph) []*graph.Node {
		return []*graph.Node{worstIfNaN(graph.Const(g, []float32{nan, 1, inf, -inf}))}
	})[0]
	if want := []float32{-inf, 1, inf, -inf}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRepeatKeepsCopiesTogether(t *testing.T) {
	got := run(t, func(g *graph.Graph) []*graph.Node {
		return repeat(State{graph.Const(g, [][]float32{{1, 2}, {3, 4}}), graph.Const(g, []float32{5, 6})}, 2)
	})
	if want := []float32{1, 2, 1, 2, 3, 4, 3, 4}; !slices.Equal(got[0], want) {
		t.Errorf("got %v, want %v", got[0], want)
	}
	if want := []float32{5, 5, 6, 6}; !slices.Equal(got[1], want) {
		t.Errorf("got %v, want %v", got[1], want)
	}
}

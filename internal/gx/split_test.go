package gx_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// runOnVector compiles f of one float64 input [n] and returns its outputs.
func runOnVector(t *testing.T, x []float64, f func(x *graph.Node) []*graph.Node) [][]float64 {
	t.Helper()
	return runOnVectorWith(t, newBackend(t), x, f)
}

func runOnVectorWith(t *testing.T, backend compute.Backend, x []float64, f func(x *graph.Node) []*graph.Node) [][]float64 {
	t.Helper()
	program, err := gx.Compile(backend, t.Name(), []gx.Input{{Name: "x", Shape: shapes.Make(dtypes.Float64, len(x))}},
		func(_ *graph.Graph, in []*graph.Node) []*graph.Node { return f(in[0]) })
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	out, err := program.Run(t.Context(), []compute.Buffer{upload(t, backend, x, len(x))}, nil)
	if err != nil {
		t.Fatal(err)
	}
	values := make([][]float64, len(out))
	for i, buf := range out {
		values[i] = make([]float64, program.Outputs()[i].Size())
		if err := gx.DownloadInto(buf, values[i]); err != nil {
			t.Fatal(err)
		}
	}
	return values
}

// TestSplitMatchesPlainSplit compares values and gradients with graph.Split on
// both axes, with a piece used twice, one never used, and the whole used as
// well.
func TestSplitMatchesPlainSplit(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	x := make([]float64, 24)
	for i := range x {
		x[i] = random.NormFloat64()
	}
	for axis := range 2 {
		f := func(split func(*graph.Node, int, int) []*graph.Node) func(x *graph.Node) []*graph.Node {
			return func(flat *graph.Node) []*graph.Node {
				matrix := graph.Reshape(flat, 4, 6)
				p := split(matrix, axis, 2)
				y := graph.Add(graph.Mul(p[0], graph.Sin(p[0])), graph.Square(p[1]))
				q := split(graph.Exp(matrix), axis, 2)
				loss := graph.Add(graph.ReduceAllSum(graph.Mul(y, q[1])), graph.ReduceAllSum(graph.Cos(matrix)))
				return []*graph.Node{graph.Identity(y), graph.Gradient(loss, flat)[0]}
			}
		}
		got, want := runOnVector(t, x, f(gx.Split)), runOnVector(t, x, f(graph.Split))
		assertClose(t, "value", got[0], want[0], 0)
		assertClose(t, "gradient", got[1], want[1], 1e-14)
	}
}

// TestSplitGradientTwice takes two gradients through one split, and a gradient
// of a gradient.
func TestSplitGradientTwice(t *testing.T) {
	x := []float64{1, 2, 3, 4}
	got := runOnVector(t, x, func(x *graph.Node) []*graph.Node {
		p := gx.Split(x, 0, 4)
		first := graph.Gradient(graph.ReduceAllSum(graph.Mul(p[0], p[1])), x)[0]
		cube := graph.ReduceAllSum(graph.Mul(graph.Square(p[2]), p[3]))
		second := graph.Gradient(cube, x)[0]
		return []*graph.Node{first, second, graph.Gradient(graph.ReduceAllSum(second), x)[0]}
	})
	for i, want := range [][]float64{{2, 1, 0, 0}, {0, 0, 24, 9}, {0, 0, 2*4 + 2*3, 2 * 3}} {
		if !slices.Equal(got[i], want) {
			t.Errorf("gradient %d is %v, want %v", i, got[i], want)
		}
	}
}

// TestSplitUnderCheckpoint: recomputed pieces have the same gradient.
func TestSplitUnderCheckpoint(t *testing.T) {
	x := []float64{1, 2, 3, 4}
	got := runOnVector(t, x, func(x *graph.Node) []*graph.Node {
		f := func(x *graph.Node) *graph.Node {
			p := gx.Split(graph.Sin(x), 0, 2)
			return graph.Mul(gx.Relu(p[0]), graph.Square(p[1]))
		}
		plain := graph.Gradient(graph.ReduceAllSum(f(x)), x)[0]
		again := graph.Gradient(graph.ReduceAllSum(f(x.Checkpoint()).StopCheckpoint()), x)[0]
		return []*graph.Node{plain, again}
	})
	assertClose(t, "gradient", got[1], got[0], 1e-15)
}

func TestSplitRefusesUnequalParts(t *testing.T) {
	_, err := gx.Compile(newBackend(t), "bad", []gx.Input{f32("x", 5)},
		func(_ *graph.Graph, in []*graph.Node) []*graph.Node { return gx.Split(in[0], 0, 2) })
	if err == nil || !strings.Contains(err.Error(), "Split: cannot cut axis 0") {
		t.Errorf("got %v", err)
	}
}

// TestForeignConvolutionIsRefused: beside our convolutions, one of GoMLX's must
// not silently get the gradient this package exists to replace.
func TestForeignConvolutionIsRefused(t *testing.T) {
	_, err := gx.Compile(newBackend(t), "bad", []gx.Input{f32("x", 1, 8, 8, 1), f32("kernel", 4, 4, 1, 1)},
		func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
			y := graph.Convolve(gx.Conv2D(in[0], in[1], 1), in[1]).Strides(1).NoPadding().Done()
			return graph.Gradient(graph.ReduceAllSum(y), in[0])
		})
	if err == nil || !strings.Contains(err.Error(), "cannot be trusted") {
		t.Errorf("got %v", err)
	}
}

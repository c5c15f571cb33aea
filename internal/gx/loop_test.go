package gx_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/internal/gx/gxtest"
)

// recurrence is a small cell: state h [2, 3] and s [2, 2], inputs [2, 4] and
// [2, 2], weights [7, 5] and one that is not used. Its second output does not
// depend on the state it makes, its third has no gradient.
func recurrence(constants, state, inputs []*graph.Node) (next, outputs []*graph.Node) {
	x := graph.Concatenate([]*graph.Node{state[0], graph.AddScalar(inputs[0], 0.25)}, 1)
	y := graph.Dot(x, constants[0]).Product()
	parts := gx.Split(graph.Concatenate([]*graph.Node{y, state[1], inputs[1]}, 1), 0, 2)
	z := graph.Concatenate([]*graph.Node{parts[1], parts[0]}, 0)
	h := graph.Tanh(graph.SliceAxis(z, 1, graph.AxisRange(0, 3)))
	s := graph.Add(gx.Relu(graph.SliceAxis(z, 1, graph.AxisRange(3, 5))), graph.MulScalar(state[1], 0.5))
	return []*graph.Node{h, s}, []*graph.Node{graph.Mul(h, h), graph.Exp(graph.MulScalar(inputs[1], 0.125)), graph.StopGradient(s)}
}

// writtenOut is what Loop.Run computes, step after step.
func writtenOut(l gx.Loop) (final, outputs []*graph.Node) {
	var all [][]*graph.Node
	final = l.State
	for i := range l.Inputs[0].Shape().Dimensions[0] {
		var in, out []*graph.Node
		for _, x := range l.Inputs {
			in = append(in, graph.Squeeze(graph.SliceAxis(x, 0, graph.AxisElem(i)), 0))
		}
		final, out = l.Step(l.Constants, final, in)
		all = append(all, out)
	}
	for j := range all[0] {
		var steps []*graph.Node
		for _, out := range all {
			steps = append(steps, out[j])
		}
		outputs = append(outputs, graph.Stack(steps, 0))
	}
	return final, outputs
}

// TestLoopIsItsStepsWrittenOut compares results and gradients with respect to
// constants, state and inputs, for one step and for several.
func TestLoopIsItsStepsWrittenOut(t *testing.T) {
	for _, steps := range []int{1, 2, 5} {
		dims := [][]int{{7, 5}, {2}, {2, 3}, {2, 2}, {steps, 2, 4}, {steps, 2, 2}}
		run := func(loop func(gx.Loop) (final, outputs []*graph.Node)) [][]float64 {
			return runOnNormal(t, dims, func(in []*graph.Node) []*graph.Node {
				final, outputs := loop(gx.Loop{Constants: in[:2], State: in[2:4], Inputs: in[4:], Step: recurrence})
				loss := graph.ReduceAllSum(graph.Sin(final[1]))
				for _, x := range outputs {
					loss = graph.Add(loss, graph.ReduceAllSum(graph.Mul(x, graph.Cos(x))))
				}
				// Scalars that the loop uses as well, and a second gradient.
				half := graph.ReduceAllSum(graph.MulScalar(outputs[0], 0.5))
				out := append(graph.Gradient(loss, in...), graph.Gradient(half, in[0])...)
				return append(append(out, final...), outputs...)
			})
		}
		got, want := run(gx.Loop.Run), run(writtenOut)
		for i := range want {
			assertClose(t, "result", got[i], want[i], 1e-13)
		}
	}
}

// TestLoopRefusesWhatItCannotCarry names the shapes that do not fit.
func TestLoopRefusesWhatItCannotCarry(t *testing.T) {
	double := func(_, state, _ []*graph.Node) (next, outputs []*graph.Node) {
		return []*graph.Node{graph.Concatenate([]*graph.Node{state[0], state[0]}, 0)}, nil
	}
	nested := func(_, state, in []*graph.Node) (next, outputs []*graph.Node) {
		return gx.Loop{State: state, Inputs: []*graph.Node{graph.ExpandAxes(in[0], 0)}, Step: func(_, s, in []*graph.Node) (next, outputs []*graph.Node) {
			return []*graph.Node{graph.Add(s[0], in[0])}, nil
		}}.Run()
	}
	for _, c := range []struct {
		loop func(in []*graph.Node) gx.Loop
		want string
	}{
		{func(in []*graph.Node) gx.Loop { return gx.Loop{State: in[:1], Step: double} }, "0 inputs"},
		{func(in []*graph.Node) gx.Loop { return gx.Loop{State: in[:1], Inputs: in, Step: double} }, "one length"},
		{func(in []*graph.Node) gx.Loop { return gx.Loop{State: in[:1], Inputs: in[1:], Step: double} }, "turns state 0"},
		{func(in []*graph.Node) gx.Loop { return gx.Loop{State: in[:1], Inputs: in[1:], Step: nested} }, "holds a loop"},
	} {
		_, err := gx.Compile(gxtest.Looping(newBackend(t)), "loop", []gx.Input{f32("a", 2), f32("b", 3)},
			func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
				final, _ := c.loop(in).Run()
				return final
			})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want an error that says %q", err, c.want)
		}
	}
}

// runOnNormal compiles f of float64 inputs and runs it on normal numbers.
func runOnNormal(t *testing.T, dims [][]int, f func(in []*graph.Node) []*graph.Node) [][]float64 {
	t.Helper()
	var sizes []int
	total := 0
	for _, d := range dims {
		sizes = append(sizes, shapes.Make(dtypes.Float64, d...).Size())
		total += sizes[len(sizes)-1]
	}
	random := rand.New(rand.NewPCG(3, 4))
	x := make([]float64, total)
	for i := range x {
		x[i] = random.NormFloat64()
	}
	return runOnVectorWith(t, gxtest.Looping(newBackend(t)), x, func(flat *graph.Node) []*graph.Node {
		var in []*graph.Node
		at := 0
		for i, d := range dims {
			in = append(in, graph.Reshape(graph.SliceAxis(flat, 0, graph.AxisRange(at, at+sizes[i])), d...))
			at += sizes[i]
		}
		return f(in)
	})
}

func TestBackendsSayWhetherTheyPreferLoops(t *testing.T) {
	backend := newBackend(t)
	if gx.PrefersLoops(backend) || !gx.PrefersLoops(gxtest.Looping(backend)) {
		t.Error("only the second backend asks for loops")
	}
}

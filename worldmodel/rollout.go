package worldmodel

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// rollout follows the prior without observations from many records of B chunks
// at once, which makes one chain of D steps of what would be B*L*D separate
// ones.
//
// Nodes are time-major: row i*B+b belongs to chunk b, and row i to a later
// record than row i-1. So the rollouts that leave their chunk at a step are the
// last B rows, and each step simply works on B rows fewer: there is nothing to
// pad, to mask or to leave out of an average.
type rollout struct {
	// step is the transition, [Net.StepPrior]. net is the net whose transition that
	// is; without it the steps never are a loop.
	step func(state State, action, noise *graph.Node) (State, Gaussian)
	net  *Net
	// chunks is B, length L.
	chunks, length int
	// first is the record that the rollout of the first rows predicts with its
	// first step.
	first int
	// actions is [L*B, A]: row j*B+b led to record j.
	actions *graph.Node
	// noise is [D, L*B, Z]: row j*B+b of matrix d-1 is what record j is sampled
	// with when it is d steps from an observation.
	noise *graph.Node
}

// prediction is what is expected at records from..L-1 of each chunk, some steps
// after the last observation that is known: (L-from)*B rows.
type prediction struct {
	from  int
	state State
	prior Gaussian
}

// follow makes at most distance steps from starts, (L-first)*B rows. Entry d-1
// of the result is d steps away from them.
func (r rollout) follow(starts State, distance int) []prediction {
	distance = min(distance, r.length-r.first)
	if r.net != nil && gx.PrefersLoops(r.net.graph().Backend()) {
		return r.loop(starts, distance)
	}
	var out []prediction
	state := starts
	for d := 1; d <= distance; d++ {
		from := r.first + d - 1
		rows := (r.length - from) * r.chunks
		state = state.apply(func(x *graph.Node) *graph.Node { return graph.SliceAxis(x, 0, graph.AxisRange(0, rows)) })
		noise := graph.Reshape(graph.SliceAxis(r.noise, 0, graph.AxisElem(d-1)), r.length*r.chunks, -1)
		var prior Gaussian
		state, prior = r.step(state, dropRows(from*r.chunks, r.actions), dropRows(from*r.chunks, noise))
		out = append(out, prediction{from: from, state: state, prior: prior})
	}
	return out
}

// loop is follow as a loop, in which all steps work on as many rows as the first
// and those that have left their chunk read zeros.
func (r rollout) loop(starts State, distance int) []prediction {
	rows := leading(starts.Stoch)
	var actions, noise []*graph.Node
	for d := range distance {
		from := (r.first + d) * r.chunks
		actions = append(actions, padRows(rows, dropRows(from, r.actions)))
		at := graph.Squeeze(graph.SliceAxis(r.noise, 0, graph.AxisElem(d)), 0)
		noise = append(noise, padRows(rows, dropRows(from, at)))
	}
	_, stacks := gx.Loop{
		Constants: r.net.transitionParams(), State: starts.Nodes(),
		Inputs: []*graph.Node{graph.Stack(actions, 0), graph.Stack(noise, 0)},
		Step: func(params, state, in []*graph.Node) (next, outputs []*graph.Node) {
			after, prior := r.net.withTransitionParams(params).StepPrior(r.net.StateFromNodes(state), in[0], in[1])
			return after.Nodes(), append(after.Nodes(), prior.Mean, prior.Std)
		},
	}.Run()
	var out []prediction
	for d := range distance {
		from := r.first + d
		nodes := make([]*graph.Node, len(stacks))
		for i, x := range stacks {
			valid := graph.SliceAxis(x, 1, graph.AxisRange(0, (r.length-from)*r.chunks))
			nodes[i] = graph.Squeeze(graph.SliceAxis(valid, 0, graph.AxisElem(d)), 0)
		}
		k := len(nodes) - 2
		out = append(out, prediction{from, r.net.StateFromNodes(nodes[:k]), Gaussian{Mean: nodes[k], Std: nodes[k+1]}})
	}
	return out
}

// padRows adds rows of zeros to a matrix.
func padRows(rows int, x *graph.Node) *graph.Node {
	missing := rows - leading(x)
	if missing == 0 {
		return x
	}
	zeros := graph.Zeros(x.Graph(), shapes.Make(x.DType(), missing, x.Shape().Dimensions[1]))
	return graph.Concatenate([]*graph.Node{x, zeros}, 0)
}

// dropRows leaves out the first rows of x.
func dropRows(rows int, x *graph.Node) *graph.Node {
	return graph.SliceAxis(x, 0, graph.AxisRangeToEnd(rows))
}

// timeMajor reorders [B, L, ...] to [L*B, ...].
func timeMajor(x *graph.Node) *graph.Node {
	rows, length := chunkShape(x)
	axes := []int{1, 0}
	for axis := 2; axis < x.Rank(); axis++ {
		axes = append(axes, axis)
	}
	rest := x.Shape().Dimensions[2:]
	return graph.Reshape(graph.TransposeAllAxes(x, axes...), append([]int{length * rows}, rest...)...)
}

// apply maps the nodes that the state has.
func (s State) apply(f func(*graph.Node) *graph.Node) State {
	optional := func(x *graph.Node) *graph.Node {
		if x == nil {
			return nil
		}
		return f(x)
	}
	return State{Deter: optional(s.Deter), Stoch: optional(s.Stoch), Encoder: optional(s.Encoder)}
}

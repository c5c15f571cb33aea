package plan

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// gaussian searches with a diagonal Gaussian over action sequences: cem, icem,
// mppi and shooting.
//
// Its memory is the proposal's mean and deviation, [H, E, 1, A] (time leads, so
// that one step is a contiguous piece), then the best candidate of the last
// iteration [H, E, 1, A], then, for icem, the elites that it kept [H, E, n, A].
type gaussian struct{ search }

// proposal is a diagonal Gaussian; mean and std are [H, E, 1, A].
type proposal struct{ mean, std *graph.Node }

// sample turns noise [H, E, J, A] into clipped candidates.
func (p proposal) sample(eps *graph.Node) *graph.Node {
	return graph.ClipScalar(graph.Add(p.mean, graph.Mul(p.std, eps)), -1, 1)
}

// warm reports whether the mean goes on from the decision before.
func (p gaussian) warm() bool {
	return p.cfg.Method == ICEM || p.cfg.Method == MPPI || p.cfg.Method == CEM && p.cfg.WarmStart
}

// Carry implements Planner: the mean of the plan before, and the elites kept.
func (p gaussian) Carry() []gx.Input {
	var carry []gx.Input
	if p.warm() {
		carry = append(carry, p.sequences("carry/mean", 1))
	}
	if n := p.cfg.kept(); n > 0 {
		carry = append(carry, p.sequences("carry/elites", n))
	}
	return carry
}

// Memory implements Planner.
func (p gaussian) Memory() []gx.Input {
	memory := []gx.Input{p.sequences("memory/mean", 1), p.sequences("memory/std", 1), p.sequences("memory/best", 1)}
	if n := p.cfg.kept(); n > 0 {
		memory = append(memory, p.sequences("memory/elites", n))
	}
	return memory
}

// sequences describes n action sequences for each environment.
func (p gaussian) sequences(name string, n int) gx.Input {
	return p.tensor(name, p.cfg.Horizon, p.layout.Envs, n, p.layout.ActionSize)
}

// Start implements Planner.
func (p gaussian) Start(like *graph.Node, carry []*graph.Node) []*graph.Node {
	shape := shapes.Make(like.DType(), p.cfg.Horizon, p.layout.Envs, 1, p.layout.ActionSize)
	mean := graph.Zeros(like.Graph(), shape)
	if p.warm() {
		mean, carry = p.shift(carry[0]), carry[1:]
	}
	std := graph.MulScalar(graph.Ones(like.Graph(), shape), p.initStd())
	memory := []*graph.Node{mean, std, mean}
	if p.cfg.kept() > 0 {
		memory = append(memory, p.shift(carry[0]))
	}
	return memory
}

// initStd is the deviation before the first iteration.
func (p gaussian) initStd() float64 {
	switch p.cfg.Method {
	case ICEM:
		return p.cfg.ICEM.InitStd
	case MPPI:
		return p.cfg.MPPI.InitStd
	}
	return 1
}

// shift moves sequences [H, ...] one decision on. The last action becomes zero,
// as in TD-MPC's MPPI; icem repeats it.
func (p gaussian) shift(x *graph.Node) *graph.Node {
	last := graph.SliceAxis(x, 0, graph.AxisElem(x.Shape().Dimensions[0]-1))
	if p.cfg.Method != ICEM {
		last = graph.ZerosLike(last)
	}
	if x.Shape().Dimensions[0] == 1 {
		return last
	}
	return graph.Concatenate([]*graph.Node{graph.SliceAxis(x, 0, graph.AxisRangeToEnd(1)), last}, 0)
}

// Step implements Planner.
func (p gaussian) Step(i int, model Model, start State, memory, noise []*graph.Node) ([]*graph.Node, Scores) {
	old := proposal{memory[0], memory[1]}
	actions := p.candidates(i, old, memory, noise[0])
	scores := p.evaluate(model, start, actions, noise[1:])
	ordered := worstIfNaN(scores)
	if p.cfg.Method == Shooting {
		best := firstOfMax(ordered, 1)
		one := gather(actions, best)
		return []*graph.Node{one, old.std, one}, summarise(scores, best, 1)
	}
	order := ranks(ordered)
	elites := topMask(order, p.cfg.Elites)
	next := p.refit(old, actions, ordered, elites)
	out := []*graph.Node{next.mean, next.std, p.best(actions, order)}
	if n := p.cfg.kept(); n > 0 {
		out = append(out, pick(actions, order, n))
	}
	return out, summarise(scores, elites, p.cfg.Elites)
}

// candidates are what iteration i evaluates: samples, then for icem the elites
// that were kept and, in the end, the mean.
func (p gaussian) candidates(i int, old proposal, memory []*graph.Node, eps *graph.Node) *graph.Node {
	parts := []*graph.Node{old.sample(eps)}
	if p.cfg.kept() > 0 {
		parts = append(parts, memory[3])
	}
	if p.cfg.Method == ICEM && i == p.cfg.Iterations-1 {
		parts = append(parts, graph.ClipScalar(old.mean, -1, 1))
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return graph.Concatenate(parts, 2)
}

// best is the candidate of rank 0, which only icem executes.
func (p gaussian) best(actions, order *graph.Node) *graph.Node {
	if p.cfg.Method != ICEM {
		return graph.ZerosLike(graph.SliceAxis(actions, 2, graph.AxisElem(0)))
	}
	return pick(actions, order, 1)
}

// gather returns the candidate that a mask [E, J] of one 1 in each row marks:
// [H, E, J, A] -> [H, E, 1, A].
func gather(actions, mask *graph.Node) *graph.Node {
	dims := mask.Shape().Dimensions
	return graph.ReduceAndKeep(graph.Mul(graph.Reshape(mask, 1, dims[0], dims[1], 1), actions), graph.ReduceSum, 2)
}

// Finish implements Planner.
func (p gaussian) Finish(memory, _ []*graph.Node) Result {
	mean, std, action := memory[0], memory[1], memory[0]
	if p.cfg.Method == ICEM && p.cfg.Iterations > 0 {
		action = memory[2]
	}
	r := Result{Mean: envsFirst(mean), Std: envsFirst(std)}
	r.Action = graph.ClipScalar(graph.Squeeze(graph.SliceAxis(action, 0, graph.AxisElem(0)), 0, 2), -1, 1)
	if p.warm() {
		r.Carry = append(r.Carry, mean)
	}
	if p.cfg.kept() > 0 {
		r.Carry = append(r.Carry, memory[3])
	}
	return r
}

// envsFirst turns [H, E, 1, A] into [E, H, A].
func envsFirst(x *graph.Node) *graph.Node {
	return graph.TransposeAllAxes(graph.Squeeze(x, 2), 1, 0, 2)
}

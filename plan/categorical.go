package plan

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// categorical searches with independent categorical distributions over discrete
// actions, given to the model as one-hot vectors. Its memory is the
// probabilities, [H, E, 1, A].
type categorical struct{ search }

// Carry implements Planner: nothing is kept.
func (p categorical) Carry() []gx.Input { return nil }

// Memory implements Planner.
func (p categorical) Memory() []gx.Input {
	return []gx.Input{p.tensor("memory/probabilities", p.cfg.Horizon, p.layout.Envs, 1, p.layout.ActionSize)}
}

// Start implements Planner: all actions are equally probable.
func (p categorical) Start(like *graph.Node, _ []*graph.Node) []*graph.Node {
	shape := shapes.Make(like.DType(), p.cfg.Horizon, p.layout.Envs, 1, p.layout.ActionSize)
	return []*graph.Node{graph.MulScalar(graph.Ones(like.Graph(), shape), 1/float64(p.layout.ActionSize))}
}

// Step implements Planner. The largest of log p + Gumbel noise is a sample of p.
func (p categorical) Step(_ int, model Model, start State, memory, noise []*graph.Node) ([]*graph.Node, Scores) {
	probabilities := memory[0]
	logits := graph.Log(graph.MaxScalar(probabilities, 1e-30))
	actions := firstOfMax(graph.Add(logits, noise[0]), 3)
	scores := p.evaluate(model, start, actions, noise[1:])
	elites := topMask(ranks(worstIfNaN(scores)), p.cfg.Elites)
	dims := elites.Shape().Dimensions
	weight := graph.Reshape(elites, 1, dims[0], dims[1], 1)
	fitted := graph.DivScalar(graph.ReduceAndKeep(graph.Mul(weight, actions), graph.ReduceSum, 2), float64(p.cfg.Elites))
	even := p.cfg.Categorical.Smoothing
	fitted = graph.AddScalar(graph.MulScalar(fitted, 1-even), even/float64(p.layout.ActionSize))
	return []*graph.Node{fitted}, summarise(scores, elites, p.cfg.Elites)
}

// Finish implements Planner: the most probable first action.
func (p categorical) Finish(memory, _ []*graph.Node) Result {
	mode := firstOfMax(graph.SliceAxis(memory[0], 0, graph.AxisElem(0)), 3)
	all := envsFirst(memory[0])
	return Result{Action: graph.Squeeze(mode, 0, 2), Mean: all, Std: graph.Identity(all)}
}

// randomActions draws every action without a model.
type randomActions struct{ search }

// Carry implements Planner: nothing is kept.
func (p randomActions) Carry() []gx.Input { return nil }

// Memory implements Planner: nothing is kept.
func (p randomActions) Memory() []gx.Input { return nil }

// Start implements Planner.
func (p randomActions) Start(*graph.Node, []*graph.Node) []*graph.Node { return nil }

// Step implements Planner; it is never called.
func (p randomActions) Step(int, Model, State, []*graph.Node, []*graph.Node) ([]*graph.Node, Scores) {
	return nil, Scores{}
}

// Finish implements Planner: a clipped standard normal.
func (p randomActions) Finish(_, noise []*graph.Node) Result {
	action := graph.ClipScalar(noise[0], -1, 1)
	mean := graph.ZerosLike(action)
	return Result{
		Action: graph.Squeeze(action, 0, 2), Mean: envsFirst(mean),
		Std: envsFirst(graph.OnesLike(action)),
	}
}

package plan

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// evaluate rolls every candidate through the model and returns its score,
// [E, J]: the sum of the rewards of the H states after the start, averaged over
// the rollouts. actions is [H, E, J, A]; noise holds the latent numbers
// [H, E*J*M, Z], or nothing.
func (s search) evaluate(model Model, start State, actions *graph.Node, noise []*graph.Node) *graph.Node {
	dims := actions.Shape().Dimensions
	horizon, envs, candidates, rollouts := dims[0], dims[1], dims[2], s.cfg.Rollouts
	rows := envs * candidates * rollouts
	if rollouts > 1 {
		actions = graph.BroadcastToDims(graph.ExpandAxes(actions, 3), horizon, envs, candidates, rollouts, dims[3])
	}
	state := repeat(start, candidates*rollouts)
	var sum total
	for t := range horizon {
		state = model.StepPrior(state, step(actions, t, rows), s.latent(model, noise, actions, t, rows))
		sum.add(model, state, rows, t == horizon-1)
	}
	if rollouts == 1 {
		return graph.Reshape(sum.score, envs, candidates)
	}
	scores := graph.Reshape(sum.score, envs, candidates, rollouts)
	return graph.DivScalar(graph.ReduceSum(scores, 2), float64(rollouts))
}

// latent is the noise of step t: zeros for mean rollouts, nil for a model that
// takes none.
func (s search) latent(model Model, noise []*graph.Node, like *graph.Node, t, rows int) *graph.Node {
	switch {
	case model.NoiseSize() == 0:
		return nil
	case len(noise) == 0:
		return graph.Zeros(like.Graph(), shapes.Make(like.DType(), rows, model.NoiseSize()))
	}
	return step(noise[0], t, rows)
}

// total adds up rewards, each weighed by the probability that the episode lasts
// until then.
type total struct{ score, alive *graph.Node }

func (s *total) add(model Model, state State, rows int, last bool) {
	reward := model.Score(state)
	gx.CheckShape("score", reward, rows)
	if s.alive != nil {
		reward = graph.Mul(reward, s.alive)
	}
	if s.score == nil {
		s.score = reward
	} else {
		s.score = graph.Add(s.score, reward)
	}
	if c, ok := model.(Continuer); ok && !last {
		p := c.Continue(state)
		gx.CheckShape("continue", p, rows)
		if s.alive != nil {
			p = graph.Mul(s.alive, p)
		}
		s.alive = p
	}
}

// step is entry t of the leading axis as a matrix of rows.
func step(x *graph.Node, t, rows int) *graph.Node {
	return graph.Reshape(graph.SliceAxis(x, 0, graph.AxisElem(t)), rows, -1)
}

// repeat copies every row rows times, the copies of one row consecutively, so
// that the rows of a state line up with the environment-major candidates.
// Repeating the whole block instead would score candidates from the states of
// other environments.
func repeat(state State, rows int) State {
	out := make(State, len(state))
	for i, x := range state {
		dims := x.Shape().Dimensions
		spread := append([]int{dims[0], rows}, dims[1:]...)
		flat := append([]int{dims[0] * rows}, dims[1:]...)
		out[i] = graph.Reshape(graph.BroadcastToDims(graph.ExpandAxes(x, 1), spread...), flat...)
	}
	return out
}

package plan

import "github.com/gomlx/gomlx/core/graph"

// State is where imagination starts and what a model carries from step to
// step. The planner only repeats it: every node has the rows as leading axis.
type State []*graph.Node

// Model is what the planner needs to know of the world.
type Model interface {
	// StepPrior advances N states by one decision without an observation.
	// action is [N, A] in [-1, 1]; noise is [N, NoiseSize()], standard normal,
	// and nil when NoiseSize() is 0. Rows are independent.
	StepPrior(state State, action, noise *graph.Node) State
	// Score is the expected reward of being in each state, [N].
	Score(state State) *graph.Node
	// NoiseSize (Z) is the number of random numbers a step uses for each row.
	NoiseSize() int
}

// Continuer is a Model that knows where episodes end. What comes after a state
// then counts by the probability that the episode is still going on.
type Continuer interface {
	// Continue is the probability, [N] in [0, 1], that each state is not the last
	// of its episode.
	Continue(state State) *graph.Node
}

// Result is a plan for E environments.
type Result struct {
	// Action is [E, A]: what to execute.
	Action *graph.Node
	// Mean and Std are [E, H, A], the final proposal; for categorical both are the
	// probabilities. A mean of actions lies in [-1, 1].
	Mean, Std *graph.Node
	// Best, MeanScore and EliteScore are [I, E]: for each iteration the highest
	// score, the mean over candidates whose score is a number, and the mean over
	// the elites. They are nil when nothing is searched.
	Best, MeanScore, EliteScore *graph.Node
	// Scores is [E, J]: the score of each candidate of the last iteration, NaN
	// included; nil when nothing is searched.
	Scores *graph.Node
	// Carry is what the next decision begins with, by [Planner.Carry].
	Carry []*graph.Node
}

// Outputs returns the nodes of the result in the order of its fields, without
// those that are nil and without Scores and Carry: six, or three when nothing is
// searched.
func (r Result) Outputs() []*graph.Node {
	out := []*graph.Node{r.Action, r.Mean, r.Std}
	if r.Best != nil {
		out = append(out, r.Best, r.MeanScore, r.EliteScore)
	}
	return out
}

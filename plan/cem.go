package plan

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

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

// Result is a plan for E environments.
type Result struct {
	// Action is [E, A], the first action of the mean sequence: what to execute.
	Action *graph.Node
	// Mean and Std are [E, H, A], the final proposal. Mean lies in [-1, 1].
	Mean, Std *graph.Node
	// Best, MeanScore and EliteScore are [I, E]: for each iteration the highest
	// score, the mean over candidates whose score is a number, and the mean over
	// the elites. They are nil when Iterations is 0.
	Best, MeanScore, EliteScore *graph.Node
}

// Outputs returns the nodes of the result in the order of its fields, without
// those that are nil: six, or three when Iterations is 0.
func (r Result) Outputs() []*graph.Node {
	out := []*graph.Node{r.Action, r.Mean, r.Std}
	if r.Best != nil {
		out = append(out, r.Best, r.MeanScore, r.EliteScore)
	}
	return out
}

// CEM builds the cross-entropy method: sample action sequences from a diagonal
// Gaussian, score each by the sum of predicted rewards of the Horizon states
// it leads to, refit the Gaussian to the best, and repeat
// (Hafner et al. 2019, Algorithm 2).
//
// start is the state of E environments, one row each, and noise what
// cfg.Noise(E, actionSize, model.NoiseSize()) describes. The reward of the
// start itself is not counted, nothing is discounted, and nothing is carried
// over from an earlier plan: the search starts from a standard normal.
//
// Actions are clipped to [-1, 1] before they are evaluated and refitted, so
// the mean never leaves the bounds. A candidate whose score is not a number
// loses to every other; equal scores are decided by the lower index.
//
// cfg must be valid and start must have at least one node.
func CEM(cfg Config, model Model, start State, actionSize int, noise []*graph.Node) Result {
	envs := start[0].Shape().Dimensions[0]
	layout := cfg.Noise(envs, actionSize, model.NoiseSize())
	layout.check(noise)
	states := repeat(start, cfg.Candidates)
	best := standardNormal(start[0], cfg.Horizon, envs, actionSize)
	var log history
	for i := range cfg.Iterations {
		eps, latent := layout.iteration(noise, i)
		actions := best.sample(eps)
		scores := evaluate(model, states, actions, latent)
		elites := topMask(worstIfNaN(scores), cfg.Elites)
		best = refit(actions, elites, cfg)
		log.add(scores, elites, cfg.Elites)
	}
	return result(best, log)
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

// proposal is a diagonal Gaussian over action sequences; mean and std are
// [H, E, 1, A]. Time leads so that one step is a contiguous slice.
type proposal struct{ mean, std *graph.Node }

func standardNormal(like *graph.Node, horizon, envs, actionSize int) proposal {
	shape := shapes.Make(like.DType(), horizon, envs, 1, actionSize)
	return proposal{graph.Zeros(like.Graph(), shape), graph.Ones(like.Graph(), shape)}
}

// sample turns standard normal eps [H, E, J, A] into clipped candidates.
func (p proposal) sample(eps *graph.Node) *graph.Node {
	return graph.ClipScalar(graph.Add(p.mean, graph.Mul(p.std, eps)), -1, 1)
}

// evaluate rolls every candidate through the model and returns its score,
// [E, J]: the sum of the rewards of the H states after the start.
// actions is [H, E, J, A]; latent is [H, E*J, Z] or nil.
func evaluate(model Model, state State, actions, latent *graph.Node) *graph.Node {
	dims := actions.Shape().Dimensions
	horizon, envs, candidates := dims[0], dims[1], dims[2]
	rows := envs * candidates
	var total *graph.Node
	for t := range horizon {
		state = model.StepPrior(state, step(actions, t, rows), step(latent, t, rows))
		reward := model.Score(state)
		gx.CheckShape("score", reward, rows)
		if t == 0 {
			total = reward
		} else {
			total = graph.Add(total, reward)
		}
	}
	return graph.Reshape(total, envs, candidates)
}

// step is entry t of the leading axis as a matrix of rows; nil stays nil.
func step(x *graph.Node, t, rows int) *graph.Node {
	if x == nil {
		return nil
	}
	return graph.Reshape(graph.SliceAxis(x, 0, graph.AxisElem(t)), rows, -1)
}

// refit is the mean and population standard deviation (division by K) of the
// elites of each environment. actions is [H, E, J, A], elites [E, J] with
// exactly cfg.Elites ones in each row.
//
// The sums run over all candidates weighted by 0 or 1: that costs less than
// gathering the elites and, unlike a matrix product, keeps full precision on
// backends that multiply matrices in bfloat16.
func refit(actions, elites *graph.Node, cfg Config) proposal {
	dims := elites.Shape().Dimensions
	weight := graph.Reshape(elites, 1, dims[0], dims[1], 1)
	average := func(x *graph.Node) *graph.Node {
		return graph.DivScalar(graph.ReduceAndKeep(graph.Mul(weight, x), graph.ReduceSum, 2), float64(cfg.Elites))
	}
	mean := average(actions)
	variance := average(graph.Square(graph.Sub(actions, mean)))
	return proposal{mean, graph.Sqrt(graph.AddScalar(variance, cfg.VarianceEpsilon))}
}

// result puts the environments first.
func result(p proposal, log history) Result {
	envsFirst := func(x *graph.Node) *graph.Node {
		return graph.TransposeAllAxes(graph.Squeeze(x, 2), 1, 0, 2)
	}
	first := graph.Squeeze(graph.SliceAxis(p.mean, 0, graph.AxisElem(0)), 0, 2)
	r := Result{Action: first, Mean: envsFirst(p.mean), Std: envsFirst(p.std)}
	if len(log.best) > 0 {
		r.Best, r.MeanScore, r.EliteScore = graph.Stack(log.best, 0), graph.Stack(log.mean, 0), graph.Stack(log.elite, 0)
	}
	return r
}

package plan

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// Planner builds the graph of a search, as a whole by [Build] or piece by piece.
// Between its iterations a search is a few tensors, its memory, and between two
// decisions of an episode a few others, its carry, which are zero when an
// episode begins.
type Planner interface {
	// Iterations is how many times Step belongs between Start and Finish.
	Iterations() int
	// Like is the first iteration whose graph is that of iteration i, so that a
	// caller who builds piece by piece builds it once.
	Like(i int) int
	// Noise describes the random numbers of a plan.
	Noise() NoiseLayout
	// Carry describes what is kept from one decision to the next.
	Carry() []gx.Input
	// Memory describes what is kept from one iteration to the next.
	Memory() []gx.Input
	// Start makes the memory before the first iteration. like is any node of the
	// graph with the element type of the search; noise is that of the whole plan.
	Start(like *graph.Node, carry []*graph.Node) (memory []*graph.Node)
	// Step is iteration i. noise are the tensors of this iteration alone, in the
	// order of the layout.
	Step(i int, model Model, start State, memory, noise []*graph.Node) ([]*graph.Node, Scores)
	// Finish reads the plan from the memory; before the first iteration there is one,
	// too. noise is nil but for method random, which needs its tensor.
	Finish(memory, noise []*graph.Node) Result
}

// Scores are what an iteration found for each environment, [E], see [Result],
// and the score of every candidate, [E, J].
type Scores struct{ Best, Mean, Elite, All *graph.Node }

// New returns the planner of cfg for envs environments with actions of
// actionSize components and a model whose NoiseSize is latentSize.
func New(cfg Config, envs, actionSize, latentSize int) (Planner, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if envs < 1 || actionSize < 1 || latentSize < 0 {
		return nil, fmt.Errorf("plan: %d environments, %d components of an action and %d latent numbers; the first two must be at least 1, the last 0", envs, actionSize, latentSize)
	}
	base := search{cfg: cfg.resolved(), layout: cfg.Noise(envs, actionSize, latentSize)}
	switch base.cfg.Method {
	case Random:
		return randomActions{base}, nil
	case Categorical:
		if actionSize < 2 {
			return nil, fmt.Errorf("plan: planner categorical chooses among the components of an action, of which there is %d; use another planner", actionSize)
		}
		return categorical{base}, nil
	}
	return gaussian{base}, nil
}

// search is what all planners share.
type search struct {
	cfg    Config
	layout NoiseLayout
}

// Iterations implements Planner.
func (s search) Iterations() int { return s.cfg.Iterations }

// Like implements Planner: the numbers of candidates say what an iteration does.
func (s search) Like(i int) int {
	for j := range i {
		if s.cfg.sampled(j) == s.cfg.sampled(i) && s.cfg.candidates(j) == s.cfg.candidates(i) {
			return j
		}
	}
	return i
}

// Noise implements Planner.
func (s search) Noise() NoiseLayout { return s.layout }

// tensor describes a tensor that is kept.
func (s search) tensor(name string, dims ...int) gx.Input {
	return gx.Input{Name: "plan/" + name, Shape: shapes.Make(dtypes.Float32, dims...)}
}

// Build adds a whole search to the graph. start is the state of E environments,
// one row each, carry what Carry describes and noise what Noise describes.
//
// The reward of the start itself is not counted and nothing is discounted,
// except by a [Continuer]. Actions are clipped to [-1, 1] before they are
// evaluated and refitted. A candidate whose score is not a number loses to
// every other; equal scores are decided by the lower index.
func Build(p Planner, model Model, start State, carry, noise []*graph.Node) Result {
	layout := p.Noise()
	layout.check(noise)
	memory := p.Start(start[0], carry)
	var log history
	for i, n := 0, 0; i < p.Iterations(); i += n {
		if n = alike(p, i); n > 1 && gx.PrefersLoops(start[0].Graph().Backend()) {
			memory = loop(p, i, n, model, start, memory, noise, &log)
			continue
		}
		n = 1
		var scores Scores
		memory, scores = p.Step(i, model, start, memory, layout.iteration(noise, i))
		log.add(scores)
	}
	r := p.Finish(memory, noise)
	if r.Scores = log.all; r.Scores != nil {
		r.Best, r.MeanScore, r.EliteScore = graph.Stack(log.best, 0), graph.Stack(log.mean, 0), graph.Stack(log.elite, 0)
	}
	return r
}

// history collects one [E] node per iteration for each statistic, and the scores
// of the last.
type history struct {
	best, mean, elite []*graph.Node
	all               *graph.Node
}

func (h *history) add(s Scores) {
	h.all = s.All
	h.best, h.mean, h.elite = append(h.best, s.Best), append(h.mean, s.Mean), append(h.elite, s.Elite)
}

// Search builds the whole search of cfg, which must be valid and keep nothing
// between decisions. noise is what cfg.Noise(E, actionSize, model.NoiseSize())
// describes.
func Search(cfg Config, model Model, start State, actionSize int, noise []*graph.Node) Result {
	p, err := New(cfg, start[0].Shape().Dimensions[0], actionSize, model.NoiseSize())
	if err != nil {
		panic(err)
	}
	if len(p.Carry()) > 0 {
		panic(fmt.Errorf("plan: method %s keeps tensors between decisions: use New and Build", cfg.Method))
	}
	return Build(p, model, start, nil, noise)
}

package plan

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// NoiseLayout describes the random numbers of one plan, which are inputs of the
// graph so that the same numbers give the same plan on every backend.
//
// Each iteration i has a tensor "plan/action_i" [H, E, J, A] and, when
// LatentSize is not 0, a tensor "plan/latent_i" [H, E*J, Z], in the order
// action_0, latent_0, action_1, and so on; all float32, standard normal. Time
// leads, so that what a model step reads is one contiguous piece.
type NoiseLayout struct {
	// Envs (E) is the number of environments planned for at the same time.
	Envs int
	// ActionSize (A) is the number of components of an action.
	ActionSize int
	// LatentSize (Z) is the model's NoiseSize; it may be 0.
	LatentSize int

	cfg Config
}

// Noise returns the layout of the random numbers for envs environments,
// actions of actionSize components and a model whose NoiseSize is latentSize.
func (c Config) Noise(envs, actionSize, latentSize int) NoiseLayout {
	return NoiseLayout{Envs: envs, ActionSize: actionSize, LatentSize: latentSize, cfg: c}
}

// Inputs returns the graph inputs of the layout, in order. There is none when
// Iterations is 0.
func (l NoiseLayout) Inputs() []gx.Input {
	var inputs []gx.Input
	add := func(name string, iteration int, dims ...int) {
		inputs = append(inputs, gx.Input{
			Name:  fmt.Sprintf("plan/%s_%d", name, iteration),
			Shape: shapes.Make(dtypes.Float32, dims...),
		})
	}
	for i := range l.cfg.Iterations {
		add("action", i, l.cfg.Horizon, l.Envs, l.cfg.Candidates, l.ActionSize)
		if l.LatentSize > 0 {
			add("latent", i, l.cfg.Horizon, l.Envs*l.cfg.Candidates, l.LatentSize)
		}
	}
	return inputs
}

// check panics, for the compiling function to return, unless noise has the
// number and shapes of the layout.
func (l NoiseLayout) check(noise []*graph.Node) {
	inputs := l.Inputs()
	if len(noise) != len(inputs) {
		panic(fmt.Errorf("plan: got %d noise tensors, want %d: pass the parameters of Config.Noise(...).Inputs()", len(noise), len(inputs)))
	}
	for i, in := range inputs {
		gx.CheckShape(in.Name, noise[i], in.Shape.Dimensions...)
	}
}

// iteration picks the tensors of iteration i; latent is nil for a model that
// uses no noise.
func (l NoiseLayout) iteration(noise []*graph.Node, i int) (action, latent *graph.Node) {
	if l.LatentSize == 0 {
		return noise[i], nil
	}
	return noise[2*i], noise[2*i+1]
}

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
// LatentSize is not 0, a tensor "plan/latent_i" [H, E*J*M, Z] for M rollouts, in
// the order action_0, latent_0, action_1, and so on; all float32. Time leads, so
// that what a model step reads is one contiguous piece. Method random has the
// one tensor "plan/action_0" [1, E, 1, A].
type NoiseLayout struct {
	// Envs (E) is the number of environments planned for at the same time.
	Envs int
	// ActionSize (A) is the number of components of an action.
	ActionSize int
	// LatentSize (Z) is the model's NoiseSize; it may be 0, and is 0 for mean
	// rollouts.
	LatentSize int

	cfg Config
}

// Noise returns the layout of the random numbers for envs environments,
// actions of actionSize components and a model whose NoiseSize is latentSize.
func (c Config) Noise(envs, actionSize, latentSize int) NoiseLayout {
	if c.MeanRollouts {
		latentSize = 0
	}
	return NoiseLayout{Envs: envs, ActionSize: actionSize, LatentSize: latentSize, cfg: c.resolved()}
}

// Inputs returns the graph inputs of the layout, in order. There is none when
// nothing is searched.
func (l NoiseLayout) Inputs() []gx.Input {
	if l.cfg.Method == Random {
		return []gx.Input{l.input("action", 0, 1, l.Envs, 1, l.ActionSize)}
	}
	var inputs []gx.Input
	for i := range l.cfg.Iterations {
		inputs = append(inputs, l.input("action", i, l.cfg.Horizon, l.Envs, l.cfg.sampled(i), l.ActionSize))
		if l.LatentSize > 0 {
			rows := l.Envs * l.cfg.candidates(i) * l.cfg.Rollouts
			inputs = append(inputs, l.input("latent", i, l.cfg.Horizon, rows, l.LatentSize))
		}
	}
	return inputs
}

func (l NoiseLayout) input(name string, iteration int, dims ...int) gx.Input {
	return gx.Input{Name: fmt.Sprintf("plan/%s_%d", name, iteration), Shape: shapes.Make(dtypes.Float32, dims...)}
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

// perIteration is the number of tensors of an iteration.
func (l NoiseLayout) perIteration() int {
	if l.LatentSize == 0 {
		return 1
	}
	return 2
}

// iteration picks the tensors of iteration i out of those of all.
func (l NoiseLayout) iteration(noise []*graph.Node, i int) []*graph.Node {
	n := l.perIteration()
	return noise[i*n : (i+1)*n]
}

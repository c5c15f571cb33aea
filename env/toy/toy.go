// Package toy has environments small enough that everything about them is
// known: images, rewards and best returns can be written down. Tests of
// learners, planners and stores use them.
//
//   - toy-counter shows the number of env steps taken; its reward is a formula
//     of the action alone.
//   - toy-dot is a two-dimensional linear system drawn as a dot; being near the
//     centre pays.
//   - toy-choice rewards one of two arms, and the image says which.
//   - toy-grid is a walk to a goal by discrete moves, of which each is a
//     component of the action.
//
// Register puts them into a registry.
package toy

import (
	"fmt"

	"github.com/orrery-rl/orrery/env"
)

// Register adds the environments of this package to r.
func Register(r *env.Registry) error {
	for _, e := range []env.Entry{
		{
			Name:        "toy-counter",
			Description: "images that count env steps; reward 1 - a^2",
			New:         open(CounterMaxEnvSteps, newCounter),
		},
		{
			Name:        "toy-dot",
			Description: "a drifting dot to be steered to the centre of the image",
			New:         open(DotMaxEnvSteps, newDot),
		},
		{
			Name:        "toy-choice",
			Description: "choose the arm that the image shows; one decision an episode",
			New:         open(1, newChoice),
		},
		{
			Name:        "toy-grid",
			Description: "walk to the goal of a 4x4 grid by discrete moves",
			New:         open(GridMaxEnvSteps, newGrid),
		},
	} {
		if err := r.Register(e); err != nil {
			return fmt.Errorf("toy: %w", err)
		}
	}
	return nil
}

func open(maxEnvSteps int, bare func(env.ImageSpec) env.Env) func(env.Options) (env.Env, error) {
	return func(o env.Options) (env.Env, error) {
		image := env.ImageSpec{Height: o.Height, Width: o.Width, Channels: 3}
		return env.Standard(bare(image), o, maxEnvSteps)
	}
}

// oneAction is a single component in [-1, 1].
func oneAction() env.ActionSpec {
	return env.ActionSpec{Size: 1, Low: []float32{-1}, High: []float32{1}}
}

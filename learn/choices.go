package learn

import (
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/plan"
)

// random draws the actions of the seed episodes: such as the planner can choose,
// each as likely as any other.
func random(method plan.Method, spec env.ActionSpec, stream *rng.Stream) func() []float32 {
	if method == plan.Categorical {
		return choices(spec, stream)
	}
	return uniform(spec, stream)
}

// choices draws one component of the action and makes it 1, the others 0.
func choices(spec env.ActionSpec, stream *rng.Stream) func() []float32 {
	return func() []float32 {
		action := make([]float32, spec.Size)
		action[stream.IntN(spec.Size)] = 1
		return action
	}
}

package learn

import (
	"context"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/plan"
)

// random is the policy of the seed episodes: actions like those that the planner
// can choose, each as likely as any other.
func random(method plan.Method, spec env.ActionSpec, stream *rng.Stream) policy {
	if method == plan.Categorical {
		return choices(spec, stream)
	}
	return uniform(spec, stream)
}

// choices draws one component of the action and makes it 1, the others 0.
func choices(spec env.ActionSpec, stream *rng.Stream) policy {
	return func(context.Context, env.Observation) ([]float32, error) {
		action := make([]float32, spec.Size)
		action[stream.IntN(spec.Size)] = 1
		return action, nil
	}
}

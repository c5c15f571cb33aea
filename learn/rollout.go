package learn

import (
	"context"
	"fmt"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/replay"
)

// policy chooses the action for an observation. The returned slice is the
// action that will be executed and stored: already clipped, noise included.
type policy func(ctx context.Context, obs env.Observation) ([]float32, error)

// outcome is one episode as collected, with what it cost.
type outcome struct {
	episode   *replay.Episode
	envSteps  int64
	decisions int64
	ret       float64 // undiscounted return
}

// rollout plays an episode from the given seed, to its end or to length records
// if length is not 0, and returns it in the incoming-action convention: record 0 is the reset image with zero action
// and reward, record i holds the image, the action that led to it and the
// reward it earned.
func rollout(ctx context.Context, e env.Env, seed uint64, length int, act policy) (outcome, error) {
	spec := e.Spec()
	obs, err := e.Reset(ctx, seed)
	if err != nil {
		return outcome{}, fmt.Errorf("learn: reset %s with seed %d: %w", spec.Name, seed, err)
	}
	out := outcome{episode: &replay.Episode{}}
	appendRecord(out.episode, obs, make([]float32, spec.Action.Size), 0, 1)
	for ended := false; !ended && (length == 0 || out.episode.Len() < length); {
		if err := ctx.Err(); err != nil {
			return outcome{}, err
		}
		action, err := act(ctx, obs)
		if err != nil {
			return outcome{}, err
		}
		step, err := e.Step(ctx, action)
		if err != nil {
			return outcome{}, fmt.Errorf("learn: decision %d in %s: %w", out.decisions, spec.Name, err)
		}
		goesOn := float32(1)
		if step.Terminated {
			goesOn = 0
		}
		appendRecord(out.episode, step.Observation, action, float32(step.Reward), goesOn)
		out.decisions++
		out.envSteps += int64(step.EnvSteps)
		out.ret += step.Reward
		obs, ended = step.Observation, step.Terminated || step.Truncated
	}
	return out, nil
}

func appendRecord(ep *replay.Episode, obs env.Observation, action []float32, reward, goesOn float32) {
	ep.Images = append(ep.Images, obs.Image...)
	ep.Vectors = append(ep.Vectors, obs.Vector...)
	ep.Actions = append(ep.Actions, action...)
	ep.Rewards = append(ep.Rewards, reward)
	ep.Continues = append(ep.Continues, goesOn)
}

// uniform draws every component uniformly between its bounds.
func uniform(spec env.ActionSpec, stream *rng.Stream) policy {
	return func(context.Context, env.Observation) ([]float32, error) {
		action := make([]float32, spec.Size)
		for i := range action {
			action[i] = spec.Low[i] + (spec.High[i]-spec.Low[i])*stream.Float32()
		}
		return action, nil
	}
}

package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/rng"
)

// EnvConfig is the environment to measure.
type EnvConfig struct {
	// Open makes the environment with images of size x size pixels and the given
	// action repeat; 0 asks for its own.
	Open func(size, actionRepeat int) (env.Env, error)
	// Size is the height and width of the images in pixels.
	Size int
	// Each is about how long each of three ways of playing is measured.
	Each time.Duration
}

// Without rendering means few and tiny pictures: environments always draw one
// for each decision.
const (
	bareSize   = 8
	bareRepeat = 200
)

// EnvReport is what an environment costs. A decision with action repeat R takes
// R times StepSeconds and FrameSeconds.
type EnvReport struct {
	Name string `json:"name"`
	Size int    `json:"size"` // height and width of the images in pixels
	// EveryStep draws a frame after every env step, Default after as many as the
	// environment's own action repeat says. Bare draws 8x8 pixels, once in 200
	// env steps.
	EveryStep EnvRate `json:"every_step"`
	Default   EnvRate `json:"default"`
	Bare      EnvRate `json:"bare"`
	// StepSeconds is an env step of Bare. FrameSeconds is what EveryStep takes
	// longer; there is hardly any in environments that draw frames which nobody
	// sees, or at sizes that make no difference to them.
	StepSeconds  float64 `json:"step_seconds"`
	FrameSeconds float64 `json:"frame_seconds"`
}

// EnvRate is how fast an environment runs at one action repeat.
type EnvRate struct {
	ActionRepeat int     `json:"action_repeat"`
	Steps        float64 `json:"env_steps_per_second"`
	Frames       float64 `json:"frames_per_second"` // one a decision
	// AllocBytes is what one decision allocates on the Go heap.
	AllocBytes uint64 `json:"alloc_bytes"`
}

// Env measures uniformly random actions; resets count as decisions without env
// steps.
func Env(ctx context.Context, cfg EnvConfig, report Report) (r EnvReport, err error) {
	for _, m := range []struct {
		rate         *EnvRate
		size, repeat int
	}{{&r.EveryStep, cfg.Size, 1}, {&r.Default, cfg.Size, 0}, {&r.Bare, bareSize, bareRepeat}} {
		e, err := cfg.Open(m.size, m.repeat)
		if err != nil {
			return r, err
		}
		spec := e.Spec()
		r.Name, r.Size = spec.Name, cfg.Size
		report.say("%s at action repeat %d, %dx%d pixels", spec.Name, spec.ActionRepeat, m.size, m.size)
		*m.rate, err = envRate(ctx, e, cfg.Each)
		if err := errors.Join(err, e.Close()); err != nil {
			return r, fmt.Errorf("bench: %s: %w", spec.Name, err)
		}
	}
	r.StepSeconds = per(1, r.Bare.Steps)
	r.FrameSeconds = max(0, per(1, r.EveryStep.Frames)-r.StepSeconds)
	return r, nil
}

func envRate(ctx context.Context, e env.Env, d time.Duration) (EnvRate, error) {
	spec, stream := e.Spec(), rng.New(1, "bench/actions")
	rate := EnvRate{ActionRepeat: spec.ActionRepeat}
	steps, frames, ended := 0, 0, true
	before, start := used(), time.Now()
	for seed := uint64(0); time.Since(start) < d || steps == 0; frames++ {
		if err := ctx.Err(); err != nil {
			return rate, err
		}
		if ended {
			if _, err := e.Reset(ctx, seed); err != nil {
				return rate, err
			}
			seed, ended = seed+1, false
			continue
		}
		t, err := e.Step(ctx, randomAction(spec.Action, stream))
		if err != nil {
			return rate, err
		}
		steps, ended = steps+t.EnvSteps, t.Ended()
	}
	seconds := time.Since(start).Seconds()
	rate.Steps, rate.Frames = per(float64(steps), seconds), per(float64(frames), seconds)
	rate.AllocBytes = used().since(before).bytes / uint64(max(frames, 1))
	return rate, nil
}

func randomAction(spec env.ActionSpec, stream *rng.Stream) []float32 {
	action := make([]float32, spec.Size)
	for i := range action {
		action[i] = spec.Low[i] + (spec.High[i]-spec.Low[i])*stream.Float32()
	}
	return action
}

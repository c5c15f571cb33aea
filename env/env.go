package env

import "context"

// Env is one running copy of a task. An Env belongs to one goroutine at a
// time; run several copies to act in parallel.
//
// The contract, which envtest.Check verifies:
//   - Spec never changes and needs no Reset.
//   - Reset starts a new episode from any state except closed. Equal seeds give
//     equal episodes for equal actions; different seeds give different ones
//     (unless the task is deterministic by nature).
//   - Step before Reset fails with [ErrNotReset], Step after the end with
//     [ErrEnded], and an action that the Spec does not allow with [ErrAction].
//   - Observations belong to the caller: the environment keeps no reference to
//     a slice it returned, nor to an action it was given.
//   - A cancelled context makes Reset and Step return an error that wraps
//     ctx.Err().
//   - Close releases everything and may be called twice; other calls then fail
//     with [ErrClosed].
//
// [Guard] provides the checks on call order, actions and context for
// environments that do not make them themselves.
type Env interface {
	// Spec describes observations, actions and episode length.
	Spec() Spec

	// Reset starts a new episode and returns its first observation.
	Reset(ctx context.Context, seed uint64) (Observation, error)

	// Step applies action, of Spec().Action.Size values within its bounds, and
	// returns the outcome.
	Step(ctx context.Context, action []float32) (Transition, error)

	// Close releases the environment.
	Close() error
}

// Repeater is implemented by environments that can take several env steps with
// one action and build only the last observation. [ActionRepeat] uses it.
type Repeater interface {
	// StepRepeated is n >= 1 calls of Step with the same action: the rewards
	// are summed, the observation is the last one, and it stops early when the
	// episode ends. Transition.EnvSteps says how many steps were taken.
	StepRepeated(ctx context.Context, action []float32, n int) (Transition, error)
}

// Observation is what the agent perceives at one moment. The caller owns both
// slices.
type Observation struct {
	// Image is [Height, Width, Channels] uint8, row-major from the top left,
	// channels last. It is empty when the Spec has no image.
	Image []byte

	// Vector holds the named measurements of Spec.VectorNames in their own
	// units. It is empty when Spec.VectorSize is 0. PlaNet does not read it; it
	// serves diagnostics and agents without pixels.
	Vector []float32
}

// Transition is the outcome of one Step.
type Transition struct {
	Observation

	// Reward is the sum of the rewards of all env steps of this call, neither
	// averaged nor discounted.
	Reward float64

	// Terminated reports that the task really ended: no reward can follow. It
	// becomes Continue = 0 in a Record.
	Terminated bool

	// Truncated reports that the episode was cut, by a time limit for example,
	// although the task could go on.
	Truncated bool

	// EnvSteps is the number of simulator steps taken by this call, at least 1.
	EnvSteps int
}

// Ended reports whether the episode is over, for either reason.
func (t Transition) Ended() bool { return t.Terminated || t.Truncated }

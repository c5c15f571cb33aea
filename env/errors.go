package env

import "errors"

// Errors that environments and wrappers wrap; test with errors.Is.
var (
	// ErrNotReset: Step was called before the first Reset, or after a failed
	// call left the episode unusable.
	ErrNotReset = errors.New("no episode is running: call Reset first")

	// ErrEnded: Step was called after a transition that ended the episode.
	ErrEnded = errors.New("the episode has ended: call Reset")

	// ErrClosed: Reset or Step was called after Close.
	ErrClosed = errors.New("the environment is closed")

	// ErrAction: the action has the wrong length, is not finite or lies outside
	// the bounds of the Spec.
	ErrAction = errors.New("action not allowed")

	// ErrSpec: a Spec contradicts itself, or an observation contradicts its
	// Spec.
	ErrSpec = errors.New("spec violated")

	// ErrOptions: an option has a value the environment cannot honour.
	ErrOptions = errors.New("invalid option")

	// ErrBroken: the environment itself failed, a simulator that crashed or hangs
	// for example. The episode is lost, but Reset may well succeed; training
	// discards such an episode and goes on.
	ErrBroken = errors.New("the environment broke")

	// ErrUnknown: no environment of that name is registered.
	ErrUnknown = errors.New("unknown environment")
)

//go:build mujoco

package mj

import "errors"

// Errors that this package wraps; test with errors.Is.
var (
	// ErrMuJoCo: MuJoCo itself raised an error; its text follows.
	ErrMuJoCo = errors.New("mujoco")

	// ErrVersion: headers and library are of different versions.
	ErrVersion = errors.New("mujoco: version mismatch")

	// ErrLoad: the XML or one of its assets is not a model.
	ErrLoad = errors.New("mujoco: the model cannot be loaded")

	// ErrName: the model has nothing of that name.
	ErrName = errors.New("mujoco: no such element")

	// ErrDiverged: the simulation left the numbers: position, velocity,
	// acceleration or control became huge or not a number, or the inertia matrix
	// singular. MuJoCo may have reset the state; Reset starts anew.
	ErrDiverged = errors.New("mujoco: the simulation diverged")

	// ErrOverflow: there were more contacts, constraints or visible geoms than
	// the model has room for, so that some were left out.
	ErrOverflow = errors.New("mujoco: too many contacts, constraints or geoms")

	// ErrClosed: the model, data or renderer is closed.
	ErrClosed = errors.New("mujoco: used after Close")

	// ErrGL: no picture can be drawn with the wanted graphics library.
	ErrGL = errors.New("mujoco: no rendering")

	// ErrOptions: an option has a value that cannot be honoured.
	ErrOptions = errors.New("mujoco: invalid option")
)

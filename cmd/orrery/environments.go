package main

import (
	"errors"
	"log/slog"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/control"
	"github.com/orrery-rl/orrery/env/mujoco"
	"github.com/orrery-rl/orrery/env/remote"
	"github.com/orrery-rl/orrery/env/toy"
)

// registerEnvironments adds all that --env and orrery env know to r; log receives
// what environments in other processes say.
//
// An environment of yours is a line here: docs/environments.md, "Your own, in Go".
func registerEnvironments(r *env.Registry, log *slog.Logger) error {
	return errors.Join(
		control.Register(r),
		toy.Register(r),
		mujoco.Register(r),
		remote.Register(r, log),
	)
}

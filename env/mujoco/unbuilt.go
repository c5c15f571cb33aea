//go:build !mujoco

package mujoco

import "github.com/orrery-rl/orrery/env"

// Built reports whether this build has MuJoCo, that is, the tag mujoco.
const Built = false

// Version is that of MuJoCo in this build, "" if there is none.
func Version() string { return "" }

func open(Task, string, choices, env.Options) (env.Env, error) { return nil, ErrNotBuilt }

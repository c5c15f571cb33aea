package mujoco

import (
	"errors"
	"fmt"
	"strings"

	"github.com/orrery-rl/orrery/env"
)

// ErrNotBuilt says that this program has no MuJoCo in it.
var ErrNotBuilt = errors.New("this build has no MuJoCo; on Debian or Ubuntu: " +
	"apt-get install gcc libc6-dev libmujoco-dev libosmesa6, then build or run with -tags mujoco")

// Register adds the tasks to r, as dmc/DOMAIN-TASK with or without options. In a
// build without MuJoCo the names are known all the same, are not listed one by
// one, and opening one fails with [ErrNotBuilt].
func Register(r *env.Registry) error {
	known := env.NewRegistry()
	for _, t := range Tasks() {
		plain, err := entry(t, "")
		if err != nil {
			return fmt.Errorf("mujoco: %w", err)
		}
		if err := known.Register(plain); err != nil {
			return fmt.Errorf("mujoco: %w", err)
		}
		if !Built {
			continue
		}
		if err := r.Register(plain); err != nil {
			return fmt.Errorf("mujoco: %w", err)
		}
	}
	return r.RegisterScheme(scheme(known))
}

// scheme finds tasks by names with options.
func scheme(known *env.Registry) env.Scheme {
	s := env.Scheme{
		Name: "dmc", Separator: "/", Usage: "dmc/TASK[:render=suite|fast|go][:gl=osmesa|egl]",
		Description: "the tasks dmc/... with another renderer: dmc/walker-walk:render=go",
		Entry: func(rest string) (env.Entry, error) {
			name, options, _ := strings.Cut(rest, ":")
			if _, err := known.Entry("dmc/" + name); err != nil {
				return env.Entry{}, err
			}
			return entry(taskOf(name), options)
		},
	}
	if !Built {
		s.Description = fmt.Sprintf("%d tasks of the DeepMind Control Suite on MuJoCo, dmc/walker-walk for example; not in this build, which needs -tags mujoco", len(Tasks()))
	}
	return s
}

// taskOf is the task of a name that is known.
func taskOf(name string) Task {
	for _, t := range Tasks() {
		if t.Name == name {
			return t
		}
	}
	return Task{}
}

// entry is a task with options.
func entry(t Task, options string) (env.Entry, error) {
	name := "dmc/" + t.Name
	if options != "" {
		name += ":" + options
	}
	c, err := parseChoices(options)
	if err != nil {
		return env.Entry{}, fmt.Errorf("env: %s: %w", name, err)
	}
	return env.Entry{
		Name: name, Description: t.Description + " (MuJoCo)", DefaultActionRepeat: t.ActionRepeat,
		New: func(opts env.Options) (env.Env, error) { return open(t, name, c, opts) },
	}, nil
}

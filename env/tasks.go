package env

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Tasks presents several environments as one, so that one agent learns all of
// them from their images (Hafner et al. 2019, section 5, "one agent all tasks").
// Reset with seed s starts task s mod n; [TaskSeed] makes such seeds. Actions have
// as many components as the task with the most; the others read the first ones.
//
// All must have images of one size and actions in [-1, 1], see
// [NormaliseActions]. Vectors are dropped, since they mean something else in
// each. The Spec gives the length of the shortest episodes; those of other tasks
// may be longer. Close closes all. A single environment is returned as it is.
func Tasks(envs ...Env) (Env, error) {
	if len(envs) == 0 {
		return nil, fmt.Errorf("env: %w: no tasks", ErrSpec)
	}
	if len(envs) == 1 {
		return envs[0], nil
	}
	t := &tasks{envs: slices.Clone(envs), spec: envs[0].Spec()}
	var names []string
	for _, e := range envs {
		s := e.Spec()
		if s.Image != t.spec.Image || s.Image == (ImageSpec{}) {
			return nil, fmt.Errorf("env: %w: tasks %s and %s show %+v and %+v; they need images of one size", ErrSpec, t.spec.Name, s.Name, t.spec.Image, s.Image)
		}
		for i := range s.Action.Low {
			if s.Action.Low[i] != -1 || s.Action.High[i] != 1 {
				return nil, fmt.Errorf("env: %w: task %s has actions in [%g, %g]; wrap it in NormaliseActions", ErrSpec, s.Name, s.Action.Low[i], s.Action.High[i])
			}
		}
		names = append(names, s.Name)
	}
	t.join(names)
	return t, nil
}

// TaskSeed returns the seed near seed with which an environment of so many tasks
// starts the task of episode number: they take turns.
func TaskSeed(seed uint64, episode int64, tasks int) uint64 {
	if tasks < 2 {
		return seed
	}
	n := uint64(tasks)
	return seed/n/2*n + uint64(episode)%n // halved, so that the sum cannot overflow
}

type tasks struct {
	envs []Env
	spec Spec
	at   int
}

// join describes the whole: the largest action, the shortest episode.
func (t *tasks) join(names []string) {
	t.spec.Name, t.spec.Tasks = strings.Join(names, ","), names
	t.spec.VectorSize, t.spec.VectorNames = 0, nil
	for _, e := range t.envs {
		s := e.Spec()
		if s.Action.Size > t.spec.Action.Size {
			t.spec.Action = s.Action
		}
		if s.MaxEnvSteps == 0 || t.spec.MaxEnvSteps != 0 && s.Decisions() < t.spec.Decisions() {
			t.spec.MaxEnvSteps, t.spec.ActionRepeat = s.MaxEnvSteps, s.ActionRepeat
		}
	}
}

// Spec implements Env.
func (t *tasks) Spec() Spec { return t.spec }

// Reset implements Env.
func (t *tasks) Reset(ctx context.Context, seed uint64) (Observation, error) {
	t.at = int(seed % uint64(len(t.envs)))
	obs, err := t.envs[t.at].Reset(ctx, seed)
	obs.Vector = nil
	return obs, err
}

// Step implements Env.
func (t *tasks) Step(ctx context.Context, action []float32) (Transition, error) {
	if err := t.spec.Action.Check(action); err != nil {
		return Transition{}, fmt.Errorf("env: %s: %w", t.spec.Name, err)
	}
	e := t.envs[t.at]
	tr, err := e.Step(ctx, action[:e.Spec().Action.Size])
	tr.Vector = nil
	return tr, err
}

// Close implements Env.
func (t *tasks) Close() error {
	var errs []error
	for _, e := range t.envs {
		errs = append(errs, e.Close())
	}
	return errors.Join(errs...)
}

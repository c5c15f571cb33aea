//go:build mujoco

package mujoco

import (
	"context"
	"fmt"
	"slices"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/mujoco/internal/mj"
	"github.com/orrery-rl/orrery/internal/rng"
)

// Built reports whether this build has MuJoCo, that is, the tag mujoco.
const Built = true

// Version is that of MuJoCo in this build, "" if there is none.
func Version() string { return mj.Version() }

func open(t Task, name string, c choices, opts env.Options) (env.Env, error) {
	e, err := openSuite(t, name, c, opts)
	if err != nil {
		return nil, err
	}
	return env.Standard(e, opts, MaxEnvSteps)
}

func openSuite(t Task, name string, c choices, opts env.Options) (*suiteEnv, error) {
	s, err := newSim(t.model)
	if err != nil {
		return nil, err
	}
	e := &suiteEnv{task: t, name: name, sim: s}
	if e.rules, err = newRules(t.Name, s); err == nil {
		e.image = env.ImageSpec{Height: opts.Height, Width: opts.Width, Channels: 3}
		e.painter, err = newPainter(s, c, e.image)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return e, nil
}

// suiteEnv is a task with pictures. env.Guard, which Standard adds, checks actions
// and the order of calls.
type suiteEnv struct {
	task    Task
	name    string
	image   env.ImageSpec
	sim     *sim
	rules   rules
	painter painter
	taken   int // env steps of this episode
	scratch []float64
}

// Spec implements env.Env. The vector is the suite's observation.
func (e *suiteEnv) Spec() env.Spec {
	names, actions := e.rules.names(), e.sim.model.Nu()
	return env.Spec{
		Name:        e.name,
		Image:       e.image,
		VectorSize:  len(names),
		VectorNames: names,
		Action: env.ActionSpec{
			Size: actions,
			Low:  slices.Repeat([]float32{-1}, actions), High: slices.Repeat([]float32{1}, actions),
		},
		ActionRepeat: 1,
	}
}

// Reset implements env.Env. The renderer has no part in the random numbers.
func (e *suiteEnv) Reset(_ context.Context, seed uint64) (env.Observation, error) {
	e.taken = 0
	draw := rng.New(seed, "env/dmc/"+e.task.Name)
	if err := e.sim.reset(func() error { return e.rules.start(draw) }); err != nil {
		return env.Observation{}, fmt.Errorf("mujoco: %s: initial state of seed %d: %w", e.name, seed, broken(err))
	}
	return e.observe()
}

// Step implements env.Env.
func (e *suiteEnv) Step(ctx context.Context, action []float32) (env.Transition, error) {
	return e.StepRepeated(ctx, action, 1)
}

// StepRepeated implements env.Repeater: n env steps, one picture.
func (e *suiteEnv) StepRepeated(_ context.Context, action []float32, n int) (env.Transition, error) {
	t := env.Transition{EnvSteps: n}
	ctrl := e.sim.data.Ctrl()
	for range n {
		e.taken++
		for i, a := range action {
			ctrl[i] = float64(a)
		}
		if err := e.sim.step(); err != nil {
			return env.Transition{}, fmt.Errorf("mujoco: %s: env step %d: %w", e.name, e.taken, broken(err))
		}
		t.Reward += e.rules.reward()
	}
	var err error
	t.Observation, err = e.observe()
	return t, err
}

// broken marks an error of the physics: the next reset starts afresh.
func broken(err error) error { return fmt.Errorf("%w: %w", env.ErrBroken, err) }

func (e *suiteEnv) observe() (env.Observation, error) {
	e.scratch = e.rules.observe(e.scratch[:0])
	o := env.Observation{Image: make([]byte, e.image.Size()), Vector: make([]float32, len(e.scratch))}
	for i, v := range e.scratch {
		o.Vector[i] = float32(v)
	}
	if err := e.painter.RenderInto(o.Image, e.sim.data, camera); err != nil {
		return env.Observation{}, fmt.Errorf("mujoco: %s: picture after env step %d: %w", e.name, e.taken, err)
	}
	return o, nil
}

// Close implements env.Env.
func (e *suiteEnv) Close() error {
	e.painter.Close()
	e.sim.close()
	return nil
}

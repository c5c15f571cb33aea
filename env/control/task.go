package control

import (
	"context"
	"fmt"
	"slices"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/render"
	"github.com/orrery-rl/orrery/internal/rng"
)

// MaxEnvSteps is the length of an episode of every task, 10 or 20 s.
const MaxEnvSteps = 1000

// Register adds the tasks of this package to r.
func Register(r *env.Registry) error {
	for _, t := range tasks() {
		err := r.Register(env.Entry{
			Name:                t.name,
			Description:         t.description,
			DefaultActionRepeat: t.repeat,
			New:                 t.open,
		})
		if err != nil {
			return fmt.Errorf("control: %w", err)
		}
	}
	return nil
}

// domain is the physics of a task in one episode after another.
type domain interface {
	// reset draws an initial state.
	reset(draw *rng.Stream)
	// step advances by one env step under the controls, which act clamped to
	// [-1, 1].
	step(control []float64)
	// reward is that of the present state, reached with the given controls before
	// clamping; in [0, 1].
	reward(control []float64) float64
	// vector is the suite's observation.
	vector() []float32
	// geoms is what moves in the picture.
	geoms() []render.Geom
}

// task is what the registry knows of a domain.
type task struct {
	name, description string
	repeat            int // env steps of a decision unless the user says otherwise
	actions           int
	vector            []string
	scene             func() render.Scene // what never moves
	start             func() (domain, error)
}

func tasks() []task {
	all := cartpoleTasks()
	all = append(all, reacherTasks()...)
	return append(all, pendulumTask(), acrobotTask(), pointMassTask())
}

// uniform draws from [-limit, limit).
func uniform(draw *rng.Stream, limit float64) float64 {
	return limit * (2*draw.Float64() - 1)
}

func (t task) open(opts env.Options) (env.Env, error) {
	renderer, err := render.NewRenderer(t.scene(), opts.Height, opts.Width)
	if err != nil {
		return nil, err
	}
	physics, err := t.start()
	if err != nil {
		return nil, err
	}
	bare := &suiteEnv{
		task:     t,
		image:    env.ImageSpec{Height: opts.Height, Width: opts.Width, Channels: 3},
		renderer: renderer,
		physics:  physics,
		control:  make([]float64, t.actions),
	}
	return env.Standard(bare, opts, MaxEnvSteps)
}

// suiteEnv is a task with a picture. env.Guard, which Standard adds, checks
// actions and the order of calls.
type suiteEnv struct {
	task     task
	image    env.ImageSpec
	renderer *render.Renderer
	physics  domain
	control  []float64
}

// Spec implements env.Env. The vector is the suite's observation.
func (e *suiteEnv) Spec() env.Spec {
	return env.Spec{
		Name:        e.task.name,
		Image:       e.image,
		VectorSize:  len(e.task.vector),
		VectorNames: e.task.vector,
		Action: env.ActionSpec{
			Size: e.task.actions,
			Low:  slices.Repeat([]float32{-1}, e.task.actions), High: slices.Repeat([]float32{1}, e.task.actions),
		},
		ActionRepeat: 1,
	}
}

// Reset implements env.Env.
func (e *suiteEnv) Reset(_ context.Context, seed uint64) (env.Observation, error) {
	e.physics.reset(rng.New(seed, "env/"+e.task.name))
	return e.observe()
}

// Step implements env.Env.
func (e *suiteEnv) Step(ctx context.Context, action []float32) (env.Transition, error) {
	return e.StepRepeated(ctx, action, 1)
}

// StepRepeated implements env.Repeater: n env steps, one picture.
func (e *suiteEnv) StepRepeated(_ context.Context, action []float32, n int) (env.Transition, error) {
	t := env.Transition{EnvSteps: n}
	for i, a := range action {
		e.control[i] = float64(a)
	}
	for range n {
		e.physics.step(e.control)
		t.Reward += e.physics.reward(e.control)
	}
	var err error
	t.Observation, err = e.observe()
	return t, err
}

func (e *suiteEnv) observe() (env.Observation, error) {
	o := env.Observation{Image: make([]byte, e.image.Size()), Vector: e.physics.vector()}
	if err := e.renderer.Draw(o.Image, e.physics.geoms()); err != nil {
		return env.Observation{}, fmt.Errorf("control: %s: draw %v: %w", e.task.name, o.Vector, err)
	}
	return o, nil
}

// Close implements env.Env; there is nothing to release.
func (e *suiteEnv) Close() error { return nil }

// clamp is what an actuator makes of a control.
func clamp(control float64) float64 { return min(max(control, -1), 1) }

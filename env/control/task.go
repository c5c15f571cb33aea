package control

import (
	"context"
	"fmt"
	"math"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/render"
	"github.com/orrery-rl/orrery/internal/rng"
)

// MaxEnvSteps is the length of an episode of every task: 10 s of 1000 env
// steps of 10 ms.
const MaxEnvSteps = 1000

// Register adds the tasks of this package to r.
func Register(r *env.Registry) error {
	for _, t := range tasks() {
		err := r.Register(env.Entry{
			Name:                t.name,
			Description:         t.description,
			DefaultActionRepeat: 8, // the paper's choice for cartpole, section 5
			New:                 t.open,
		})
		if err != nil {
			return fmt.Errorf("control: %w", err)
		}
	}
	return nil
}

// task is a cartpole with its own initial states; the tasks share the reward.
type task struct {
	name, description string
	start             func(draw *rng.Stream) pair // positions; velocities are 0.01 N(0,1)
}

func tasks() []task {
	return []task{
		{
			name:        "cartpole-swingup",
			description: "swing the pole up from hanging and keep it upright (control suite)",
			start: func(draw *rng.Stream) pair {
				return pair{0.01 * draw.NormFloat64(), math.Pi + 0.01*draw.NormFloat64()}
			},
		},
		{
			name:        "cartpole-balance",
			description: "keep an almost upright pole upright (control suite)",
			start: func(draw *rng.Stream) pair {
				return pair{uniform(draw, 0.1), uniform(draw, 0.034)}
			},
		},
	}
}

// uniform draws from [-limit, limit).
func uniform(draw *rng.Stream, limit float64) float64 {
	return limit * (2*draw.Float64() - 1)
}

func (t task) open(opts env.Options) (env.Env, error) {
	renderer, err := render.NewRenderer(cartpoleScene(), opts.Height, opts.Width)
	if err != nil {
		return nil, err
	}
	reward, err := newReward()
	if err != nil {
		return nil, err
	}
	bare := &cartpoleEnv{
		task:     t,
		image:    env.ImageSpec{Height: opts.Height, Width: opts.Width, Channels: 3},
		renderer: renderer,
		reward:   reward,
	}
	return env.Standard(bare, opts, MaxEnvSteps)
}

// cartpoleEnv is a task with a picture. env.Guard, which Standard adds, checks
// actions and the order of calls.
type cartpoleEnv struct {
	task     task
	image    env.ImageSpec
	renderer *render.Renderer
	reward   reward
	physics  cartpole
}

// Spec implements env.Env. The vector is the suite's observation.
func (e *cartpoleEnv) Spec() env.Spec {
	return env.Spec{
		Name:         e.task.name,
		Image:        e.image,
		VectorSize:   5,
		VectorNames:  []string{"cart_position_m", "pole_cos", "pole_sin", "cart_velocity_mps", "pole_velocity_radps"},
		Action:       env.ActionSpec{Size: 1, Low: []float32{-1}, High: []float32{1}},
		ActionRepeat: 1,
	}
}

// Reset implements env.Env.
func (e *cartpoleEnv) Reset(_ context.Context, seed uint64) (env.Observation, error) {
	draw := rng.New(seed, "env/"+e.task.name)
	e.physics = newCartpole()
	e.physics.position = e.task.start(draw)
	e.physics.velocity = pair{0.01 * draw.NormFloat64(), 0.01 * draw.NormFloat64()}
	return e.observe()
}

// Step implements env.Env.
func (e *cartpoleEnv) Step(ctx context.Context, action []float32) (env.Transition, error) {
	return e.StepRepeated(ctx, action, 1)
}

// StepRepeated implements env.Repeater: n env steps, one picture.
func (e *cartpoleEnv) StepRepeated(_ context.Context, action []float32, n int) (env.Transition, error) {
	t := env.Transition{EnvSteps: n}
	control := float64(action[0])
	for range n {
		e.physics.step(control)
		t.Reward += e.reward.at(&e.physics, control)
	}
	var err error
	t.Observation, err = e.observe()
	return t, err
}

func (e *cartpoleEnv) observe() (env.Observation, error) {
	q, v := e.physics.position, e.physics.velocity
	sin, cos := math.Sincos(q[1])
	o := env.Observation{
		Image:  make([]byte, e.image.Size()),
		Vector: []float32{float32(q[0]), float32(cos), float32(sin), float32(v[0]), float32(v[1])},
	}
	if err := e.renderer.Draw(o.Image, cartpoleGeoms(q)); err != nil {
		return env.Observation{}, fmt.Errorf("control: %s: draw cart at %g m: %w", e.task.name, q[0], err)
	}
	return o, nil
}

// Close implements env.Env; there is nothing to release.
func (e *cartpoleEnv) Close() error { return nil }

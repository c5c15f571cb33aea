//go:build mujoco

package mujoco

import (
	"math"

	"github.com/orrery-rl/orrery/env/control"
	"github.com/orrery-rl/orrery/internal/rng"
)

// cartpole is a pole on a cart; 0 is upright in the middle.
type cartpole struct {
	*sim
	pole                  int
	swingUp, sparse       bool
	centered, small, slow control.Tolerance
	middle, upright       control.Tolerance
}

func newCartpole(s *sim, f *finder, task string) *cartpole {
	return &cartpole{
		sim: s, pole: f.body("pole_1"),
		swingUp:  task == "cartpole-swingup" || task == "cartpole-swingup-sparse",
		sparse:   task == "cartpole-balance-sparse" || task == "cartpole-swingup-sparse",
		centered: f.tolerance(0, 0, 2, control.Gaussian, 0.1),
		small:    f.tolerance(0, 0, 1, control.Quadratic, 0),
		slow:     f.tolerance(0, 0, 5, control.Gaussian, 0.1),
		middle:   f.tolerance(-0.25, 0.25, 0, control.Gaussian, 0.1),
		upright:  f.tolerance(0.995, 1, 0, control.Gaussian, 0.1),
	}
}

func (c *cartpole) start(draw *rng.Stream) error {
	q, v := c.data.Qpos(), c.data.Qvel()
	if c.swingUp {
		q[0], q[1] = 0.01*draw.NormFloat64(), math.Pi+0.01*draw.NormFloat64()
	} else {
		q[0], q[1] = between(draw, -0.1, 0.1), between(draw, -0.034, 0.034)
	}
	v[0], v[1] = 0.01*draw.NormFloat64(), 0.01*draw.NormFloat64()
	return nil
}

func (c *cartpole) names() []string {
	return []string{"cart_position_m", "pole_cos", "pole_sin", "cart_velocity_mps", "pole_velocity_radps"}
}

func (c *cartpole) observe(dst []float64) []float64 {
	pole := frame(c.data.Xmat(), c.pole)
	dst = append(dst, c.data.Qpos()[0], pole[zz], pole[xz])
	return append(dst, c.data.Qvel()...)
}

func (c *cartpole) reward() float64 {
	position, cos := c.data.Qpos()[0], frame(c.data.Xmat(), c.pole)[zz]
	if c.sparse {
		return c.middle.At(position) * c.upright.At(cos)
	}
	upright := (cos + 1) / 2
	centered := (1 + c.centered.At(position)) / 2
	slow := (1 + c.slow.At(c.data.Qvel()[1])) / 2
	return upright * smallControls(c.small, c.data.Ctrl()) * slow * centered
}

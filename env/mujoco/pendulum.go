//go:build mujoco

package mujoco

import (
	"math"

	"github.com/orrery-rl/orrery/internal/rng"
)

// pendulum is a ball on a pole; 0 is upright.
type pendulum struct {
	*sim
	pole int
}

func newPendulum(s *sim, f *finder) *pendulum { return &pendulum{sim: s, pole: f.body("pole")} }

func (p *pendulum) start(draw *rng.Stream) error {
	p.data.Qpos()[0] = between(draw, -math.Pi, math.Pi)
	return nil
}

func (p *pendulum) names() []string { return []string{"pole_cos", "pole_sin", "velocity_radps"} }

func (p *pendulum) observe(dst []float64) []float64 {
	pole := frame(p.data.Xmat(), p.pole)
	return append(dst, pole[zz], pole[xz], p.data.Qvel()[0])
}

// reward is 1 within 8 degrees of upright.
func (p *pendulum) reward() float64 {
	cos := frame(p.data.Xmat(), p.pole)[zz]
	return indicator(cos >= math.Cos(8*math.Pi/180) && cos <= 1)
}

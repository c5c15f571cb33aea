//go:build mujoco

package mujoco

import (
	"github.com/orrery-rl/orrery/env/control"
	"github.com/orrery-rl/orrery/internal/rng"
)

// settling is how long the cheetah falls before an episode, in time steps.
const settling = 200

// cheetah is a planar runner.
type cheetah struct {
	*sim
	velocity int // sensor
	fast     control.Tolerance
}

func newCheetah(s *sim, f *finder) *cheetah {
	return &cheetah{sim: s, velocity: f.sensor("torso_subtreelinvel"), fast: f.tolerance(10, infinity(), 10, control.Linear, 0)}
}

func (c *cheetah) start(draw *rng.Stream) error {
	limits, q := c.model.JointRange(), c.data.Qpos()
	for j, limited := range c.model.JointLimited() {
		if limited { // the root's angle is not drawn
			q[j] = between(draw, limits[2*j], limits[2*j+1])
		}
	}
	return c.settle()
}

// settle lets the body fall to the floor. Its first half step goes by the model's
// reference position, as in dm_control.
func (c *cheetah) settle() error { return c.advance(settling) }

func (c *cheetah) names() []string {
	return []string{
		"z_m", "pitch_rad", "bthigh_rad", "bshin_rad", "bfoot_rad", "fthigh_rad", "fshin_rad", "ffoot_rad",
		"velocity_x_mps", "velocity_z_mps", "pitch_velocity_radps", "bthigh_velocity_radps", "bshin_velocity_radps",
		"bfoot_velocity_radps", "fthigh_velocity_radps", "fshin_velocity_radps", "ffoot_velocity_radps",
	}
}

// observe leaves out how far it is.
func (c *cheetah) observe(dst []float64) []float64 {
	return append(append(dst, c.data.Qpos()[1:]...), c.data.Qvel()...)
}

func (c *cheetah) reward() float64 { return c.fast.At(c.data.Sensordata()[c.velocity]) }

//go:build mujoco

package mujoco

import (
	"github.com/orrery-rl/orrery/env/control"
	"github.com/orrery-rl/orrery/env/mujoco/internal/mj"
	"github.com/orrery-rl/orrery/internal/rng"
)

// walker is a planar biped.
type walker struct {
	*sim
	torso    int
	velocity int     // sensor
	speed    float64 // m/s at which the reward is full; 0 for standing only
	standing control.Tolerance
	moving   control.Tolerance
}

func newWalker(s *sim, f *finder, speed float64) *walker {
	w := &walker{
		sim: s, torso: f.body("torso"), velocity: f.sensor("torso_subtreelinvel"), speed: speed,
		standing: f.tolerance(1.2, infinity(), 0.6, control.Gaussian, 0.1),
	}
	if speed > 0 {
		w.moving = f.tolerance(speed, infinity(), speed/2, control.Linear, 0.5)
	}
	return w
}

// start draws a posture in the air or partly in the floor.
func (w *walker) start(draw *rng.Stream) error {
	w.randomJoints(draw)
	return nil
}

func (w *walker) names() []string {
	var names []string
	for _, body := range w.model.Names(mj.Body)[1:] {
		names = append(names, body+"_cos", body+"_sin")
	}
	return append(names, "height_m", "velocity_z_mps", "velocity_x_mps", "pitch_velocity_radps",
		"right_hip_velocity_radps", "right_knee_velocity_radps", "right_ankle_velocity_radps",
		"left_hip_velocity_radps", "left_knee_velocity_radps", "left_ankle_velocity_radps")
}

func (w *walker) height() float64 { return point(w.data.Xpos(), w.torso)[2] }

func (w *walker) observe(dst []float64) []float64 {
	all := w.data.Xmat()
	for body := 1; body < w.model.Nbody(); body++ { // 0 is the world
		axes := frame(all, body)
		dst = append(dst, axes[xx], axes[xz])
	}
	return append(append(dst, w.height()), w.data.Qvel()...)
}

func (w *walker) reward() float64 {
	upright := (1 + frame(w.data.Xmat(), w.torso)[zz]) / 2
	stand := (3*w.standing.At(w.height()) + upright) / 4
	if w.speed == 0 {
		return stand
	}
	return stand * (5*w.moving.At(w.data.Sensordata()[w.velocity]) + 1) / 6
}

//go:build mujoco

package mujoco

import (
	"math"

	"github.com/orrery-rl/orrery/env/control"
	"github.com/orrery-rl/orrery/internal/rng"
)

// hopper is a planar body on one leg.
type hopper struct {
	*sim
	torso, foot             int
	velocity, toe, heel     int // sensors
	hop                     bool
	standing, moving, small control.Tolerance
}

func newHopper(s *sim, f *finder, hop bool) *hopper {
	return &hopper{
		sim: s, torso: f.body("torso"), foot: f.body("foot"), hop: hop,
		velocity: f.sensor("torso_subtreelinvel"), toe: f.sensor("touch_toe"), heel: f.sensor("touch_heel"),
		standing: f.tolerance(0.6, 2, 0, control.Gaussian, 0.1),
		moving:   f.tolerance(2, infinity(), 1, control.Linear, 0.5),
		small:    f.tolerance(0, 0, 1, control.Quadratic, 0),
	}
}

func (h *hopper) start(draw *rng.Stream) error {
	h.randomJoints(draw)
	return nil
}

func (h *hopper) names() []string {
	return []string{
		"z_m", "pitch_rad", "waist_rad", "hip_rad", "knee_rad", "ankle_rad",
		"velocity_x_mps", "velocity_z_mps", "pitch_velocity_radps", "waist_velocity_radps", "hip_velocity_radps",
		"knee_velocity_radps", "ankle_velocity_radps", "touch_toe_log_n", "touch_heel_log_n",
	}
}

// observe leaves out how far it is.
func (h *hopper) observe(dst []float64) []float64 {
	d := h.data.Sensordata()
	dst = append(append(dst, h.data.Qpos()[1:]...), h.data.Qvel()...)
	return append(dst, math.Log1p(d[h.toe]), math.Log1p(d[h.heel]))
}

func (h *hopper) reward() float64 {
	centres := h.data.Xipos()
	standing := h.standing.At(point(centres, h.torso)[2] - point(centres, h.foot)[2])
	if h.hop {
		return standing * h.moving.At(h.data.Sensordata()[h.velocity])
	}
	return standing * smallControls(h.small, h.data.Ctrl())
}

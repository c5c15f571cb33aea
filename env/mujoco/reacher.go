//go:build mujoco

package mujoco

import (
	"math"

	"github.com/orrery-rl/orrery/internal/rng"
)

// reacher is a two-link arm on a table and a target that it writes into the
// model.
type reacher struct {
	*sim
	radius         float64 // of the target
	target, finger int     // geoms
}

func newReacher(s *sim, f *finder, radius float64) *reacher {
	return &reacher{sim: s, radius: radius, target: f.geom("target"), finger: f.geom("finger")}
}

func (r *reacher) start(draw *rng.Stream) error {
	r.randomJoints(draw)
	bearing := between(draw, 0, 2*math.Pi)
	distance := between(draw, 0.05, 0.20)
	sin, cos := math.Sincos(bearing)
	r.place(distance*sin, distance*cos)
	return nil
}

// place puts the target somewhere on the table.
func (r *reacher) place(x, y float64) {
	point(r.model.GeomSize(), r.target)[0] = r.radius
	at := point(r.model.GeomPos(), r.target)
	at[0], at[1] = x, y
}

func (r *reacher) names() []string {
	return []string{"shoulder_rad", "wrist_rad", "to_target_x_m", "to_target_y_m", "shoulder_velocity_radps", "wrist_velocity_radps"}
}

// toTarget is the way from the finger to the target, seen from above.
func (r *reacher) toTarget() (x, y float64) {
	target, finger := point(r.data.GeomXpos(), r.target), point(r.data.GeomXpos(), r.finger)
	return target[0] - finger[0], target[1] - finger[1]
}

func (r *reacher) observe(dst []float64) []float64 {
	x, y := r.toTarget()
	dst = append(append(dst, r.data.Qpos()...), x, y)
	return append(dst, r.data.Qvel()...)
}

// reward is 1 while finger and target touch, seen from above.
func (r *reacher) reward() float64 {
	x, y := r.toTarget()
	size := r.model.GeomSize()
	return indicator(math.Sqrt(x*x+y*y) <= point(size, r.target)[0]+point(size, r.finger)[0])
}

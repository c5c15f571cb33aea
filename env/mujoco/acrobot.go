//go:build mujoco

package mujoco

import (
	"math"

	"github.com/orrery-rl/orrery/env/control"
	"github.com/orrery-rl/orrery/internal/rng"
)

// acrobot is two links that hang from a hinge; 0 is upright.
type acrobot struct {
	*sim
	upper, lower int // bodies
	target, tip  int // sites
	near         control.Tolerance
}

func newAcrobot(s *sim, f *finder, sparse bool) *acrobot {
	a := &acrobot{sim: s, upper: f.body("upper_arm"), lower: f.body("lower_arm"), target: f.site("target"), tip: f.site("tip")}
	margin := 1.0
	if sparse {
		margin = 0
	}
	a.near = f.tolerance(0, point(s.model.SiteSize(), a.target)[0], margin, control.Gaussian, 0.1)
	return a
}

func (a *acrobot) start(draw *rng.Stream) error {
	q := a.data.Qpos()
	q[0], q[1] = between(draw, -math.Pi, math.Pi), between(draw, -math.Pi, math.Pi)
	return nil
}

func (a *acrobot) names() []string {
	return []string{"upper_sin", "lower_sin", "upper_cos", "lower_cos", "shoulder_velocity_radps", "elbow_velocity_radps"}
}

func (a *acrobot) observe(dst []float64) []float64 {
	upper, lower := frame(a.data.Xmat(), a.upper), frame(a.data.Xmat(), a.lower)
	return append(append(dst, upper[xz], lower[xz], upper[zz], lower[zz]), a.data.Qvel()...)
}

// reward falls with the distance of the tip from the target.
func (a *acrobot) reward() float64 {
	return a.near.At(distance(point(a.data.SiteXpos(), a.target), point(a.data.SiteXpos(), a.tip)))
}

// distance is that of two points.
func distance(a, b []float64) float64 {
	x, y, z := a[0]-b[0], a[1]-b[1], a[2]-b[2]
	return math.Sqrt(x*x + y*y + z*z)
}

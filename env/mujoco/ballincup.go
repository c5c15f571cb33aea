//go:build mujoco

package mujoco

import (
	"math"

	"github.com/orrery-rl/orrery/internal/rng"
)

// ballInCup is a ball on a string under a cup.
type ballInCup struct {
	*sim
	target         int // site in the cup
	body, ballGeom int
}

func newBallInCup(s *sim, f *finder) *ballInCup {
	return &ballInCup{sim: s, target: f.site("target"), body: f.body("ball"), ballGeom: f.geom("ball")}
}

// start may put the ball into the cup.
func (b *ballInCup) start(draw *rng.Stream) error {
	return b.free(func() {
		q := b.data.Qpos()
		q[2], q[3] = between(draw, -0.2, 0.2), between(draw, 0.2, 0.5)
	})
}

func (b *ballInCup) names() []string {
	return []string{
		"cup_x_m", "cup_z_m", "ball_x_m", "ball_z_m",
		"cup_velocity_x_mps", "cup_velocity_z_mps", "ball_velocity_x_mps", "ball_velocity_z_mps",
	}
}

func (b *ballInCup) observe(dst []float64) []float64 {
	return append(append(dst, b.data.Qpos()...), b.data.Qvel()...)
}

// reward is 1 while all of the ball is in the target.
func (b *ballInCup) reward() float64 {
	target, ball := point(b.data.SiteXpos(), b.target), point(b.data.Xpos(), b.body)
	size, radius := point(b.model.SiteSize(), b.target), point(b.model.GeomSize(), b.ballGeom)[0]
	return indicator(math.Abs(target[0]-ball[0]) < size[0]-radius && math.Abs(target[2]-ball[2]) < size[2]-radius)
}

package control

import (
	"errors"
	"math"
)

// reward is the suite's dense cartpole reward, in [0, 1] per env step:
//
//	upright * small_control * small_velocity * centered
type reward struct{ centered, smallControl, smallVelocity Tolerance }

func newReward() (reward, error) {
	centered, err1 := NewTolerance(0, 0, 2, Gaussian, 0.1)
	smallControl, err2 := NewTolerance(0, 0, 1, Quadratic, 0)
	smallVelocity, err3 := NewTolerance(0, 0, 5, Gaussian, 0.1)
	return reward{centered, smallControl, smallVelocity}, errors.Join(err1, err2, err3)
}

// at is the reward in the state c, reached with the given control before
// clamping.
func (r *reward) at(c *cartpole, control float64) float64 {
	upright := (math.Cos(c.position[1]) + 1) / 2
	centered := (1 + r.centered.At(c.position[0])) / 2
	smallControl := (4 + r.smallControl.At(control)) / 5
	smallVelocity := (1 + r.smallVelocity.At(c.velocity[1])) / 2
	return upright * smallControl * smallVelocity * centered
}

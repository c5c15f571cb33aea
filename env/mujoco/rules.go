//go:build mujoco

package mujoco

import (
	"fmt"
	"math"

	"github.com/orrery-rl/orrery/env/control"
	"github.com/orrery-rl/orrery/internal/rng"
)

// rules are what a task adds to the physics of its domain.
type rules interface {
	// start chooses an initial state, and edits the model where the task does,
	// between the two computations of [sim.reset].
	start(draw *rng.Stream) error
	// names are those of the observation's values.
	names() []string
	// observe appends the observation to dst.
	observe(dst []float64) []float64
	// reward is that of the present state and controls, in [0, 1].
	reward() float64
}

// newRules returns the rules of a task, by name, over its simulation.
func newRules(task string, s *sim) (rules, error) {
	f := &finder{model: s.model}
	var r rules
	switch task {
	case "acrobot-swingup", "acrobot-swingup-sparse":
		r = newAcrobot(s, f, task == "acrobot-swingup-sparse")
	case "ball-in-cup-catch":
		r = newBallInCup(s, f)
	case "cartpole-balance", "cartpole-balance-sparse", "cartpole-swingup", "cartpole-swingup-sparse":
		r = newCartpole(s, f, task)
	case "cheetah-run":
		r = newCheetah(s, f)
	case "finger-spin":
		r = newFingerSpin(s, f)
	case "finger-turn-easy":
		r = newFingerTurn(s, f, 0.07)
	case "finger-turn-hard":
		r = newFingerTurn(s, f, 0.03)
	case "hopper-hop", "hopper-stand":
		r = newHopper(s, f, task == "hopper-hop")
	case "pendulum-swingup":
		r = newPendulum(s, f)
	case "point-mass-easy", "point-mass-hard":
		r = newPointMass(s, f, task == "point-mass-hard")
	case "reacher-easy":
		r = newReacher(s, f, 0.05)
	case "reacher-hard":
		r = newReacher(s, f, 0.015)
	case "walker-run":
		r = newWalker(s, f, 8)
	case "walker-stand":
		r = newWalker(s, f, 0)
	case "walker-walk":
		r = newWalker(s, f, 1)
	default:
		return nil, fmt.Errorf("task %s has no rules", task)
	}
	return r, f.err
}

// tolerance is control.NewTolerance whose error f keeps.
func (f *finder) tolerance(low, high, margin float64, sigmoid control.Sigmoid, valueAtMargin float64) control.Tolerance {
	t, err := control.NewTolerance(low, high, margin, sigmoid, valueAtMargin)
	if f.err == nil {
		f.err = err
	}
	return t
}

// smallControls is 1 without control and 0.8 at full control, with the mean over
// the actuators. The controls are the raw ones: actuators clamp, rewards do not.
func smallControls(small control.Tolerance, ctrl []float64) float64 {
	sum := 0.0
	for _, c := range ctrl {
		sum += small.At(c)
	}
	return (4 + sum/float64(len(ctrl))) / 5
}

// indicator is 1 for true.
func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// infinity is the upper bound of what may be as large as it likes.
func infinity() float64 { return math.Inf(1) }

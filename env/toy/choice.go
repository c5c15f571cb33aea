package toy

import (
	"context"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/rng"
)

// ChoiceReward is the reward of toy-choice: 1 for the paying arm, 0 for the
// other. A negative action pulls the left arm, any other the right one.
func ChoiceReward(right bool, action float32) float64 {
	if (action >= 0) == right {
		return 1
	}
	return 0
}

// ChoiceImage is white on the half of the paying arm and black on the other.
func ChoiceImage(image env.ImageSpec, right bool) []byte {
	pix := make([]byte, image.Size())
	for i := range pix {
		col := i / image.Channels % image.Width
		if (2*col >= image.Width) == right {
			pix[i] = 0xff
		}
	}
	return pix
}

// choice is toy-choice. Its only decision terminates the episode; the vector
// is 1 if the right arm pays, else 0.
type choice struct {
	image env.ImageSpec
	right bool
}

func newChoice(image env.ImageSpec) env.Env { return &choice{image: image} }

// Spec implements env.Env.
func (c *choice) Spec() env.Spec {
	return env.Spec{
		Name: "toy-choice", Image: c.image, Action: oneAction(), ActionRepeat: 1,
		VectorSize: 1, VectorNames: []string{"right_pays"},
	}
}

// Reset implements env.Env.
func (c *choice) Reset(_ context.Context, seed uint64) (env.Observation, error) {
	c.right = rng.New(seed, "env/toy-choice").IntN(2) == 1
	return c.observe(), nil
}

// Step implements env.Env.
func (c *choice) Step(_ context.Context, action []float32) (env.Transition, error) {
	return env.Transition{
		Observation: c.observe(),
		Reward:      ChoiceReward(c.right, action[0]),
		Terminated:  true,
		EnvSteps:    1,
	}, nil
}

func (c *choice) observe() env.Observation {
	o := env.Observation{Image: ChoiceImage(c.image, c.right), Vector: []float32{0}}
	if c.right {
		o.Vector[0] = 1
	}
	return o
}

// Close implements env.Env.
func (c *choice) Close() error { return nil }

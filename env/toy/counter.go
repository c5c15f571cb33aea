package toy

import (
	"context"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/rng"
)

// CounterMaxEnvSteps is the length of an episode of toy-counter.
const CounterMaxEnvSteps = 40

// CounterImage returns the image of toy-counter after n env steps of an episode
// with the given offset (0 to 255, drawn from the seed; it is Vector[1]). Byte i
// of the image is (n + offset + i) mod 256, so that a byte in the wrong place is
// seen as well as an image in the wrong place.
func CounterImage(image env.ImageSpec, n, offset int) []byte {
	pix := make([]byte, image.Size())
	for i := range pix {
		pix[i] = byte(n + offset + i)
	}
	return pix
}

// CounterReward is the reward of toy-counter for one env step with the given
// action: 1 - a^2, so that the best return is one per env step, by doing
// nothing.
func CounterReward(action float32) float64 {
	a := float64(action)
	return 1 - a*a
}

// counter is toy-counter; its vector is the count and the offset.
type counter struct {
	image     env.ImageSpec
	n, offset int
}

func newCounter(image env.ImageSpec) env.Env { return &counter{image: image} }

// Spec implements env.Env.
func (c *counter) Spec() env.Spec {
	return env.Spec{
		Name: "toy-counter", Image: c.image, Action: oneAction(), ActionRepeat: 1,
		VectorSize: 2, VectorNames: []string{"env_steps", "offset"},
	}
}

// Reset implements env.Env.
func (c *counter) Reset(_ context.Context, seed uint64) (env.Observation, error) {
	c.n, c.offset = 0, rng.New(seed, "env/toy-counter").IntN(256)
	return c.observe(), nil
}

// Step implements env.Env.
func (c *counter) Step(_ context.Context, action []float32) (env.Transition, error) {
	c.n++
	return env.Transition{Observation: c.observe(), Reward: CounterReward(action[0]), EnvSteps: 1}, nil
}

func (c *counter) observe() env.Observation {
	return env.Observation{
		Image:  CounterImage(c.image, c.n, c.offset),
		Vector: []float32{float32(c.n), float32(c.offset)},
	}
}

// Close implements env.Env.
func (c *counter) Close() error { return nil }

package toy

import (
	"context"
	"math"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/rng"
)

// DotMaxEnvSteps is the length of an episode of toy-dot.
const DotMaxEnvSteps = 50

// The dynamics of toy-dot.
const (
	dotStart  = 0.8  // positions start within +-dotStart
	dotDrift  = 0.02 // and drift by up to this per env step and axis
	dotGain   = 0.1  // an action of 1 moves by this
	dotEdge   = 1.0  // the walls
	dotRadius = 0.15 // as drawn; the image spans [-1, 1] in both axes
)

// DotStep is one env step of toy-dot: position + 0.1*action + drift on each
// axis, stopped at the walls of [-1, 1].
func DotStep(position, drift [2]float64, action []float32) [2]float64 {
	for i := range position {
		position[i] += dotGain*float64(action[i]) + drift[i]
		position[i] = min(max(position[i], -dotEdge), dotEdge)
	}
	return position
}

// DotReward is 1 at the centre and falls linearly to 0 in the corners.
func DotReward(position [2]float64) float64 {
	return 1 - math.Hypot(position[0], position[1])/math.Hypot(dotEdge, dotEdge)
}

// DotBestAction leads to the centre as fast as the bounds allow; it is optimal
// while no wall is touched, because the axes do not influence each other and
// every env step's reward falls with either distance.
func DotBestAction(position, drift [2]float64) []float32 {
	best := make([]float32, 2)
	for i := range best {
		want := -(position[i] + drift[i]) / dotGain
		best[i] = float32(min(max(want, -1), 1))
	}
	return best
}

// DotImage draws the position as a white dot with a soft edge on black; x grows
// to the right and y upwards.
func DotImage(image env.ImageSpec, position [2]float64) []byte {
	pix := make([]byte, image.Size())
	soft := 2 / float64(max(image.Height, image.Width)) // the width of a pixel
	for row := range image.Height {
		for col := range image.Width {
			x := (2*float64(col)+1)/float64(image.Width) - 1
			y := 1 - (2*float64(row)+1)/float64(image.Height)
			distance := math.Hypot(x-position[0], y-position[1])
			value := byte(255*min(max((dotRadius-distance)/soft+0.5, 0), 1) + 0.5)
			at := (row*image.Width + col) * image.Channels
			for k := range image.Channels {
				pix[at+k] = value
			}
		}
	}
	return pix
}

// dot is toy-dot; its vector is the position and the drift.
type dot struct {
	image           env.ImageSpec
	position, drift [2]float64
}

func newDot(image env.ImageSpec) env.Env { return &dot{image: image} }

// Spec implements env.Env.
func (d *dot) Spec() env.Spec {
	return env.Spec{
		Name: "toy-dot", Image: d.image, ActionRepeat: 1,
		Action:     env.ActionSpec{Size: 2, Low: []float32{-1, -1}, High: []float32{1, 1}},
		VectorSize: 4, VectorNames: []string{"x", "y", "drift_x", "drift_y"},
	}
}

// Reset implements env.Env.
func (d *dot) Reset(_ context.Context, seed uint64) (env.Observation, error) {
	draw := rng.New(seed, "env/toy-dot")
	for i := range d.position {
		d.position[i] = dotStart * (2*draw.Float64() - 1)
		d.drift[i] = dotDrift * (2*draw.Float64() - 1)
	}
	return d.observe(), nil
}

// Step implements env.Env.
func (d *dot) Step(ctx context.Context, action []float32) (env.Transition, error) {
	return d.StepRepeated(ctx, action, 1)
}

// StepRepeated implements env.Repeater.
func (d *dot) StepRepeated(_ context.Context, action []float32, n int) (env.Transition, error) {
	t := env.Transition{EnvSteps: n}
	for range n {
		d.position = DotStep(d.position, d.drift, action)
		t.Reward += DotReward(d.position)
	}
	t.Observation = d.observe()
	return t, nil
}

func (d *dot) observe() env.Observation {
	return env.Observation{
		Image: DotImage(d.image, d.position),
		Vector: []float32{
			float32(d.position[0]), float32(d.position[1]), float32(d.drift[0]), float32(d.drift[1]),
		},
	}
}

// Close implements env.Env.
func (d *dot) Close() error { return nil }

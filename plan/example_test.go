package plan_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/plan"
)

// cart is a mass on a line that should reach position 1: its state is position
// and speed, [N, 1] each, and an action pushes it.
type cart struct{}

func (cart) NoiseSize() int { return 0 }

func (cart) StepPrior(s plan.State, action, _ *graph.Node) plan.State {
	speed := graph.Add(s[1], graph.MulScalar(action, 0.1))
	return plan.State{graph.Add(s[0], speed), speed}
}

func (cart) Score(s plan.State) *graph.Node {
	return graph.Squeeze(graph.Neg(graph.Abs(graph.SubScalar(s[0], 1))), 1)
}

// A model is a step and a score; the plan is a graph whose inputs are the state
// and the random numbers.
func ExampleSearch() {
	backend, err := gobackend.New("")
	if err != nil {
		panic(err)
	}
	defer backend.Finalize()

	cfg := plan.Config{Horizon: 12, Iterations: 6, Candidates: 200, Elites: 20}
	state := []gx.Input{
		{Name: "position", Shape: shapes.Make(dtypes.Float32, 1, 1)},
		{Name: "speed", Shape: shapes.Make(dtypes.Float32, 1, 1)},
	}
	noise := cfg.Noise(1, 1, 0).Inputs()
	program, err := gx.Compile(backend, "plan", append(state, noise...), func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
		return []*graph.Node{plan.Search(cfg, cart{}, in[:2], 1, in[2:]).Action}
	})
	if err != nil {
		panic(err)
	}
	defer program.Close()

	random := rand.New(rand.NewPCG(1, 2))
	var position, speed float32
	for range 20 {
		data := [][]float32{{position}, {speed}}
		for _, in := range noise {
			x := make([]float32, in.Shape.Size())
			for i := range x {
				x[i] = float32(random.NormFloat64())
			}
			data = append(data, x)
		}
		action := act(backend, program, data)
		speed += 0.1 * action
		position += speed
	}
	fmt.Printf("position %.1f, speed %.1f\n", position, speed)
	// Output: position 1.0, speed 0.0
}

// act uploads the inputs, runs the program and returns its one number.
func act(backend compute.Backend, program *gx.Program, data [][]float32) float32 {
	buffers := make([]compute.Buffer, len(data))
	for i, in := range program.Inputs() {
		var err error
		if buffers[i], err = gx.Upload(backend, data[i], in.Shape.Dimensions...); err != nil {
			panic(err)
		}
	}
	out, err := program.Run(context.Background(), buffers, nil)
	if err != nil {
		panic(err)
	}
	action, err := gx.Download(out[0])
	if err != nil {
		panic(err)
	}
	return action[0]
}

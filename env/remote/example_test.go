package remote_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/remote"
)

// A program of one's own, here the example in Python, as an environment with
// images of 64x64 and an action repeat of 2.
func ExampleOpen() {
	ctx := context.Background()
	e, err := remote.Open(ctx, remote.Config{
		Command: []string{"python3", "examples/dot.py"},
		Height:  64, Width: 64,
		StepTimeout: 5 * time.Second,
	}, env.Options{ActionRepeat: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()
	obs, err := e.Reset(ctx, 42)
	if err != nil {
		fmt.Println(err)
		return
	}
	step, err := e.Step(ctx, []float32{0.5})
	if errors.Is(err, remote.ErrChild) {
		fmt.Println("the program broke; the next Reset starts it again")
		return
	}
	fmt.Printf("start at %.2f, %d env steps\n", obs.Vector[0], step.EnvSteps)
}

package envtest_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/envtest"
)

// slider is a bar on a line, which actions push.
type slider struct {
	height, width int
	x             float32 // in [-1, 1]
}

func (s *slider) Spec() env.Spec {
	return env.Spec{
		Name:         "slider",
		Image:        env.ImageSpec{Height: s.height, Width: s.width, Channels: 3},
		Action:       env.ActionSpec{Size: 1, Low: []float32{-1}, High: []float32{1}},
		ActionRepeat: 1,
	}
}

func (s *slider) Reset(_ context.Context, seed uint64) (env.Observation, error) {
	s.x = 2*rand.New(rand.NewPCG(seed, 0)).Float32() - 1
	return s.observe(), nil
}

func (s *slider) Step(_ context.Context, action []float32) (env.Transition, error) {
	s.x = max(-1, min(1, s.x+0.1*action[0]))
	return env.Transition{Observation: s.observe(), Reward: 1 - math.Abs(float64(s.x)), EnvSteps: 1}, nil
}

func (s *slider) Close() error { return nil }

// observe draws the bar into a new image, which belongs to the caller.
func (s *slider) observe() env.Observation {
	image := make([]byte, s.height*s.width*3) // row by row, RGB
	bar, half := int((s.x+1)/2*float32(s.width-1)), s.width/16
	for i := range image {
		if column := i / 3 % s.width; column >= bar-half && column <= bar+half {
			image[i] = 255
		}
	}
	return env.Observation{Image: image}
}

// Register adds the slider to r.
func Register(r *env.Registry) error {
	return r.Register(env.Entry{
		Name: "slider", Description: "push a bar to the middle", DefaultActionRepeat: 2,
		New: func(o env.Options) (env.Env, error) {
			return env.Standard(&slider{height: o.Height, width: o.Width}, o, 100) // env steps an episode
		},
	})
}

// An environment with images, as docs/environments.md shows it.
func Example_image() {
	registry := env.NewRegistry()
	if err := Register(registry); err != nil {
		fmt.Println(err)
		return
	}
	bar, err := registry.New("slider", env.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%+v, %d decisions\n", bar.Spec().Image, bar.Spec().Decisions())
	fmt.Println("violations:", envtest.Check(context.Background(), bar))
	// Output:
	// {Height:64 Width:64 Channels:3}, 50 decisions
	// violations: <nil>
}

// TestTheGuideShowsTheExample holds docs/environments.md against this file.
func TestTheGuideShowsTheExample(t *testing.T) {
	guide, err := os.ReadFile("../../docs/environments.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("image_example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, found := strings.Cut(string(guide), "// slider is")
	shown, _, closed := strings.Cut(shown, "```")
	if !found || !closed || !strings.Contains(string(source), "// slider is"+shown) {
		t.Error("docs/environments.md does not show the slider of this file")
	}
}

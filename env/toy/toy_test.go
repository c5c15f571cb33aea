package toy

import (
	"bytes"
	"context"
	"math"
	"testing"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/envtest"
)

func open16(t *testing.T, name string, opts env.Options) env.Env {
	t.Helper()
	r := env.NewRegistry()
	if err := Register(r); err != nil {
		t.Fatal(err)
	}
	opts.Height, opts.Width = 16, 16
	e, err := r.New(name, opts)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func reset(t *testing.T, e env.Env, seed uint64) env.Observation {
	t.Helper()
	o, err := e.Reset(context.Background(), seed)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func step(t *testing.T, e env.Env, action ...float32) env.Transition {
	t.Helper()
	out, err := e.Step(context.Background(), action)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestToysKeepTheContract(t *testing.T) {
	for _, name := range []string{"toy-counter", "toy-dot", "toy-choice", "toy-grid"} {
		for _, opts := range []env.Options{{}, {ActionRepeat: 3, BitDepth: 5}} {
			if err := envtest.Check(context.Background(), open16(t, name, opts)); err != nil {
				t.Errorf("%s with %+v: %v", name, opts, err)
			}
		}
	}
}

func TestCounterCountsEnvSteps(t *testing.T) {
	e := open16(t, "toy-counter", env.Options{ActionRepeat: 3})
	first := reset(t, e, 5)
	offset := int(first.Vector[1])
	for n := 0; ; {
		out := step(t, e, 0.5)
		n += out.EnvSteps
		if !bytes.Equal(out.Image, CounterImage(e.Spec().Image, n, offset)) {
			t.Fatalf("the image after %d env steps is another one", n)
		}
		if want := 0.75 * float64(out.EnvSteps); out.Reward != want {
			t.Fatalf("reward %g for %d env steps with action 0.5, want %g", out.Reward, out.EnvSteps, want)
		}
		if out.Ended() {
			if n != CounterMaxEnvSteps || !out.Truncated || out.Terminated {
				t.Fatalf("ended after %d env steps, truncated %v, terminated %v", n, out.Truncated, out.Terminated)
			}
			return
		}
	}
}

func TestDotReachesTheCentreWithTheBestAction(t *testing.T) {
	e := open16(t, "toy-dot", env.Options{})
	v := reset(t, e, 2).Vector
	for i := 0; ; i++ {
		position, drift := [2]float64{float64(v[0]), float64(v[1])}, [2]float64{float64(v[2]), float64(v[3])}
		out := step(t, e, DotBestAction(position, drift)...)
		v = out.Vector
		// At most (0.8 + drift)/(0.1 - 0.02) = 10 env steps away.
		if i > 11 && math.Abs(out.Reward-1) > 1e-6 {
			t.Fatalf("reward %g after %d env steps of the best action, want 1", out.Reward, i)
		}
		if out.Ended() {
			return
		}
	}
}

func TestDotIsDrawnWhereItIs(t *testing.T) {
	image := env.ImageSpec{Height: 32, Width: 32, Channels: 3}
	for _, p := range [][2]float64{{0, 0}, {0.5, -0.25}, {-0.7, 0.7}} {
		var mass, x, y float64
		for i, v := range DotImage(image, p) {
			col, row := i/3%32, i/3/32
			mass += float64(v)
			x += float64(v) * ((2*float64(col)+1)/32 - 1)
			y += float64(v) * (1 - (2*float64(row)+1)/32)
		}
		if math.Abs(x/mass-p[0]) > 0.01 || math.Abs(y/mass-p[1]) > 0.01 {
			t.Errorf("dot at %v has its centre of mass at %g, %g", p, x/mass, y/mass)
		}
	}
}

func TestChoicePaysForTheArmInTheImage(t *testing.T) {
	e := open16(t, "toy-choice", env.Options{})
	seen := map[bool]bool{}
	for seed := range uint64(16) {
		right := reset(t, e, seed).Vector[0] == 1
		seen[right] = true
		action := float32(-0.5)
		if right {
			action = 0.5
		}
		out := step(t, e, action)
		if out.Reward != 1 || !out.Terminated || out.Truncated {
			t.Fatalf("right choice: reward %g, terminated %v, truncated %v", out.Reward, out.Terminated, out.Truncated)
		}
		o := reset(t, e, seed)
		if lit := o.Image[3*(16-1)] == 0xff; lit != right {
			t.Errorf("right half lit %v, right arm pays %v", lit, right)
		}
		if out := step(t, e, -action); out.Reward != 0 {
			t.Errorf("wrong choice pays %g", out.Reward)
		}
	}
	if len(seen) != 2 {
		t.Errorf("16 seeds show only one arm")
	}
}

// The best moves, one-hot or not, earn the best return; the image shows who is
// where; edges hold.
func TestGridPaysForStraightWays(t *testing.T) {
	e := open16(t, "toy-grid", env.Options{})
	for seed := range uint64(16) {
		v := reset(t, e, seed).Vector
		at, goal := Cell{int(v[0]), int(v[1])}, Cell{int(v[2]), int(v[3])}
		want, total := GridBestReturn(at, goal), 0.0
		for ended := false; !ended; {
			move := 4
			switch {
			case at.Column > goal.Column:
				move = 0
			case at.Column < goal.Column:
				move = 1
			case at.Row > goal.Row:
				move = 2
			case at.Row < goal.Row:
				move = 3
			}
			action := []float32{-0.2, -0.2, -0.2, -0.2, -0.2}
			action[move] = float32(seed%3) / 2 // 0, 0.5 or 1
			out := step(t, e, action...)
			at = Cell{int(out.Vector[0]), int(out.Vector[1])}
			if !bytes.Equal(out.Image, GridImage(e.Spec().Image, at, goal)) {
				t.Fatalf("the image is not that of %v and %v", at, goal)
			}
			total, ended = total+out.Reward, out.Ended()
		}
		if math.Abs(total-want) > 1e-12 {
			t.Errorf("seed %d: return %v, want %v", seed, total, want)
		}
	}
	for action, want := range map[int]Cell{0: {0, 0}, 1: {1, 0}, 2: {0, 0}, 3: {0, 1}, 4: {0, 0}} {
		one := make([]float32, GridActions)
		one[action] = 1
		if got := GridStep(Cell{}, one); got != want {
			t.Errorf("action %d leads from the corner to %v, want %v", action, got, want)
		}
	}
}

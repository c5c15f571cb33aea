package control

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/envtest"
	"github.com/orrery-rl/orrery/internal/rng"
)

func newRegistry(t testing.TB) *env.Registry {
	t.Helper()
	r := env.NewRegistry()
	if err := Register(r); err != nil {
		t.Fatal(err)
	}
	return r
}

func open(t testing.TB, name string, opts env.Options) env.Env {
	t.Helper()
	e, err := newRegistry(t).New(name, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func TestTasksKeepTheContract(t *testing.T) {
	for _, name := range newRegistry(t).Names() {
		for _, opts := range []env.Options{{}, {Height: 20, Width: 31, ActionRepeat: 6, BitDepth: 5}} {
			if err := envtest.Check(context.Background(), open(t, name, opts)); err != nil {
				t.Errorf("%s with %+v: %v", name, opts, err)
			}
		}
	}
}

// The sizes of the control suite and the paper's action repeats.
func TestTasksHaveTheSuitesSizes(t *testing.T) {
	for _, c := range []struct {
		name                               string
		actions, repeat, decisions, vector int
	}{
		{"cartpole-swingup", 1, 8, 125, 5},
		{"cartpole-balance", 1, 8, 125, 5},
		{"reacher-easy", 2, 4, 250, 6},
		{"reacher-hard", 2, 4, 250, 6},
	} {
		spec := open(t, c.name, env.Options{}).Spec()
		if spec.Action.Size != c.actions || spec.ActionRepeat != c.repeat || spec.Decisions() != c.decisions || spec.VectorSize != c.vector {
			t.Errorf("%s: %d actions, repeat %d, %d decisions, vectors of %d; want %+v", c.name, spec.Action.Size, spec.ActionRepeat, spec.Decisions(), spec.VectorSize, c)
		}
		if spec.MaxEnvSteps != 1000 || spec.Image.Size() != 64*64*3 {
			t.Errorf("%s: %d env steps, images of %d bytes", c.name, spec.MaxEnvSteps, spec.Image.Size())
		}
	}
}

// Section 2.7 of the facts gives, for 200 episodes of uniformly random actions
// without repeat, 28.9 (sd 23.2) for swing-up and 355.4 (sd 58.1) for balance,
// from an implementation on MuJoCo 2.2.2. The bands are four standard errors of
// a mean of 200, rounded.
func TestRandomPolicyReturnsMatchTheSuite(t *testing.T) {
	for _, c := range []struct {
		name       string
		want, band float64
	}{
		{"cartpole-swingup", 28.9, 6},
		{"cartpole-balance", 355.4, 15},
	} {
		e := open(t, c.name, env.Options{Height: 1, Width: 1, ActionRepeat: 1})
		draw := rng.New(1, "test/random-policy")
		sum := 0.0
		for episode := range 200 {
			sum += episodeReturn(t, e, uint64(episode), func() float32 { return 2*draw.Float32() - 1 })
		}
		mean := sum / 200
		t.Logf("%s: mean return %.1f", c.name, mean)
		if math.Abs(mean-c.want) > c.band {
			t.Errorf("%s: mean return of a random policy is %.1f, want %.1f within %.0f", c.name, mean, c.want, c.band)
		}
	}
}

func episodeReturn(t *testing.T, e env.Env, seed uint64, policy func() float32) float64 {
	t.Helper()
	ctx := context.Background()
	if _, err := e.Reset(ctx, seed); err != nil {
		t.Fatal(err)
	}
	for sum, steps := 0.0, 0; ; {
		action := make([]float32, e.Spec().Action.Size)
		for i := range action {
			action[i] = policy()
		}
		out, err := e.Step(ctx, action)
		if err != nil {
			t.Fatal(err)
		}
		sum, steps = sum+out.Reward, steps+out.EnvSteps
		if !out.Ended() {
			continue
		}
		if steps != MaxEnvSteps || out.Terminated {
			t.Fatalf("episode ended after %d env steps, terminated %v; want 1000, truncated", steps, out.Terminated)
		}
		return sum
	}
}

// With no control, balancing is partly successful and swinging up is not
// (section 2.7: 746.6 and 0.0).
func TestReturnsWithoutControl(t *testing.T) {
	for name, want := range map[string]float64{"cartpole-swingup": 0, "cartpole-balance": 746.6} {
		e := open(t, name, env.Options{Height: 1, Width: 1, ActionRepeat: 1})
		sum := 0.0
		for episode := range 50 {
			sum += episodeReturn(t, e, uint64(episode), func() float32 { return 0 })
		}
		if mean := sum / 50; math.Abs(mean-want) > 60 {
			t.Errorf("%s: mean return without control is %.1f, want about %.1f", name, mean, want)
		}
	}
}

func TestInitialStatesHaveTheSuitesDistribution(t *testing.T) {
	const n = 4000
	for _, task := range tasks() {
		d, err := task.start()
		if err != nil {
			t.Fatal(err)
		}
		values := map[string][]float64{}
		for seed := range uint64(n) {
			d.reset(rng.New(seed, "test/"+task.name))
			for name, v := range initial(d) {
				values[name] = append(values[name], v)
			}
		}
		switch task.name {
		case "cartpole-swingup":
			checkMoments(t, "x", values["x"], 0, 0.01)
			checkMoments(t, "angle", values["angle"], math.Pi, 0.01)
		case "cartpole-balance":
			checkMoments(t, "x", values["x"], 0, 0.1/math.Sqrt(3))
			checkUniform(t, "angle", values["angle"], -0.034, 0.034)
		case "reacher-easy", "reacher-hard":
			checkUniform(t, "shoulder", values["shoulder"], -math.Pi, math.Pi)
			checkUniform(t, "wrist", values["wrist"], -wristReach, wristReach)
			checkUniform(t, "target distance", values["distance"], 0.05, 0.2)
			checkUniform(t, "target bearing", values["bearing"], -math.Pi, math.Pi)
		case "pendulum-swingup":
			checkUniform(t, "angle", values["angle"], -math.Pi, math.Pi)
		case "acrobot-swingup":
			checkUniform(t, "shoulder", values["shoulder"], -math.Pi, math.Pi)
			checkUniform(t, "elbow", values["wrist"], -math.Pi, math.Pi)
		case "point-mass-easy":
			checkUniform(t, "x", values["x"], -0.29, 0.29)
			checkUniform(t, "y", values["y"], -0.29, 0.29)
		default:
			t.Errorf("%s: its initial states are not tested", task.name)
		}
	}
}

// initial names what a reset draws.
func initial(d domain) map[string]float64 {
	switch d := d.(type) {
	case *cartpoleDomain:
		return map[string]float64{"x": d.position[0], "angle": d.position[1]}
	case *reacher:
		return map[string]float64{"shoulder": d.angle[0], "wrist": d.angle[1],
			"distance": math.Hypot(d.target.X, d.target.Y), "bearing": math.Atan2(d.target.X, d.target.Y)}
	case *acrobot:
		return map[string]float64{"shoulder": d.angle[0], "wrist": d.angle[1]}
	case *pendulum:
		return map[string]float64{"angle": d.angle}
	case *pointMass:
		return map[string]float64{"x": d.position[0], "y": d.position[1]}
	}
	return nil
}

func checkUniform(t *testing.T, what string, values []float64, low, high float64) {
	t.Helper()
	checkMoments(t, what, values, (low+high)/2, (high-low)/math.Sqrt(12))
	if lo, hi := slices.Min(values), slices.Max(values); lo < low || hi > high {
		t.Errorf("%s reaches from %g to %g, want within %g to %g", what, lo, hi, low, high)
	}
}

func checkMoments(t *testing.T, what string, values []float64, mean, sd float64) {
	t.Helper()
	var m, s float64
	for _, v := range values {
		m += v / float64(len(values))
	}
	for _, v := range values {
		s += (v - m) * (v - m) / float64(len(values))
	}
	s = math.Sqrt(s)
	if math.Abs(m-mean) > 5*sd/math.Sqrt(float64(len(values))) || math.Abs(s/sd-1) > 0.08 {
		t.Errorf("%s has mean %g and standard deviation %g, want %g and %g", what, m, s, mean, sd)
	}
}

func TestRewardOfKnownStates(t *testing.T) {
	r, err := newReward()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		state   cartpole
		control float64
		want    float64
	}{
		{"upright, centred, at rest", cartpole{}, 0, 1},
		{"hanging", cartpole{position: pair{0, math.Pi}}, 0, 0},
		{"full control", cartpole{}, 1, 0.8},
		{"more than full control", cartpole{}, -3, 0.8},
		{"2 m off centre: half of 1 + 0.1", cartpole{position: pair{2, 0}}, 0, 0.55},
		{"5 rad/s: half of 1 + 0.1", cartpole{velocity: pair{0, -5}}, 0, 0.55},
		{"horizontal", cartpole{position: pair{0, math.Pi / 2}}, 0, 0.5},
	} {
		if got := r.at(&c.state, c.control); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: reward %g, want %g", c.name, got, c.want)
		}
	}
}

func TestActionRepeatSumsTheRewardsOfSingleSteps(t *testing.T) {
	single, repeated := open(t, "cartpole-balance", env.Options{ActionRepeat: 1}), open(t, "cartpole-balance", env.Options{})
	ctx := context.Background()
	for _, e := range []env.Env{single, repeated} {
		if _, err := e.Reset(ctx, 3); err != nil {
			t.Fatal(err)
		}
	}
	want := env.Transition{}
	for range 8 {
		out, err := single.Step(ctx, []float32{0.3})
		if err != nil {
			t.Fatal(err)
		}
		out.Reward += want.Reward
		want = out
	}
	got, err := repeated.Step(ctx, []float32{0.3})
	if err != nil {
		t.Fatal(err)
	}
	if got.Reward != want.Reward || got.EnvSteps != 8 || !slices.Equal(got.Image, want.Image) || !slices.Equal(got.Vector, want.Vector) {
		t.Errorf("one decision gives reward %g in %d env steps, eight env steps give %g; or their observations differ",
			got.Reward, got.EnvSteps, want.Reward)
	}
}

// One decision of eight env steps with its picture.
func BenchmarkDecision(b *testing.B) {
	e := open(b, "cartpole-swingup", env.Options{})
	ctx := context.Background()
	action := []float32{0.5}
	ended := true
	for b.Loop() {
		if ended {
			if _, err := e.Reset(ctx, 1); err != nil {
				b.Fatal(err)
			}
		}
		t, err := e.Step(ctx, action)
		if err != nil {
			b.Fatal(err)
		}
		ended = t.Ended()
	}
}

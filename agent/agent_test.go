package agent_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/gomlx/compute"

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/backend/cpu"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/plan"
	"github.com/orrery-rl/orrery/worldmodel"
)

const (
	size    = 16
	actions = 2
)

type fixture struct {
	backend compute.Backend
	model   *worldmodel.Model
	params  []compute.Buffer
	plan    plan.Config
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{}
	cfg, err := worldmodel.PresetConfig("tiny")
	if err != nil {
		t.Fatal(err)
	}
	if f.model, err = worldmodel.New(cfg, worldmodel.Dims{Height: size, Width: size, Channels: 3, ActionSize: actions}); err != nil {
		t.Fatal(err)
	}
	if f.plan, err = plan.PresetConfig("tiny"); err != nil {
		t.Fatal(err)
	}
	b, err := cpu.New(cpu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Finalize)
	f.backend = b
	for i, values := range f.model.InitParams(rng.New(1, "init")) {
		buf, err := gx.Upload(b, values, f.model.ParamSpecs()[i].Dims...)
		if err != nil {
			t.Fatal(err)
		}
		f.params = append(f.params, buf)
	}
	return f
}

func (f *fixture) agent(t testing.TB, envs int, noise float64) *agent.Agent {
	t.Helper()
	a, err := agent.New(f.backend, f.model, agent.Config{Plan: f.plan, BitDepth: 5, ActionNoise: noise}, envs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	a.SetParams(f.params)
	return a
}

func picture(seed uint64) env.Observation {
	s := rng.New(seed, "picture")
	img := make([]byte, size*size*3)
	for i := range img {
		img[i] = byte(s.Uint64())
	}
	return env.Observation{Image: img}
}

func begin(t testing.TB, a *agent.Agent, seeds ...uint64) {
	t.Helper()
	var streams []*rng.Stream
	for _, s := range seeds {
		streams = append(streams, rng.New(s, "act"))
	}
	if err := a.Begin(streams); err != nil {
		t.Fatal(err)
	}
}

func act(t testing.TB, a *agent.Agent, obs ...env.Observation) [][]float32 {
	t.Helper()
	out, err := a.Act(context.Background(), obs)
	if err != nil {
		t.Fatal(err)
	}
	for _, action := range out {
		if len(action) != actions || slices.ContainsFunc(action, func(v float32) bool { return !(v >= -1 && v <= 1) }) {
			t.Fatalf("action %v", action)
		}
	}
	return out
}

func TestBeginForgetsTheEpisodeBefore(t *testing.T) {
	f := newFixture(t)
	a := f.agent(t, 1, 0)
	begin(t, a, 5)
	first := act(t, a, picture(1))
	second := act(t, a, picture(1))
	if slices.Equal(first[0], second[0]) {
		t.Error("the second decision has neither memory nor randomness of its own")
	}
	begin(t, a, 5)
	if again := act(t, a, picture(1)); !slices.Equal(again[0], first[0]) {
		t.Errorf("after Begin %v, at first %v", again[0], first[0])
	}
}

// TestPreviousActionReachesTheFilter: the state after the second decision is that
// of the action which the first one returned, noise and clipping included, and of
// no other.
func TestPreviousActionReachesTheFilter(t *testing.T) {
	f := newFixture(t)
	second := func(previous func(first []float32) []float32) [][]float32 {
		a := f.agent(t, 1, 5)
		begin(t, a, 5)
		first := act(t, a, picture(1))
		if previous != nil {
			a.SetPrevious(previous(first[0]))
		}
		act(t, a, picture(2))
		state, err := a.State()
		if err != nil {
			t.Fatal(err)
		}
		return state
	}
	own := second(nil)
	returned := second(func(first []float32) []float32 { return first })
	other := second(func(first []float32) []float32 { return []float32{first[0], -first[1] + 0.1} })
	if !reflect.DeepEqual(own, returned) {
		t.Error("the filter was given another action than the one that was returned")
	}
	for i := range own {
		if slices.Equal(own[i], other[i]) {
			t.Errorf("state %d does not depend on the previous action", i)
		}
	}
}

func TestEnvironmentsDoNotSeeEachOther(t *testing.T) {
	f := newFixture(t)
	both, one := f.agent(t, 2, 0), f.agent(t, 1, 0)
	begin(t, both, 5, 6)
	begin(t, one, 6)
	for i := range uint64(4) {
		pair := act(t, both, picture(10+i), picture(20+i))
		alone := act(t, one, picture(20+i))
		for k := range alone[0] {
			if d := pair[1][k] - alone[0][k]; d > 1e-3 || d < -1e-3 {
				t.Fatalf("decision %d: %v beside another environment, %v alone", i, pair[1], alone[0])
			}
		}
	}
}

func TestNoiseIsAddedBeforeClipping(t *testing.T) {
	f := newFixture(t)
	quiet, noisy := f.agent(t, 1, 0), f.agent(t, 1, 5)
	begin(t, quiet, 5)
	begin(t, noisy, 5)
	clipped := false
	for i := range uint64(6) {
		a, b := act(t, quiet, picture(i)), act(t, noisy, picture(i))
		if slices.Equal(a[0], b[0]) {
			t.Fatal("noise of 5 changed nothing")
		}
		clipped = clipped || slices.Contains(b[0], 1) || slices.Contains(b[0], -1)
	}
	if !clipped {
		t.Error("noise of 5 never reached a bound")
	}
}

func TestWithoutIterationsThePlanIsZero(t *testing.T) {
	f := newFixture(t)
	f.plan.Iterations = 0
	a := f.agent(t, 1, 0)
	begin(t, a, 5)
	if out := act(t, a, picture(1)); !slices.Equal(out[0], make([]float32, actions)) {
		t.Errorf("%v", out[0])
	}
}

func TestMistakesAreErrors(t *testing.T) {
	f := newFixture(t)
	a := f.agent(t, 1, 0)
	a.Rest(0) // nothing to rest from
	if _, err := a.Act(context.Background(), []env.Observation{picture(1)}); !errors.Is(err, agent.ErrNotReady) {
		t.Errorf("before Begin: %v", err)
	}
	if a.Begin(nil) == nil {
		t.Error("no stream for an environment was accepted")
	}
	begin(t, a, 5)
	if _, err := a.Act(context.Background(), []env.Observation{{Image: make([]byte, 7)}}); err == nil {
		t.Error("an image of 7 bytes was accepted")
	}
	if _, err := a.Act(context.Background(), nil); err == nil {
		t.Error("no observation was accepted")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := a.Act(ctx, []env.Observation{picture(1)}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := agent.New(f.backend, f.model, agent.Config{Plan: f.plan, BitDepth: 5}, 0); err == nil {
		t.Error("an agent for no environment was made")
	}
}

// TestRestingEnvironmentsChangeNothing: the actions of one environment are the
// same bits whether the other acts, has stopped, or never began.
func TestRestingEnvironmentsChangeNothing(t *testing.T) {
	for _, method := range plan.Methods() {
		f := newFixture(t)
		f.plan.Method = method
		episode := func(start []*rng.Stream, restAt int) (out [][]float32) {
			a := f.agent(t, 2, 0.3)
			if err := a.Begin(start); err != nil {
				t.Fatal(err)
			}
			for i := range 4 {
				other := picture(uint64(50 + i))
				if i >= restAt {
					a.Rest(0)
					other = env.Observation{} // not read
				}
				out = append(out, act(t, a, other, picture(uint64(i)))[1])
			}
			return out
		}
		want := episode([]*rng.Stream{rng.New(5, "act"), rng.New(6, "act")}, 9)
		if got := episode([]*rng.Stream{rng.New(5, "act"), rng.New(6, "act")}, 2); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: beside one that stops %v, want %v", method, got, want)
		}
		if got := episode([]*rng.Stream{nil, rng.New(6, "act")}, 0); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: beside one that never began %v, want %v", method, got, want)
		}
	}
}

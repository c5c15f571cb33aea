package agent_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/worldmodel"
)

// with replaces the fixture's model by one of another configuration. Parameters
// of equal names are equal.
func (f *fixture) with(t testing.TB, change func(*worldmodel.Config), set map[string]float32) *fixture {
	t.Helper()
	cfg := f.model.Config()
	change(&cfg)
	m, err := worldmodel.New(cfg, worldmodel.Dims{Height: size, Width: size, Channels: 3, ActionSize: actions, VectorSize: 3})
	if err != nil {
		t.Fatal(err)
	}
	out := &fixture{backend: f.backend, model: m, plan: f.plan}
	for i, values := range m.InitParams(rng.New(1, "init")) {
		spec := m.ParamSpecs()[i]
		if v, ok := set[spec.Name]; ok {
			values = slices.Repeat([]float32{v}, len(values))
		}
		buf, err := gx.Upload(f.backend, values, spec.Dims...)
		if err != nil {
			t.Fatal(err)
		}
		out.params = append(out.params, buf)
	}
	return out
}

// TestPlansCountByTheProbabilityOfContinuing: a head that is sure that episodes
// go on changes nothing, one that is sure that they end changes the plan.
func TestPlansCountByTheProbabilityOfContinuing(t *testing.T) {
	f := newFixture(t)
	plan := func(f *fixture) []float32 {
		a := f.agent(t, 1, 0)
		begin(t, a, 5)
		return act(t, a, picture(1))[0]
	}
	head := func(bias float32) *fixture {
		return f.with(t, func(c *worldmodel.Config) { c.ContinueHead = true },
			map[string]float32{"continue/output/kernel": 0, "continue/output/bias": bias})
	}
	without := plan(f)
	for i, got := range plan(head(80)) {
		if math.Abs(float64(got-without[i])) > 1e-4 {
			t.Errorf("sure to go on: component %d is %v, without the head %v", i, got, without[i])
		}
	}
	if mortal := plan(head(-80)); slices.Equal(mortal, without) {
		t.Error("sure to end: the plan is the same")
	}
}

// TestVectorsAreSeen: an agent whose model observes vectors acts on them, and
// refuses an observation without.
func TestVectorsAreSeen(t *testing.T) {
	for _, seen := range []worldmodel.Modality{worldmodel.ObserveVector, worldmodel.ObserveBoth} {
		f := newFixture(t).with(t, func(c *worldmodel.Config) { c.Observe = seen }, nil)
		one := func(v ...float32) []float32 {
			a := f.agent(t, 1, 0)
			begin(t, a, 5)
			// Several decisions: a small change may leave the elites of one as they were.
			var all []float32
			for i := range uint64(5) {
				o := picture(i)
				o.Vector = v
				all = append(all, act(t, a, o)[0]...)
			}
			return all
		}
		if first, again, other := one(1, 2, 3), one(1, 2, 3), one(-5, 2, 9); !slices.Equal(first, again) || slices.Equal(first, other) {
			t.Errorf("%s: %v, again %v, for another vector %v", seen, first, again, other)
		}
		a := f.agent(t, 1, 0)
		begin(t, a, 5)
		_, err := a.Act(context.Background(), []env.Observation{picture(1)})
		if err == nil || !strings.Contains(err.Error(), "vector has 0 values") {
			t.Errorf("%s: without a vector: %v", seen, err)
		}
	}
}

// TestEveryTransitionActs and remembers: the second decision on the same
// picture differs, and Begin forgets.
func TestEveryTransitionActs(t *testing.T) {
	for _, kind := range []worldmodel.Transition{worldmodel.SSM, worldmodel.Deterministic, worldmodel.DRNN} {
		f := newFixture(t).with(t, func(c *worldmodel.Config) { c.Transition = kind }, nil)
		a := f.agent(t, 2, 0)
		begin(t, a, 5, 6)
		first := act(t, a, picture(1), picture(2))
		second := act(t, a, picture(1), picture(2))
		begin(t, a, 5, 6)
		again := act(t, a, picture(1), picture(2))
		if slices.Equal(first[0], second[0]) || !slices.Equal(first[0], again[0]) || !slices.Equal(first[1], again[1]) {
			t.Errorf("%s: %v, then %v, after Begin %v", kind, first, second, again)
		}
	}
}

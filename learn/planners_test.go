package learn

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/plan"
)

// TestEveryPlannerTrains: a whole tiny run collects, learns and evaluates with each
// planner, and what it records is finite.
func TestEveryPlannerTrains(t *testing.T) {
	for _, method := range plan.Methods() {
		dir := t.TempDir()
		p := parts(t, dir, newToy(t))
		p.Plan.Method = method
		p.Schedule.Episodes, p.Schedule.UpdatesPerCollect = 4, 2
		counters, err := train(t, context.Background(), p)
		if err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		if counters.Episodes != 4 || counters.Updates != 4 {
			t.Errorf("%s: %+v, want 4 episodes and 4 updates", method, counters)
		}
		checkEvents(t, string(method), dir)
	}
}

// checkEvents demands finite numbers, planned episodes and evaluations.
func checkEvents(t *testing.T, what, dir string) {
	t.Helper()
	planned, evaluations := 0, 0
	_, _, events := contents(t, dir)
	for _, e := range events {
		for name, v := range e.Values {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%s: %s is %v", what, name, v)
			}
		}
		switch {
		case e.Kind == metrics.KindEpisode && e.Text["policy"] == "planner":
			planned++
		case e.Kind == metrics.KindEvaluation:
			evaluations++
		}
	}
	if planned != 2 || evaluations == 0 {
		t.Errorf("%s: %d planned episodes and %d evaluations, want 2 and some", what, planned, evaluations)
	}
}

// TestRandomCollection: actions are random with a continuous planner, and random
// choices with a discrete one.
func TestRandomCollection(t *testing.T) {
	for _, method := range []plan.Method{plan.CEM, plan.Categorical} {
		p := parts(t, t.TempDir(), newToy(t))
		p.Plan.Method, p.Schedule.RandomCollection = method, true
		p.Schedule.Episodes, p.Schedule.UpdatesPerCollect = 3, 1
		r, err := Open(context.Background(), p)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		r.crews[0].agent.SetParams(r.learner.Params())
		if err := r.crews[0].agent.Begin([]*rng.Stream{r.stream("act", 0)}); err != nil {
			t.Fatal(err)
		}
		obs, err := p.Env.Reset(context.Background(), 1)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[float32]int{}
		for range 20 {
			actions, err := r.crews[0].agent.Act(context.Background(), []env.Observation{obs})
			if err != nil {
				t.Fatal(err)
			}
			if a := actions[0]; method == plan.Categorical && a[0]+a[1] != 1 {
				t.Errorf("categorical: action %v is not one-hot", a)
			}
			seen[actions[0][0]]++
		}
		if method == plan.Categorical && (seen[0] < 3 || seen[1] < 3) || method == plan.CEM && len(seen) < 8 {
			t.Errorf("%s: first components %v are not random", method, seen)
		}
	}
}

// TestSeedEpisodesOfChoices: where the planner chooses among discrete actions,
// random episodes hold such actions too, all of them, and not mixtures that the
// model would have to learn as well and never plans with.
func TestSeedEpisodesOfChoices(t *testing.T) {
	dir := t.TempDir()
	p := parts(t, dir, newToy(t))
	p.Plan.Method, p.Schedule.Episodes = plan.Categorical, 3
	if _, err := train(t, context.Background(), p); err != nil {
		t.Fatal(err)
	}
	counts := map[[2]float32]int{}
	for episode := range 3 {
		actions, _ := stored(t, dir, episode)
		for i := 2; i < len(actions); i += 2 {
			counts[[2]float32{actions[i], actions[i+1]}]++
		}
	}
	if len(counts) != 2 || counts[[2]float32{1, 0}] < 20 || counts[[2]float32{0, 1}] < 20 {
		t.Errorf("stored actions are %v", counts)
	}
}

// TestRandomlyCollectedEpisodesAreCalledRandom, although the loop is the planner's.
func TestRandomlyCollectedEpisodesAreCalledRandom(t *testing.T) {
	for want, random := range map[string]bool{"random random random": true, "random random planner": false} {
		p := parts(t, t.TempDir(), newToy(t))
		p.Schedule.RandomCollection, p.Schedule.Episodes, p.Schedule.SeedEpisodes, p.Schedule.UpdatesPerCollect = random, 3, 2, 1
		if _, err := train(t, context.Background(), p); err != nil {
			t.Fatal(err)
		}
		_, _, events := contents(t, p.Dir)
		var got []string
		for _, e := range events {
			if e.Kind == metrics.KindEpisode {
				got = append(got, e.Text["policy"])
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("random_collection %v: the policies are %v, want %s", random, got, want)
		}
	}
}

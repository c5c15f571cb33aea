package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestBenchPlanners: every planner beats random actions on the known optimum, more
// candidates help, and the model steps are those that were asked for.
func TestBenchPlanners(t *testing.T) {
	var r plannersBench
	parse(t, &r, "bench", "planners", "--preset", "tiny", "--candidates", "20,200", "--decisions", "8", "--envs", "6")
	returns := map[string][]float64{}
	for _, row := range r.Optimum {
		returns[row.Planner] = append(returns[row.Planner], row.Return)
		if row.Return > 0 || row.Seconds <= 0 {
			t.Errorf("%+v", row)
		}
	}
	random := returns["random"]
	for _, name := range []string{"cem", "cem+warm", "icem", "mppi", "shooting"} {
		got := returns[name]
		if len(got) != 2 || len(random) != 1 || got[1] <= random[0] {
			t.Fatalf("%s returns %v, random %v", name, got, random)
		}
		if name != "shooting" && got[1] <= got[0] {
			t.Errorf("%s: returns %v of 20 and 200 candidates", name, got)
		}
	}
	i := slices.IndexFunc(r.Optimum, func(row knownRow) bool { return row.Planner == "shooting" })
	if row := r.Optimum[i]; row.Candidates != 60 || row.Iterations != 1 || row.Evaluations != 60*6 {
		t.Errorf("shooting of 3 iterations of 20 candidates: %+v", row)
	}
}

func TestBenchPlannersNamesMistakes(t *testing.T) {
	for want, args := range map[string][]string{
		"categorical plans for discrete": {"--planners", "categorical"},
		"unknown planner":                {"--planners", "greedy"},
		"must lie in":                    {"--candidates", "0"},
	} {
		code, _, errs := orrery(t, append([]string{"bench", "planners", "--preset", "tiny"}, args...)...)
		if code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("%v: exit code %d, want %q in:\n%s", args, code, want, errs)
		}
	}
}

// TestPlannersOfATrainedAgent: a run is evaluated with other planners, and the
// report says which settings were changed.
func TestPlannersOfATrainedAgent(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	must(t, tiny(dir)...)
	var report evalReport
	out := must(t, "eval", dir, "-n", "2", "--json", "--set", "plan.planner=icem", "--set", "plan.candidates=40")
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	if report.Plan.Method != "icem" || report.Plan.Candidates != 40 || len(report.Returns) != 2 {
		t.Errorf("%+v", report)
	}
	if want := []string{"plan.planner=icem", "plan.candidates=40"}; !slices.Equal(report.Changed, want) {
		t.Errorf("changed %v, want %v", report.Changed, want)
	}
	if code, _, errs := orrery(t, "eval", dir, "--set", "learn.batch_size=3"); code != exitUsage || !strings.Contains(errs, "only plan.*") {
		t.Errorf("exit code %d: %s", code, errs)
	}

	var r plannersBench
	parse(t, &r, "bench", "planners", "--run", dir, "-n", "2", "--planners", "cem,mppi", "--candidates", "20", "--envs", "2", "--decisions", "1")
	if len(r.Trained) != 2 || r.Env == "" {
		t.Fatalf("%+v", r)
	}
	for _, row := range r.Trained {
		if len(row.Returns) != 2 || row.Evaluations == 0 || row.Candidates != 20 {
			t.Errorf("%+v", row)
		}
	}
}

// TestDiscreteActions: an agent learns and acts with discrete actions, and a task
// that has none is refused before anything is trained or played.
func TestDiscreteActions(t *testing.T) {
	grid, counter := filepath.Join(t.TempDir(), "grid"), filepath.Join(t.TempDir(), "counter")
	must(t, tiny(grid, "--env", "toy-grid", "--set", "plan.planner=categorical")...)
	var report evalReport
	if err := json.Unmarshal([]byte(must(t, "eval", grid, "-n", "2", "--json")), &report); err != nil {
		t.Fatal(err)
	}
	if report.Plan.Method != "categorical" || len(report.Returns) != 2 {
		t.Errorf("%+v", report)
	}
	must(t, tiny(counter, "--env", "toy-counter", "--episodes", "2")...)
	for what, args := range map[string][]string{
		"train": tiny(filepath.Join(t.TempDir(), "no"), "--env", "toy-counter", "--set", "plan.planner=categorical"),
		"eval":  {"eval", counter, "-n", "1", "--set", "plan.planner=categorical"},
	} {
		if code, _, errs := orrery(t, args...); code != exitUsage || !strings.Contains(errs, "of which there is 1") {
			t.Errorf("%s: exit code %d: %s", what, code, errs)
		}
	}
}

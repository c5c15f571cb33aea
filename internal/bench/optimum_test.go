package bench

import (
	"math"
	"testing"

	"github.com/orrery-rl/orrery/backend/cpu"
	"github.com/orrery-rl/orrery/plan"
)

// TestOptimumOfNoPlan: without iterations every action is zero, whose return is
// computed here from the targets.
func TestOptimumOfNoPlan(t *testing.T) {
	backend, err := cpu.New(cpu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	cfg := OptimumConfig{Plan: plan.Config{Horizon: 3, Candidates: 8, Elites: 2}, Actions: 2, Envs: 3, Decisions: 5}
	r, err := Optimum(t.Context(), backend, cfg)
	if err != nil {
		t.Fatal(err)
	}
	want := 0.0
	for step := range 5 {
		for i := range 6 {
			want -= target(i, step) * target(i, step) / 15
		}
	}
	if math.Abs(r.Return-want) > 1e-9 || r.Evaluations != 0 {
		t.Errorf("%+v, want a return of %v without model steps", r, want)
	}
	cfg.Envs = 1
	if _, err := Optimum(t.Context(), backend, cfg); err == nil {
		t.Error("one environment has no standard error, but was accepted")
	}
}

package plan_test

import (
	"math"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/plan"
)

func TestPresetsAreValid(t *testing.T) {
	for _, name := range []string{"paper", "small", "tiny"} {
		cfg, err := plan.PresetConfig(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := cfg.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := plan.PresetConfig("papper"); err == nil || !strings.Contains(err.Error(), "paper, small or tiny") {
		t.Errorf("unknown preset: error %v does not name the choices", err)
	}
}

func TestValidateNamesEveryViolation(t *testing.T) {
	err := plan.Config{Horizon: 0, Iterations: -1, Candidates: 10, Elites: 11, VarianceEpsilon: math.NaN()}.Validate()
	if err == nil {
		t.Fatal("no error")
	}
	for _, field := range []string{"horizon", "iterations", "elites", "variance_epsilon"} {
		if !strings.Contains(err.Error(), field) {
			t.Errorf("error does not name %s:\n%v", field, err)
		}
	}
}

func TestWrongNoiseIsNamed(t *testing.T) {
	cfg := small()
	inputs := cfg.Noise(1, 2, 0).Inputs()
	inputs[1].Shape = shapes.Make(dtypes.Float32, 1, 2)
	_, err := gx.Compile(newBackend(t), "plan", inputs, func(g *graph.Graph, in []*graph.Node) []*graph.Node {
		start := plan.State{graph.Zeros(g, shapes.Make(dtypes.Float32, 1, 1))}
		return plan.Search(cfg, toy{score: constant}, start, 2, in).Outputs()
	})
	if err == nil || !strings.Contains(err.Error(), "plan/action_1") {
		t.Errorf("error %v does not name the tensor", err)
	}
}

func TestCategoricalNeedsAChoice(t *testing.T) {
	cfg := plan.DefaultConfig()
	cfg.Method = plan.Categorical
	if _, err := plan.New(cfg, 1, 1, 0); err == nil || !strings.Contains(err.Error(), "categorical") {
		t.Errorf("one action to choose from: %v", err)
	}
	if _, err := plan.New(cfg, 1, 2, 0); err != nil {
		t.Error(err)
	}
}

package plan

import (
	"errors"
	"fmt"
)

// maxCandidates bounds the table in which candidates are ranked, which has
// Candidates x Candidates entries for each environment.
const maxCandidates = 10_000

// Config is how hard the planner searches. Start from DefaultConfig: the zero
// value is not valid.
//
// One plan evaluates Iterations*Candidates*Horizon model steps.
type Config struct {
	// Horizon (H, 12) is the depth of a plan in decisions; at least 1. A reward
	// further away is not seen.
	Horizon int `yaml:"horizon" json:"horizon"`
	// Iterations (I, 10) is how often the proposal is refitted. 0 plans nothing:
	// every action is zero, which together with exploration noise is the random
	// collection of the paper's ablation.
	Iterations int `yaml:"iterations" json:"iterations"`
	// Candidates (J, 1000) is the number of action sequences sampled in each
	// iteration; at least Elites and at most 10000.
	Candidates int `yaml:"candidates" json:"candidates"`
	// Elites (K, 100) is how many of the best candidates the proposal is
	// refitted to; at least 1.
	Elites int `yaml:"elites" json:"elites"`
	// VarianceEpsilon (0) is added to the variance of the elites before the
	// square root, so that the standard deviation stays above its root. The
	// paper's published code uses 1e-6; 0 is the plain population deviation.
	VarianceEpsilon float64 `yaml:"variance_epsilon" json:"variance_epsilon"`
}

// DefaultConfig returns the planner of the paper (appendix A).
func DefaultConfig() Config {
	return Config{Horizon: 12, Iterations: 10, Candidates: 1000, Elites: 100}
}

// PresetConfig returns the planner of a preset: "paper", "small" (an eighth
// of the paper's work) or "tiny" (for tests and demonstrations).
func PresetConfig(name string) (Config, error) {
	switch name {
	case "paper":
		return DefaultConfig(), nil
	case "small":
		return Config{Horizon: 12, Iterations: 6, Candidates: 200, Elites: 20}, nil
	case "tiny":
		return Config{Horizon: 6, Iterations: 3, Candidates: 64, Elites: 8}, nil
	}
	return Config{}, fmt.Errorf("plan: unknown preset %q; choose paper, small or tiny", name)
}

// Validate reports every setting that cannot work, with its bound.
func (c Config) Validate() error {
	var errs []error
	within := func(name string, v, low, high int) {
		if v < low || v > high {
			errs = append(errs, fmt.Errorf("plan: %s is %d; it must lie in [%d, %d]", name, v, low, high))
		}
	}
	within("horizon", c.Horizon, 1, 1000)
	within("iterations", c.Iterations, 0, 1000)
	within("candidates", c.Candidates, 1, maxCandidates)
	within("elites", c.Elites, 1, maxCandidates)
	if c.Elites > c.Candidates && c.Candidates >= 1 {
		errs = append(errs, fmt.Errorf("plan: elites is %d; it must not exceed candidates, which is %d", c.Elites, c.Candidates))
	}
	if !(c.VarianceEpsilon >= 0 && c.VarianceEpsilon <= 1) {
		errs = append(errs, fmt.Errorf("plan: variance_epsilon is %v; it must lie in [0, 1]", c.VarianceEpsilon))
	}
	return errors.Join(errs...)
}

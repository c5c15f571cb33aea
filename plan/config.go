package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxCandidates bounds the table in which candidates are ranked, which has
// Candidates x Candidates entries for each environment.
const maxCandidates = 10_000

// Method names a way of searching.
type Method string

// The methods. See docs/planners.md for when to choose which.
const (
	// CEM is the cross-entropy method of the paper (Algorithm 2): refit a diagonal
	// Gaussian to the best candidates and return its mean.
	CEM Method = "cem"
	// ICEM is the cross-entropy method with coloured noise, elites that are kept, and
	// fewer candidates in every iteration (Pinneri et al. 2020).
	ICEM Method = "icem"
	// MPPI weighs the best candidates by the exponential of their scores, as TD-MPC
	// does (Williams et al. 2015; Hansen et al. 2022).
	MPPI Method = "mppi"
	// Shooting evaluates one set of random candidates and takes the best: the paper's
	// ablation of the search.
	Shooting Method = "shooting"
	// Categorical is the cross-entropy method on discrete actions, given as one-hot
	// vectors: refit the probabilities and return the most probable action.
	Categorical Method = "categorical"
	// Random uses no model: every action is a clipped standard normal.
	Random Method = "random"
)

// Methods lists the methods.
func Methods() []Method { return []Method{CEM, ICEM, MPPI, Shooting, Categorical, Random} }

// Config is how a planner searches. Start from DefaultConfig: the zero value is
// not valid.
//
// One plan evaluates Iterations*Candidates*Horizon model steps, except as
// [Config.Evaluations] says.
type Config struct {
	// Method is the way of searching; empty means cem.
	Method Method `yaml:"planner" json:"planner"`
	// Horizon (H, 12) is the depth of a plan in decisions; at least 1. A reward
	// further away is not seen.
	Horizon int `yaml:"horizon" json:"horizon"`
	// Iterations (I, 10) is how often the proposal is refitted; shooting has one. 0
	// plans nothing: every action is zero.
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
	// Rollouts (1, and 0 means 1) is how many latent trajectories score a candidate;
	// its score is their mean.
	Rollouts int `yaml:"rollouts" json:"rollouts"`
	// MeanRollouts follows the mean of the prior instead of sampling it.
	MeanRollouts bool `yaml:"mean_rollouts" json:"mean_rollouts"`
	// WarmStart lets cem begin from the mean of the plan before, shifted by one
	// decision, instead of zero; the standard deviation is reset. icem and mppi
	// always do. The last action becomes zero, of icem the one before it.
	WarmStart bool `yaml:"warm_start" json:"warm_start"`
	// Deadline (0: none) is the time for a plan, 50ms for example. When it is over,
	// planning ends with the iteration at hand and returns the best plan so far.
	// Results then depend on the speed of the machine. The deadline of a context
	// does the same.
	Deadline time.Duration `yaml:"deadline" json:"deadline"`

	// ICEM, MPPI and Categorical are the settings of these methods; one that is all
	// zeros means the defaults.
	ICEM        ICEMConfig        `yaml:"icem" json:"icem"`
	MPPI        MPPIConfig        `yaml:"mppi" json:"mppi"`
	Categorical CategoricalConfig `yaml:"categorical" json:"categorical"`
}

// ICEMConfig is what iCEM adds (Pinneri et al. 2020, section 3).
type ICEMConfig struct {
	// NoiseBeta (0.25) is the exponent of the noise along the horizon: its power falls
	// like frequency^-beta. 0 is white; 2.5 suits walker, cup, reacher and finger.
	NoiseBeta float64 `yaml:"noise_beta" json:"noise_beta"`
	// Decay (1.25) divides the number of candidates in every iteration, but never below
	// twice the elites.
	Decay float64 `yaml:"decay" json:"decay"`
	// Keep (0.3) is the fraction of elites that are evaluated again in the next
	// iteration and, shifted, at the next decision.
	Keep float64 `yaml:"keep" json:"keep"`
	// Momentum (0.1) is the weight of the old proposal when a new one is fitted.
	Momentum float64 `yaml:"momentum" json:"momentum"`
	// InitStd (0.5) is the first standard deviation.
	InitStd float64 `yaml:"init_std" json:"init_std"`
}

// MPPIConfig is what MPPI adds (Hansen et al. 2022, appendix).
type MPPIConfig struct {
	// Temperature (0.5) multiplies scores before the exponential.
	Temperature float64 `yaml:"temperature" json:"temperature"`
	// Momentum (0.1) is the weight of the old mean when a new one is fitted.
	Momentum float64 `yaml:"momentum" json:"momentum"`
	// InitStd (2) is the first standard deviation, and the largest.
	InitStd float64 `yaml:"init_std" json:"init_std"`
	// MinStd (0.05) is the smallest standard deviation.
	MinStd float64 `yaml:"min_std" json:"min_std"`
}

// CategoricalConfig is what categorical CEM adds.
type CategoricalConfig struct {
	// Smoothing (0.05) is the probability that stays spread evenly over all actions,
	// so that none is ruled out for good.
	Smoothing float64 `yaml:"smoothing" json:"smoothing"`
}

// DefaultConfig returns the planner of the paper (appendix A).
func DefaultConfig() Config {
	return Config{
		Method: CEM, Horizon: 12, Iterations: 10, Candidates: 1000, Elites: 100, Rollouts: 1,
		ICEM: defaultICEM(), MPPI: defaultMPPI(), Categorical: defaultCategorical(),
	}
}

func defaultICEM() ICEMConfig {
	return ICEMConfig{NoiseBeta: 0.25, Decay: 1.25, Keep: 0.3, Momentum: 0.1, InitStd: 0.5}
}

func defaultMPPI() MPPIConfig {
	return MPPIConfig{Temperature: 0.5, Momentum: 0.1, InitStd: 2, MinStd: 0.05}
}

func defaultCategorical() CategoricalConfig { return CategoricalConfig{Smoothing: 0.05} }

// PresetConfig returns the planner of a preset: "paper", "small" (an eighth
// of the paper's work) or "tiny" (for tests and demonstrations).
func PresetConfig(name string) (Config, error) {
	c := DefaultConfig()
	switch name {
	case "paper":
	case "small":
		c.Iterations, c.Candidates, c.Elites = 6, 200, 20
	case "tiny":
		c.Horizon, c.Iterations, c.Candidates, c.Elites = 6, 3, 64, 8
	default:
		return Config{}, fmt.Errorf("plan: unknown preset %q; choose paper, small or tiny", name)
	}
	return c, nil
}

// resolved fills in what the zero value of a setting stands for.
func (c Config) resolved() Config {
	if c.Method == "" {
		c.Method = CEM
	}
	c.Rollouts = max(c.Rollouts, 1)
	if c.ICEM == (ICEMConfig{}) {
		c.ICEM = defaultICEM()
	}
	if c.MPPI == (MPPIConfig{}) {
		c.MPPI = defaultMPPI()
	}
	if c.Categorical == (CategoricalConfig{}) {
		c.Categorical = defaultCategorical()
	}
	switch c.Method {
	case Shooting:
		c.Iterations = min(c.Iterations, 1)
	case Random:
		c.Iterations, c.Horizon = 0, 1
	}
	return c
}

// Validate reports every setting that cannot work, with its bound.
func (c Config) Validate() error {
	c = c.resolved()
	var errs []error
	within := func(name string, v, low, high int) {
		if v < low || v > high {
			errs = append(errs, fmt.Errorf("plan: %s is %d; it must lie in [%d, %d]", name, v, low, high))
		}
	}
	number := func(name string, v, low, high float64) {
		if !(v >= low && v <= high) {
			errs = append(errs, fmt.Errorf("plan: %s is %v; it must lie in [%v, %v]", name, v, low, high))
		}
	}
	if !slices.Contains(Methods(), c.Method) {
		errs = append(errs, fmt.Errorf("plan: unknown planner %q; choose %s", c.Method, methodNames()))
	}
	within("horizon", c.Horizon, 1, 1000)
	within("iterations", c.Iterations, 0, 1000)
	within("candidates", c.Candidates, 1, maxCandidates)
	within("elites", c.Elites, 1, maxCandidates)
	within("rollouts", c.Rollouts, 1, 100)
	if c.Elites > c.Candidates && c.Candidates >= 1 {
		errs = append(errs, fmt.Errorf("plan: elites is %d; it must not exceed candidates, which is %d", c.Elites, c.Candidates))
	}
	number("variance_epsilon", c.VarianceEpsilon, 0, 1)
	if c.Deadline < 0 {
		errs = append(errs, fmt.Errorf("plan: deadline is %v; it must not be negative, and 0 is none", c.Deadline))
	}
	number("icem.noise_beta", c.ICEM.NoiseBeta, 0, 10)
	number("icem.decay", c.ICEM.Decay, 1, 100)
	number("icem.keep", c.ICEM.Keep, 0, 1)
	number("icem.momentum", c.ICEM.Momentum, 0, 0.999)
	number("icem.init_std", c.ICEM.InitStd, 1e-3, 10)
	number("mppi.temperature", c.MPPI.Temperature, 0, 1e6)
	number("mppi.momentum", c.MPPI.Momentum, 0, 0.999)
	number("mppi.init_std", c.MPPI.InitStd, 1e-3, 10)
	number("mppi.min_std", c.MPPI.MinStd, 0, c.MPPI.InitStd)
	number("categorical.smoothing", c.Categorical.Smoothing, 0, 1)
	return errors.Join(errs...)
}

func methodNames() string {
	var names []string
	for _, m := range Methods() {
		names = append(names, string(m))
	}
	return strings.Join(names, ", ")
}

// sampled is how many candidates iteration i draws.
func (c Config) sampled(i int) int {
	if c.Method != ICEM {
		return c.Candidates
	}
	n := float64(c.Candidates)
	for range i {
		n /= c.ICEM.Decay
	}
	return max(int(n), min(2*c.Elites, c.Candidates))
}

// kept is how many elites are evaluated again.
func (c Config) kept() int {
	if c.Method != ICEM {
		return 0
	}
	return int(c.ICEM.Keep * float64(c.Elites))
}

// candidates is how many candidates iteration i evaluates.
func (c Config) candidates(i int) int {
	n := c.sampled(i) + c.kept()
	if c.Method == ICEM && i == c.Iterations-1 {
		n++ // the mean
	}
	return n
}

// Evaluations is how many model steps a plan for one environment takes.
func (c Config) Evaluations() int {
	c = c.resolved()
	n := 0
	for i := range c.Iterations {
		n += c.candidates(i) * c.Rollouts * c.Horizon
	}
	return n
}

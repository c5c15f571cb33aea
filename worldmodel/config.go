package worldmodel

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// GRUForm selects where the recurrent cell applies its reset gate r. Weights of
// one form do not fit the other.
type GRUForm string

const (
	// ResetBefore computes the candidate from the reset state,
	// c = tanh(W[x; r*h] + b): the form of the paper's code.
	ResetBefore GRUForm = "reset_before"
	// ResetAfter resets the recurrent product,
	// c = tanh(W_x x + b_x + r*(W_h h + b_h)): the form of PyTorch's GRUCell.
	ResetAfter GRUForm = "reset_after"
)

// Config is the architecture of a model and the weights of its losses. Start
// from a preset; zero values are not defaults.
type Config struct {
	// Transition is the kind of latent dynamics: rssm (the default and the
	// meaning of an empty string), ssm, deterministic or drnn.
	Transition Transition `yaml:"transition" json:"transition"`
	// Depth is the number of channels of the encoder's first convolution
	// (paper: 32); every further one doubles it, and the decoder mirrors it.
	Depth int `yaml:"depth" json:"depth"`
	// DeterSize is the size of the deterministic state h (paper: 200). The ssm
	// has none and does not use it; the drnn has two.
	DeterSize int `yaml:"deter_size" json:"deter_size"`
	// StochSize is the size of the stochastic state s (Z; paper: 30).
	StochSize int `yaml:"stoch_size" json:"stoch_size"`
	// HiddenSize is the width of the transition's hidden layers (paper: 200).
	HiddenSize int `yaml:"hidden_size" json:"hidden_size"`
	// RewardLayers are the widths of the reward head's hidden layers (paper's
	// code: three of 300). Empty makes the head linear.
	RewardLayers []int `yaml:"reward_layers" json:"reward_layers"`
	// GRU is the form of the recurrent cell (paper's code: reset_before).
	GRU GRUForm `yaml:"gru" json:"gru"`
	// MinStd is added to the softplus that gives a standard deviation of prior
	// and posterior (paper: 0.1).
	MinStd float64 `yaml:"min_std" json:"min_std"`
	// FreeNats is the KL, in nats, that costs nothing: max(0, KL - FreeNats) per
	// chunk and time step (paper: 3). The deterministic transition uses 0.
	FreeNats float64 `yaml:"free_nats" json:"free_nats"`
	// KLScale weighs the clipped KL in the total loss (paper: 1).
	KLScale float64 `yaml:"kl_scale" json:"kl_scale"`
	// RewardScale weighs the reward loss (paper's code: 10).
	RewardScale float64 `yaml:"reward_scale" json:"reward_scale"`
}

// PresetNames lists the names [PresetConfig] knows, largest model first.
func PresetNames() []string { return []string{"paper", "small", "tiny"} }

// PresetConfig returns a complete configuration by name:
//
//   - "paper": the paper's published code, 5,293,220 parameters at 64x64x3
//     pixels and 6 actions.
//   - "small": the same transition with half the channels and a reward head of
//     two layers of 200, for machines with few cores.
//   - "tiny": for tests; too small to learn the control tasks.
func PresetConfig(name string) (Config, error) {
	c := Config{
		Transition: RSSM, Depth: 32, DeterSize: 200, StochSize: 30, HiddenSize: 200,
		RewardLayers: []int{300, 300, 300}, GRU: ResetBefore,
		MinStd: 0.1, FreeNats: 3, KLScale: 1, RewardScale: 10,
	}
	switch name {
	case "paper":
	case "small":
		c.Depth, c.RewardLayers = 16, []int{200, 200}
	case "tiny":
		c.Depth, c.DeterSize, c.StochSize, c.HiddenSize, c.RewardLayers = 4, 16, 4, 16, []int{16}
	default:
		return Config{}, fmt.Errorf("worldmodel: no preset %q; there are %s", name, strings.Join(PresetNames(), ", "))
	}
	return c, nil
}

// resolved returns a copy that says what a model uses: see [Model.Config].
func (c Config) resolved() Config {
	c.RewardLayers = slices.Clone(c.RewardLayers)
	if c.Transition == "" {
		c.Transition = RSSM
	}
	if c.Transition == Deterministic {
		c.FreeNats = 0
	}
	return c
}

// maxSize bounds every width of a configuration, so that a misplaced digit is
// an error and not an attempt to allocate the parameters.
const maxSize = 1 << 16

// Validate reports every setting that cannot work, with its bound.
func (c Config) Validate() error {
	var errs []error
	complain := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("worldmodel: "+format, args...))
	}
	size := func(name string, v int) {
		if v < 1 || v > maxSize {
			complain("%s is %d; it must lie in [1, %d]", name, v, maxSize)
		}
	}
	if c.Transition != "" && !slices.Contains(transitions(), c.Transition) {
		complain("transition is %q; it must be one of %q", c.Transition, transitions())
	}
	size("depth", c.Depth)
	size("deter_size", c.DeterSize)
	size("stoch_size", c.StochSize)
	size("hidden_size", c.HiddenSize)
	for i, width := range c.RewardLayers {
		size(fmt.Sprintf("reward_layers[%d]", i), width)
	}
	if forms := []GRUForm{ResetBefore, ResetAfter}; !slices.Contains(forms, c.GRU) {
		complain("gru is %q; it must be one of %q", c.GRU, forms)
	}
	if !(c.MinStd > 0 && c.MinStd <= 10) {
		complain("min_std is %v; it must lie in (0, 10]", c.MinStd)
	}
	weight := func(name string, v float64) {
		if !(v >= 0 && v <= 1e6) {
			complain("%s is %v; it must lie in [0, 1e6]", name, v)
		}
	}
	weight("free_nats", c.FreeNats)
	weight("kl_scale", c.KLScale)
	weight("reward_scale", c.RewardScale)
	return errors.Join(errs...)
}

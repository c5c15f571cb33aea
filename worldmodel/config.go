package worldmodel

import (
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
	// Observe is what the model sees: image (the default and the meaning of an
	// empty string), vector or both.
	Observe Modality `yaml:"observe" json:"observe"`
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
	// VectorLayers are the widths of the hidden layers that encode vectors and of
	// those that decode them (Kaixhin/PlaNet: two of 1024).
	VectorLayers []int `yaml:"vector_layers" json:"vector_layers"`
	// VectorEmbed is the size of a vector's embedding (Kaixhin/PlaNet: 1024).
	VectorEmbed int `yaml:"vector_embed" json:"vector_embed"`
	// VectorTransform is applied to vectors: none (the default) or symlog.
	VectorTransform VectorTransform `yaml:"vector_transform" json:"vector_transform"`
	// RewardLayers are the widths of the reward head's hidden layers (paper's
	// code: three of 300). Empty makes the head linear.
	RewardLayers []int `yaml:"reward_layers" json:"reward_layers"`
	// ContinueHead adds a head that predicts whether the task goes on, for tasks
	// that can end before their time limit. The planner then counts later rewards
	// by the probability of getting there.
	ContinueHead bool `yaml:"continue_head" json:"continue_head"`
	// ContinueLayers are the widths of that head's hidden layers.
	ContinueLayers []int `yaml:"continue_layers" json:"continue_layers"`
	// Diagnostic adds a head, with the layers of the reward head, that predicts
	// the environment's vector from features. It shows what the state knows and
	// does not train the rest of the model.
	Diagnostic bool `yaml:"diagnostic" json:"diagnostic"`
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
	// VectorScale weighs the vector loss (1).
	VectorScale float64 `yaml:"vector_scale" json:"vector_scale"`
	// ContinueScale weighs the continue loss (10, as in Dreamer).
	ContinueScale float64 `yaml:"continue_scale" json:"continue_scale"`
	// Objective selects variants of the losses; the zero value has none.
	Objective Objective `yaml:"objective" json:"objective"`
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
		Transition: RSSM, Observe: ObserveImage, Depth: 32, DeterSize: 200, StochSize: 30, HiddenSize: 200,
		RewardLayers: []int{300, 300, 300}, GRU: ResetBefore,
		MinStd: 0.1, FreeNats: 3, KLScale: 1, RewardScale: 10,
		VectorLayers: []int{1024, 1024}, VectorEmbed: 1024, VectorTransform: Untransformed, VectorScale: 1,
		ContinueLayers: []int{300, 300, 300}, ContinueScale: 10,
		Objective: defaultObjective(),
	}
	switch name {
	case "paper":
	case "small":
		c.Depth, c.RewardLayers, c.ContinueLayers = 16, []int{200, 200}, []int{200, 200}
		c.VectorLayers, c.VectorEmbed = []int{256, 256}, 256
	case "tiny":
		c.Depth, c.DeterSize, c.StochSize, c.HiddenSize, c.RewardLayers = 4, 16, 4, 16, []int{16}
		c.VectorLayers, c.VectorEmbed, c.ContinueLayers = []int{16, 16}, 16, []int{16}
	default:
		return Config{}, fmt.Errorf("worldmodel: no preset %q; there are %s", name, strings.Join(PresetNames(), ", "))
	}
	return c, nil
}

// resolved returns a copy that says what a model uses: see [Model.Config].
func (c Config) resolved() Config {
	c.RewardLayers = slices.Clone(c.RewardLayers)
	c.VectorLayers = slices.Clone(c.VectorLayers)
	c.ContinueLayers = slices.Clone(c.ContinueLayers)
	if c.Transition == "" {
		c.Transition = RSSM
	}
	if c.Observe == "" {
		c.Observe = ObserveImage
	}
	if c.VectorTransform == "" {
		c.VectorTransform = Untransformed
	}
	if c.Transition == Deterministic {
		c.FreeNats = 0
	}
	c.Objective = c.Objective.resolved()
	return c
}

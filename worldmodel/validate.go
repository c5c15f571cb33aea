package worldmodel

import (
	"errors"
	"fmt"
	"slices"
)

// maxSize bounds every width of a configuration, so that a misplaced digit is
// an error and not an attempt to allocate the parameters.
const maxSize = 1 << 16

// complaints collects what is wrong with a configuration.
type complaints []error

func (c *complaints) add(format string, args ...any) {
	*c = append(*c, fmt.Errorf("worldmodel: "+format, args...))
}

// size checks a width.
func (c *complaints) size(name string, v int) {
	if v < 1 || v > maxSize {
		c.add("%s is %d; it must lie in [1, %d]", name, v, maxSize)
	}
}

// sizes checks the widths of layers.
func (c *complaints) sizes(name string, widths []int) {
	for i, width := range widths {
		c.size(fmt.Sprintf("%s[%d]", name, i), width)
	}
}

// weight checks a factor of a loss.
func (c *complaints) weight(name string, v float64) {
	if !(v >= 0 && v <= 1e6) {
		c.add("%s is %v; it must lie in [0, 1e6]", name, v)
	}
}

// oneOf checks a choice.
func oneOf[T ~string](c *complaints, name string, v T, choices ...T) {
	if !slices.Contains(choices, v) {
		c.add("%s is %q; it must be one of %q", name, v, choices)
	}
}

// Validate reports every setting that cannot work, with its bound.
func (c Config) Validate() error {
	c = c.resolved()
	var bad complaints
	oneOf(&bad, "transition", c.Transition, transitions()...)
	oneOf(&bad, "observe", c.Observe, ObserveImage, ObserveVector, ObserveBoth)
	oneOf(&bad, "vector_transform", c.VectorTransform, Untransformed, Symlog)
	oneOf(&bad, "gru", c.GRU, ResetBefore, ResetAfter)
	bad.size("depth", c.Depth)
	bad.size("deter_size", c.DeterSize)
	bad.size("stoch_size", c.StochSize)
	bad.size("hidden_size", c.HiddenSize)
	bad.sizes("reward_layers", c.RewardLayers)
	bad.sizes("vector_layers", c.VectorLayers)
	bad.sizes("continue_layers", c.ContinueLayers)
	if c.Observe.vectors() {
		bad.size("vector_embed", c.VectorEmbed)
	}
	if !(c.MinStd > 0 && c.MinStd <= 10) {
		bad.add("min_std is %v; it must lie in (0, 10]", c.MinStd)
	}
	bad.weight("free_nats", c.FreeNats)
	bad.weight("kl_scale", c.KLScale)
	bad.weight("reward_scale", c.RewardScale)
	bad.weight("vector_scale", c.VectorScale)
	bad.weight("continue_scale", c.ContinueScale)
	c.Objective.validate(&bad)
	if c.Transition == Deterministic && c.usesGlobalKL() {
		bad.add("objective.global_kl_scale is %v; it must be 0 with the deterministic transition, whose posteriors no KL trains", c.Objective.GlobalKLScale)
	}
	return errors.Join(bad...)
}

package kaixhin

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/orrery-rl/orrery/worldmodel"
)

// sizes are what a checkpoint's shapes say.
type sizes struct{ belief, state, hidden, actions int }

// embedding is the size of the encoder's output on images of 64x64 pixels,
// which that program always uses: 256 channels of 2x2.
const embedding, embedChannels, embedArea = 1024, 256, 4

// sizesOf reads the sizes from four shapes.
func sizesOf(found entries) (sizes, error) {
	if _, symbolic := found[encoderPart+".fc1.weight"]; symbolic {
		return sizes{}, fmt.Errorf("%w: it is a model of state vectors (--symbolic-env); ours see images", ErrUnsupported)
	}
	if _, other := found[encoderPart+".fc.weight"]; other {
		return sizes{}, fmt.Errorf("%w: its embedding is not of size %d (--embedding-size)", ErrUnsupported, embedding)
	}
	var errs []error
	dim := func(part, name string, axis int) int {
		e, ok := found[part+"."+name]
		if !ok || len(e.dims) != 2 {
			errs = append(errs, fmt.Errorf("%s.%s is missing or no matrix", part, name))
			return 0
		}
		return e.dims[axis]
	}
	s := sizes{
		belief: dim(transitionPart, "rnn.weight_hh", 1),
		state:  dim(transitionPart, "fc_state_prior.weight", 0) / 2,
		hidden: dim(transitionPart, "fc_state_prior.weight", 1),
	}
	s.actions = dim(transitionPart, "fc_embed_state_action.weight", 1) - s.state
	switch {
	case len(errs) > 0:
	case s.belief < 1 || s.state < 1 || s.hidden < 1 || s.actions < 1:
		errs = append(errs, fmt.Errorf("its sizes are belief %d, state %d, hidden %d and action %d", s.belief, s.state, s.hidden, s.actions))
	case s.belief != s.hidden:
		errs = append(errs, fmt.Errorf("the sizes of belief (%d) and hidden layers (%d) differ; our first layer is as wide as the others", s.belief, s.hidden))
	}
	if len(errs) > 0 {
		return s, fmt.Errorf("%w:\n%w", ErrUnsupported, errors.Join(errs...))
	}
	return s, nil
}

// shapes lists all tensors of a checkpoint with their shapes.
func (s sizes) shapes() map[string][]int {
	out := map[string][]int{
		transitionPart + ".rnn.weight_ih": {3 * s.belief, s.belief},
		transitionPart + ".rnn.weight_hh": {3 * s.belief, s.belief},
		transitionPart + ".rnn.bias_ih":   {3 * s.belief},
		transitionPart + ".rnn.bias_hh":   {3 * s.belief},
	}
	layer := func(part, name string, bias int, dims ...int) {
		out[part+"."+name+".weight"] = dims
		out[part+"."+name+".bias"] = []int{bias}
	}
	linear := func(part, name string, in, size int) { layer(part, name, size, size, in) }
	linear(transitionPart, "fc_embed_state_action", s.state+s.actions, s.belief)
	linear(transitionPart, "fc_embed_belief_prior", s.belief, s.hidden)
	linear(transitionPart, "fc_state_prior", s.hidden, 2*s.state)
	linear(transitionPart, "fc_embed_belief_posterior", s.belief+embedding, s.hidden)
	linear(transitionPart, "fc_state_posterior", s.hidden, 2*s.state)
	linear(rewardPart, "fc1", s.belief+s.state, s.hidden)
	linear(rewardPart, "fc2", s.hidden, s.hidden)
	linear(rewardPart, "fc3", s.hidden, 1)
	layer(encoderPart, "conv1", 32, 32, 3, 4, 4)
	layer(encoderPart, "conv2", 64, 64, 32, 4, 4)
	layer(encoderPart, "conv3", 128, 128, 64, 4, 4)
	layer(encoderPart, "conv4", 256, 256, 128, 4, 4)
	linear(observationPart, "fc1", s.belief+s.state, embedding)
	layer(observationPart, "conv1", 128, embedding, 128, 5, 5)
	layer(observationPart, "conv2", 64, 128, 64, 5, 5)
	layer(observationPart, "conv3", 32, 64, 32, 6, 6)
	layer(observationPart, "conv4", 3, 32, 3, 6, 6)
	return out
}

// check compares the tensors of a file with those that the sizes demand.
func (s sizes) check(found entries) error {
	want := s.shapes()
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(want)) {
		e, ok := found[name]
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("%s is missing", name))
		case !slices.Equal(e.dims, want[name]):
			errs = append(errs, fmt.Errorf("%s has the shape %v, expected %v", name, e.dims, want[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if _, ok := want[name]; !ok {
			errs = append(errs, fmt.Errorf("%.80s of shape %v is not known", name, found[name].dims))
		}
	}
	if len(errs) > 0 {
		return fmt.Errorf("%w:\n%w", ErrUnsupported, errors.Join(errs...))
	}
	return nil
}

// model is the architecture with these sizes and that program's objective.
func (s sizes) model() (worldmodel.Config, worldmodel.Dims, error) {
	dims := worldmodel.Dims{Height: 64, Width: 64, Channels: 3, ActionSize: s.actions}
	c, err := worldmodel.PresetConfig("paper")
	if err != nil {
		return c, dims, err
	}
	c.DeterSize, c.StochSize, c.HiddenSize = s.belief, s.state, s.hidden
	c.RewardLayers = []int{s.hidden, s.hidden}
	c.GRU = worldmodel.ResetAfter
	c, err = c.WithProfile("kaixhin")
	return c, dims, err
}

package kaixhin

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/orrery-rl/orrery/worldmodel"
)

// sizes are what a checkpoint's shapes say.
type sizes struct {
	belief, state, hidden, actions int
	// embed is the size of the encoder's output.
	embed int
	// vector is that of the vectors the model sees; 0 if it sees images.
	vector int
}

// imageEmbed is the size of the encoder's output on images of 64x64 pixels,
// which that program always uses: embedChannels channels of embedArea pixels.
const imageEmbed, embedChannels, embedArea = 1024, 256, 4

// sizesOf reads the sizes from a few shapes.
func sizesOf(found entries) (sizes, error) {
	if _, other := found[encoderPart+".fc.weight"]; other {
		return sizes{}, fmt.Errorf("%w: it sees images, and its embedding is not of size %d (--embedding-size)", ErrUnsupported, imageEmbed)
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
		embed:  imageEmbed,
	}
	s.actions = dim(transitionPart, "fc_embed_state_action.weight", 1) - s.state
	if _, symbolic := found[encoderPart+".fc1.weight"]; symbolic {
		s.embed, s.vector = dim(encoderPart, "fc1.weight", 0), dim(encoderPart, "fc1.weight", 1)
	}
	if len(errs) == 0 {
		errs = append(errs, s.validate())
	}
	if err := errors.Join(errs...); err != nil {
		return s, fmt.Errorf("%w:\n%w", ErrUnsupported, err)
	}
	return s, nil
}

// validate reports sizes that our model cannot have.
func (s sizes) validate() error {
	switch {
	case s.belief < 1 || s.state < 1 || s.hidden < 1 || s.actions < 1 || s.embed < 1:
		return fmt.Errorf("its sizes are belief %d, state %d, hidden %d, action %d and embedding %d", s.belief, s.state, s.hidden, s.actions, s.embed)
	case s.belief != s.hidden:
		return fmt.Errorf("the sizes of belief (%d) and hidden layers (%d) differ; our first layer is as wide as the others", s.belief, s.hidden)
	}
	return nil
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
	dims := worldmodel.Dims{Height: 64, Width: 64, Channels: 3, ActionSize: s.actions, VectorSize: s.vector}
	c, err := worldmodel.PresetConfig("paper")
	if err != nil {
		return c, dims, err
	}
	c.DeterSize, c.StochSize, c.HiddenSize = s.belief, s.state, s.hidden
	c.RewardLayers = []int{s.hidden, s.hidden}
	c.GRU = worldmodel.ResetAfter
	if s.vector > 0 {
		c.Observe, c.VectorTransform = worldmodel.ObserveVector, worldmodel.Untransformed
		c.VectorLayers, c.VectorEmbed = []int{s.embed, s.embed}, s.embed
	}
	c, err = c.WithProfile("kaixhin")
	return c, dims, err
}

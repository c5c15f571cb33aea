// Package kaixhin turns checkpoints of Kaixhin/PlaNet (PyTorch) into models of
// ours: the models_N.pth files that its main.py saves.
//
// The architecture follows from the shapes. What shapes do not say is taken to
// be that program's default: ReLU, and the minimum standard deviation 0.1.
// Besides names and the order of axes, four things differ:
//
//   - its features are (h, s), ours (s, h);
//   - its embedding of an image is in the order (channel, height, width), ours
//     (height, width, channel);
//   - its GRU has the gates reset, update and new in one matrix for the input
//     and one for the state, each with a bias;
//   - its transposed convolutions store kernels that ours, in correlation order,
//     have turned by 180 degrees.
package kaixhin

import (
	"errors"
	"fmt"
	"slices"

	"github.com/orrery-rl/orrery/internal/format/pickle"
	"github.com/orrery-rl/orrery/internal/format/torchfile"
	"github.com/orrery-rl/orrery/worldmodel"
)

// ErrUnsupported is matched by errors about a file that is no checkpoint of
// Kaixhin/PlaNet, or one of a model that ours cannot be.
var ErrUnsupported = errors.New("not a checkpoint of Kaixhin/PlaNet that can be converted")

// Model is a converted checkpoint.
type Model struct {
	Config worldmodel.Config
	Dims   worldmodel.Dims
	// Params are the values of the parameters in the model's order.
	Params [][]float32
}

// The parts of a checkpoint, each a dictionary of tensors. Other entries of the
// file, as the optimiser's state, are ignored.
const (
	transitionPart  = "transition_model"
	observationPart = "observation_model"
	rewardPart      = "reward_model"
	encoderPart     = "encoder"
)

// Read converts the checkpoint in a file. An error names every tensor that is
// missing, has an unexpected shape or is not known.
func Read(f *torchfile.File) (*Model, error) {
	found, err := collect(f)
	if err != nil {
		return nil, err
	}
	s, err := sizesOf(found)
	if err != nil {
		return nil, err
	}
	if err := s.check(found); err != nil {
		return nil, err
	}
	tensors, err := found.read(f)
	if err != nil {
		return nil, err
	}
	return convert(s, tensors)
}

// entry is a tensor of the file that has not been read.
type entry struct {
	value any
	dims  []int
}

// entries are the tensors of the four parts by their full names.
type entries map[string]entry

// collect finds the tensors of all parts.
func collect(f *torchfile.File) (entries, error) {
	root, ok := f.Root.(*pickle.Dict)
	if !ok {
		return nil, fmt.Errorf("%w: it holds a %T, not a dictionary", ErrUnsupported, f.Root)
	}
	found := entries{}
	var errs []error
	for _, part := range []string{transitionPart, observationPart, rewardPart, encoderPart} {
		value, _ := root.Get(part)
		if dict, ok := value.(*pickle.Dict); ok {
			errs = append(errs, found.add(f, part, dict))
			continue
		}
		errs = append(errs, fmt.Errorf("the dictionary %q is missing", part))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("%w:\n%w", ErrUnsupported, err)
	}
	return found, nil
}

// add takes in the tensors of one part.
func (e entries) add(f *torchfile.File, part string, dict *pickle.Dict) error {
	for _, key := range dict.Keys() {
		value, _ := dict.Get(key)
		dims, ok := f.Dims(value)
		if !ok {
			return fmt.Errorf("%s.%v is no tensor", part, key)
		}
		e[fmt.Sprintf("%s.%v", part, key)] = entry{value, dims}
	}
	return nil
}

// read loads the values of all tensors.
func (e entries) read(f *torchfile.File) (map[string]array, error) {
	out := make(map[string]array, len(e))
	for name, entry := range e {
		t, err := f.Tensor(entry.value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if slices.ContainsFunc(t.Data, func(v float32) bool { return v-v != 0 }) {
			return nil, fmt.Errorf("%w: %s holds values that are not finite", ErrUnsupported, name)
		}
		out[name] = array(t)
	}
	return out, nil
}

package checkpoint

import (
	"errors"
	"fmt"
	"slices"
)

// ErrCorrupt is matched by errors about a file whose contents are damaged:
// truncated, altered, or not what its name says.
var ErrCorrupt = errors.New("checkpoint: damaged file")

// ErrMismatch is matched by errors about intact weights that do not fit the
// model they are loaded into.
var ErrMismatch = errors.New("checkpoint: weights do not fit the model")

// ErrVersion is matched by errors about a file written by a newer format.
var ErrVersion = errors.New("checkpoint: unknown format version")

// Tensor is a named array of float32.
type Tensor struct {
	// Name is unique in its group and not empty.
	Name string
	// Dims are the dimensions, outermost first; none for a scalar.
	Dims []int
	// Data holds the elements in row-major order; its length is the product of
	// Dims.
	Data []float32
}

// Spec is the name and shape of a tensor that a model needs.
type Spec struct {
	Name string
	Dims []int
}

// Match arranges tensors in the order of want. An error matches [ErrMismatch]
// and names every tensor that is missing, has another shape or is not wanted,
// with the shapes found and expected.
func Match(tensors []Tensor, want []Spec) ([]Tensor, error) {
	found := make(map[string]Tensor, len(tensors))
	for _, t := range tensors {
		found[t.Name] = t
	}
	var errs []error
	out := make([]Tensor, len(want))
	for i, w := range want {
		t, ok := found[w.Name]
		delete(found, w.Name)
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("%q is missing, the model expects %v", w.Name, w.Dims))
		case !slices.Equal(t.Dims, w.Dims):
			errs = append(errs, fmt.Errorf("%q has the shape %v, the model expects %v", w.Name, t.Dims, w.Dims))
		}
		out[i] = t
	}
	for _, t := range tensors {
		if _, left := found[t.Name]; left {
			errs = append(errs, fmt.Errorf("%q of shape %v is not part of the model", t.Name, t.Dims))
		}
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("%w (use the model configuration stored in the same file):\n%w", ErrMismatch, errors.Join(errs...))
	}
	return out, nil
}

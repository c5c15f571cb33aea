package move

import (
	"fmt"
	"slices"
)

// checkDims returns an error unless all dims are at least 0.
func checkDims(dims []int) error {
	if slices.ContainsFunc(dims, func(d int) bool { return d < 0 }) {
		return fmt.Errorf("%w: dimensions %v", ErrShape, dims)
	}
	return nil
}

// NewTranspose plans axis i of the result to be axis permutation[i] of a tensor of shape
// dims.
func NewTranspose(dims, permutation []int) (*Plan, error) {
	if err := checkDims(dims); err != nil {
		return nil, err
	}
	sorted := slices.Sorted(slices.Values(permutation))
	for i, a := range sorted {
		if a != i {
			return nil, fmt.Errorf("%w: permutation %v", ErrShape, permutation)
		}
	}
	if len(sorted) != len(dims) {
		return nil, fmt.Errorf("%w: permutation %v of a tensor %v", ErrShape, permutation, dims)
	}
	from, out := rowMajor(dims), make([]int, len(dims))
	src := view{strides: make([]int, len(dims))}
	for i, a := range permutation {
		out[i], src.strides[i] = dims[a], from[a]
	}
	return newPlan(out, view{strides: rowMajor(out)}, src, product(out), product(dims)), nil
}

// NewSlice plans every steps[i]-th element of axis i, from starts[i] to before limits[i].
func NewSlice(dims, starts, limits, steps []int) (*Plan, error) {
	if err := checkDims(dims); err != nil {
		return nil, err
	}
	if len(starts) != len(dims) || len(limits) != len(dims) || len(steps) != len(dims) {
		return nil, fmt.Errorf("%w: slice %v to %v by %v of %v", ErrShape, starts, limits, steps, dims)
	}
	src, out := view{strides: rowMajor(dims)}, make([]int, len(dims))
	for i := range dims {
		if starts[i] < 0 || limits[i] < starts[i] || limits[i] > dims[i] || steps[i] < 1 {
			return nil, fmt.Errorf("%w: slice %d to %d by %d of axis %d of %v", ErrShape, starts[i], limits[i], steps[i], i, dims)
		}
		out[i] = (limits[i] - starts[i] + steps[i] - 1) / steps[i]
		src.offset += starts[i] * src.strides[i]
		src.strides[i] *= steps[i]
	}
	return newPlan(out, view{strides: rowMajor(out)}, src, product(out), product(dims)), nil
}

// NewReverse plans the tensor with the given axes running backwards.
func NewReverse(dims, axes []int) (*Plan, error) {
	if err := checkDims(dims); err != nil {
		return nil, err
	}
	src := view{strides: rowMajor(dims)}
	for k, a := range axes {
		if a < 0 || a >= len(dims) || slices.Contains(axes[:k], a) {
			return nil, fmt.Errorf("%w: reverse of axes %v of %v", ErrShape, axes, dims)
		}
		src.offset += (dims[a] - 1) * src.strides[a]
		src.strides[a] = -src.strides[a]
	}
	return newPlan(dims, view{strides: rowMajor(dims)}, src, product(dims), product(dims)), nil
}

// NewBroadcast plans a result of shape out whose axis axes[i] is axis i of the tensor; axes
// of length 1 and axes of the result that are not named repeat.
func NewBroadcast(dims, axes, out []int) (*Plan, error) {
	if err := checkDims(append(slices.Clone(dims), out...)); err != nil {
		return nil, err
	}
	if len(axes) != len(dims) {
		return nil, fmt.Errorf("%w: %d axes for a tensor %v", ErrShape, len(axes), dims)
	}
	from, src := rowMajor(dims), view{strides: make([]int, len(out))}
	for i, a := range axes {
		if a < 0 || a >= len(out) || slices.Contains(axes[:i], a) || dims[i] != 1 && dims[i] != out[a] {
			return nil, fmt.Errorf("%w: %v along axes %v of %v", ErrShape, dims, axes, out)
		}
		if dims[i] != 1 {
			src.strides[a] = from[i]
		}
	}
	return newPlan(out, view{strides: rowMajor(out)}, src, product(out), product(dims)), nil
}

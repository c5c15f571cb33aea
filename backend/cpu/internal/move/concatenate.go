package move

import (
	"context"
	"fmt"
	"slices"
)

// Concatenate joins tensors along an axis.
type Concatenate struct{ parts []*Plan }

// NewConcatenate plans the join of tensors of the given shapes, equal but for axis.
func NewConcatenate(shapes [][]int, axis int) (*Concatenate, error) {
	if len(shapes) == 0 || axis < 0 || axis >= len(shapes[0]) {
		return nil, fmt.Errorf("%w: %d tensors joined along axis %d", ErrShape, len(shapes), axis)
	}
	out := slices.Clone(shapes[0])
	out[axis] = 0
	for _, dims := range shapes {
		if err := checkDims(dims); err != nil {
			return nil, err
		}
		if len(dims) != len(out) || !slices.Equal(dims[:axis], out[:axis]) || !slices.Equal(dims[axis+1:], out[axis+1:]) {
			return nil, fmt.Errorf("%w: %v and %v joined along axis %d", ErrShape, shapes[0], dims, axis)
		}
		out[axis] += dims[axis]
	}
	c, at, strides := &Concatenate{}, 0, rowMajor(out)
	for _, dims := range shapes {
		dst := view{offset: at * strides[axis], strides: strides}
		c.parts = append(c.parts, newPlan(dims, dst, view{strides: rowMajor(dims)}, product(out), product(dims)))
		at += dims[axis]
	}
	return c, nil
}

// RunConcatenate copies every source to its place in dst.
func RunConcatenate[T Element](ctx context.Context, pool Pool, c *Concatenate, dst []T, sources [][]T) error {
	if len(sources) != len(c.parts) {
		return fmt.Errorf("%w: %d tensors, %d were planned", ErrShape, len(sources), len(c.parts))
	}
	for i, p := range c.parts {
		if err := Run(ctx, pool, p, dst, sources[i]); err != nil {
			return err
		}
	}
	return nil
}

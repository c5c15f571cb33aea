package move

import (
	"context"
	"fmt"
)

// Pad surrounds a tensor with a value, or cuts its edges off.
type Pad struct {
	inside *Plan
	size   int
	exact  bool // nothing but the tensor's elements is in the result
}

// NewPad plans low[i] elements before axis i, high[i] behind it and interior[i] between any
// two. Negative low and high cut off, after the interior has been put in; interior is at
// least 0.
func NewPad(dims, low, high, interior []int) (*Pad, error) {
	if err := checkDims(dims); err != nil {
		return nil, err
	}
	if len(low) != len(dims) || len(high) != len(dims) || len(interior) != len(dims) {
		return nil, fmt.Errorf("%w: pad %v, %v and %v of %v", ErrShape, low, high, interior, dims)
	}
	out := make([]int, len(dims))
	for i, d := range dims {
		out[i] = spread(d, interior[i]) + low[i] + high[i]
		if interior[i] < 0 || out[i] < 0 {
			return nil, fmt.Errorf("%w: pad %d, %d and %d of axis %d of %v", ErrShape, low[i], high[i], interior[i], i, dims)
		}
	}
	kept, dst, src := make([]int, len(dims)), view{strides: rowMajor(out)}, view{strides: rowMajor(dims)}
	for i, d := range dims {
		first, n := visible(d, low[i], interior[i]+1, out[i])
		kept[i] = n
		dst.offset += (low[i] + first*(interior[i]+1)) * dst.strides[i]
		src.offset += first * src.strides[i]
		dst.strides[i] *= interior[i] + 1
	}
	p := &Pad{size: product(out), exact: product(kept) == product(out)}
	p.inside = newPlan(kept, dst, src, product(out), product(dims))
	return p, nil
}

// spread is the length of d elements with gaps between them.
func spread(d, gap int) int {
	if d == 0 {
		return 0
	}
	return d + (d-1)*gap
}

// visible returns which of d elements, at low, low+step, ... lie in [0, size): the first and
// how many.
func visible(d, low, step, size int) (first, n int) {
	if low < 0 {
		first = (-low + step - 1) / step
	}
	for first+n < d && low+(first+n)*step < size {
		n++
	}
	return first, n
}

// RunPad copies src to its place in dst and sets everything around it to value.
func RunPad[T Element](ctx context.Context, pool Pool, p *Pad, dst, src []T, value T) error {
	if len(dst) < p.size {
		return fmt.Errorf("%w: %d elements for a padded tensor of %d", ErrShape, len(dst), p.size)
	}
	if !p.exact {
		tasks := (p.size + taskElements - 1) / taskElements
		err := pool.Run(ctx, tasks, func(task, _ int) {
			fill(dst[task*taskElements:min(p.size, (task+1)*taskElements)], value)
		})
		if err != nil {
			return err
		}
	}
	return Run(ctx, pool, p.inside, dst, src)
}

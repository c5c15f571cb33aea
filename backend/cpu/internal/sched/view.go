package sched

import "slices"

// storage is memory for one tensor: a place in the arena, an input, an output
// or a constant. Elements are float32, or bytes 0 and 1 for booleans.
type storage struct {
	id     int
	size   int
	isBool bool
	kind   storageKind
	index  int // of the input or output; offset in the arena

	f32   []float32 // of a constant
	bools []byte

	first, last int // the steps that write it first and touch it last
}

type storageKind uint8

const (
	inArena storageKind = iota
	isInput
	isOutput
	isConstant
)

// view shows elements of a storage as a tensor: element i... lies at
// off + sum(i*strides).
type view struct {
	st            *storage
	off           int
	dims, strides []int
}

// dense is the row-major view of a whole storage.
func dense(st *storage, dims []int) view {
	return view{st: st, dims: dims, strides: rowMajor(dims)}
}

func rowMajor(dims []int) []int {
	strides := make([]int, len(dims))
	step := 1
	for i := len(dims) - 1; i >= 0; i-- {
		strides[i] = step
		step *= dims[i]
	}
	return strides
}

func (v view) size() int {
	n := 1
	for _, d := range v.dims {
		n *= d
	}
	return n
}

// contiguous reports whether the elements lie one after another in row-major
// order.
func (v view) contiguous() bool {
	step := 1
	for i := len(v.dims) - 1; i >= 0; i-- {
		if v.dims[i] != 1 && v.strides[i] != step {
			return false
		}
		step *= v.dims[i]
	}
	return true
}

func (v view) transpose(permutation []int) view {
	out := view{st: v.st, off: v.off, dims: make([]int, len(v.dims)), strides: make([]int, len(v.dims))}
	for i, from := range permutation {
		out.dims[i], out.strides[i] = v.dims[from], v.strides[from]
	}
	return out
}

// slice starts at starts and takes every steps-th element of each axis.
func (v view) slice(starts, steps, dims []int) view {
	out := view{st: v.st, off: v.off, dims: dims, strides: make([]int, len(dims))}
	for i := range dims {
		out.off += starts[i] * v.strides[i]
		out.strides[i] = v.strides[i] * steps[i]
	}
	return out
}

func (v view) reverse(axes []int) view {
	out := view{st: v.st, off: v.off, dims: v.dims, strides: slices.Clone(v.strides)}
	for _, a := range axes {
		out.off += (v.dims[a] - 1) * v.strides[a]
		out.strides[a] = -v.strides[a]
	}
	return out
}

// broadcast maps axis i of v to axis axes[i] of dims; every other axis, and
// axes of length 1 that become longer, repeat.
func (v view) broadcast(axes, dims []int) view {
	out := view{st: v.st, off: v.off, dims: dims, strides: make([]int, len(dims))}
	for i, a := range axes {
		if v.dims[i] == dims[a] {
			out.strides[a] = v.strides[i]
		}
	}
	return out
}

// reshape returns the view with other dims if that needs no copy.
func (v view) reshape(dims []int) (view, bool) {
	out := view{st: v.st, off: v.off, dims: dims, strides: make([]int, len(dims))}
	if v.size() == 0 {
		return out, true
	}
	old := collapse([][]int{v.strides}, v.dims)
	// Every new axis must lie inside one run of old axes of uniform stride.
	at, left := len(old.dims)-1, 1
	step := 1
	if at >= 0 {
		left, step = old.dims[at], old.strides[0][at]
	}
	for i := len(dims) - 1; i >= 0; i-- {
		d := dims[i]
		if d == 1 {
			continue
		}
		if left == 1 && at > 0 {
			at--
			left, step = old.dims[at], old.strides[0][at]
		}
		if left%d != 0 {
			return view{}, false
		}
		out.strides[i] = step
		step *= d
		left /= d
	}
	return out, true
}

// collapsed are axes merged where all operands allow it, without axes of
// length 1.
type collapsed struct {
	dims    []int
	strides [][]int // for each operand
}

// collapse merges adjacent axes that every operand walks with one stride.
func collapse(strides [][]int, dims []int) collapsed {
	c := collapsed{strides: make([][]int, len(strides))}
	for i, d := range dims {
		if d == 1 {
			continue
		}
		last := len(c.dims) - 1
		mergeable := last >= 0
		for k := range strides {
			mergeable = mergeable && c.strides[k][last] == strides[k][i]*d
		}
		if mergeable {
			c.dims[last] *= d
			for k := range strides {
				c.strides[k][last] = strides[k][i]
			}
			continue
		}
		c.dims = append(c.dims, d)
		for k := range strides {
			c.strides[k] = append(c.strides[k], strides[k][i])
		}
	}
	return c
}

package kaixhin

import (
	"slices"

	"github.com/orrery-rl/orrery/internal/format/torchfile"
)

// array is a tensor in row-major order.
type array torchfile.Tensor

// permute moves axis axes[i] to place i, reversing those in flipped.
func (a array) permute(axes []int, flipped ...int) array {
	strides := make([]int, len(a.Dims))
	for d, stride := len(a.Dims)-1, 1; d >= 0; d-- {
		strides[d] = stride
		stride *= a.Dims[d]
	}
	out := array{Data: make([]float32, 0, len(a.Data))}
	start := 0
	moved := make([]int, len(axes))
	for i, axis := range axes {
		out.Dims = append(out.Dims, a.Dims[axis])
		moved[i] = strides[axis]
		if slices.Contains(flipped, axis) {
			start += (a.Dims[axis] - 1) * strides[axis]
			moved[i] = -strides[axis]
		}
	}
	out.Data = gather(out.Data, a.Data, start, out.Dims, moved)
	return out
}

// gather appends the elements at start and the given strides from it.
func gather(dst, src []float32, start int, dims, strides []int) []float32 {
	if len(dims) == 0 {
		return append(dst, src[start])
	}
	for i := range dims[0] {
		dst = gather(dst, src, start+i*strides[0], dims[1:], strides[1:])
	}
	return dst
}

// dense is [out, in] -> [in, out].
func (a array) dense() array { return a.permute([]int{1, 0}) }

// conv is [out, in, height, width] -> [height, width, in, out].
func (a array) conv() array { return a.permute([]int{2, 3, 1, 0}) }

// deconv is [in, out, height, width] -> [height, width, in, out], turned.
func (a array) deconv() array { return a.permute([]int{2, 3, 0, 1}, 2, 3) }

// pixel is [in, out, height, width] -> [in, height, width, out]: the kernel of
// the decoder's first layer, which reads a single pixel and is not turned.
func (a array) pixel() array { return a.permute([]int{0, 2, 3, 1}) }

// rows returns rows [from, to) of a matrix, or elements of a vector.
func (a array) rows(from, to int) array {
	each := 1
	for _, d := range a.Dims[1:] {
		each *= d
	}
	return array{Dims: append([]int{to - from}, a.Dims[1:]...), Data: a.Data[from*each : to*each]}
}

// columns returns columns [from, to) of a matrix.
func (a array) columns(from, to int) array {
	return a.dense().rows(from, to).dense()
}

// stack puts the rows of b below those of a.
func (a array) stack(b array) array {
	dims := slices.Clone(a.Dims)
	dims[0] += b.Dims[0]
	return array{Dims: dims, Data: slices.Concat(a.Data, b.Data)}
}

// plus adds two arrays of the same shape.
func (a array) plus(b array) array {
	out := array{Dims: a.Dims, Data: slices.Clone(a.Data)}
	for i, v := range b.Data {
		out.Data[i] += v
	}
	return out
}

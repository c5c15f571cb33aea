package relation

import (
	"fmt"

	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
)

// Layout places a tensor in its slice: element (outer, y, x, inner) is at
//
//	Offset + outer*Outer + y*Height + x*Width + inner*Inner
//
// so that any permutation of axes and, for operands, any reversed axis (negative stride,
// Offset at its far end) can be written down. Outer and Inner are the batch and the
// channel of an input or output, the input and the output channel of a kernel.
type Layout struct {
	Offset, Outer, Height, Width, Inner int
}

// ConvSpec describes a two-dimensional convolution,
//
//	out[n,oy,ox,o] = sum over ky, kx, i of x[n,y,x,i] * w[ky,kx,i,o]
//
// over all positions that satisfy the relation of the package comment along both axes.
// Index 0 of the pairs is the height, 1 the width.
type ConvSpec struct {
	Batch, InChannels, OutChannels int

	Input, Kernel [2]int // spatial sizes

	X, W, Out Layout

	// Stride, InputDilation and KernelDilation mean 1 where they are 0.
	Stride, InputDilation, KernelDilation [2]int
	// PadLow and PadHigh count positions of the dilated input; negative ones crop.
	PadLow, PadHigh [2]int
}

// maxSize bounds every size and dilation, so that the arithmetic on them cannot overflow.
const maxSize = 1 << 26

// normal returns s with its defaults filled in, or what is wrong with it.
func (s ConvSpec) normal() (ConvSpec, error) {
	for a := range 2 {
		for _, v := range []*int{&s.Stride[a], &s.InputDilation[a], &s.KernelDilation[a]} {
			if *v == 0 {
				*v = 1
			}
			if *v < 1 || *v > maxSize {
				return s, fmt.Errorf("%w: stride or dilation %d", ErrUnsupported, *v)
			}
		}
		for _, pad := range []int{s.PadLow[a], s.PadHigh[a]} {
			if pad > maxSize || pad < -maxSize {
				return s, fmt.Errorf("%w: padding %d", ErrUnsupported, pad)
			}
		}
	}
	for _, v := range []int{s.Batch, s.InChannels, s.OutChannels, s.Input[0], s.Input[1], s.Kernel[0], s.Kernel[1]} {
		if v < 1 || v > maxSize {
			return s, fmt.Errorf("%w: size %d", ErrUnsupported, v)
		}
	}
	return s, nil
}

// OutputSize returns the spatial size of the output, which is not positive when the
// kernel does not fit.
func (s ConvSpec) OutputSize() [2]int {
	var out [2]int
	for a := range 2 {
		in := (s.Input[a]-1)*max(1, s.InputDilation[a]) + 1 + s.PadLow[a] + s.PadHigh[a]
		k := (s.Kernel[a]-1)*max(1, s.KernelDilation[a]) + 1
		if in >= k {
			out[a] = (in-k)/max(1, s.Stride[a]) + 1
		}
	}
	return out
}

// NewConv plans the convolution s on the kernels of t for about the given number of
// workers. The error wraps [ErrUnsupported] for empty tensors, sizes beyond 2^26 and
// tensors that span 2^31 elements or more.
func NewConv(t *kernel.Table, s ConvSpec, workers int) (*Product, error) {
	s, err := s.normal()
	if err != nil {
		return nil, err
	}
	p := &problem{m: s.Batch, j: s.OutChannels, i: s.InChannels}
	p.left = operand{off: s.X.Offset, line: s.X.Outer, in: s.X.Inner, pos: [2]int{s.X.Height, s.X.Width}, size: s.Input}
	p.right = operand{off: s.W.Offset, line: s.W.Inner, in: s.W.Outer, pos: [2]int{s.W.Height, s.W.Width}, size: s.Kernel}
	p.out = output{off: s.Out.Offset, row: s.Out.Outer, col: s.Out.Inner, pos: [2]int{s.Out.Height, s.Out.Width}, size: s.OutputSize()}
	for a := range 2 {
		if size := p.out.size[a]; size < 1 || size > maxSize {
			return nil, fmt.Errorf("%w: output size %d", ErrUnsupported, size)
		}
		p.rel[a] = relation{
			input: s.Input[a], kernel: s.Kernel[a], output: p.out.size[a],
			stride: s.Stride[a], padLow: s.PadLow[a],
			inputDilation: s.InputDilation[a], kernelDilation: s.KernelDilation[a],
		}
	}
	if err := p.prepare(); err != nil {
		return nil, err
	}
	return newProduct(t, p, max(1, workers))
}

// Matrix places a matrix in its slice: element (r, c) is at Offset + r*Row + c*Col.
type Matrix struct {
	Offset, Row, Col int
}

// DotSpec describes the matrix product C = A*B, or C += A*B, of an M x K and a K x N
// matrix. Transposed operands are a matter of strides.
type DotSpec struct {
	M, N, K    int
	A, B, C    Matrix
	Accumulate bool // add to C
}

// NewDot plans the matrix product s; see [NewConv]. Run takes A as x and B as w.
func NewDot(t *kernel.Table, s DotSpec, workers int) (*Product, error) {
	for _, v := range []int{s.M, s.N, s.K} {
		if v < 1 || v > maxSize {
			return nil, fmt.Errorf("%w: matrix size %d", ErrUnsupported, v)
		}
	}
	one := [2]int{1, 1}
	r := relation{input: 1, kernel: 1, output: 1, stride: 1, inputDilation: 1, kernelDilation: 1}
	p := &problem{
		m: s.M, j: s.N, i: s.K, add: s.Accumulate,
		left:  operand{off: s.A.Offset, line: s.A.Row, in: s.A.Col, size: one},
		right: operand{off: s.B.Offset, line: s.B.Col, in: s.B.Row, size: one},
		out:   output{off: s.C.Offset, row: s.C.Row, col: s.C.Col, size: one},
		rel:   [2]relation{r, r},
	}
	if err := p.prepare(); err != nil {
		return nil, err
	}
	return newProduct(t, p, max(1, workers))
}

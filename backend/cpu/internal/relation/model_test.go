package relation

import "fmt"

// layer is a convolution of the model: the encoder's E1-E4 (stride 2, valid) and the
// decoder's D1-D4 (transposed, stride 2, valid), paper appendix A.
type layer struct {
	name          string
	transposed    bool
	in, k         int // spatial size of the input and of the kernel
	cIn, cOut     int
	firstGradient bool // whether the gradient of the input is needed
}

// layers returns the convolutions of the paper's preset with channels divided by div.
func layers(div int) []layer {
	c := func(n int) int { return n / div }
	return []layer{
		{"E1", false, 64, 4, 3, c(32), false},
		{"E2", false, 31, 4, c(32), c(64), true},
		{"E3", false, 14, 4, c(64), c(128), true},
		{"E4", false, 6, 4, c(128), c(256), true},
		{"D1", true, 1, 5, c(1024), c(128), true},
		{"D2", true, 5, 5, c(128), c(64), true},
		{"D3", true, 13, 6, c(64), c(32), true},
		{"D4", true, 30, 6, c(32), 3, true},
	}
}

func (l layer) out() int {
	if l.transposed {
		return (l.in-1)*2 + l.k
	}
	return (l.in-l.k)/2 + 1
}

func both(n int) [2]int { return [2]int{n, n} }

// forward is the layer as automatic differentiation sees it.
func (l layer) forward(n int) ConvSpec {
	s := ConvSpec{Batch: n, InChannels: l.cIn, OutChannels: l.cOut, Input: both(l.in), Kernel: both(l.k), Stride: both(2)}
	if l.transposed {
		s.Stride, s.InputDilation, s.PadLow, s.PadHigh = both(1), both(2), both(l.k-1), both(l.k-1)
	}
	return dense(s)
}

// dataGradient convolves the output's gradient with the reversed kernel, whose channel
// axes are exchanged.
func (l layer) dataGradient(n int) ConvSpec {
	s := ConvSpec{Batch: n, InChannels: l.cOut, OutChannels: l.cIn, Input: both(l.out()), Kernel: both(l.k)}
	if l.transposed {
		s.Stride = both(2)
	} else {
		rest := l.in - ((l.out()-1)*2 + l.k)
		s.InputDilation, s.PadLow, s.PadHigh = both(2), both(l.k-1), both(l.k-1+rest)
	}
	s = dense(s)
	// The kernel [k, k, cIn, cOut] of the forward pass, read with i = cOut and o = cIn.
	s.W = Layout{Outer: 1, Inner: l.cOut, Width: l.cIn * l.cOut, Height: l.k * l.cIn * l.cOut}
	return s
}

// kernelGradient convolves the input with the output's gradient; batch and channel
// change places, and the result is laid out [k, k, cIn, cOut].
func (l layer) kernelGradient(n int) ConvSpec {
	s := ConvSpec{Batch: l.cIn, InChannels: n, OutChannels: l.cOut, Input: both(l.in), Kernel: both(l.out())}
	if l.transposed {
		s.InputDilation, s.PadLow, s.PadHigh = both(2), both(l.k-1), both(l.k-1)
	} else {
		s.KernelDilation = both(2)
		s.PadHigh = both((l.out()-1)*2 + l.k - l.in)
	}
	s.X = Layout{Outer: 1, Inner: l.in * l.in * l.cIn, Height: l.in * l.cIn, Width: l.cIn}
	s.W = Layout{Outer: l.out() * l.out() * l.cOut, Height: l.out() * l.cOut, Width: l.cOut, Inner: 1}
	s.Out = Layout{Outer: l.cOut, Inner: 1, Height: l.k * l.cIn * l.cOut, Width: l.cIn * l.cOut}
	return s
}

// modelConvs calls f with every convolution of a training step on n images.
func modelConvs(div, n int, f func(name string, s ConvSpec)) {
	for _, l := range layers(div) {
		f(fmt.Sprintf("%s/forward", l.name), l.forward(n))
		if l.firstGradient {
			f(fmt.Sprintf("%s/data", l.name), l.dataGradient(n))
		}
		f(fmt.Sprintf("%s/kernel", l.name), l.kernelGradient(n))
	}
}

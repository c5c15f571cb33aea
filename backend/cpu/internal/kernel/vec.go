package kernel

import "math"

// VecKernels are loops over float32 slices. All operands of a call have the
// length of dst, any length; dst may be one of the operands but not overlap it
// otherwise. Masks are 0 or 1. Nothing is required of the alignment.
//
// Exp, Log, Log1p, Tanh and Logistic differ from the exact result by at most
// 4 ulp on every path, where results below the smallest normal number may be 0,
// and handle infinities, zeros and NaN exactly; the other element-wise functions
// are correctly rounded on every path (Rsqrt twice).
type VecKernels struct {
	// Binary functions: dst[i] = a[i] op b[i]. Max and Min are NaN if either
	// operand is.
	Add, Sub, Mul, Div, Max, Min func(dst, a, b []float32)
	// Comparisons: dst[i] = 1 if a[i] op b[i], else 0. With NaN only Ne holds.
	Eq, Ne, Lt, Le, Gt, Ge func(dst, a, b []float32)
	// Unary functions: dst[i] = f(a[i]). Sign is -1, 0 or 1, and NaN for NaN.
	Neg, Abs, Sign, Sqrt, Rsqrt, Exp, Expm1, Log, Log1p, Tanh, Logistic func(dst, a []float32)
	// Select is dst[i] = a[i] if mask[i] != 0, else b[i].
	Select func(dst, mask, a, b []float32)
	// AddTo is dst[i] += a[i].
	AddTo func(dst, a []float32)
	// RSubS is dst[i] = s - a[i].
	RSubS func(dst, a []float32, s float32)
	// Fill is dst[i] = s.
	Fill func(dst []float32, s float32)
	// Sum adds up all elements, in an order that depends on the path and the
	// length only. MaxOf and MinOf are the extremes, NaN if any element is, and
	// an infinity for no elements.
	Sum, MaxOf, MinOf func(a []float32) float32
	// BoolToMask is dst[i] = float32(src[i]) for bytes 0 and 1, MaskToBool the
	// inverse.
	BoolToMask func(dst []float32, src []byte)
	MaskToBool func(dst []byte, src []float32)
}

// newVecGeneric returns the portable loops.
func newVecGeneric() VecKernels {
	return VecKernels{
		Add: zip(func(a, b float32) float32 { return a + b }),
		Sub: zip(func(a, b float32) float32 { return a - b }),
		Mul: zip(func(a, b float32) float32 { return a * b }),
		Div: zip(func(a, b float32) float32 { return a / b }),
		Max: zip(func(a, b float32) float32 { return max(a, b) }),
		Min: zip(func(a, b float32) float32 { return min(a, b) }),
		Eq:  zip(func(a, b float32) float32 { return mask(a == b) }),
		Ne:  zip(func(a, b float32) float32 { return mask(a != b) }),
		Lt:  zip(func(a, b float32) float32 { return mask(a < b) }),
		Le:  zip(func(a, b float32) float32 { return mask(a <= b) }),
		Gt:  zip(func(a, b float32) float32 { return mask(a > b) }),
		Ge:  zip(func(a, b float32) float32 { return mask(a >= b) }),

		Neg:      apply(func(a float32) float32 { return -a }),
		Abs:      apply(func(a float32) float32 { return math.Float32frombits(math.Float32bits(a) &^ (1 << 31)) }),
		Sign:     apply(sign),
		Sqrt:     apply(func(a float32) float32 { return float32(math.Sqrt(float64(a))) }),
		Rsqrt:    apply(func(a float32) float32 { return 1 / float32(math.Sqrt(float64(a))) }),
		Exp:      through(math.Exp),
		Expm1:    through(math.Expm1),
		Log:      through(math.Log),
		Log1p:    through(math.Log1p),
		Tanh:     through(math.Tanh),
		Logistic: through(func(a float64) float64 { return 1 / (1 + math.Exp(-a)) }),

		Select: selectGeneric, AddTo: addToGeneric, RSubS: rsubSGeneric, Fill: fillGeneric,
		Sum: sumGeneric, MaxOf: maxOfGeneric, MinOf: minOfGeneric,
		BoolToMask: boolToMaskGeneric, MaskToBool: maskToBoolGeneric,
	}
}

func zip(f func(a, b float32) float32) func(dst, a, b []float32) {
	return func(dst, a, b []float32) {
		a, b = a[:len(dst)], b[:len(dst)]
		for i := range dst {
			dst[i] = f(a[i], b[i])
		}
	}
}

func apply(f func(a float32) float32) func(dst, a []float32) {
	return func(dst, a []float32) {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = f(a[i])
		}
	}
}

func through(f func(float64) float64) func(dst, a []float32) {
	return apply(func(a float32) float32 { return float32(f(float64(a))) })
}

func mask(b bool) float32 {
	if b {
		return 1
	}
	return 0
}

func sign(a float32) float32 {
	switch {
	case a > 0:
		return 1
	case a < 0:
		return -1
	}
	return a
}

func selectGeneric(dst, mask, a, b []float32) {
	mask, a, b = mask[:len(dst)], a[:len(dst)], b[:len(dst)]
	for i := range dst {
		if mask[i] != 0 {
			dst[i] = a[i]
		} else {
			dst[i] = b[i]
		}
	}
}

func addToGeneric(dst, a []float32) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] += a[i]
	}
}

func rsubSGeneric(dst, a []float32, s float32) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] = s - a[i]
	}
}

func fillGeneric(dst []float32, s float32) {
	for i := range dst {
		dst[i] = s
	}
}

// sumGeneric keeps 16 partial sums, which is as accurate as it is fast.
func sumGeneric(a []float32) float32 {
	var part [16]float32
	for ; len(a) >= len(part); a = a[len(part):] {
		for i := range part {
			part[i] += a[i]
		}
	}
	for i, v := range a {
		part[i] += v
	}
	for half := len(part) / 2; half > 0; half /= 2 {
		for i := range half {
			part[i] += part[i+half]
		}
	}
	return part[0]
}

func maxOfGeneric(a []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range a {
		m = max(m, v)
	}
	return m
}

func minOfGeneric(a []float32) float32 {
	m := float32(math.Inf(1))
	for _, v := range a {
		m = min(m, v)
	}
	return m
}

func boolToMaskGeneric(dst []float32, src []byte) {
	src = src[:len(dst)]
	for i := range dst {
		dst[i] = float32(src[i])
	}
}

func maskToBoolGeneric(dst []byte, src []float32) {
	src = src[:len(dst)]
	for i := range dst {
		dst[i] = byte(src[i])
	}
}

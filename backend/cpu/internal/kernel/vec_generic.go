package kernel

import "math"

// newVecGeneric returns the portable loops: the definition of all others. Elementary
// functions are computed in float64 and rounded.
func newVecGeneric() VecKernels {
	v := VecKernels{
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

		Gate: zip(gate),

		Neg:    apply(func(x float32) float32 { return -x }),
		Abs:    apply(func(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }),
		Sign:   apply(sign),
		Sqrt:   apply(func(x float32) float32 { return float32(math.Sqrt(float64(x))) }),
		Rsqrt:  apply(func(x float32) float32 { return 1 / float32(math.Sqrt(float64(x))) }),
		Square: apply(func(x float32) float32 { return x * x }),
		Relu:   apply(func(x float32) float32 { return max(x, 0) }),

		Exp: through(math.Exp), Expm1: through(math.Expm1), Log: through(math.Log), Log1p: through(math.Log1p),
		Tanh: through(math.Tanh), Logistic: through(logistic), Softplus: through(softplus),

		Axpy: addScaledGeneric, Fill: fillGeneric, Select: selectGeneric,
		SelectS: selectSGeneric, RSelectS: rSelectSGeneric, SelectSS: selectSSGeneric,
		BoolToMask: boolToMaskGeneric, MaskToBool: maskToBoolGeneric,
		Sum: blockwise(sumGeneric), MaxOf: maxOfGeneric, MinOf: minOfGeneric, SumRows: checked(sumRowsGeneric),
	}
	v.RSubS = scalarOnRight(func(s, x float32) float32 { return x - s })
	v.RDivS = scalarOnRight(func(s, x float32) float32 { return x / s })
	v.AddTo = func(dst, x []float32) { v.Add(dst, dst, x) }
	withScalars(&v)
	v.withDot(dotGeneric)
	return v
}

// withScalars fills in the loops with a number for the right operand.
func withScalars(v *VecKernels) {
	v.AddS = scalarOnRight(func(x, s float32) float32 { return x + s })
	v.SubS = scalarOnRight(func(x, s float32) float32 { return x - s })
	v.MulS = scalarOnRight(func(x, s float32) float32 { return x * s })
	v.DivS = scalarOnRight(func(x, s float32) float32 { return x / s })
	v.MaxS = scalarOnRight(func(x, s float32) float32 { return max(x, s) })
	v.MinS = scalarOnRight(func(x, s float32) float32 { return min(x, s) })
	v.EqS = scalarOnRight(func(x, s float32) float32 { return mask(x == s) })
	v.NeS = scalarOnRight(func(x, s float32) float32 { return mask(x != s) })
	v.LtS = scalarOnRight(func(x, s float32) float32 { return mask(x < s) })
	v.LeS = scalarOnRight(func(x, s float32) float32 { return mask(x <= s) })
	v.GtS = scalarOnRight(func(x, s float32) float32 { return mask(x > s) })
	v.GeS = scalarOnRight(func(x, s float32) float32 { return mask(x >= s) })
}

func zip(f func(a, b float32) float32) func(dst, a, b []float32) {
	return func(dst, a, b []float32) {
		dst = dst[:min(len(dst), len(a), len(b))]
		for i := range dst {
			dst[i] = f(a[i], b[i])
		}
	}
}

func apply(f func(x float32) float32) func(dst, x []float32) {
	return func(dst, x []float32) {
		dst = dst[:min(len(dst), len(x))]
		for i := range dst {
			dst[i] = f(x[i])
		}
	}
}

func scalarOnRight(f func(x, s float32) float32) func(dst, x []float32, s float32) {
	return func(dst, x []float32, s float32) {
		dst = dst[:min(len(dst), len(x))]
		for i := range dst {
			dst[i] = f(x[i], s)
		}
	}
}

func through(f func(float64) float64) func(dst, x []float32) {
	return apply(func(x float32) float32 { return float32(f(float64(x))) })
}

func mask(b bool) float32 {
	if b {
		return 1
	}
	return 0
}

func gate(a, b float32) float32 {
	if a > 0 {
		return b
	}
	return 0
}

func sign(x float32) float32 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

func selectGeneric(dst, mask, a, b []float32) {
	dst = dst[:min(len(dst), len(mask), len(a), len(b))]
	for i := range dst {
		if mask[i] != 0 {
			dst[i] = a[i]
		} else {
			dst[i] = b[i]
		}
	}
}

func selectSGeneric(dst, mask, x []float32, s float32) {
	dst = dst[:min(len(dst), len(mask), len(x))]
	for i := range dst {
		if mask[i] != 0 {
			dst[i] = x[i]
		} else {
			dst[i] = s
		}
	}
}

func rSelectSGeneric(dst, mask, x []float32, s float32) {
	dst = dst[:min(len(dst), len(mask), len(x))]
	for i := range dst {
		if mask[i] != 0 {
			dst[i] = s
		} else {
			dst[i] = x[i]
		}
	}
}

func selectSSGeneric(dst, mask []float32, s, t float32) {
	dst = dst[:min(len(dst), len(mask))]
	for i := range dst {
		if mask[i] != 0 {
			dst[i] = s
		} else {
			dst[i] = t
		}
	}
}

// addScaledGeneric rounds the product explicitly, so that no compiler fuses it with the sum.
func addScaledGeneric(dst, x []float32, s float32) {
	dst = dst[:min(len(dst), len(x))]
	for i := range dst {
		dst[i] += float32(s * x[i])
	}
}

func fillGeneric(dst []float32, s float32) {
	for i := range dst {
		dst[i] = s
	}
}

func boolToMaskGeneric(dst []float32, src []byte) {
	dst = dst[:min(len(dst), len(src))]
	for i := range dst {
		dst[i] = float32(src[i])
	}
}

func maskToBoolGeneric(dst []byte, src []float32) {
	dst = dst[:min(len(dst), len(src))]
	for i := range dst {
		dst[i] = byte(mask(src[i] != 0))
	}
}

// sumGeneric keeps 16 partial sums, which is more accurate than one and no slower.
func sumGeneric(x []float32) float32 {
	var part [16]float32
	for ; len(x) >= len(part); x = x[len(part):] {
		for i := range part {
			part[i] += x[i]
		}
	}
	for i, v := range x {
		part[i] += v
	}
	return fold(&part)
}

// dotGeneric is sumGeneric of the products, rounded explicitly.
func dotGeneric(a, b []float32) float32 {
	var part [16]float32
	b = b[:len(a)]
	for ; len(a) >= len(part); a, b = a[len(part):], b[len(part):] {
		for i := range part {
			part[i] += float32(a[i] * b[i])
		}
	}
	for i, v := range a {
		part[i] += float32(v * b[i])
	}
	return fold(&part)
}

// fold adds up partial sums, halving them.
func fold(part *[16]float32) float32 {
	for half := len(part) / 2; half > 0; half /= 2 {
		for i := range half {
			part[i] += part[i+half]
		}
	}
	return part[0]
}

func maxOfGeneric(x []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range x {
		m = max(m, v)
	}
	return m
}

func minOfGeneric(x []float32) float32 {
	m := float32(math.Inf(1))
	for _, v := range x {
		m = min(m, v)
	}
	return m
}

func sumRowsGeneric(dst, x []float32, rows, stride int) {
	for r := range rows {
		row := x[r*stride:][:len(dst)]
		for i := range dst {
			dst[i] += row[i]
		}
	}
}

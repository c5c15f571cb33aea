package kernel

//go:generate go run ./_asm/vec

// VecKernels are loops over float32 slices. The operands of a call have the length of dst
// (the loops stop at the end of the shortest), any length, at any alignment; dst may be one
// of the operands but must not overlap one otherwise. Masks and booleans are 0 or 1.
//
// Unless said otherwise a result is the correctly rounded one of its formula, equal bit for
// bit on every path; any NaN stands for every NaN. The elementary functions state their
// largest error in units of the last place (ulp) for arguments and results of any size,
// denormal ones included, where one unit is the smallest number. Infinities, both zeros and
// NaN give what package math gives. The vector paths agree with each other bit for bit.
type VecKernels struct {
	// Binary loops: dst[i] = a[i] op b[i]. Max and Min are Go's: NaN if an operand is, and
	// 0 is above -0.
	Add, Sub, Mul, Div, Max, Min func(dst, a, b []float32)
	// Comparisons: dst[i] = 1 if a[i] op b[i], else 0. With NaN only Ne holds.
	Eq, Ne, Lt, Le, Gt, Ge func(dst, a, b []float32)
	// Gate is dst[i] = b[i] if a[i] > 0, else 0: a rectifier with b = a, its gradient with
	// b that of the result.
	Gate func(dst, a, b []float32)

	// The same with a number for the right operand: dst[i] = x[i] op s.
	AddS, SubS, MulS, DivS, MaxS, MinS func(dst, x []float32, s float32)
	EqS, NeS, LtS, LeS, GtS, GeS       func(dst, x []float32, s float32)
	// RSubS is dst[i] = s - x[i], RDivS is dst[i] = s / x[i].
	RSubS, RDivS func(dst, x []float32, s float32)
	// Axpy is dst[i] += s * x[i], rounded twice. Fill is dst[i] = s.
	Axpy func(dst, x []float32, s float32)
	Fill func(dst []float32, s float32)
	// AddTo is dst[i] += x[i].
	AddTo func(dst, x []float32)

	// Unary loops: dst[i] = f(x[i]). Sign is -1 or 1, and x[i] itself for zeros and NaN;
	// Rsqrt is 1/Sqrt, rounded twice; Square is x[i]*x[i]; Relu is max(x[i], 0).
	Neg, Abs, Sign, Sqrt, Rsqrt, Square, Relu func(dst, x []float32)
	// Elementary functions, within 1 ulp (Exp), 2 ulp (Log, Log1p, Softplus) and 3 ulp
	// (Expm1, Tanh, Logistic). Logistic is 1/(1+exp(-x)), Softplus is log(1+exp(x)).
	Exp, Expm1, Log, Log1p, Tanh, Logistic, Softplus func(dst, x []float32)

	// Select is dst[i] = a[i] if mask[i] != 0, else b[i].
	Select func(dst, mask, a, b []float32)
	// SelectS is dst[i] = x[i] if mask[i] != 0, else s; RSelectS is dst[i] = s if
	// mask[i] != 0, else x[i]; SelectSS is dst[i] = s if mask[i] != 0, else t.
	SelectS, RSelectS func(dst, mask, x []float32, s float32)
	SelectSS          func(dst, mask []float32, s, t float32)
	// BoolToMask is dst[i] = float32(src[i]), MaskToBool is dst[i] = 1 if src[i] != 0,
	// else 0.
	BoolToMask func(dst []float32, src []byte)
	MaskToBool func(dst []byte, src []float32)

	// Sum adds up x in an order that depends on the path and the length only. Its error is
	// at most 2^-15 times the sum of magnitudes, typically 2^-23; MaxOf and MinOf are as
	// Max and Min, an infinity for no elements.
	Sum, MaxOf, MinOf func(x []float32) float32
	// Dot is Sum of the products a[i]*b[i], SumSq of the squares x[i]*x[i]; a path may leave
	// a product unrounded. Their errors are as Sum's, as long as no product underflows.
	Dot   func(a, b []float32) float32
	SumSq func(x []float32) float32
	// SumRows is dst[i] += x[i] + x[stride+i] + ... over rows rows, added in that order on
	// every path. stride is at least len(dst); rows that do not lie inside x are left out.
	SumRows func(dst, x []float32, rows, stride int)
}

// sumBlock is how many elements are added in float32 before Sum and Dot turn to float64.
const sumBlock = 4096

// blockwise returns the sum that adds blocks by sum and their results in float64.
func blockwise(sum func(x []float32) float32) func(x []float32) float32 {
	return func(x []float32) float32 {
		if len(x) <= sumBlock {
			return sum(x)
		}
		total := 0.0
		for len(x) > 0 {
			n := min(len(x), sumBlock)
			total += float64(sum(x[:n]))
			x = x[n:]
		}
		return float32(total)
	}
}

// dotBlockwise returns the product of vectors that adds blocks by dot and their results in
// float64.
func dotBlockwise(dot func(a, b []float32) float32) func(a, b []float32) float32 {
	return func(a, b []float32) float32 {
		n := min(len(a), len(b))
		a, b = a[:n], b[:n]
		if n <= sumBlock {
			return dot(a, b)
		}
		total := 0.0
		for len(a) > 0 {
			n := min(len(a), sumBlock)
			total += float64(dot(a[:n], b[:n]))
			a, b = a[n:], b[n:]
		}
		return float32(total)
	}
}

// withDot puts dot and what follows from it into v.
func (v *VecKernels) withDot(dot func(a, b []float32) float32) {
	dot = dotBlockwise(dot)
	v.Dot = dot
	v.SumSq = func(x []float32) float32 { return dot(x, x) }
}

// checked returns sumRows for rows that lie inside x only.
func checked(sumRows func(dst, x []float32, rows, stride int)) func(dst, x []float32, rows, stride int) {
	return func(dst, x []float32, rows, stride int) {
		if len(dst) == 0 || stride < len(dst) || len(x) < len(dst) {
			return
		}
		if rows = min(rows, (len(x)-len(dst))/stride+1); rows > 0 {
			sumRows(dst, x, rows, stride)
		}
	}
}

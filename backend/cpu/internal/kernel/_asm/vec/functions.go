package main

import (
	"fmt"
	"log"
	"strings"
)

// function is one loop: the field of VecKernels it implements and how.
type function struct {
	field string
	frame frame
	op    string // what the frame does with each vector
	doc   string // dst[i], or the result

	groups []string // constants that an elementary function keeps in registers
}

// operations are short bodies: macros that leave the result in their first operand.
const operations = `#define ADD(a, b) VADDPS b, a, a
#define SUB(a, b) VSUBPS b, a, a
#define RSUB(a, b) VSUBPS a, b, a
#define MUL(a, b) VMULPS b, a, a
#define DIV(a, b) VDIVPS b, a, a
#define RDIV(a, b) VDIVPS a, b, a
// VMAXPS returns its second operand for NaN and for two zeros. Both orders together give the
// right zero, and a sum is NaN if an operand is.
#define LARGER(a, b) \
	VMAXPS b, a, V9; \
	VMAXPS a, b, V10; \
	VANDPS V10, V9, V9; \
	VADDPS b, a, V10; \
	PICK($3, a, b, V10, V9); \
	VMOVUPS V9, a
#define SMALLER(a, b) \
	VMINPS b, a, V9; \
	VMINPS a, b, V10; \
	VORPS V10, V9, V9; \
	VADDPS b, a, V10; \
	PICK($3, a, b, V10, V9); \
	VMOVUPS V9, a
#define EQ(a, b) KEEP($0, a, b, ONE, a)
#define NE(a, b) KEEP($4, a, b, ONE, a)
#define LT(a, b) KEEP($17, a, b, ONE, a)
#define LE(a, b) KEEP($18, a, b, ONE, a)
#define GT(a, b) KEEP($30, a, b, ONE, a)
#define GE(a, b) KEEP($29, a, b, ONE, a)
#define PASS(a, b) KEEP($30, a, ZERO, b, a)
#define CHOOSE(m, a, b) PICK($4, m, ZERO, a, b)
#define UNLESS(m, x, s) PICK($0, m, ZERO, s, x)
#define WHERE(m, x, s) PICK($4, m, ZERO, s, x)
#define EITHER(m, s, t) \
	VMOVUPS t, V9; \
	PICK($4, m, ZERO, s, V9); \
	VMOVUPS V9, m
#define ADDSCALED(a, d, s) \
	VMULPS s, a, a; \
	VADDPS a, d, d
#define NEGATE(x) VXORPS SIGNBIT, x, x
#define MAGNITUDE(x) VANDPS MAGBITS, x, x
#define SIGNUM(x) \
	VANDPS SIGNBIT, x, V9; \
	VORPS ONE, V9, V9; \
	PICK($12, x, ZERO, V9, x)
#define ROOT(x) VSQRTPS x, x
#define RROOT(x) \
	VSQRTPS x, x; \
	VMOVUPS ONE, V9; \
	VDIVPS x, V9, x
#define SQUARED(x) VMULPS x, x, x
// The sum turns -0 into 0.
#define POSITIVE(x) \
	VXORPS V9, V9, V9; \
	VMAXPS x, V9, x; \
	VADDPS V9, x, x
// Combine the lanes of V0 into its first one.
#define FOLD(OP) \
	HALVE(OP); \
	VEXTRACTF128 $1, Y0, X4; \
	OP(V0, V4); \
	VPERMILPS $0x4e, X0, X4; \
	OP(V0, V4); \
	VPERMILPS $0xb1, X0, X4; \
	OP(V0, V4)

`

func functions() []function {
	fs := []function{
		{field: "Add", frame: binary, op: "ADD", doc: "a[i] + b[i]"},
		{field: "Sub", frame: binary, op: "SUB", doc: "a[i] - b[i]"},
		{field: "Mul", frame: binary, op: "MUL", doc: "a[i] * b[i]"},
		{field: "Div", frame: binary, op: "DIV", doc: "a[i] / b[i]"},
		{field: "Max", frame: binary, op: "LARGER", doc: "max(a[i], b[i])"},
		{field: "Min", frame: binary, op: "SMALLER", doc: "min(a[i], b[i])"},
		{field: "Gate", frame: binary, op: "PASS", doc: "a[i] > 0 ? b[i] : 0"},
		{field: "AddS", frame: scalar, op: "ADD", doc: "x[i] + s"},
		{field: "SubS", frame: scalar, op: "SUB", doc: "x[i] - s"},
		{field: "RSubS", frame: scalar, op: "RSUB", doc: "s - x[i]"},
		{field: "MulS", frame: scalar, op: "MUL", doc: "x[i] * s"},
		{field: "DivS", frame: scalar, op: "DIV", doc: "x[i] / s"},
		{field: "RDivS", frame: scalar, op: "RDIV", doc: "s / x[i]"},
		{field: "MaxS", frame: scalar, op: "LARGER", doc: "max(x[i], s)"},
		{field: "MinS", frame: scalar, op: "SMALLER", doc: "min(x[i], s)"},
		{field: "Axpy", frame: axpy, op: "ADDSCALED", doc: "dst[i] + s*x[i]"},
		{field: "Fill", frame: fill, op: "", doc: "s"},
		{field: "Neg", frame: unary, op: "NEGATE", doc: "-x[i]"},
		{field: "Abs", frame: unary, op: "MAGNITUDE", doc: "|x[i]|"},
		{field: "Sign", frame: unary, op: "SIGNUM", doc: "-1, 1, or x[i] if that is zero or NaN"},
		{field: "Sqrt", frame: unary, op: "ROOT", doc: "sqrt(x[i])"},
		{field: "Rsqrt", frame: unary, op: "RROOT", doc: "1 / sqrt(x[i])"},
		{field: "Square", frame: unary, op: "SQUARED", doc: "x[i] * x[i]"},
		{field: "Relu", frame: unary, op: "POSITIVE", doc: "max(x[i], 0)"},
		{field: "Select", frame: ternary, op: "CHOOSE", doc: "mask[i] != 0 ? a[i] : b[i]"},
		{field: "SelectS", frame: pick, op: "UNLESS", doc: "mask[i] != 0 ? x[i] : s"},
		{field: "RSelectS", frame: pick, op: "WHERE", doc: "mask[i] != 0 ? s : x[i]"},
		{field: "SelectSS", frame: numbers, op: "EITHER", doc: "mask[i] != 0 ? s : t"},
		{field: "Dot", frame: dot, op: "ADD", doc: "sum of a[i] * b[i], for len(b) >= len(a)"},
		{field: "Sum", frame: reduce, op: "ADD, ZERO", doc: "sum of x"},
		{field: "MaxOf", frame: reduce, op: "LARGER, NINF", doc: "largest of x"},
		{field: "MinOf", frame: reduce, op: "SMALLER, INF", doc: "smallest of x"},
		{field: "SumRows", frame: rows, op: "ADD", doc: "dst[i] + sum of x[r*stride+i]"},
		{field: "BoolToMask", frame: widen, op: "", doc: "float32(src[i])"},
		{field: "MaskToBool", frame: narrow, op: "", doc: "src[i] != 0 ? 1 : 0"},
	}
	for _, c := range [][2]string{{"Eq", "=="}, {"Ne", "!="}, {"Lt", "<"}, {"Le", "<="}, {"Gt", ">"}, {"Ge", ">="}} {
		op := strings.ToUpper(c[0])
		fs = append(fs,
			function{field: c[0], frame: binary, op: op, doc: fmt.Sprintf("a[i] %s b[i] ? 1 : 0", c[1])},
			function{field: c[0] + "S", frame: scalar, op: op, doc: fmt.Sprintf("x[i] %s s ? 1 : 0", c[1])})
	}
	return append(fs, elementary()...)
}

// Bounds of the argument. With NaN in the second place, VMINPS and VMAXPS let it through.
const (
	atMost  = "\tVMOVUPS %s, V1\n\tVMINPS V0, V1, V0\n"
	atLeast = "\tVMOVUPS %s, V1\n\tVMAXPS V0, V1, V0\n"
)

// reduceExp: x = n ln2 + r; V1 = n, V2 = exp(r) - 1 with its full relative precision.
const reduceExp = `	VMULPS LOG2E, V0, V1
	ROUND(V1, V1)
	VFNMADD231PS LN2HI, V1, V0
	VFNMADD231PS LN2LO, V1, V0 // r
	VMOVUPS E0, V2
	VFMADD213PS E1, V0, V2
	VFMADD213PS E2, V0, V2
	VFMADD213PS E3, V0, V2
	VFMADD213PS E4, V0, V2
	VFMADD213PS E5, V0, V2
	VMULPS V0, V0, V3
	VFMADD213PS V0, V3, V2 // r + r^2 q(r)
`

// power: V3 = 2^V1 for integers -126 to 127 in V1.
const power = `	VCVTPS2DQ V1, V3
	VPADDD BIAS, V3, V3
	VPSLLD $23, V3, V3
`

// expOf: V0 = exp(V0), for V0 not above EXPMAX.
const expOf = reduceExp + `	VADDPS ONE, V2, V0
	SCALE(V1, V0)
`

// expNegative: V0 = exp(-|x|) for x in V0.
var expNegative = "\tVORPS SIGNBIT, V0, V0 // -|x|\n" + fmt.Sprintf(atLeast, "EXPMIN") + expOf

// splitLog: V0 = 2^k m with m in [sqrt(1/2), sqrt(2)); V1 = k as an integer, V0 = m.
const splitLog = `	VPSUBD SQRTH, V0, V1
	VPSRAD $23, V1, V1 // k
	VPSLLD $23, V1, V2
	VPSUBD V2, V0, V0 // m
`

// sumLog: V0 = log(1 + V0) + V1 ln2, for V0 = m - 1 and V1 = k as a float.
const sumLog = `	VMOVUPS L0, V2
	VFMADD213PS L1, V0, V2
	VFMADD213PS L2, V0, V2
	VFMADD213PS L3, V0, V2
	VFMADD213PS L4, V0, V2
	VFMADD213PS L5, V0, V2
	VFMADD213PS L6, V0, V2
	VFMADD213PS L7, V0, V2
	VFMADD213PS L8, V0, V2
	VMULPS V0, V0, V3
	VMULPS V0, V2, V2
	VMULPS V3, V2, V2 // f^3 p(f)
	VFMADD231PS LN2LO, V1, V2
	VFNMADD231PS HALF, V3, V2
	VADDPS V2, V0, V0
	VFMADD231PS LN2HI, V1, V0
`

// scaleLost and addLost add to m - 1, V0, what the rounding of u = 2^k m lost, V5.
const scaleLost = `	VMOVUPS BIAS, V6
	VPSUBD V1, V6, V6
	VPSLLD $23, V6, V6 // 2^-k
	VMULPS V6, V5, V5
`

const addLost = `	VSUBPS ONE, V0, V0
	VADDPS V5, V0, V0
	VCVTDQ2PS V1, V1
`

func elementary() []function {
	return []function{
		body("Exp", "exp(x[i])", "EXP",
			fmt.Sprintf(atMost, "EXPMAX")+fmt.Sprintf(atLeast, "EXPMIN")+expOf),
		body("Expm1", "exp(x[i]) - 1", "EXP", `	VMOVUPS V0, V4
`+fmt.Sprintf(atMost, "EXPMAX")+fmt.Sprintf(atLeast, "EXPM1MIN")+reduceExp+`	VSUBPS ONE, V1, V1
`+power+`	VSUBPS HALF, V3, V1 // half of 2^n - 1: 2^n itself may overflow
	VFMADD213PS V1, V3, V2
	VADDPS V2, V2, V0
	VANDPS MAGBITS, V4, V5
	PICK($17, V5, TINY, V4, V0) // keeps -0 and denormals
`),
		body("Tanh", "tanh(x[i])", "EXP", `	VMOVUPS V0, V4
	VORPS SIGNBIT, V0, V0
	VADDPS V0, V0, V0 // -2|x|
`+fmt.Sprintf(atLeast, "EXPM1MIN")+reduceExp+power+`	VSUBPS ONE, V3, V1
	VFMADD213PS V1, V3, V2 // t = exp(-2|x|) - 1
	VADDPS TWO, V2, V1
	VDIVPS V1, V2, V0 // -tanh|x| = t / (2 + t)
	VANDPS MAGBITS, V0, V0
	VANDPS SIGNBIT, V4, V4
	VORPS V4, V0, V0
`),
		body("Logistic", "1 / (1 + exp(-x[i]))", "EXP", `	VMOVUPS V0, V4
`+expNegative+`	VADDPS ONE, V0, V1
	VMOVUPS ONE, V2
	PICK($17, V4, ZERO, V0, V2)
	VDIVPS V1, V2, V0 // (x < 0 ? e : 1) / (1 + e), e = exp(-|x|)
`),
		body("Log", "log(x[i])", "EXP LOG", `	VMOVUPS V0, V7
	VMULPS TWO25, V0, V1
	VXORPS V6, V6, V6
	PICK($17, V0, NORMAL, DOWN25, V6)
	PICK($17, V0, NORMAL, V1, V0)
`+splitLog+`	VCVTDQ2PS V1, V1
	VADDPS V6, V1, V1
	VSUBPS ONE, V0, V0
`+sumLog+`	PICK($25, V7, ZERO, NAN, V0) // x < 0 or NaN
	PICK($0, V7, ZERO, NINF, V0)
	PICK($0, V7, INF, INF, V0)
`),
		body("Log1p", "log(1 + x[i])", "EXP LOG", `	VMOVUPS V0, V7
	VADDPS ONE, V0, V0 // u = 1 + x, rounded
	VSUBPS ONE, V0, V5
	VSUBPS V5, V0, V6
	VSUBPS ONE, V6, V6
	VSUBPS V5, V7, V5
	VSUBPS V6, V5, V5 // 1 + x - u, exactly (Knuth's TwoSum)
`+splitLog+scaleLost+`	PICK($21, V7, TWO24, ZERO, V5) // too little to matter, and 2^-k may have overflown
`+addLost+sumLog+`	VANDPS SIGNBIT, V7, V3
	VORPS V3, V0, V0 // keeps -0
	PICK($25, V7, MINUS1, NAN, V0) // x < -1 or NaN
	PICK($0, V7, MINUS1, NINF, V0)
	PICK($0, V7, INF, INF, V0)
`),
		body("Softplus", "log(1 + exp(x[i]))", "EXP LOG", `	VMOVUPS V0, V12
`+expNegative+`	VMOVUPS V0, V5
	VADDPS ONE, V0, V0 // u = 1 + e, e = exp(-|x|)
	VSUBPS ONE, V0, V6
	VSUBPS V6, V5, V5 // 1 + e - u, exactly since e <= 1
`+splitLog+scaleLost+addLost+sumLog+`	VXORPS V1, V1, V1
	VMAXPS V12, V1, V1 // max(x, 0), NaN for NaN
	VADDPS V1, V0, V0
`),
	}
}

// body is a function of the long frame that keeps groups of constants in registers.
func body(field, doc, groups, text string) function {
	if strings.Contains(text, "%") {
		log.Fatalf("%s: unexpanded format", field)
	}
	return function{field: field, frame: long, op: text, doc: doc, groups: strings.Fields(groups)}
}

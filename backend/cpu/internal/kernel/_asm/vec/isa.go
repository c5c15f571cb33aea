package main

import (
	"fmt"
	"math"
	"strings"
)

// isa is what differs between the two instruction sets.
type isa struct {
	name, features        string
	reg                   string // vector register prefix
	lanes                 int
	firstConst, lastConst int // registers for constants, downwards; none if first < last
	macros                string
}

// Registers: bodies own V0 to V7 and V12, macros V8 to V11.
var avx512 = isa{name: "AVX512", features: "AVX-512 F, BW, DQ and VL", reg: "Z", lanes: 16, firstConst: 31, lastConst: 13,
	macros: `// dst = a pred b ? yes : dst
#define PICK(pred, a, b, yes, dst) \
	VCMPPS pred, b, a, K2; \
	VMOVUPS yes, K2, dst
// dst = a pred b ? yes : 0
#define KEEP(pred, a, b, yes, dst) \
	VCMPPS pred, b, a, K2; \
	VMOVUPS.Z yes, K2, dst
// dst = src rounded to an integer, ties to even
#define ROUND(src, dst) VRNDSCALEPS $0, src, dst
// x *= 2^n for an integer n of any size, rounded once
#define SCALE(n, x) VSCALEFPS n, x, x
// Prepare LOADM and STOREM for the first CX lanes, CX < 16.
#define SETMASK \
	MOVL $1, AX; \
	SHLL CX, AX; \
	DECL AX; \
	KMOVW AX, K1
#define LOADM(m, r) VMOVUPS.Z m, K1, r
#define STOREM(r, m) VMOVUPS r, K1, m
// The lanes of r beyond the mask become those of other.
#define REFILL(other, r) \
	KNOTW K1, K2; \
	VMOVUPS other, K2, r
// Combine the upper half of V0 with the lower one.
#define HALVE(OP) \
	VEXTRACTF32X8 $1, Z0, Y4; \
	OP(Z0, Z4)
// The integers of x as bytes at DI.
#define STOREBYTES(x) VPMOVDB x, (DI)

`}

var avx2 = isa{name: "AVX2", features: "AVX2 and FMA3", reg: "Y", lanes: 8, firstConst: 0, lastConst: 1,
	macros: `// dst = a pred b ? yes : dst
#define PICK(pred, a, b, yes, dst) \
	VCMPPS pred, b, a, Y8; \
	VBLENDVPS Y8, yes, dst, dst
// dst = a pred b ? yes : 0
#define KEEP(pred, a, b, yes, dst) \
	VCMPPS pred, b, a, Y8; \
	VANDPS yes, Y8, dst
// dst = src rounded to an integer, ties to even
#define ROUND(src, dst) VROUNDPS $0, src, dst
// x *= 2^n for an integer n, |n| <= 250: two exact steps, the second one rounded
#define SCALE(n, x) \
	VCVTPS2DQ n, Y9; \
	VPSRAD $1, Y9, Y10; \
	VPSUBD Y10, Y9, Y9; \
	VPADDD BIAS, Y9, Y9; \
	VPADDD BIAS, Y10, Y10; \
	VPSLLD $23, Y9, Y9; \
	VPSLLD $23, Y10, Y10; \
	VMULPS Y9, x, x; \
	VMULPS Y10, x, x
// Prepare LOADM and STOREM for the first CX lanes, CX < 8.
#define SETMASK \
	LEAQ ·vecMask+32(SB), AX; \
	NEGQ CX; \
	VMOVDQU (AX)(CX*4), Y11
#define LOADM(m, r) VMASKMOVPS m, Y11, r
#define STOREM(r, m) VMASKMOVPS r, Y11, m
// The lanes of r beyond the mask become those of other.
#define REFILL(other, r) VBLENDVPS Y11, r, other, r
#define HALVE(OP)
// The integers of x, 0 or 1, as bytes at DI.
#define STOREBYTES(x) \
	VEXTRACTI128 $1, x, X1; \
	VPACKSSDW X1, X0, X0; \
	VPACKSSWB X0, X0, X0; \
	VMOVQ X0, (DI)

`}

// constant is a row of 16 equal lanes: bits of a float32, or an integer.
type constant struct {
	name, group string // the group loads its constants into registers together
	bits        uint32
}

func constants() []constant {
	f := func(v float64) uint32 { return math.Float32bits(float32(v)) }
	out := []constant{
		{"ZERO", "", 0}, {"ONE", "", f(1)}, {"MINUS1", "", f(-1)}, {"TWO", "", f(2)}, {"HALF", "", f(0.5)},
		{"SIGNBIT", "", 1 << 31}, {"MAGBITS", "", 1<<31 - 1}, {"ONEBIT", "", 1}, {"BIAS", "", 127},
		{"INF", "", f(math.Inf(1))}, {"NINF", "", f(math.Inf(-1))}, {"NAN", "", 0x7fc00000},
		// exp: where it overflows and where it rounds to zero; where expm1 is -1 and where it
		// is x.
		{"EXPMAX", "", f(89)}, {"EXPMIN", "", f(-104)}, {"EXPM1MIN", "", f(-40)}, {"TINY", "", f(0x1p-24)},
		// log: the smallest normal number, what makes smaller ones normal, and where 1 does
		// not matter any more.
		{"NORMAL", "", f(0x1p-126)}, {"TWO25", "", f(0x1p25)}, {"DOWN25", "", f(-25)}, {"TWO24", "", f(0x1p24)},
		// ln 2 in two parts, the first with trailing zeros.
		{"LOG2E", "EXP", f(math.Log2E)}, {"LN2HI", "EXP", f(0.693359375)}, {"LN2LO", "EXP", f(-2.12194440e-4)},
		{"SQRTH", "LOG", f(math.Sqrt(0.5))},
	}
	// The polynomials (exp(r)-1-r)/r^2 and (log(1+f)-f+f^2/2)/f^3 of Cephes, expf.c and logf.c.
	for i, v := range []float64{1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2,
		1.6666665459e-1, 5.0000001201e-1} {
		out = append(out, constant{fmt.Sprintf("E%d", i), "EXP", f(v)})
	}
	for i, v := range []float64{7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1,
		1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1} {
		out = append(out, constant{fmt.Sprintf("L%d", i), "LOG", f(v)})
	}
	return out
}

// table returns the file of constants, and the mask table of AVX2: eight set lanes and
// eight clear ones; a load that starts at lane 8-n yields the mask of n lanes.
func table() string {
	var b strings.Builder
	b.WriteString(header + "#include \"textflag.h\"\n\n")
	for i, c := range constants() {
		fmt.Fprintf(&b, "// %s\n", c.name)
		for k := range 8 {
			fmt.Fprintf(&b, "DATA ·vecConst+%d(SB)/8, $0x%08x%08x\n", 64*i+8*k, c.bits, c.bits)
		}
	}
	fmt.Fprintf(&b, "GLOBL ·vecConst(SB), RODATA|NOPTR, $%d\n\n", 64*len(constants()))
	for k := range 8 {
		fmt.Fprintf(&b, "DATA ·vecMask+%d(SB)/8, $%d\n", 8*k, k/4-1)
	}
	b.WriteString("GLOBL ·vecMask(SB), RODATA|NOPTR, $64\n")
	return b.String()
}

//go:build ignore

// Command vec writes the assembly of the loops over slices:
//
//	go run ./_asm/vec/main.go        (in backend/cpu/internal/kernel)
//
// It emits vec_avx512_amd64.s, and vec_stubs_amd64.go with the declarations.
//
// Every function is one loop over whole vectors and one masked pass over the
// rest, both with the same body. Operands arrive in Z0, Z1 and Z2 and the result
// leaves in Z0; constants are broadcast before the loop into Z31 and down, so that
// a body is what the comment above it says and nothing else.
package main

import (
	"fmt"
	"go/format"
	"log"
	"math"
	"os"
	"strings"
)

// loop is one function: operands besides dst, constants, and the body.
type loop struct {
	field  string
	args   int
	consts []constant
	body   string
	doc    string

	// Booleans are bytes: bytesIn and bytesOut say which side has them.
	bytesIn, bytesOut bool
}

// constant is a float32 (or its bits) broadcast into a register for the loop.
type constant struct {
	name string
	bits uint32
}

func f(name string, v float64) constant { return constant{name, math.Float32bits(float32(v))} }

func binary(field, instruction, doc string) loop {
	return loop{field: field, args: 2, body: instruction + " Z1, Z0, Z0", doc: doc}
}

// extreme is VMAXPS or VMINPS with NaN kept: the instruction alone drops a NaN
// in its first operand.
func extreme(field, instruction string) loop {
	return loop{field: field, args: 2, doc: strings.ToLower(field) + "(a[i], b[i]), NaN if either is", body: `
VCMPPS $3, Z1, Z0, K2 // unordered
` + instruction + ` Z1, Z0, Z3
VADDPS Z1, Z0, K2, Z3
VMOVAPS Z3, Z0`}
}

func compare(field string, predicate int, doc string) loop {
	return loop{field: field, args: 2, consts: []constant{f("ONE", 1)}, doc: doc,
		body: fmt.Sprintf("VCMPPS $%d, Z1, Z0, K2\nVMOVAPS.Z ONE, K2, Z0", predicate)}
}

var expConsts = []constant{
	f("EXPMAX", 89), f("EXPMIN", -105), f("LOG2E", math.Log2E), f("LN2HI", 0.693359375), f("LN2LO", -2.12194440e-4),
	f("E0", 1.9875691500e-4), f("E1", 1.3981999507e-3), f("E2", 8.3334519073e-3), f("E3", 4.1665795894e-2),
	f("E4", 1.6666665459e-1), f("E5", 5.0000001201e-1), f("ONE", 1),
}

// exp is Z0 = exp(Z0), using Z3 to Z5: 2^n exp(r) with a polynomial for |r| <=
// ln2/2 (S. Moshier's Cephes). The bounds lie where the result is infinite and
// zero; their order in VMINPS and VMAXPS lets NaN through.
const exp = `
VMINPS Z0, EXPMAX, Z0
VMAXPS Z0, EXPMIN, Z0
VMULPS LOG2E, Z0, Z3
VRNDSCALEPS $0, Z3, Z3 // n
VFNMADD231PS LN2HI, Z3, Z0
VFNMADD231PS LN2LO, Z3, Z0 // r
VMOVAPS E0, Z4
VFMADD213PS E1, Z0, Z4
VFMADD213PS E2, Z0, Z4
VFMADD213PS E3, Z0, Z4
VFMADD213PS E4, Z0, Z4
VFMADD213PS E5, Z0, Z4
VMULPS Z0, Z0, Z5
VFMADD213PS Z0, Z5, Z4
VADDPS ONE, Z4, Z4
VSCALEFPS Z3, Z4, Z0`

var logConsts = []constant{
	f("ONE", 1), f("HALF", 0.5), f("SQRT2", math.Sqrt2), f("LN2HI", 0.693359375), f("LN2LO", -2.12194440e-4),
	f("L0", 7.0376836292e-2), f("L1", -1.1514610310e-1), f("L2", 1.1676998740e-1), f("L3", -1.2420140846e-1),
	f("L4", 1.4249322787e-1), f("L5", -1.6668057665e-1), f("L6", 2.0000714765e-1), f("L7", -2.4999993993e-1),
	f("L8", 3.3333331174e-1), {"INF", 0x7f800000}, {"NINF", 0xff800000}, {"NAN", 0x7fc00000},
}

// logarithm is Z0 = log(Z0), using Z3 to Z7, K2 and Z8: e ln2 + log(m) with m in
// [sqrt(1/2), sqrt(2)) and a polynomial in m-1 (Cephes); infinity, zero and
// negative numbers are put in afterwards.
const logarithm = `
VMOVAPS Z0, Z8
VGETEXPPS Z0, Z3 // e
VGETMANTPS $0, Z0, Z4 // m in [1, 2)
VCMPPS $14, SQRT2, Z4, K2 // m > sqrt(2)
VMULPS HALF, Z4, K2, Z4
VADDPS ONE, Z3, K2, Z3
VSUBPS ONE, Z4, Z4 // x = m - 1
VMULPS Z4, Z4, Z5 // z = x^2
VMOVAPS L0, Z6
VFMADD213PS L1, Z4, Z6
VFMADD213PS L2, Z4, Z6
VFMADD213PS L3, Z4, Z6
VFMADD213PS L4, Z4, Z6
VFMADD213PS L5, Z4, Z6
VFMADD213PS L6, Z4, Z6
VFMADD213PS L7, Z4, Z6
VFMADD213PS L8, Z4, Z6
VMULPS Z4, Z6, Z6
VMULPS Z5, Z6, Z6
VFMADD231PS LN2LO, Z3, Z6
VFNMADD231PS HALF, Z5, Z6
VADDPS Z4, Z6, Z0
VFMADD231PS LN2HI, Z3, Z0
VXORPS Z7, Z7, Z7
VCMPPS $0, INF, Z8, K2
VMOVAPS INF, K2, Z0
VCMPPS $0, Z7, Z8, K2
VMOVAPS NINF, K2, Z0
VCMPPS $1, Z7, Z8, K2 // negative
VMOVAPS NAN, K2, Z0
VCMPPS $3, Z8, Z8, K2 // NaN
VMOVAPS Z8, K2, Z0`

func merge(lists ...[]constant) []constant {
	seen := map[string]bool{}
	var out []constant
	for _, list := range lists {
		for _, c := range list {
			if !seen[c.name] {
				seen[c.name] = true
				out = append(out, c)
			}
		}
	}
	return out
}

var absMask = constant{"ABS", 0x7fffffff}
var signMask = constant{"SIGN", 0x80000000}

var loops = []loop{
	binary("Add", "VADDPS", "a[i] + b[i]"),
	binary("Sub", "VSUBPS", "a[i] - b[i]"),
	binary("Mul", "VMULPS", "a[i] * b[i]"),
	binary("Div", "VDIVPS", "a[i] / b[i]"),
	extreme("Max", "VMAXPS"),
	extreme("Min", "VMINPS"),
	compare("Eq", 0, "a[i] == b[i]"),
	compare("Ne", 4, "a[i] != b[i]"),
	compare("Lt", 17, "a[i] < b[i]"),
	compare("Le", 18, "a[i] <= b[i]"),
	compare("Gt", 30, "a[i] > b[i]"),
	compare("Ge", 29, "a[i] >= b[i]"),
	{field: "Neg", args: 1, consts: []constant{signMask}, body: "VPXORD SIGN, Z0, Z0", doc: "-a[i]"},
	{field: "Abs", args: 1, consts: []constant{absMask}, body: "VPANDD ABS, Z0, Z0", doc: "|a[i]|"},
	{field: "Sqrt", args: 1, body: "VSQRTPS Z0, Z0", doc: "sqrt(a[i])"},
	{field: "Rsqrt", args: 1, consts: []constant{f("ONE", 1)}, body: "VSQRTPS Z0, Z0\nVDIVPS Z0, ONE, Z0", doc: "1/sqrt(a[i])"},
	{field: "Exp", args: 1, consts: expConsts, body: exp, doc: "exp(a[i])"},
	{field: "Log", args: 1, consts: logConsts, body: logarithm, doc: "log(a[i])"},
	{field: "Log1p", args: 1, consts: logConsts, doc: "log(1 + a[i])", body: `
VMOVAPS Z0, Z9 // x
VADDPS ONE, Z0, Z10 // u = 1 + x, rounded
VMOVAPS Z10, Z0` + logarithm + `
VSUBPS ONE, Z10, Z11
VSUBPS Z11, Z9, Z11 // what the rounding of u lost
VDIVPS Z10, Z11, Z11
VXORPS Z7, Z7, Z7
VCMPPS $4, Z7, Z10, K2
VCMPPS $4, INF, Z10, K2, K2 // u is neither 0 nor infinite
VADDPS Z11, Z0, K2, Z0`},
	{field: "Logistic", args: 1, consts: merge(expConsts, []constant{signMask}), doc: "1 / (1 + exp(-a[i]))", body: `
VPXORD SIGN, Z0, Z0` + exp + `
VADDPS ONE, Z0, Z0
VDIVPS Z0, ONE, Z0`},
	{field: "Tanh", args: 1, consts: merge(expConsts, []constant{absMask, signMask, f("SMALL", 0.625),
		f("T0", -5.70498872745e-3), f("T1", 2.06390887954e-2), f("T2", -5.37397155531e-2)}), doc: "tanh(a[i]): an odd polynomial for small values (Cephes), 1 - 2/(exp(2|a|)+1) for others", body: `
VMOVAPS Z0, Z9
VPANDD ABS, Z0, Z10
VADDPS Z10, Z10, Z0` + exp + `
VADDPS ONE, Z0, Z0
VADDPS ONE, ONE, Z3
VDIVPS Z0, Z3, Z0
VSUBPS Z0, ONE, Z0
VPANDD SIGN, Z9, Z3
VPORD Z3, Z0, Z0
VMULPS Z9, Z9, Z5
VMOVAPS T0, Z4
VFMADD213PS T1, Z5, Z4
VFMADD213PS T2, Z5, Z4
VFMADD213PS.BCST T3<>+0(SB), Z5, Z4
VFMADD213PS.BCST T3<>+4(SB), Z5, Z4
VMULPS Z5, Z4, Z4
VFMADD213PS Z9, Z9, Z4
VCMPPS $1, SMALL, Z10, K2
VMOVAPS Z4, K2, Z0`},
	{field: "BoolToMask", args: 1, bytesIn: true, body: "VCVTDQ2PS Z0, Z0", doc: "float32(a[i])"},
	{field: "MaskToBool", args: 1, bytesOut: true, body: "VCVTTPS2DQ Z0, Z0", doc: "byte(a[i])"},
	{field: "Select", args: 3, doc: "b[i] if a[i] != 0, else c[i]", body: `
VXORPS Z3, Z3, Z3
VCMPPS $4, Z3, Z0, K2
VMOVAPS Z1, K2, Z2
VMOVAPS Z2, Z0`},
}

const prologue = `// Code generated by go run ./_asm/vec/main.go; DO NOT EDIT.

//go:build amd64 && !purego

#include "textflag.h"

// Requires AVX-512 F and DQ.

// The last coefficients of the small-value polynomial of tanh.
DATA T3<>+0(SB)/4, $0x3e088393
DATA T3<>+4(SB)/4, $0xbeaaaa99
GLOBL T3<>(SB), RODATA, $8
`

var operands = [...]string{"SI", "DX", "R8"}

func (l loop) emit(b *strings.Builder) {
	names := []string{"a", "b", "c"}[:l.args]
	fmt.Fprintf(b, "\n// dst[i] = %s\n", l.doc)
	fmt.Fprintf(b, "// func vec%sAVX512(%s)\n", l.field, l.signature())
	for i, c := range l.consts {
		fmt.Fprintf(b, "#define %s Z%d\n", c.name, 31-i)
	}
	fmt.Fprintf(b, "TEXT ·vec%sAVX512(SB), NOSPLIT, $0-%d\n", l.field, 24*(l.args+1))
	fmt.Fprintf(b, "MOVQ dst_base+0(FP), DI\nMOVQ dst_len+8(FP), CX\n")
	for i, n := range names {
		fmt.Fprintf(b, "MOVQ %s_base+%d(FP), %s\n", n, 24*(i+1), operands[i])
	}
	for _, c := range l.consts {
		fmt.Fprintf(b, "MOVL $0x%08x, AX\nVPBROADCASTD AX, %s\n", c.bits, c.name)
	}
	fmt.Fprintf(b, "XORQ BX, BX // i\nSUBQ $16, CX // i of the last whole vector\nJL rest\n\nvectors:\n")
	l.load(b, "", "")
	fmt.Fprintf(b, "%s\n%s\nADDQ $16, BX\nCMPQ BX, CX\nJLE vectors\n\nrest:\n", strings.TrimSpace(l.body), l.store(""))
	fmt.Fprintf(b, "ADDQ $16, CX\nSUBQ BX, CX // how many are left\nJZ done\nMOVL $1, AX\nSHLL CX, AX\nDECL AX\nKMOVW AX, K1\n")
	l.load(b, ".Z", " K1,")
	fmt.Fprintf(b, "%s\n%s\n\ndone:\nVZEROUPPER\nRET\n", strings.TrimSpace(l.body), l.store(" K1,"))
	for _, c := range l.consts {
		fmt.Fprintf(b, "#undef %s\n", c.name)
	}
}

// load brings a vector of every operand into Z0, Z1, Z2; zero and mask are empty
// for whole vectors.
func (l loop) load(b *strings.Builder, zero, mask string) {
	for i := range l.args {
		if l.bytesIn {
			fmt.Fprintf(b, "VPMOVZXBD%s (%s)(BX*1),%s Z%d\n", zero, operands[i], mask, i)
			continue
		}
		fmt.Fprintf(b, "VMOVUPS%s (%s)(BX*4),%s Z%d\n", zero, operands[i], mask, i)
	}
}

func (l loop) store(mask string) string {
	if l.bytesOut {
		return "VPMOVDB Z0," + mask + " (DI)(BX*1)"
	}
	return "VMOVUPS Z0," + mask + " (DI)(BX*4)"
}

// signature is the parameter list of the Go declaration.
func (l loop) signature() string {
	names := strings.Join([]string{"a", "b", "c"}[:l.args], ", ")
	switch {
	case l.bytesIn:
		return "dst []float32, " + names + " []byte"
	case l.bytesOut:
		return "dst []byte, " + names + " []float32"
	}
	return "dst, " + names + " []float32"
}

// indent gives instructions a tab; labels, comments and directives have none.
func indent(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if line != "" && !strings.HasSuffix(line, ":") && !strings.HasPrefix(line, "//") && !strings.HasPrefix(line, "#") &&
			!strings.HasPrefix(line, "TEXT") && !strings.HasPrefix(line, "DATA") && !strings.HasPrefix(line, "GLOBL") {
			lines[i] = "\t" + line
		}
	}
	return strings.Join(lines, "\n")
}

func stubs() []byte {
	var b strings.Builder
	b.WriteString("// Code generated by go run ./_asm/vec/main.go; DO NOT EDIT.\n\n//go:build amd64 && !purego\n\npackage kernel\n\n")
	b.WriteString("// vecAVX512 replaces the loops that have an AVX-512 version.\nfunc vecAVX512(v *VecKernels) {\n")
	for _, l := range loops {
		fmt.Fprintf(&b, "v.%s = vec%sAVX512\n", l.field, l.field)
	}
	b.WriteString("v.AddTo = func(dst, a []float32) { vecAddAVX512(dst, dst, a[:len(dst)]) }\n}\n")
	for _, l := range loops {
		fmt.Fprintf(&b, "\n//go:noescape\nfunc vec%sAVX512(%s)\n", l.field, l.signature())
	}
	out, err := format.Source([]byte(b.String()))
	if err != nil {
		log.Fatal(err)
	}
	return out
}

func main() {
	b := &strings.Builder{}
	for _, l := range loops {
		l.emit(b)
	}
	for name, data := range map[string][]byte{
		"vec_avx512_amd64.s": []byte(prologue + indent(b.String())),
		"vec_stubs_amd64.go": stubs(),
	} {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

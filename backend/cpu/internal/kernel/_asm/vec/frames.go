package main

import (
	"fmt"
	"strings"
)

// frame is the shape of a function: its operands, and the loops around its operation.
type frame struct {
	name      string
	signature string
	size      int      // bytes of arguments and results
	setup     []string // instructions before the loops: pointers, count and scalars
	body      []string // the loops; nil for a frame written out in every function
}

var (
	unary   = frame{name: "UNARY", signature: "(dst, x []float32)", size: 48}
	binary  = frame{name: "BINARY", signature: "(dst, a, b []float32)", size: 72}
	scalar  = frame{name: "SCALAR", signature: "(dst, x []float32, s float32)", size: 52}
	axpy    = frame{name: "AXPY", signature: "(dst, x []float32, s float32)", size: 52}
	ternary = frame{name: "TERNARY", signature: "(dst, mask, a, b []float32)", size: 96}
	pick    = frame{name: "CHOICE", signature: "(dst, mask, x []float32, s float32)", size: 76}
	numbers = frame{name: "NUMBERS", signature: "(dst, mask []float32, s, t float32)", size: 56}
	dot     = frame{name: "PRODUCT", signature: "(a, b []float32) float32", size: 52}
	fill    = frame{name: "FILL", signature: "(dst []float32, s float32)", size: 28}
	reduce  = frame{name: "REDUCE", signature: "(x []float32) float32", size: 28}
	rows    = frame{name: "ROWS", signature: "(dst, x []float32, rows, stride int)", size: 64}
	widen   = frame{name: "WIDEN", signature: "(dst []float32, src []byte)", size: 48}
	narrow  = frame{name: "NARROW", signature: "(dst []byte, src []float32)", size: 48}
	long    = frame{name: "LONG", signature: "(dst, x []float32)", size: 48}
)

// frames returns the frames that are macros. Element-wise ones process as many elements as
// the shortest operand has.
func frames() []frame {
	return []frame{
		unary.with(pointers("dst", "x"), walk{unroll: 4, from: []string{"SI"}, op: "OP(%[1]s)"}),
		binary.with(pointers("dst", "a", "b"), walk{unroll: 4, from: []string{"SI", "DX"}, op: "OP(%[1]s, %[2]s)"}),
		ternary.with(pointers("dst", "mask", "a", "b"),
			walk{unroll: 2, from: []string{"SI", "DX", "R8"}, op: "OP(%[1]s, %[2]s, %[3]s)", result: 2}),
		scalar.with(append(pointers("dst", "x"), "VBROADCASTSS s+48(FP), V4"),
			walk{unroll: 4, from: []string{"SI"}, op: "OP(%[1]s, V4)"}),
		axpy.with(append(pointers("dst", "x"), "VBROADCASTSS s+48(FP), V12"),
			walk{unroll: 4, from: []string{"SI", "DI"}, op: "OP(%[1]s, %[2]s, V12)", result: 1}),
		pick.with(append(pointers("dst", "mask", "x"), "VBROADCASTSS s+72(FP), V12"),
			walk{unroll: 4, from: []string{"SI", "DX"}, op: "OP(%[1]s, %[2]s, V12)", result: 1}),
		numbers.with(append(pointers("dst", "mask"), "VBROADCASTSS s+48(FP), V12", "VBROADCASTSS t+52(FP), V4"),
			walk{unroll: 4, from: []string{"SI"}, op: "OP(%[1]s, V12, V4)"}),
		fill.with(append(pointers("dst"), "VBROADCASTSS s+24(FP), V0"), walk{unroll: 4, result: -1}),
		{name: reduce.name, setup: []string{"MOVQ x_base+0(FP), SI", "MOVQ x_len+8(FP), CX"}, body: reduceLoops()},
		{name: dot.name, setup: []string{"MOVQ a_base+0(FP), SI", "MOVQ a_len+8(FP), CX",
			"MOVQ b_base+24(FP), DX"}, body: productLoops()},
		{name: rows.name, setup: append([]string{"MOVQ x_base+24(FP), SI", "MOVQ rows+48(FP), R9",
			"MOVQ stride+56(FP), R10", "SHLQ $2, R10"}, pointers("dst")...), body: rowLoops()},
		{name: widen.name, setup: blocks("src"), body: blockLoop("VPMOVZXBD (SI), V0", "VCVTDQ2PS V0, V0", "VMOVUPS V0, (DI)",
			"ADDQ $1*LANES, SI", "ADDQ $1*VECTOR, DI")},
		{name: narrow.name, setup: blocks("src"), body: blockLoop("VMOVUPS (SI), V0", "KEEP($4, V0, ZERO, ONEBIT, V0)", "STOREBYTES(V0)",
			"ADDQ $1*VECTOR, SI", "ADDQ $1*LANES, DI")},
	}
}

func (f frame) with(setup []string, w walk) frame {
	f.setup, f.body = setup, w.loops()
	return f
}

// macro writes the frame as a macro of its operation and, for reductions, the start.
func (f frame) macro() string {
	params := map[string]string{reduce.name: "OP, START"}[f.name]
	if params == "" {
		params = "OP"
	}
	return fmt.Sprintf("#define %s(%s) \\\n\t%s\n\n", f.name, params,
		strings.Join(append(f.setup, f.body...), "; \\\n\t"))
}

// pointers loads the bases of consecutive slice arguments into DI, SI, DX and R8, and the
// smallest length into CX.
func pointers(names ...string) []string {
	var out []string
	for i, n := range names {
		out = append(out, fmt.Sprintf("MOVQ %s_base+%d(FP), %s", n, 24*i, [...]string{"DI", "SI", "DX", "R8"}[i]))
		if i == 0 {
			out = append(out, fmt.Sprintf("MOVQ %s_len+8(FP), CX", n))
			continue
		}
		out = append(out, fmt.Sprintf("MOVQ %s_len+%d(FP), AX", n, 24*i+8), "CMPQ AX, CX", "CMOVQLT AX, CX")
	}
	return out
}

// walk is a loop over dst and the operands at from: unroll vectors at a time, then one, then
// the rest under a mask.
type walk struct {
	unroll int
	from   []string // pointers of the operands
	op     string   // format of the operation on one register of each operand
	result int      // the operand whose register holds the result; -1: V0
}

func (w walk) loops() []string {
	out := []string{fmt.Sprintf("SUBQ $%d*LANES, CX", w.unroll), "JLT few", "wide:"}
	out = append(out, w.step(w.unroll, "VMOVUPS", "VMOVUPS")...)
	out = append(out, w.advance(w.unroll)...)
	out = append(out, fmt.Sprintf("SUBQ $%d*LANES, CX", w.unroll), "JGE wide",
		"few:", fmt.Sprintf("ADDQ $%d*LANES, CX", w.unroll-1), "JLT rest", "one:")
	out = append(out, w.step(1, "VMOVUPS", "VMOVUPS")...)
	out = append(out, w.advance(1)...)
	out = append(out, "SUBQ $1*LANES, CX", "JGE one", "rest:", "ADDQ $1*LANES, CX", "JZ done", "SETMASK")
	out = append(out, w.step(1, "LOADM", "STOREM")...)
	return append(out, "done:", "VZEROUPPER", "RET")
}

// step loads count vectors of every operand, combines and stores them.
func (w walk) step(count int, load, store string) []string {
	var loads, ops, stores []string
	for i := range count {
		var regs []any
		for k, p := range w.from {
			r := fmt.Sprintf("V%d", w.unroll*k+i)
			regs = append(regs, r)
			loads = append(loads, move(load, fmt.Sprintf("%d*VECTOR(%s)", i, p), r))
		}
		result := "V0"
		if w.result >= 0 {
			ops = append(ops, fmt.Sprintf(w.op, regs...))
			result = regs[w.result].(string)
		}
		stores = append(stores, move(store, result, fmt.Sprintf("%d*VECTOR(DI)", i)))
	}
	return append(append(loads, ops...), stores...)
}

// move is an instruction or a macro with two operands.
func move(name, from, to string) string {
	if name == "VMOVUPS" {
		return fmt.Sprintf("%s %s, %s", name, from, to)
	}
	return fmt.Sprintf("%s(%s, %s)", name, from, to)
}

func (w walk) advance(count int) []string {
	var out []string
	for _, p := range w.from {
		if p != "DI" {
			out = append(out, fmt.Sprintf("ADDQ $%d*VECTOR, %s", count, p))
		}
	}
	return append(out, fmt.Sprintf("ADDQ $%d*VECTOR, DI", count))
}

// reduceLoops combines all elements at SI: four accumulators, then their lanes.
func reduceLoops() []string {
	return strings.Split(`VMOVUPS START, V12
VMOVUPS V12, V0
VMOVUPS V12, V1
VMOVUPS V12, V2
VMOVUPS V12, V3
SUBQ $4*LANES, CX
JLT few
wide:
VMOVUPS (SI), V4
VMOVUPS 1*VECTOR(SI), V5
VMOVUPS 2*VECTOR(SI), V6
VMOVUPS 3*VECTOR(SI), V7
OP(V0, V4)
OP(V1, V5)
OP(V2, V6)
OP(V3, V7)
ADDQ $4*VECTOR, SI
SUBQ $4*LANES, CX
JGE wide
few:
ADDQ $3*LANES, CX
JLT rest
one:
VMOVUPS (SI), V4
OP(V0, V4)
ADDQ $1*VECTOR, SI
SUBQ $1*LANES, CX
JGE one
rest:
ADDQ $1*LANES, CX
JZ fold
SETMASK
LOADM((SI), V4)
REFILL(V12, V4)
OP(V1, V4)
fold:
OP(V0, V1)
OP(V2, V3)
OP(V0, V2)
FOLD(OP)
VMOVSS X0, ret+24(FP)
VZEROUPPER
RET`, "\n")
}

// productLoops adds up the products of the elements at SI and DX like reduceLoops, fused.
func productLoops() []string {
	return strings.Split(`VXORPS V0, V0, V0
VMOVUPS V0, V1
VMOVUPS V0, V2
VMOVUPS V0, V3
SUBQ $4*LANES, CX
JLT few
wide:
VMOVUPS (SI), V4
VMOVUPS 1*VECTOR(SI), V5
VMOVUPS 2*VECTOR(SI), V6
VMOVUPS 3*VECTOR(SI), V7
VFMADD231PS (DX), V4, V0
VFMADD231PS 1*VECTOR(DX), V5, V1
VFMADD231PS 2*VECTOR(DX), V6, V2
VFMADD231PS 3*VECTOR(DX), V7, V3
ADDQ $4*VECTOR, SI
ADDQ $4*VECTOR, DX
SUBQ $4*LANES, CX
JGE wide
few:
ADDQ $3*LANES, CX
JLT rest
one:
VMOVUPS (SI), V4
VFMADD231PS (DX), V4, V0
ADDQ $1*VECTOR, SI
ADDQ $1*VECTOR, DX
SUBQ $1*LANES, CX
JGE one
rest:
ADDQ $1*LANES, CX
JZ fold
SETMASK
LOADM((SI), V4)
LOADM((DX), V5)
VFMADD231PS V5, V4, V1
fold:
OP(V0, V1)
OP(V2, V3)
OP(V0, V2)
FOLD(OP)
VMOVSS X0, ret+48(FP)
VZEROUPPER
RET`, "\n")
}

// rowLoops adds R9 > 0 rows at SI, R10 bytes apart, to dst: the sums of a few columns stay
// in registers over all rows.
func rowLoops() []string {
	return strings.Split(`SUBQ $4*LANES, CX
JLT few
wide:
VMOVUPS (DI), V0
VMOVUPS 1*VECTOR(DI), V1
VMOVUPS 2*VECTOR(DI), V2
VMOVUPS 3*VECTOR(DI), V3
MOVQ SI, DX
MOVQ R9, R8
rows4:
VADDPS (DX), V0, V0
VADDPS 1*VECTOR(DX), V1, V1
VADDPS 2*VECTOR(DX), V2, V2
VADDPS 3*VECTOR(DX), V3, V3
ADDQ R10, DX
DECQ R8
JNZ rows4
VMOVUPS V0, (DI)
VMOVUPS V1, 1*VECTOR(DI)
VMOVUPS V2, 2*VECTOR(DI)
VMOVUPS V3, 3*VECTOR(DI)
ADDQ $4*VECTOR, SI
ADDQ $4*VECTOR, DI
SUBQ $4*LANES, CX
JGE wide
few:
ADDQ $3*LANES, CX
JLT rest
one:
VMOVUPS (DI), V0
MOVQ SI, DX
MOVQ R9, R8
rows1:
VADDPS (DX), V0, V0
ADDQ R10, DX
DECQ R8
JNZ rows1
VMOVUPS V0, (DI)
ADDQ $1*VECTOR, SI
ADDQ $1*VECTOR, DI
SUBQ $1*LANES, CX
JGE one
rest:
ADDQ $1*LANES, CX
JZ done
SETMASK
LOADM((DI), V0)
rowsM:
LOADM((SI), V4)
VADDPS V4, V0, V0
ADDQ R10, SI
DECQ R9
JNZ rowsM
STOREM(V0, (DI))
done:
VZEROUPPER
RET`, "\n")
}

// blocks loads the bases and the length of dst, a multiple of the lanes; blockLoop converts
// one vector at a time.
func blocks(src string) []string {
	return []string{"MOVQ dst_base+0(FP), DI", "MOVQ dst_len+8(FP), CX", "MOVQ " + src + "_base+24(FP), SI"}
}

func blockLoop(body ...string) []string {
	out := append([]string{"SUBQ $1*LANES, CX", "JLT done", "loop:"}, body...)
	return append(out, "SUBQ $1*LANES, CX", "JGE loop", "done:", "VZEROUPPER", "RET")
}

// longLoop is the frame of the elementary functions, whose body appears once: the last,
// masked round jumps into it.
const longLoop = `	MOVQ dst_base+0(FP), DI
	MOVQ dst_len+8(FP), CX
	MOVQ x_base+24(FP), SI
	MOVQ x_len+32(FP), AX
	CMPQ AX, CX
	CMOVQLT AX, CX
	XORL BX, BX // whether this is the masked round

loop:
	SUBQ $1*LANES, CX
	JLT rest
	VMOVUPS (SI), V0

body:
	BODY
	TESTQ BX, BX
	JNZ end
	VMOVUPS V0, (DI)
	ADDQ $1*VECTOR, SI
	ADDQ $1*VECTOR, DI
	JMP loop

rest:
	ADDQ $1*LANES, CX
	JZ done
	SETMASK
	LOADM((SI), V0)
	MOVL $1, BX
	JMP body

end:
	STOREM(V0, (DI))

done:
	VZEROUPPER
	RET
`

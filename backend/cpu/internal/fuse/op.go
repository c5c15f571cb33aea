package fuse

import "github.com/orrery-rl/orrery/backend/cpu/internal/kernel"

// Op is an operation on registers; kernel.VecKernels defines what each computes.
type Op uint8

// The operations. Logical ones work on 0 and 1.
const (
	// number is a scalar input or a constant, which needs no register.
	number Op = iota
	// Unary.
	Neg
	Abs
	Sign
	Sqrt
	Rsqrt
	Square
	Relu
	Exp
	Expm1
	Log
	Log1p
	Tanh
	Logistic
	Softplus
	Not
	// Binary.
	Add
	Sub
	Mul
	Div
	Max
	Min
	And
	Or
	Eq
	Ne
	Lt
	Le
	Gt
	Ge
	Gate // b where a > 0, else 0
	// Ternary: Select(mask, a, b).
	Select
	// What the builder adds: a number from an input or of the program in every element, and
	// an input brought into a register.
	fill
	load
	numOps
)

// opInfo is the name of an operation and how it is computed.
type opInfo struct {
	name   string
	unary  func(dst, x []float32)
	binary func(dst, a, b []float32)
	// right is binary with a number for the second operand, left with one for the first. An
	// operation without left may have one that computes the same with exchanged operands.
	right, left func(dst, x []float32, s float32)
	exchanged   Op
}

type opTable [numOps]opInfo

// operations returns how the kernels v compute every operation.
func operations(v *kernel.VecKernels) *opTable {
	not := func(dst, x []float32) { v.EqS(dst, x, 0) }
	return &opTable{
		Neg: {name: "neg", unary: v.Neg}, Abs: {name: "abs", unary: v.Abs}, Sign: {name: "sign", unary: v.Sign},
		Sqrt: {name: "sqrt", unary: v.Sqrt}, Rsqrt: {name: "rsqrt", unary: v.Rsqrt},
		Square: {name: "square", unary: v.Square}, Relu: {name: "relu", unary: v.Relu},
		Exp: {name: "exp", unary: v.Exp}, Expm1: {name: "expm1", unary: v.Expm1},
		Log: {name: "log", unary: v.Log}, Log1p: {name: "log1p", unary: v.Log1p},
		Tanh: {name: "tanh", unary: v.Tanh}, Logistic: {name: "logistic", unary: v.Logistic},
		Softplus: {name: "softplus", unary: v.Softplus}, Not: {name: "not", unary: not},

		Add:  {name: "add", binary: v.Add, right: v.AddS, exchanged: Add},
		Sub:  {name: "sub", binary: v.Sub, right: v.SubS, left: v.RSubS},
		Mul:  {name: "mul", binary: v.Mul, right: v.MulS, exchanged: Mul},
		Div:  {name: "div", binary: v.Div, right: v.DivS, left: v.RDivS},
		Max:  {name: "max", binary: v.Max, right: v.MaxS, exchanged: Max},
		Min:  {name: "min", binary: v.Min, right: v.MinS, exchanged: Min},
		And:  {name: "and", binary: v.Mul, right: v.MulS, exchanged: And},
		Or:   {name: "or", binary: v.Max, right: v.MaxS, exchanged: Or},
		Eq:   {name: "eq", binary: v.Eq, right: v.EqS, exchanged: Eq},
		Ne:   {name: "ne", binary: v.Ne, right: v.NeS, exchanged: Ne},
		Lt:   {name: "lt", binary: v.Lt, right: v.LtS, exchanged: Gt},
		Le:   {name: "le", binary: v.Le, right: v.LeS, exchanged: Ge},
		Gt:   {name: "gt", binary: v.Gt, right: v.GtS, exchanged: Lt},
		Ge:   {name: "ge", binary: v.Ge, right: v.GeS, exchanged: Le},
		Gate: {name: "gate", binary: v.Gate},

		Select: {name: "select"}, fill: {name: "fill"}, load: {name: "load"}, number: {name: "number"},
	}
}

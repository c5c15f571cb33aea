// Package ir is the graph as it was built: operations on float32 and boolean
// tensors of fixed shape, in the order of their creation, which is topological.
package ir

import (
	"fmt"
	"slices"
	"strings"
)

// Op is an operation.
type Op uint8

// The operations. Element-wise ones come last, so that one comparison tells.
const (
	Parameter Op = iota
	Constant
	Iota
	Dot
	Conv
	ReduceSum
	ReduceMax
	ReduceMin
	Concatenate
	Pad
	Foreign // run by the reference, one operation at a time
	// Views: the same elements under another shape.
	Reshape
	Transpose
	Slice
	Reverse
	Broadcast
	// Element-wise, float32 to float32.
	Add
	Sub
	Mul
	Div
	Max
	Min
	Neg
	Abs
	Sign
	Sqrt
	Rsqrt
	Exp
	Expm1
	Log
	Log1p
	Tanh
	Logistic
	Identity
	// Element-wise with boolean operands or results.
	Equal
	NotEqual
	Less
	LessEqual
	Greater
	GreaterEqual
	And
	Or
	Not
	Select // operands: condition, on true, on false
	ToFloat
	ops
)

var names = [ops]string{
	"parameter", "constant", "iota", "dot", "conv", "reduce_sum", "reduce_max", "reduce_min", "concatenate", "pad", "foreign",
	"reshape", "transpose", "slice", "reverse", "broadcast",
	"add", "sub", "mul", "div", "max", "min", "neg", "abs", "sign", "sqrt", "rsqrt", "exp", "expm1", "log", "log1p",
	"tanh", "logistic", "identity",
	"equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "and", "or", "not", "select", "to_float",
}

// String returns the operation's name.
func (o Op) String() string { return names[o] }

// ElementWise reports whether every element of the result depends only on the
// elements at the same place.
func (o Op) ElementWise() bool { return o >= Add }

// View reports whether the result shows the operand's elements.
func (o Op) View() bool { return o >= Reshape && o <= Broadcast }

// Node is one operation and its result.
type Node struct {
	ID   int
	Op   Op
	In   []*Node
	Dims []int
	Bool bool // the elements are boolean, otherwise float32

	// Ints holds what the operation needs: Iota its axis; reductions the axes;
	// Concatenate the axis; Transpose the permutation; Reverse the axes;
	// Broadcast, for each operand axis, the result's axis; Slice the starts and
	// then the steps; Parameter its number.
	Ints []int
	// Float32 and Bools are the values of a Constant.
	Float32 []float32
	Bools   []bool
	Conv    *Convolution
	Dot     *Contraction
	Pad     *Padding
	Foreign Call
}

// Call is an operation that is computed elsewhere. It may be called by several
// goroutines at once.
type Call interface {
	// Name is the operation's name.
	Name() string
	// Run computes the result from dense operands.
	Run(operands []Memory, result Memory) error
}

// Memory is the elements of a dense tensor: exactly one slice is set. Booleans
// are bytes 0 and 1.
type Memory struct {
	Float32 []float32
	Bytes   []byte
}

// Convolution describes a two-dimensional Conv without groups. Axes are given
// for [batch, channels, height, width] of the input and the output, and
// [input channels, output channels, height, width] of the kernel.
type Convolution struct {
	Input, Kernel, Output                 [4]int
	Stride, InputDilation, KernelDilation [2]int
	PadLow, PadHigh                       [2]int
}

// Contraction describes a Dot of two matrices, each possibly seen from a tensor
// whose first or last axis is contracted.
type Contraction struct {
	// LeftLast and RightLast say that the contracted axis is the operand's last,
	// otherwise it is its first.
	LeftLast, RightLast bool
}

// Padding is the number of fill values before, after and between the elements
// of each axis; none is negative.
type Padding struct{ Low, High, Interior []int }

// Size is the number of elements of the result.
func (n *Node) Size() int { return Size(n.Dims) }

// Size is the number of elements of a shape.
func Size(dims []int) int {
	size := 1
	for _, d := range dims {
		size *= d
	}
	return size
}

// String formats the node as a line of a listing.
func (n *Node) String() string {
	in := make([]string, len(n.In))
	for i, x := range n.In {
		in[i] = fmt.Sprintf("%%%d", x.ID)
	}
	kind := "f32"
	if n.Bool {
		kind = "bool"
	}
	return fmt.Sprintf("%%%d = %s%v %s(%s)", n.ID, kind, n.Dims, n.Op, strings.Join(in, ", "))
}

// Live returns the nodes that the outputs depend on, themselves included, in
// order of creation.
func Live(outputs []*Node) []*Node {
	seen := map[*Node]bool{}
	var live []*Node
	stack := slices.Clone(outputs)
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[n] {
			continue
		}
		seen[n] = true
		live = append(live, n)
		stack = append(stack, n.In...)
	}
	slices.SortFunc(live, func(a, b *Node) int { return a.ID - b.ID })
	return live
}

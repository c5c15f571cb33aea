package sched

import (
	"errors"
	"fmt"
	"slices"

	"github.com/orrery-rl/orrery/backend/cpu/internal/ir"
	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
	"github.com/orrery-rl/orrery/backend/cpu/internal/relation"
)

// ErrUnsupported is wrapped by Compile for graphs it cannot lower.
var ErrUnsupported = errors.New("sched: unsupported operation")

// lowering turns nodes into steps, in one walk in topological order.
//
// A view costs nothing and becomes strides of whoever reads it. An element-wise
// node joins the cluster of an operand that is still open; a cluster closes, and
// takes its place among the steps, when something outside it reads a result.
type lowering struct {
	table   *kernel.Table
	workers int

	steps    []step
	storages []*storage
	views    map[*ir.Node]view
	member   map[*ir.Node]membership
}

// membership says which instruction of which cluster computes a node.
type membership struct {
	cluster *clusterStep
	instr   int
}

func (l *lowering) alloc(size int, isBool bool) *storage {
	st := &storage{id: len(l.storages), size: size, isBool: isBool}
	l.storages = append(l.storages, st)
	return st
}

func (l *lowering) constant(values []float32) *storage {
	st := l.alloc(len(values), false)
	st.kind, st.f32 = isConstant, values
	return st
}

// lower lowers one node.
func (l *lowering) lower(n *ir.Node) error {
	switch {
	case n.Op == ir.Parameter:
		st := l.alloc(n.Size(), n.Bool)
		st.kind, st.index = isInput, n.Ints[0]
		l.views[n] = dense(st, n.Dims)
	case n.Op == ir.Constant:
		st := l.constant(n.Float32)
		if n.Bool {
			st.size, st.isBool, st.bools = len(n.Bools), true, boolBytes(n.Bools)
		}
		l.views[n] = dense(st, n.Dims)
	case n.Op == ir.Iota:
		l.views[n] = dense(l.constant(indices(n.Dims, n.Ints[0])), n.Dims)
	case n.Op.View():
		l.lowerView(n)
	case n.Op.ElementWise():
		l.lowerElementWise(n)
	default:
		return l.lowerHeavy(n)
	}
	return nil
}

func (l *lowering) lowerHeavy(n *ir.Node) error {
	switch n.Op {
	case ir.Dot:
		return l.lowerDot(n)
	case ir.Conv:
		return l.lowerConv(n)
	case ir.ReduceSum, ir.ReduceMax, ir.ReduceMin:
		return l.lowerReduce(n)
	case ir.Concatenate:
		l.lowerConcatenate(n)
	case ir.Pad:
		l.lowerPad(n)
	case ir.Foreign:
		l.lowerForeign(n)
	default:
		return fmt.Errorf("%w: %s", ErrUnsupported, n)
	}
	return nil
}

// view is how an outside consumer sees a node's result; it closes the cluster
// that computes it.
func (l *lowering) view(n *ir.Node) view {
	if m, ok := l.member[n]; ok {
		l.close(m.cluster)
		return dense(m.cluster.export(m.instr, l.alloc, n.Bool), n.Dims)
	}
	return l.views[n]
}

func (l *lowering) close(c *clusterStep) {
	if !c.closed {
		c.closed = true
		l.steps = append(l.steps, c)
	}
}

// closeAll closes the clusters that nothing has closed yet.
func (l *lowering) closeAll(nodes []*ir.Node) {
	for _, n := range nodes {
		if m, ok := l.member[n]; ok {
			l.close(m.cluster)
		}
	}
}

func (l *lowering) materialise(v view, why string) view {
	out := dense(l.alloc(v.size(), v.st.isBool), v.dims)
	l.steps = append(l.steps, newCopy(out, v, why))
	return out
}

func (l *lowering) lowerView(n *ir.Node) {
	v := l.view(n.In[0])
	switch n.Op {
	case ir.Transpose:
		v = v.transpose(n.Ints)
	case ir.Slice:
		rank := len(n.Dims)
		v = v.slice(n.Ints[:rank], n.Ints[rank:], n.Dims)
	case ir.Reverse:
		v = v.reverse(n.Ints)
	case ir.Broadcast:
		v = v.broadcast(n.Ints, n.Dims)
	case ir.Reshape:
		shaped, ok := v.reshape(n.Dims)
		if !ok {
			shaped, _ = l.materialise(v, "reshape").reshape(n.Dims)
		}
		v = shaped
	}
	l.views[n] = v
}

// lowerElementWise adds a node to a cluster.
func (l *lowering) lowerElementWise(n *ir.Node) {
	c := l.openCluster(n)
	in := instr{op: n.Op, n: len(n.In)}
	for k, x := range n.In {
		if m, ok := l.member[x]; ok && m.cluster == c {
			in.args[k] = m.instr
			continue
		}
		in.args[k] = c.input(alongside(l.view(x), n.Dims))
	}
	l.member[n] = membership{c, len(c.instrs)}
	c.instrs, c.nodes = append(c.instrs, in), append(c.nodes, n)
}

// openCluster returns the cluster that n joins: those of its operands of the
// same shape that are still open, made one, or a new one. Open clusters never
// depend on each other, because nothing outside a cluster has read its results.
func (l *lowering) openCluster(n *ir.Node) *clusterStep {
	c := &clusterStep{dims: n.Dims, size: n.Size()}
	for _, x := range n.In {
		m, ok := l.member[x]
		if !ok || m.cluster == c || m.cluster.closed || !slices.Equal(x.Dims, n.Dims) {
			continue
		}
		if other := m.cluster; len(c.instrs)+len(other.instrs) < maxInstrs && len(c.inputs)+len(other.inputs)+len(n.In) <= maxInputs {
			c = l.join(other, c)
		}
	}
	return c
}

// join moves what c computes to the cluster into, which it returns.
func (l *lowering) join(into, c *clusterStep) *clusterStep {
	first := into.append(c)
	for i, n := range c.nodes {
		l.member[n] = membership{into, first + i}
	}
	return into
}

// alongside views an operand with the shape of the result: scalars and axes of
// length 1 repeat.
func alongside(v view, dims []int) view {
	out := view{st: v.st, off: v.off, dims: dims, strides: make([]int, len(dims))}
	if v.size() == 1 {
		return out
	}
	for i := range dims {
		if v.dims[i] == dims[i] {
			out.strides[i] = v.strides[i]
		}
	}
	return out
}

func (l *lowering) lowerConcatenate(n *ir.Node) {
	out := dense(l.alloc(n.Size(), n.Bool), n.Dims)
	axis, at := n.Ints[0], 0
	for _, x := range n.In {
		v := l.view(x)
		part := view{st: out.st, off: at * out.strides[axis], dims: v.dims, strides: out.strides}
		l.steps = append(l.steps, newCopy(part, v, "concatenate"))
		at += v.dims[axis]
	}
	l.views[n] = out
}

func (l *lowering) lowerPad(n *ir.Node) {
	out := dense(l.alloc(n.Size(), false), n.Dims)
	l.steps = append(l.steps, &fillStep{dst: out.st, value: l.view(n.In[1])})
	v := l.view(n.In[0])
	part := view{st: out.st, dims: v.dims, strides: make([]int, len(v.dims))}
	for i := range v.dims {
		part.off += n.Pad.Low[i] * out.strides[i]
		part.strides[i] = out.strides[i] * (n.Pad.Interior[i] + 1)
	}
	l.steps = append(l.steps, newCopy(part, v, "pad"))
	l.views[n] = out
}

// lowerReduce brings the reduced axes together: in place when they are adjacent,
// else by a copy that puts them last.
func (l *lowering) lowerReduce(n *ir.Node) error {
	v := l.view(n.In[0])
	axes := slices.Sorted(slices.Values(n.Ints))
	if len(axes) == 0 {
		l.views[n] = v
		return nil
	}
	adjacent := axes[len(axes)-1]-axes[0] == len(axes)-1
	if !adjacent || !v.contiguous() {
		v, axes = l.reducedLast(v, axes)
	}
	outer, middle, inner := 1, 1, 1
	for i, d := range v.dims {
		switch {
		case i < axes[0]:
			outer *= d
		case i <= axes[len(axes)-1]:
			middle *= d
		default:
			inner *= d
		}
	}
	out := l.alloc(n.Size(), false)
	s := newReduce(n.Op, out, v, outer, middle, inner)
	if s.blocks > 1 {
		s.scratch = l.alloc(s.blocks*inner, false)
	}
	l.steps = append(l.steps, s)
	l.views[n] = dense(out, n.Dims)
	return nil
}

func (l *lowering) reducedLast(v view, axes []int) (view, []int) {
	var permutation, moved []int
	for i := range v.dims {
		if !slices.Contains(axes, i) {
			permutation = append(permutation, i)
		}
	}
	for range axes {
		moved = append(moved, len(permutation)+len(moved))
	}
	v = v.transpose(append(permutation, axes...))
	if !v.contiguous() {
		v = l.materialise(v, "reduce")
	}
	return v, moved
}

// lowerDot lowers a contraction of one axis, which is the first or the last of
// each operand, to a product of matrices with strides.
func (l *lowering) lowerDot(n *ir.Node) error {
	left := l.matrix(n.In[0], n.Dot.LeftLast)
	right := l.matrix(n.In[1], n.Dot.RightLast)
	out := l.alloc(n.Size(), false)
	spec := relation.DotSpec{
		M: left.free, N: right.free, K: left.contracted,
		A: relation.Matrix{Offset: left.off, Row: left.freeStride, Col: left.contractedStride},
		B: relation.Matrix{Offset: right.off, Row: right.contractedStride, Col: right.freeStride},
		C: relation.Matrix{Row: right.free, Col: 1},
	}
	product, err := relation.NewDot(l.table, spec, l.workers)
	if err != nil {
		return unsupported(n, err)
	}
	l.multiply(&productStep{
		dst: out, x: left.st, w: right.st, product: product, operands: (spec.M + spec.N) * spec.K,
		what: fmt.Sprintf("dot [%d, %d] x [%d, %d]", spec.M, spec.K, spec.K, spec.N),
	})
	l.views[n] = dense(out, n.Dims)
	return nil
}

// unsupported says that n cannot be lowered because a product refuses it, or
// why it is wrong.
func unsupported(n *ir.Node, err error) error {
	if errors.Is(err, relation.ErrUnsupported) {
		return fmt.Errorf("%w: %s: %w", ErrUnsupported, n, err)
	}
	return fmt.Errorf("%s: %w", n, err)
}

// matrix is an operand of a Dot: its free axes as one, and the contracted one.
type matrix struct {
	st                           *storage
	off                          int
	free, freeStride             int
	contracted, contractedStride int
}

// matrix shows an operand as a matrix; free axes that cannot be walked with one
// stride are copied.
func (l *lowering) matrix(x *ir.Node, last bool) matrix {
	v := l.view(x)
	at := 0
	if last {
		at = len(v.dims) - 1
	}
	free := func() collapsed {
		return collapse([][]int{slices.Concat(v.strides[:at], v.strides[at+1:])}, slices.Concat(v.dims[:at], v.dims[at+1:]))
	}
	axes := free()
	if len(axes.dims) > 1 {
		v = l.materialise(v, "dot")
		axes = free()
	}
	m := matrix{st: v.st, off: v.off, free: 1, freeStride: 1, contracted: v.dims[at], contractedStride: v.strides[at]}
	if len(axes.dims) == 1 {
		m.free, m.freeStride = axes.dims[0], axes.strides[0][0]
	}
	return m
}

func (l *lowering) multiply(s *productStep) {
	l.steps = append(l.steps, s)
}

func (l *lowering) lowerConv(n *ir.Node) error {
	x, w, c := l.view(n.In[0]), l.view(n.In[1]), n.Conv
	out := dense(l.alloc(n.Size(), false), n.Dims)
	spec := relation.ConvSpec{
		Batch: x.dims[c.Input[0]], InChannels: x.dims[c.Input[1]], OutChannels: w.dims[c.Kernel[1]],
		Input:  [2]int{x.dims[c.Input[2]], x.dims[c.Input[3]]},
		Kernel: [2]int{w.dims[c.Kernel[2]], w.dims[c.Kernel[3]]},
		X:      layout(x, c.Input), W: layout(w, c.Kernel), Out: layout(out, c.Output),
		Stride: c.Stride, InputDilation: c.InputDilation, KernelDilation: c.KernelDilation,
		PadLow: c.PadLow, PadHigh: c.PadHigh,
	}
	product, err := relation.NewConv(l.table, spec, l.workers)
	if err != nil {
		return unsupported(n, err)
	}
	l.multiply(&productStep{
		dst: out.st, x: x.st, w: w.st, product: product, operands: x.size() + w.size(),
		what: fmt.Sprintf("conv %v * %v", n.In[0].Dims, n.In[1].Dims),
	})
	l.views[n] = out
	return nil
}

func layout(v view, axes [4]int) relation.Layout {
	return relation.Layout{
		Offset: v.off, Outer: v.strides[axes[0]], Inner: v.strides[axes[1]],
		Height: v.strides[axes[2]], Width: v.strides[axes[3]],
	}
}

func boolBytes(values []bool) []byte {
	out := make([]byte, len(values))
	for i, v := range values {
		if v {
			out[i] = 1
		}
	}
	return out
}

// indices is the index along an axis of every element.
func indices(dims []int, axis int) []float32 {
	out := make([]float32, ir.Size(dims))
	inner := ir.Size(dims[axis+1:])
	for i := range out {
		out[i] = float32(i / inner % dims[axis])
	}
	return out
}

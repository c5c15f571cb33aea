package sched

import (
	"github.com/orrery-rl/orrery/backend/cpu/internal/ir"
	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
)

// evaluator computes tiles of a cluster on one worker.
type evaluator struct {
	c       *clusterStep
	r       *run
	vec     *kernel.VecKernels
	scratch []float32
	filled  []bool // inputs whose tile holds the first elements
	// generation is the run's count when the evaluator was started.
	generation int
	args       [3][]float32
}

// start prepares the evaluator for a cluster: scalars fill their tile once.
func (e *evaluator) start(r *run, c *clusterStep) {
	e.c, e.r, e.vec = c, r, r.vec
	if need := c.slots * c.tile; len(e.scratch) < need {
		e.scratch = make([]float32, need)
	}
	if len(e.filled) < len(c.inputs) {
		e.filled = make([]bool, len(c.inputs))
	}
	clear(e.filled)
	for i := range c.inputs {
		in := &c.inputs[i]
		if in.kind == accessScalar {
			e.vec.Fill(e.slot(in.slot), e.element(in, in.view.off))
		}
	}
}

func (e *evaluator) slot(i int) []float32 { return e.scratch[i*e.c.tile:][:e.c.tile] }

// element is one element of an input as a number.
func (e *evaluator) element(in *clusterInput, at int) float32 {
	if in.view.st.isBool {
		return float32(e.r.bytes(in.view.st)[at])
	}
	return e.r.f32(in.view.st)[at]
}

// tile computes elements [from, from+n) of every output.
func (e *evaluator) tile(from, n int) {
	for i := range e.c.inputs {
		e.load(i, from, n)
	}
	for i := range e.c.instrs {
		in := &e.c.instrs[i]
		for k := range in.n {
			e.args[k] = e.value(in.args[k], from, n)
		}
		e.compute(in.op, e.target(in, from, n), e.args[0], e.args[1], e.args[2])
	}
	for _, o := range e.c.outputs {
		e.store(o, from, n)
	}
}

// load brings the tile of an input into its slot. A tile of whole periods
// serves every range that begins with a period.
func (e *evaluator) load(i, from, n int) {
	in := &e.c.inputs[i]
	switch {
	case in.kind == accessScalar:
	case in.kind == accessFull && !in.view.st.isBool:
	case in.kind == accessFull:
		at := in.view.off + from
		e.vec.BoolToMask(e.slot(in.slot)[:n], e.r.bytes(in.view.st)[at:at+n])
	case in.kind == accessRepeated && e.c.tile%in.period() == 0 && from%in.period() == 0:
		if !e.filled[i] {
			e.walk(in, 0, min(e.c.tile, e.c.size))
			e.filled[i] = true
		}
	default:
		e.filled[i] = false
		e.walk(in, from, n)
	}
}

// walk gathers elements [from, from+n) of an input by its strides.
func (e *evaluator) walk(in *clusterInput, from, n int) {
	if in.view.st.isBool {
		src := e.r.bytes(in.view.st)
		gather(e.slot(in.slot)[:n], in, from, func(dst []float32, at, step int) {
			for i := range dst {
				dst[i] = float32(src[at+i*step])
			}
		})
		return
	}
	src := e.r.f32(in.view.st)
	gather(e.slot(in.slot)[:n], in, from, func(dst []float32, at, step int) {
		switch step {
		case 1:
			copy(dst, src[at:at+len(dst)])
		case 0:
			e.vec.Fill(dst, src[at])
		default:
			for i := range dst {
				dst[i] = src[at+i*step]
			}
		}
	})
}

// gather cuts dst into runs along the innermost axis of the input's walk.
func gather(dst []float32, in *clusterInput, from int, row func(dst []float32, at, step int)) {
	dims, strides := in.walk.dims, in.walk.strides[0]
	last := len(dims) - 1
	for len(dst) > 0 {
		at, rest := in.view.off, from/dims[last]
		inner := from % dims[last]
		for k := last - 1; k >= 0; k-- {
			at += rest % dims[k] * strides[k]
			rest /= dims[k]
		}
		n := min(len(dst), dims[last]-inner)
		row(dst[:n], at+inner*strides[last], strides[last])
		dst = dst[n:]
		from += n
	}
}

// value is the tile of an operand.
func (e *evaluator) value(id, from, n int) []float32 {
	if id < 0 {
		in := &e.c.inputs[-1-id]
		if in.kind == accessFull && !in.view.st.isBool {
			return e.r.f32(in.view.st)[in.view.off+from:][:n]
		}
		return e.slot(in.slot)[:n]
	}
	return e.target(&e.c.instrs[id], from, n)
}

// target is where the tile of an instruction lies.
func (e *evaluator) target(in *instr, from, n int) []float32 {
	if in.slot < 0 {
		return e.r.f32(e.c.outputs[in.out].st)[from : from+n]
	}
	return e.slot(in.slot)[:n]
}

// store writes an output that the instruction did not write itself.
func (e *evaluator) store(o clusterOutput, from, n int) {
	in := &e.c.instrs[o.value]
	switch {
	case o.st.isBool:
		e.vec.MaskToBool(e.r.bytes(o.st)[from:from+n], e.target(in, from, n))
	case e.c.outputs[in.out].st != o.st:
		copy(e.r.f32(o.st)[from:from+n], e.target(in, from, n))
	}
}

// compute applies one operation; conditions and boolean values are 0 or 1.
func (e *evaluator) compute(op ir.Op, dst, a, b, c []float32) {
	v := e.vec
	switch op {
	case ir.Add:
		v.Add(dst, a, b)
	case ir.Sub:
		v.Sub(dst, a, b)
	case ir.Mul, ir.And:
		v.Mul(dst, a, b)
	case ir.Div:
		v.Div(dst, a, b)
	case ir.Max, ir.Or:
		v.Max(dst, a, b)
	case ir.Min:
		v.Min(dst, a, b)
	case ir.Neg:
		v.Neg(dst, a)
	case ir.Abs:
		v.Abs(dst, a)
	case ir.Sign:
		v.Sign(dst, a)
	case ir.Sqrt:
		v.Sqrt(dst, a)
	case ir.Rsqrt:
		v.Rsqrt(dst, a)
	case ir.Exp:
		v.Exp(dst, a)
	case ir.Expm1:
		v.Expm1(dst, a)
	case ir.Log:
		v.Log(dst, a)
	case ir.Log1p:
		v.Log1p(dst, a)
	case ir.Tanh:
		v.Tanh(dst, a)
	case ir.Logistic:
		v.Logistic(dst, a)
	case ir.Identity, ir.ToFloat:
		copy(dst, a)
	case ir.Equal:
		v.Eq(dst, a, b)
	case ir.NotEqual:
		v.Ne(dst, a, b)
	case ir.Less:
		v.Lt(dst, a, b)
	case ir.LessEqual:
		v.Le(dst, a, b)
	case ir.Greater:
		v.Gt(dst, a, b)
	case ir.GreaterEqual:
		v.Ge(dst, a, b)
	case ir.Not:
		v.RSubS(dst, a, 1)
	case ir.Select:
		v.Select(dst, a, b, c)
	}
}

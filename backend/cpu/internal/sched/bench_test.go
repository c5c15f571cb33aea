package sched

import (
	"context"
	"slices"
	"testing"

	"github.com/orrery-rl/orrery/backend/cpu/internal/ir"
	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
	"github.com/orrery-rl/orrery/backend/cpu/internal/pool"
)

// modelGraphs are the steps without products that an update of the paper's size
// spends most time in, a tenth of its images where there are any.
func modelGraphs() map[string]func(b *builder) []*ir.Node {
	return map[string]func(b *builder) []*ir.Node{
		"Adam/3276800":           func(b *builder) []*ir.Node { return b.adam(1024, 5, 5, 128) },
		"Relu/250x31x31x32":      func(b *builder) []*ir.Node { return b.biasRelu(250, 31, 31, 32) },
		"GRU/50x200":             func(b *builder) []*ir.Node { return b.gate(50, 200) },
		"BiasGradient/240250x32": func(b *builder) []*ir.Node { return b.sum([]int{240250, 32}, 0) },
		"BiasGradient/1024000x3": func(b *builder) []*ir.Node { return b.sum([]int{1024000, 3}, 0) },
		"Loss/3072000":           func(b *builder) []*ir.Node { return b.sum([]int{3072000}, 0) },
		"Transpose/3200x1024":    func(b *builder) []*ir.Node { return b.transposed(3200, 1024) },
		"Concatenate/50x200+30":  func(b *builder) []*ir.Node { return b.joined(50, 200, 30) },
	}
}

// adam is an optimiser step: next moments and parameter.
func (b *builder) adam(dims ...int) []*ir.Node {
	w, g, m, v := b.param(dims...), b.param(dims...), b.param(dims...), b.param(dims...)
	scale := func(x *ir.Node, s float32) *ir.Node {
		c := b.node(ir.Constant, nil)
		c.Float32 = []float32{s}
		return b.node(ir.Mul, dims, x, c)
	}
	m2 := b.node(ir.Add, dims, scale(m, 0.9), scale(g, 0.1))
	v2 := b.node(ir.Add, dims, scale(v, 0.999), scale(b.node(ir.Mul, dims, g, g), 0.001))
	step := b.node(ir.Div, dims, scale(m2, 0.001), b.node(ir.Sqrt, dims, v2))
	return []*ir.Node{b.node(ir.Sub, dims, w, step), m2, v2}
}

func (b *builder) biasRelu(dims ...int) []*ir.Node {
	x, bias := b.param(dims...), b.param(dims[len(dims)-1])
	row, zero := b.node(ir.Broadcast, dims, bias), b.node(ir.Constant, nil)
	row.Ints, zero.Float32 = []int{len(dims) - 1}, []float32{0}
	return []*ir.Node{b.node(ir.Max, dims, b.node(ir.Add, dims, x, row), zero)}
}

// gate is u*h + (1-u)*tanh(c) with u = logistic(z).
func (b *builder) gate(dims ...int) []*ir.Node {
	z, h, c, one := b.param(dims...), b.param(dims...), b.param(dims...), b.node(ir.Constant, nil)
	one.Float32 = []float32{1}
	u := b.node(ir.Logistic, dims, z)
	kept, fresh := b.node(ir.Mul, dims, u, h), b.node(ir.Mul, dims, b.node(ir.Sub, dims, one, u), b.node(ir.Tanh, dims, c))
	return []*ir.Node{b.node(ir.Add, dims, kept, fresh)}
}

func (b *builder) sum(dims []int, axes ...int) []*ir.Node {
	s := b.node(ir.ReduceSum, slices.Clone(dims[len(axes):]), b.param(dims...))
	s.Ints = axes
	return []*ir.Node{s}
}

func (b *builder) transposed(rows, cols int) []*ir.Node {
	t := b.node(ir.Transpose, []int{cols, rows}, b.param(rows, cols))
	t.Ints = []int{1, 0}
	return []*ir.Node{t}
}

func (b *builder) joined(rows, left, right int) []*ir.Node {
	c := b.node(ir.Concatenate, []int{rows, left + right}, b.param(rows, left), b.param(rows, right))
	c.Ints = []int{1}
	return []*ir.Node{c}
}

// BenchmarkSteps measures steps without products at the model's shapes, on one
// thread. MB/s counts what is read and written, once each.
func BenchmarkSteps(b *testing.B) {
	for _, path := range kernel.Available() {
		table, err := kernel.New(path)
		if err != nil {
			b.Fatal(err)
		}
		for name, graph := range modelGraphs() {
			b.Run(path.String()+"/"+name, func(b *testing.B) {
				var g builder
				benchmarkGraph(b, table, &g, graph(&g))
			})
		}
	}
}

func benchmarkGraph(b *testing.B, table *kernel.Table, g *builder, outputs []*ir.Node) {
	p, err := Compile(outputs, table, 1)
	if err != nil {
		b.Fatal(err)
	}
	workers := pool.New(1)
	defer workers.Close()
	in, out := make([]Buffers, g.params), make([]Buffers, len(outputs))
	for _, n := range ir.Live(outputs) {
		if n.Op == ir.Parameter {
			in[n.Ints[0]].Float32 = slices.Repeat([]float32{1.25}, n.Size())
		}
	}
	for i, o := range p.Outputs() {
		out[i].Float32 = make([]float32, o.Size)
	}
	bytes := int64(0)
	for _, s := range p.Steps() {
		bytes += s.Read + s.Written
	}
	b.SetBytes(bytes)
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Run(context.Background(), workers, in, out); err != nil {
			b.Fatal(err)
		}
	}
}

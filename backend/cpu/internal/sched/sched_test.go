package sched

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/backend/cpu/internal/ir"
	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
	"github.com/orrery-rl/orrery/backend/cpu/internal/pool"
)

// builder numbers nodes.
type builder struct{ nodes, params int }

func (b *builder) node(op ir.Op, dims []int, in ...*ir.Node) *ir.Node {
	b.nodes++
	return &ir.Node{ID: b.nodes, Op: op, Dims: dims, In: in}
}

func (b *builder) param(dims ...int) *ir.Node {
	n := b.node(ir.Parameter, dims)
	n.Ints = []int{b.params}
	b.params++
	return n
}

// layer is max(x*w + bias, 0) with x [m, k] and w [k, n].
func (b *builder) layer(m, k, n int) *ir.Node {
	x, w, bias := b.param(m, k), b.param(k, n), b.param(n)
	dot := b.node(ir.Dot, []int{m, n}, x, w)
	dot.Dot = &ir.Contraction{LeftLast: true}
	row := b.node(ir.Broadcast, []int{m, n}, bias)
	row.Ints = []int{1}
	zero := b.node(ir.Constant, nil)
	zero.Float32 = []float32{0}
	return b.node(ir.Max, []int{m, n}, b.node(ir.Add, []int{m, n}, dot, row), zero)
}

func compile(t *testing.T, outputs ...*ir.Node) *Program {
	t.Helper()
	table, err := kernel.New(kernel.Detect())
	if err != nil {
		t.Fatal(err)
	}
	p, err := Compile(outputs, table, 2)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func execute(t *testing.T, p *Program, inputs ...[]float32) [][]float32 {
	t.Helper()
	workers := pool.New(2)
	defer workers.Close()
	var in, out []Buffers
	for _, values := range inputs {
		in = append(in, Buffers{Float32: values})
	}
	for _, o := range p.Outputs() {
		out = append(out, Buffers{Float32: make([]float32, o.Size)})
	}
	if err := p.Run(context.Background(), workers, in, out); err != nil {
		t.Fatal(err)
	}
	var values [][]float32
	for _, o := range out {
		values = append(values, o.Float32)
	}
	return values
}

func TestLayerIsOneStep(t *testing.T) {
	var b builder
	p := compile(t, b.layer(2, 3, 2))
	var dump strings.Builder
	if err := p.Dump(&dump); err != nil {
		t.Fatal(err)
	}
	if len(p.steps) != 1 || !strings.Contains(dump.String(), "then cluster [2 2], 3 inputs, 1 outputs: add max") {
		t.Errorf("schedule:\n%s", &dump)
	}
	if p.arena != 0 {
		t.Errorf("%d floats of intermediate results, want none: the layer overwrites the product", p.arena)
	}
	// [1 2 3; 4 5 6] * [1 0; 0 1; 1 -3] = [4 -7; 10 -13]
	out := execute(t, p, []float32{1, 2, 3, 4, 5, 6}, []float32{1, 0, 0, 1, 1, -3}, []float32{1, 8})
	if want := []float32{5, 1, 11, 0}; !slices.Equal(out[0], want) {
		t.Errorf("got %v, want %v", out[0], want)
	}
}

func TestProductThatOthersReadIsNotOverwritten(t *testing.T) {
	var b builder
	layer := b.layer(2, 3, 2)
	product := layer.In[0].In[0]
	p := compile(t, layer, product)
	out := execute(t, p, []float32{1, 2, 3, 4, 5, 6}, []float32{1, 0, 0, 1, 1, -3}, []float32{1, 8})
	if want := []float32{4, -7, 10, -13}; !slices.Equal(out[1], want) {
		t.Errorf("got %v, want %v", out[1], want)
	}
}

func TestOpenClustersJoin(t *testing.T) {
	var b builder
	x, y := b.param(100), b.param(100)
	left, right := b.node(ir.Neg, x.Dims, x), b.node(ir.Abs, y.Dims, y)
	p := compile(t, b.node(ir.Mul, x.Dims, left, right), b.node(ir.Exp, x.Dims, right))
	if len(p.steps) != 1 {
		t.Errorf("%d steps, want 1: %v", len(p.steps), p.steps)
	}
}

func TestInPlace(t *testing.T) {
	var b builder
	x, y, z := b.param(10), b.param(10), b.param(1)
	p := compile(t, b.node(ir.Add, x.Dims, x, z), b.node(ir.Sub, x.Dims, y, b.node(ir.Neg, x.Dims, x)))
	// The first output is written while x is still needed, and z has another size.
	if got := p.InPlace(); !slices.Equal(got, []int{-1, 0}) {
		t.Errorf("outputs take the memory of inputs %v, want none and 0", got)
	}
	reversed := b.node(ir.Reverse, x.Dims, x)
	reversed.Ints = []int{0}
	if got := compile(t, b.node(ir.Add, x.Dims, x, reversed)).InPlace(); got[0] != -1 {
		t.Errorf("x plus x reversed overwrites input %d", got[0])
	}
}

// TestPlaces checks that what lives at the same time lies apart, for random
// lives.
func TestPlaces(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var all []*storage
		for range random.IntN(40) {
			first := random.IntN(30)
			all = append(all, &storage{size: 1 + random.IntN(1000), first: first, last: first + random.IntN(10)})
		}
		size := place(all, false)
		for i, a := range all {
			if a.index < 0 || a.index+a.size > size {
				t.Fatalf("[%d, %d) is outside of the arena of %d", a.index, a.index+a.size, size)
			}
			for _, b := range all[:i] {
				together := a.first <= b.last && b.first <= a.last
				if together && a.index < b.index+b.size && b.index < a.index+a.size {
					t.Fatalf("%+v and %+v overlap", *a, *b)
				}
			}
		}
	}
}

// TestRunDoesNotAllocate covers every kind of step: products with and without an
// epilogue, packed weights, clusters, copies, padding and reductions of both forms.
func TestRunDoesNotAllocate(t *testing.T) {
	b := &builder{}
	x, w := b.param(256, 64), b.param(64, 64)
	dot := func(x *ir.Node) *ir.Node {
		n := b.node(ir.Dot, []int{256, 64}, x, w)
		n.Dot = &ir.Contraction{LeftLast: true}
		return n
	}
	h := b.node(ir.Tanh, []int{256, 64}, dot(dot(x)))
	joined := b.node(ir.Concatenate, []int{256, 128}, h, x)
	joined.Ints = []int{1}
	reduce := func(op ir.Op, dims []int, axes ...int) *ir.Node {
		n := b.node(op, dims, joined)
		n.Ints = axes
		return n
	}
	rows, columns, all := reduce(ir.ReduceSum, []int{256}, 1), reduce(ir.ReduceSum, []int{128}, 0), reduce(ir.ReduceMax, nil, 0, 1)
	p := compile(t, rows, columns, all)
	workers := pool.New(2)
	defer workers.Close()
	in := []Buffers{{Float32: make([]float32, 256*64)}, {Float32: make([]float32, 64*64)}}
	var out []Buffers
	for _, o := range p.Outputs() {
		out = append(out, Buffers{Float32: make([]float32, o.Size)})
	}
	allocs := testing.AllocsPerRun(100, func() {
		if err := p.Run(context.Background(), workers, in, out); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		var text strings.Builder
		_ = p.Dump(&text)
		t.Errorf("%g allocations per run of\n%s", allocs, text.String())
	}
}

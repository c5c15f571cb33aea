package cpu_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	"pgregory.net/rapid"

	"github.com/orrery-rl/orrery/backend/cpu"
)

// TestRandomGraphs runs random graphs here and on the reference backend. All
// elements are small integers, so that every order of summation gives the same
// bits and equality can be demanded.
func TestRandomGraphs(t *testing.T) {
	reference, err := gobackend.New("")
	if err != nil {
		t.Fatal(err)
	}
	defer reference.Finalize()
	for _, path := range cpu.Paths() {
		t.Run(path, func(t *testing.T) {
			b, err := cpu.New(cpu.Config{Path: path, Precision: "f32", Threads: 3})
			if err != nil {
				t.Fatal(err)
			}
			defer b.Finalize()
			rapid.Check(t, func(t *rapid.T) {
				p := drawProgram(t)
				want := p.run(t, reference)
				got := p.run(t, b)
				for i := range want {
					if at := mismatch(got[i], want[i]); at != "" {
						t.Fatalf("output %d: %s\n%s", i, at, p)
					}
				}
			})
		})
	}
}

// limit bounds the magnitude of elements: sums of such integers are exact.
const limit = 1 << 20

// value is a result of a random program: its operation is a function of earlier
// results.
type value struct {
	name  string
	dims  []int
	bool  bool
	bound int // no element is larger
	in    []int
	build func(f compute.Function, in []compute.Value) (compute.Value, error)
}

type program struct {
	values  []value
	inputs  [][]float32
	donate  []bool
	outputs []int
}

func (p *program) String() string {
	var b strings.Builder
	for i, v := range p.values {
		fmt.Fprintf(&b, "%d: %v %s %v\n", i, v.dims, v.name, v.in)
	}
	fmt.Fprintf(&b, "outputs %v", p.outputs)
	return b.String()
}

// run builds, compiles and executes the program; boolean results come back as
// 0 and 1.
func (p *program) run(t *rapid.T, b compute.Backend) [][]float32 {
	builder := b.Builder("random")
	f := builder.Main()
	values := make([]compute.Value, len(p.values))
	var buffers []compute.Buffer
	for i, v := range p.values {
		var err error
		if i < len(p.inputs) {
			shape := shapes.Make(dtypes.Float32, v.dims...)
			values[i], err = f.Parameter(fmt.Sprint(i), shape, nil)
			buf, bufErr := b.BufferFromFlatData(0, p.inputs[i], shape)
			if bufErr != nil {
				t.Fatal(bufErr)
			}
			buffers = append(buffers, buf)
		} else {
			var in []compute.Value
			for _, k := range v.in {
				in = append(in, values[k])
			}
			values[i], err = v.build(f, in)
		}
		if err != nil {
			t.Fatalf("%d: %v\n%s", i, err, p)
		}
	}
	var outputs []compute.Value
	for _, i := range p.outputs {
		outputs = append(outputs, values[i])
	}
	if err := f.Return(outputs, nil); err != nil {
		t.Fatal(err)
	}
	return execute(t, builder, p, buffers)
}

// execute compiles and runs the program, and checks that it leaves inputs alone
// that are not donated.
func execute(t *rapid.T, builder compute.Builder, p *program, inputs []compute.Buffer) [][]float32 {
	e, err := builder.Compile()
	if err != nil {
		t.Fatal(err)
	}
	defer e.Finalize()
	if ours, ok := e.(*cpu.Executable); ok && !ours.Native() {
		t.Fatal("the graph was left to the reference backend")
	}
	results, err := e.Execute(inputs, p.donate, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := make([][]float32, len(results))
	for i, r := range results {
		data, err := r.Data()
		if err != nil {
			t.Fatal(err)
		}
		switch data := data.(type) {
		case []float32:
			out[i] = slices.Clone(data)
		case []bool:
			for _, v := range data {
				out[i] = append(out[i], map[bool]float32{true: 1}[v])
			}
		}
		if err := r.Finalize(); err != nil {
			t.Fatal(err)
		}
	}
	for i, in := range inputs {
		if p.donate[i] {
			continue
		}
		data, err := in.Data()
		if err != nil || mismatch(data.([]float32), p.inputs[i]) != "" {
			t.Fatalf("input %d changed: %v", i, err)
		}
	}
	return out
}

func mismatch(got, want []float32) string {
	if len(got) != len(want) {
		return fmt.Sprintf("%d elements, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			return fmt.Sprintf("element %d is %v, want %v", i, got[i], want[i])
		}
	}
	return ""
}

// drawProgram draws inputs, operations and outputs. Every result is used: what
// nothing reads is an output.
func drawProgram(t *rapid.T) *program {
	p := &program{}
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	for range rapid.IntRange(1, 3).Draw(t, "inputs") {
		v := value{name: "input", dims: drawDims(t), bound: 3}
		data := make([]float32, size(v.dims))
		for i := range data {
			data[i] = float32(random.IntN(7) - 3)
		}
		p.inputs = append(p.inputs, data)
		p.donate = append(p.donate, rapid.Bool().Draw(t, "donate"))
		p.values = append(p.values, v)
	}
	used := map[int]bool{}
	for range rapid.IntRange(1, 20).Draw(t, "operations") {
		v, ok := rapid.SampledFrom(operations()).Draw(t, "operation")(t, p)
		if !ok || size(v.dims) == 0 || size(v.dims) > 1<<17 || v.bound > limit {
			continue
		}
		for _, k := range v.in {
			used[k] = true
		}
		p.values = append(p.values, v)
	}
	extra := rapid.IntRange(len(p.inputs), len(p.values)).Draw(t, "extra output")
	for i := len(p.inputs); i < len(p.values); i++ {
		if !used[i] || i == extra {
			p.outputs = append(p.outputs, i)
		}
	}
	if len(p.outputs) == 0 {
		p.values = append(p.values, value{name: "neg", dims: p.values[0].dims, in: []int{0}, build: unary(compute.Function.Neg)})
		p.outputs = []int{len(p.values) - 1}
	}
	return p
}

func drawDims(t *rapid.T) []int {
	length := rapid.OneOf(rapid.IntRange(1, 5), rapid.SampledFrom([]int{1, 16, 33}))
	return rapid.SliceOfN(length, 0, 4).Draw(t, "dims")
}

func size(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// drawn is an operation that may not apply to what there is.
type drawn func(t *rapid.T, p *program) (value, bool)

func operations() []drawn {
	return []drawn{
		drawUnary, drawUnary, drawBinary, drawBinary, drawBinary, drawCompare, drawLogic, drawWhere, drawToFloat,
		drawTranspose, drawReshape, drawSlice, drawReverse, drawBroadcast, drawConcatenate, drawPad, drawReduce, drawDot, drawConv,
	}
}

// pick draws one of the values that suit, or -1.
func (p *program) pick(t *rapid.T, suits func(v value) bool) int {
	var found []int
	for i, v := range p.values {
		if suits(v) {
			found = append(found, i)
		}
	}
	if len(found) == 0 {
		return -1
	}
	return rapid.SampledFrom(found).Draw(t, "operand")
}

func isFloat(v value) bool { return !v.bool }

type unaryOp func(f compute.Function, x compute.Value) (compute.Value, error)
type binaryOp func(f compute.Function, a, b compute.Value) (compute.Value, error)

func unary(op unaryOp) func(compute.Function, []compute.Value) (compute.Value, error) {
	return func(f compute.Function, in []compute.Value) (compute.Value, error) { return op(f, in[0]) }
}

func drawUnary(t *rapid.T, p *program) (value, bool) {
	ops := map[string]unaryOp{
		"neg": compute.Function.Neg, "abs": compute.Function.Abs, "sign": compute.Function.Sign, "identity": compute.Function.Identity,
	}
	name := rapid.SampledFrom([]string{"neg", "abs", "sign", "identity"}).Draw(t, "unary")
	x := p.pick(t, isFloat)
	v := p.values[x]
	return value{name: name, dims: v.dims, bound: v.bound, in: []int{x}, build: unary(ops[name])}, true
}

// pair draws two operands that broadcast: equal shapes, axes of length 1, or a
// scalar.
func (p *program) pair(t *rapid.T, suits func(v value) bool) (a, b int, dims []int, ok bool) {
	if a = p.pick(t, suits); a < 0 {
		return 0, 0, nil, false
	}
	x := p.values[a]
	b = p.pick(t, func(v value) bool { return suits(v) && broadcasts(x.dims, v.dims) })
	y := p.values[b]
	if len(x.dims) == 0 {
		return a, b, y.dims, true
	}
	dims = slices.Clone(x.dims)
	for i := range y.dims {
		dims[i] = max(dims[i], y.dims[i])
	}
	if rapid.Bool().Draw(t, "swap") {
		a, b = b, a
	}
	return a, b, dims, true
}

func broadcasts(a, b []int) bool {
	if len(a) == 0 || len(b) == 0 {
		return true
	}
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && a[i] != 1 && b[i] != 1 {
			return false
		}
	}
	return true
}

func binary(name string, dims []int, bound, a, b int, op binaryOp) value {
	return value{name: name, dims: dims, bound: bound, in: []int{a, b},
		build: func(f compute.Function, in []compute.Value) (compute.Value, error) { return op(f, in[0], in[1]) }}
}

func drawBinary(t *rapid.T, p *program) (value, bool) {
	a, b, dims, ok := p.pair(t, isFloat)
	if !ok {
		return value{}, false
	}
	x, y := p.values[a].bound, p.values[b].bound
	switch rapid.IntRange(0, 4).Draw(t, "binary") {
	case 0:
		return binary("add", dims, x+y, a, b, compute.Function.Add), true
	case 1:
		return binary("sub", dims, x+y, a, b, compute.Function.Sub), true
	case 2:
		return binary("mul", dims, x*y, a, b, compute.Function.Mul), true
	case 3:
		return binary("max", dims, max(x, y), a, b, compute.Function.Max), true
	default:
		return binary("min", dims, max(x, y), a, b, compute.Function.Min), true
	}
}

func drawCompare(t *rapid.T, p *program) (value, bool) {
	a, b, dims, ok := p.pair(t, isFloat)
	if !ok {
		return value{}, false
	}
	ops := []binaryOp{
		compute.Function.Equal, compute.Function.NotEqual, compute.Function.LessThan,
		compute.Function.LessOrEqual, compute.Function.GreaterThan, compute.Function.GreaterOrEqual,
	}
	op := rapid.IntRange(0, len(ops)-1).Draw(t, "comparison")
	v := binary(fmt.Sprint("compare ", op), dims, 1, a, b, ops[op])
	v.bool = true
	return v, true
}

func isBool(v value) bool { return v.bool }

func drawLogic(t *rapid.T, p *program) (value, bool) {
	a, b, dims, ok := p.pair(t, isBool)
	if !ok {
		return value{}, false
	}
	v := binary("and", dims, 1, a, b, compute.Function.LogicalAnd)
	switch rapid.IntRange(0, 2).Draw(t, "logic") {
	case 1:
		v = binary("or", dims, 1, a, b, compute.Function.LogicalOr)
	case 2:
		v = value{name: "not", dims: p.values[a].dims, bound: 1, in: []int{a}, build: unary(compute.Function.LogicalNot)}
	}
	v.bool = true
	return v, true
}

func drawWhere(t *rapid.T, p *program) (value, bool) {
	c := p.pick(t, isBool)
	if c < 0 {
		return value{}, false
	}
	dims := p.values[c].dims
	fits := func(v value) bool { return isFloat(v) && (len(v.dims) == 0 || slices.Equal(v.dims, dims)) }
	a := p.pick(t, fits)
	b := p.pick(t, fits)
	if a < 0 || b < 0 {
		return value{}, false
	}
	return value{name: "where", dims: dims, bound: max(p.values[a].bound, p.values[b].bound), in: []int{c, a, b},
		build: func(f compute.Function, in []compute.Value) (compute.Value, error) {
			return f.Where(in[0], in[1], in[2])
		}}, true
}

func drawToFloat(t *rapid.T, p *program) (value, bool) {
	x := p.pick(t, isBool)
	if x < 0 {
		return value{}, false
	}
	return value{name: "to float", dims: p.values[x].dims, bound: 1, in: []int{x},
		build: func(f compute.Function, in []compute.Value) (compute.Value, error) {
			return f.ConvertDType(in[0], dtypes.Float32)
		}}, true
}

// view is a value that shows elements of x under other dims.
func (p *program) view(name string, x int, dims []int, build unaryOp) value {
	v := p.values[x]
	return value{name: name, dims: dims, bool: v.bool, bound: v.bound, in: []int{x}, build: unary(build)}
}

func anything(value) bool { return true }

func drawTranspose(t *rapid.T, p *program) (value, bool) {
	x := p.pick(t, anything)
	from := p.values[x].dims
	var axes, dims []int
	for i := range from {
		axes = append(axes, i)
	}
	if len(axes) == 0 {
		return value{}, false
	}
	axes = rapid.Permutation(axes).Draw(t, "permutation")
	for _, a := range axes {
		dims = append(dims, from[a])
	}
	return p.view(fmt.Sprint("transpose ", axes), x, dims, func(f compute.Function, v compute.Value) (compute.Value, error) {
		return f.Transpose(v, axes...)
	}), true
}

func drawReshape(t *rapid.T, p *program) (value, bool) {
	x := p.pick(t, anything)
	var dims []int
	rest := size(p.values[x].dims)
	for rest > 1 {
		var divisors []int
		for d := 1; d <= rest; d++ {
			if rest%d == 0 {
				divisors = append(divisors, d)
			}
		}
		d := rapid.SampledFrom(divisors).Draw(t, "divisor")
		if len(dims) == 3 {
			d = rest
		}
		dims = append(dims, d)
		rest /= d
	}
	return p.view("reshape", x, dims, func(f compute.Function, v compute.Value) (compute.Value, error) {
		return f.Reshape(v, dims...)
	}), true
}

func drawSlice(t *rapid.T, p *program) (value, bool) {
	x := p.pick(t, anything)
	var starts, limits, steps, dims []int
	for _, d := range p.values[x].dims {
		start := rapid.IntRange(0, d-1).Draw(t, "start")
		end := rapid.IntRange(start+1, d).Draw(t, "limit")
		step := rapid.IntRange(1, 3).Draw(t, "step")
		starts, limits, steps = append(starts, start), append(limits, end), append(steps, step)
		dims = append(dims, (end-start+step-1)/step)
	}
	return p.view(fmt.Sprint("slice ", starts, limits, steps), x, dims, func(f compute.Function, v compute.Value) (compute.Value, error) {
		return f.Slice(v, starts, limits, steps)
	}), len(dims) > 0
}

func drawReverse(t *rapid.T, p *program) (value, bool) {
	x := p.pick(t, anything)
	var axes []int
	for i := range p.values[x].dims {
		if rapid.Bool().Draw(t, "reverse") {
			axes = append(axes, i)
		}
	}
	return p.view(fmt.Sprint("reverse ", axes), x, p.values[x].dims, func(f compute.Function, v compute.Value) (compute.Value, error) {
		return f.Reverse(v, axes...)
	}), len(axes) > 0
}

func drawBroadcast(t *rapid.T, p *program) (value, bool) {
	x := p.pick(t, anything)
	var axes, dims []int
	for _, d := range p.values[x].dims {
		if rapid.Bool().Draw(t, "new axis") {
			dims = append(dims, rapid.IntRange(1, 4).Draw(t, "length"))
		}
		if d == 1 && rapid.Bool().Draw(t, "repeat") {
			d = rapid.IntRange(1, 5).Draw(t, "length")
		}
		axes, dims = append(axes, len(dims)), append(dims, d)
	}
	if len(dims) == 0 {
		dims = drawDims(t)
	}
	shape := shapes.Make(dtypes.Float32, dims...)
	if p.values[x].bool {
		shape.DType = dtypes.Bool
	}
	return p.view(fmt.Sprint("broadcast ", axes), x, dims, func(f compute.Function, v compute.Value) (compute.Value, error) {
		return f.BroadcastInDim(v, shape, axes)
	}), len(dims) <= 5
}

func drawConcatenate(t *rapid.T, p *program) (value, bool) {
	a := p.pick(t, func(v value) bool { return len(v.dims) > 0 })
	if a < 0 {
		return value{}, false
	}
	x := p.values[a]
	axis := rapid.IntRange(0, len(x.dims)-1).Draw(t, "axis")
	in, dims, bound := []int{a}, slices.Clone(x.dims), x.bound
	for range rapid.IntRange(0, 2).Draw(t, "more") {
		b := p.pick(t, func(v value) bool {
			if v.bool != x.bool || len(v.dims) != len(x.dims) {
				return false
			}
			for i := range v.dims {
				if i != axis && v.dims[i] != x.dims[i] {
					return false
				}
			}
			return true
		})
		in, bound = append(in, b), max(bound, p.values[b].bound)
		dims[axis] += p.values[b].dims[axis]
	}
	return value{name: fmt.Sprint("concatenate ", axis), dims: dims, bool: x.bool, bound: bound, in: in,
		build: func(f compute.Function, in []compute.Value) (compute.Value, error) { return f.Concatenate(axis, in...) }}, true
}

func drawPad(t *rapid.T, p *program) (value, bool) {
	x := p.pick(t, func(v value) bool { return isFloat(v) && len(v.dims) > 0 })
	fill := p.pick(t, func(v value) bool { return isFloat(v) && len(v.dims) == 0 })
	if x < 0 || fill < 0 {
		return value{}, false
	}
	var config []compute.PadAxis
	var dims []int
	for _, d := range p.values[x].dims {
		c := compute.PadAxis{
			Start: rapid.IntRange(0, 2).Draw(t, "low"), End: rapid.IntRange(0, 2).Draw(t, "high"),
			Interior: rapid.IntRange(0, 2).Draw(t, "interior"),
		}
		config, dims = append(config, c), append(dims, d+c.Start+c.End+c.Interior*(d-1))
	}
	return value{name: fmt.Sprint("pad ", config), dims: dims, bound: max(p.values[x].bound, p.values[fill].bound), in: []int{x, fill},
		build: func(f compute.Function, in []compute.Value) (compute.Value, error) {
			return f.Pad(in[0], in[1], config...)
		}}, true
}

func drawReduce(t *rapid.T, p *program) (value, bool) {
	x := p.pick(t, func(v value) bool { return isFloat(v) && len(v.dims) > 0 })
	if x < 0 {
		return value{}, false
	}
	var axes, dims []int
	count := 1
	for i, d := range p.values[x].dims {
		if rapid.Bool().Draw(t, "reduce") {
			axes, count = append(axes, i), count*d
		} else {
			dims = append(dims, d)
		}
	}
	if len(axes) == 0 {
		return value{}, false
	}
	switch rapid.IntRange(0, 2).Draw(t, "reduction") {
	case 0:
		v := p.view(fmt.Sprint("max ", axes), x, dims, func(f compute.Function, v compute.Value) (compute.Value, error) { return f.ReduceMax(v, axes...) })
		return v, true
	case 1:
		v := p.view(fmt.Sprint("min ", axes), x, dims, func(f compute.Function, v compute.Value) (compute.Value, error) { return f.ReduceMin(v, axes...) })
		return v, true
	}
	v := p.view(fmt.Sprint("sum ", axes), x, dims, func(f compute.Function, v compute.Value) (compute.Value, error) { return f.ReduceSum(v, axes...) })
	v.bound *= count
	return v, true
}

func drawDot(t *rapid.T, p *program) (value, bool) {
	a := p.pick(t, func(v value) bool { return isFloat(v) && len(v.dims) > 0 })
	if a < 0 {
		return value{}, false
	}
	x := p.values[a]
	left := rapid.SampledFrom([]int{0, len(x.dims) - 1}).Draw(t, "left axis")
	k := x.dims[left]
	b := p.pick(t, func(v value) bool {
		return isFloat(v) && len(v.dims) > 0 && (v.dims[0] == k || v.dims[len(v.dims)-1] == k)
	})
	if b < 0 {
		return value{}, false
	}
	y := p.values[b]
	right := 0
	if y.dims[0] != k {
		right = len(y.dims) - 1
	}
	dims := append(slices.Delete(slices.Clone(x.dims), left, left+1), slices.Delete(slices.Clone(y.dims), right, right+1)...)
	return value{name: fmt.Sprint("dot ", left, " ", right), dims: dims, bound: k * x.bound * y.bound, in: []int{a, b},
		build: func(f compute.Function, in []compute.Value) (compute.Value, error) {
			return f.DotGeneral(in[0], []int{left}, nil, in[1], []int{right}, nil, compute.DotGeneralConfig{})
		}}, true
}

func drawConv(t *rapid.T, p *program) (value, bool) {
	square := func(v value) bool { return isFloat(v) && len(v.dims) == 4 }
	a := p.pick(t, square)
	if a < 0 {
		return value{}, false
	}
	x := p.values[a]
	axes := compute.ConvolveAxesConfig{InputBatch: 0, InputChannels: 3, InputSpatial: []int{1, 2}}
	if rapid.Bool().Draw(t, "gradient of a kernel") {
		axes.InputBatch, axes.InputChannels = 3, 0
	}
	b := p.pick(t, func(v value) bool {
		return square(v) && (v.dims[0] == x.dims[axes.InputChannels] || v.dims[2] == x.dims[axes.InputChannels])
	})
	if b < 0 {
		return value{}, false
	}
	y := p.values[b]
	if y.dims[2] == x.dims[axes.InputChannels] {
		axes.KernelInputChannels, axes.KernelOutputChannels, axes.KernelSpatial = 2, 3, []int{0, 1}
	} else {
		axes.KernelInputChannels, axes.KernelOutputChannels, axes.KernelSpatial = 0, 3, []int{1, 2}
	}
	out := rapid.Permutation([]int{0, 1, 2, 3}).Draw(t, "output axes")
	axes.OutputBatch, axes.OutputChannels, axes.OutputSpatial = out[0], out[1], out[2:]
	stride, dilateInput, dilateKernel := drawPair(t, 1, 3), drawPair(t, 1, 3), drawPair(t, 1, 3)
	pads := [][2]int{{drawPad1(t), drawPad1(t)}, {drawPad1(t), drawPad1(t)}}
	dims := make([]int, 4)
	dims[out[0]], dims[out[1]] = x.dims[axes.InputBatch], y.dims[axes.KernelOutputChannels]
	for i := range 2 {
		in := (x.dims[axes.InputSpatial[i]]-1)*dilateInput[i] + 1 + pads[i][0] + pads[i][1]
		kernel := (y.dims[axes.KernelSpatial[i]]-1)*dilateKernel[i] + 1
		if in < kernel {
			return value{}, false
		}
		dims[out[2+i]] = (in-kernel)/stride[i] + 1
	}
	taps := size(y.dims) / y.dims[axes.KernelOutputChannels]
	if taps*size(dims) > 1<<22 { // the reference is slow
		return value{}, false
	}
	return value{name: fmt.Sprint("conv ", axes, stride, dilateInput, dilateKernel, pads), dims: dims, bound: taps * x.bound * y.bound, in: []int{a, b},
		build: func(f compute.Function, in []compute.Value) (compute.Value, error) {
			return f.ConvGeneral(in[0], in[1], axes, stride, pads, dilateInput, dilateKernel, 1, 1)
		}}, true
}

func drawPair(t *rapid.T, low, high int) []int {
	return []int{rapid.IntRange(low, high).Draw(t, "height"), rapid.IntRange(low, high).Draw(t, "width")}
}

func drawPad1(t *rapid.T) int { return rapid.IntRange(-1, 3).Draw(t, "padding") }

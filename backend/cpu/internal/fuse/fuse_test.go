package fuse

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
	"pgregory.net/rapid"
)

// crew is a pool of three goroutines a task.
type crew struct{ workers int }

func (c crew) Workers() int { return c.workers }

func (c crew) Run(ctx context.Context, tasks int, f func(task, worker int)) error {
	if c.workers == 1 {
		for task := range tasks {
			f(task, 0)
		}
		return ctx.Err()
	}
	var wg sync.WaitGroup
	for task := range tasks {
		wg.Go(func() { f(task, task%c.workers) })
	}
	wg.Wait()
	return ctx.Err()
}

// forEachPath runs f once per path as a subtest; a path that the CPU lacks is skipped by
// name.
func forEachPath(t *testing.T, f func(t *testing.T, v *kernel.VecKernels)) {
	for _, p := range []kernel.Path{kernel.Generic, kernel.AVX2, kernel.AVX512} {
		t.Run(p.String(), func(t *testing.T) {
			table, err := kernel.New(p)
			if err != nil {
				t.Skipf("hardware path missing: %v", err)
			}
			f(t, &table.Vec)
		})
	}
}

func generic(t testing.TB) *kernel.VecKernels {
	t.Helper()
	table, err := kernel.New(kernel.Generic)
	if err != nil {
		t.Fatal(err)
	}
	return &table.Vec
}

// must builds a program that has no mistakes.
func must(t testing.TB, b *Builder) *Program {
	t.Helper()
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func random(n int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 4))
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(r.NormFloat64())
	}
	return out
}

// drawn is a random program, described so that a slow interpreter can run it, too.
type drawn struct {
	accesses []Access
	bools    []bool
	steps    []step
	outputs  []output
	consts   []float32
}

type step struct {
	op   Op
	args [3]int
}

// drawProgram draws operations on earlier values: inputs first, then constants, then steps.
func drawProgram(t *rapid.T) drawn {
	var d drawn
	for range rapid.IntRange(1, 4).Draw(t, "inputs") {
		d.accesses = append(d.accesses, Access{rapid.IntRange(0, 5).Draw(t, "repeat"), rapid.SampledFrom([]int{0, 0, 1, 3, 7, 500}).Draw(t, "period")})
		d.bools = append(d.bools, rapid.IntRange(0, 3).Draw(t, "bool") == 0)
	}
	d.consts = []float32{0, 0.5, -3}
	have := len(d.accesses) + len(d.consts)
	for range rapid.IntRange(0, 12).Draw(t, "steps") {
		pick := func() int { return rapid.IntRange(0, have-1).Draw(t, "operand") }
		s := step{op: Op(rapid.IntRange(int(Neg), int(Select)).Draw(t, "op"))}
		s.args = [3]int{pick(), pick(), pick()}
		d.steps = append(d.steps, s)
		have++
	}
	for range rapid.IntRange(1, 3).Draw(t, "outputs") {
		d.outputs = append(d.outputs, output{Reg(rapid.IntRange(0, have-1).Draw(t, "output")), DType(rapid.IntRange(0, 1).Draw(t, "type"))})
	}
	return d
}

func (d drawn) build(v *kernel.VecKernels) (*Program, error) {
	b := NewBuilder(v)
	var regs []Reg
	for i, a := range d.accesses {
		kind := F32
		if d.bools[i] {
			kind = Bool
		}
		regs = append(regs, b.Input(a, kind))
	}
	for _, c := range d.consts {
		regs = append(regs, b.Const(c))
	}
	for _, s := range d.steps {
		x, y, z := regs[s.args[0]], regs[s.args[1]], regs[s.args[2]]
		switch info := b.ops[s.op]; {
		case s.op == Select:
			regs = append(regs, b.Select(x, y, z))
		case info.unary != nil:
			regs = append(regs, b.Unary(s.op, x))
		default:
			regs = append(regs, b.Binary(s.op, x, y))
		}
	}
	for _, o := range d.outputs {
		b.Output(regs[o.from], o.dtype)
	}
	return b.Build()
}

// interpret computes element i of every value with kernels on single elements.
func (d drawn) interpret(v *kernel.VecKernels, inputs []Ref, i int) []float32 {
	ops := operations(v)
	var values []float32
	for k, a := range d.accesses {
		if d.bools[k] {
			values = append(values, float32(inputs[k].Bool[a.at(i)]))
		} else {
			values = append(values, inputs[k].F32[a.at(i)])
		}
	}
	values = append(values, d.consts...)
	for _, s := range d.steps {
		one := func(k int) []float32 { return []float32{values[s.args[k]]} }
		dst := make([]float32, 1)
		switch info := ops[s.op]; {
		case s.op == Select:
			v.Select(dst, one(0), one(1), one(2))
		case info.unary != nil:
			info.unary(dst, one(0))
		default:
			info.binary(dst, one(0), one(1))
		}
		values = append(values, dst[0])
	}
	return values
}

// TestProgramsEqualTheInterpreter runs random programs in random ranges. Results agree bit
// for bit, except where the builder put in a kernel for a pattern: none of the drawn ones
// contains softplus.
func TestProgramsEqualTheInterpreter(t *testing.T) {
	forEachPath(t, func(t *testing.T, v *kernel.VecKernels) {
		rapid.Check(t, func(t *rapid.T) {
			d := drawProgram(t)
			p, err := d.build(v)
			if err != nil {
				t.Fatal(err)
			}
			n := rapid.IntRange(0, 3000).Draw(t, "n")
			inputs := d.inputs(n)
			outputs := make([]Ref, len(d.outputs))
			for k := range outputs {
				outputs[k] = Ref{F32: make([]float32, n), Bool: make([]byte, n)}
			}
			if err := p.Check(inputs, outputs, n); err != nil {
				t.Fatal(err)
			}
			scratch := make([]float32, p.ScratchLen())
			for i := range scratch {
				scratch[i] = float32(math.NaN())
			}
			cut := rapid.IntRange(0, n).Draw(t, "cut")
			p.Run(scratch, inputs, outputs, cut, n)
			p.Run(scratch, inputs, outputs, 0, cut)
			for i := 0; i < n; i += 1 + i/7 {
				values := d.interpret(v, inputs, i)
				for k, o := range d.outputs {
					want, got := values[o.from], outputs[k].F32[i]
					if o.dtype == Bool {
						got = float32(outputs[k].Bool[i])
						if want != 0 {
							want = 1
						}
					}
					if got != want && (got == got || want == want) {
						t.Fatalf("output %d of %d, element %d is %g, want %g\n%v", k, n, i, got, want, p)
					}
				}
			}
		})
	})
}

func (d drawn) inputs(n int) []Ref {
	var refs []Ref
	for k, a := range d.accesses {
		ref := Ref{F32: random(a.need(n), uint64(k))}
		if d.bools[k] {
			ref.Bool = make([]byte, len(ref.F32))
			for i := range ref.Bool {
				ref.Bool[i] = byte(i * 5 / 3 % 2)
			}
		}
		refs = append(refs, ref)
	}
	return refs
}

// adam builds the update of m, v and p from gradient g; see BenchmarkAdam.
func adam(v *kernel.VecKernels) *Builder {
	b := NewBuilder(v)
	p, m, s, g := b.Input(Full(), F32), b.Input(Full(), F32), b.Input(Full(), F32), b.Input(Full(), F32)
	rate, scale := b.Input(Scalar(), F32), b.Input(Scalar(), F32)
	g = b.Binary(Mul, g, scale)
	m = b.Binary(Add, b.Binary(Mul, m, b.Const(0.9)), b.Binary(Mul, g, b.Const(0.1)))
	s = b.Binary(Add, b.Binary(Mul, s, b.Const(0.999)), b.Binary(Mul, b.Binary(Mul, g, g), b.Const(0.001)))
	step := b.Binary(Div, m, b.Binary(Add, b.Unary(Sqrt, s), b.Const(1e-4)))
	b.Output(b.Binary(Sub, p, b.Binary(Mul, step, rate)), F32)
	b.Output(m, F32)
	b.Output(s, F32)
	return b
}

func adamRefs(n int) (inputs []Ref) {
	for k := range 4 {
		inputs = append(inputs, Ref{F32: random(n, uint64(k))})
	}
	for i, x := range inputs[2].F32 {
		inputs[2].F32[i] = x * x
	}
	return append(inputs, Ref{F32: []float32{1e-3}}, Ref{F32: []float32{0.5}})
}

func TestAdamInPlaceEqualsOutOfPlace(t *testing.T) {
	const n = 50_000
	forEachPath(t, func(t *testing.T, v *kernel.VecKernels) {
		run := NewParallel(must(t, adam(v)))
		inputs := adamRefs(n)
		fresh := []Ref{{F32: make([]float32, n)}, {F32: make([]float32, n)}, {F32: make([]float32, n)}}
		for _, workers := range []int{3, 1} {
			if workers == 1 { // the second time onto the inputs
				if err := run.Run(t.Context(), crew{1}, inputs, inputs[:3], n); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if err := run.Run(t.Context(), crew{workers}, inputs, fresh, n); err != nil {
				t.Fatal(err)
			}
		}
		for k := range fresh {
			for i, want := range fresh[k].F32 {
				if inputs[k].F32[i] != want {
					t.Fatalf("output %d, element %d in place is %g, not %g", k, i, inputs[k].F32[i], want)
				}
			}
		}
	})
}

// TestSwappedInPlace exchanges two inputs: what one output overwrites the other still needs.
func TestSwappedInPlace(t *testing.T) {
	b := NewBuilder(generic(t))
	x, y := b.Input(Full(), F32), b.Input(Full(), F32)
	b.Output(y, F32)
	b.Output(x, F32)
	p := must(t, b)
	refs := []Ref{{F32: random(5000, 1)}, {F32: random(5000, 2)}}
	wantX, wantY := random(5000, 2), random(5000, 1)
	p.Run(make([]float32, p.ScratchLen()), refs, refs, 0, 5000)
	for i := range wantX {
		if refs[0].F32[i] != wantX[i] || refs[1].F32[i] != wantY[i] {
			t.Fatalf("element %d was not exchanged", i)
		}
	}
}

func TestPatternsBecomeKernels(t *testing.T) {
	v := generic(t)
	for want, build := range map[string]func(b *Builder, x, g Reg) Reg{
		"relu": func(b *Builder, x, _ Reg) Reg { return b.Binary(Max, b.Const(0), x) },
		"gate": func(b *Builder, x, g Reg) Reg { return b.Select(b.Binary(Gt, x, b.Const(0)), g, b.Const(0)) },
		"softplus": func(b *Builder, x, _ Reg) Reg {
			mag := b.Unary(Abs, x)
			rest := b.Unary(Log1p, b.Unary(Exp, b.Unary(Neg, mag)))
			return b.Binary(Add, b.Binary(Mul, b.Binary(Add, x, mag), b.Const(0.5)), rest)
		},
	} {
		b := NewBuilder(v)
		x, g := b.Input(Full(), F32), b.Input(Full(), F32)
		b.Output(build(b, x, g), F32)
		p := must(t, b)
		if len(p.code) != 1 || !strings.Contains(p.String(), "= "+want+" in0") {
			t.Errorf("%s: the program is\n%v", want, p)
		}
	}
}

// TestLayerSharesRegisters checks that equal operations are one, that dead ones are gone, and
// that registers are used again.
func TestLayerSharesRegisters(t *testing.T) {
	b := NewBuilder(generic(t))
	x := b.Input(Full(), F32)
	bias := b.Input(Suffix(32), F32)
	b.Unary(Exp, x) // nobody needs it
	sum := b.Binary(Add, x, bias)
	for range 20 {
		sum = b.Unary(Tanh, b.Binary(Add, sum, b.Binary(Mul, sum, sum)))
		b.Unary(Tanh, b.Binary(Add, sum, b.Binary(Mul, sum, sum)))
	}
	b.Output(sum, F32)
	p := must(t, b)
	if p.slots > 3 || len(p.code) != 2+3*20 || len(p.stores) != 0 {
		t.Errorf("%d registers, %d instructions, %d stores:\n%v", p.slots, len(p.code), len(p.stores), p)
	}
}

func TestRunDoesNotAllocate(t *testing.T) {
	p := must(t, adam(generic(t)))
	inputs, scratch := adamRefs(3000), make([]float32, p.ScratchLen())
	if n := testing.AllocsPerRun(10, func() { p.Run(scratch, inputs, inputs[:3], 0, 3000) }); n != 0 {
		t.Errorf("%g allocations a run", n)
	}
}

func TestMistakesAreErrors(t *testing.T) {
	v := generic(t)
	for name, build := range map[string]func(b *Builder){
		"no outputs":       func(b *Builder) { b.Const(1) },
		"unknown register": func(b *Builder) { b.Output(7, F32) },
		"wrong arity":      func(b *Builder) { b.Output(b.Unary(Add, b.Const(1)), F32) },
		"wrong operand":    func(b *Builder) { b.Output(b.Binary(Add, b.Const(1), -1), F32) },
		"internal op":      func(b *Builder) { b.Output(b.Unary(fill, b.Const(1)), F32) },
		"negative period":  func(b *Builder) { b.Output(b.Input(Suffix(-1), F32), F32) },
		"select operand":   func(b *Builder) { b.Output(b.Select(0, 1, 2), F32) },
	} {
		b := NewBuilder(v)
		build(b)
		if _, err := b.Build(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: error %v, want ErrInvalid", name, err)
		}
	}
	run := NewParallel(must(t, adam(v)))
	inputs := adamRefs(10)
	for name, err := range map[string]error{
		"short output": run.Run(t.Context(), crew{1}, inputs, inputs[:3], 11),
		"few inputs":   run.Run(t.Context(), crew{1}, inputs[:5], inputs[:3], 10),
		"few outputs":  run.Run(t.Context(), crew{1}, inputs, inputs[:2], 10),
	} {
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: error %v, want ErrInvalid", name, err)
		}
	}
}

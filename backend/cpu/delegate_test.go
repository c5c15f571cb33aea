package cpu_test

import (
	"bytes"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"

	"github.com/orrery-rl/orrery/backend/cpu"
)

// mixed is exp(x^1.5 + cos(x)) clamped, times a batched product of x with
// itself: operations of ours before, between and after operations of the
// reference, one of them on a transposed operand.
func mixed(t *testing.T, b compute.Backend) compute.Executable {
	t.Helper()
	builder := b.Builder("mixed")
	f := builder.Main()
	check := func(v compute.Value, err error) compute.Value {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	x := check(f.Parameter("x", shapes.Make(dtypes.Float32, 3, 4, 4), nil))
	number := func(v float32) compute.Value { return check(f.Constant([]float32{v})) }
	power := check(f.Pow(check(f.Abs(x)), number(1.5)))
	turned := check(f.Cos(check(f.Transpose(x, 0, 2, 1))))
	sum := check(f.Exp(check(f.Add(power, turned))))
	limited := check(f.Clamp(number(0.5), sum, number(3)))
	product := check(f.DotGeneral(x, []int{2}, []int{0}, x, []int{1}, []int{0}, compute.DotGeneralConfig{}))
	if err := f.Return([]compute.Value{check(f.Mul(limited, product))}, nil); err != nil {
		t.Fatal(err)
	}
	e, err := builder.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func runMixed(t *testing.T, b compute.Backend, e compute.Executable, x []float32) []float32 {
	t.Helper()
	in, err := b.BufferFromFlatData(0, x, shapes.Make(dtypes.Float32, 3, 4, 4))
	if err != nil {
		t.Fatal(err)
	}
	out, err := e.Execute([]compute.Buffer{in}, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, len(x))
	if err := out[0].ToFlatData(got); err != nil {
		t.Fatal(err)
	}
	return got
}

// TestUnknownOperationsAreDelegatedOneByOne: the rest of the graph stays ours.
func TestUnknownOperationsAreDelegatedOneByOne(t *testing.T) {
	x := make([]float32, 48)
	for i := range x {
		x[i] = float32(i%11)/4 - 1
	}
	reference, err := gobackend.New("")
	if err != nil {
		t.Fatal(err)
	}
	defer reference.Finalize()
	want := runMixed(t, reference, mixed(t, reference), x)
	b, err := cpu.New(cpu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Finalize()
	e := mixed(t, b).(*cpu.Executable)
	if !e.Native() {
		t.Fatal("the whole graph was left to the reference")
	}
	var dump bytes.Buffer
	if err := e.Dump(&dump); err != nil {
		t.Fatal(err)
	}
	for _, op := range []string{"Pow", "Cos", "Clamp", "DotGeneral"} {
		if !strings.Contains(dump.String(), op+", by the reference") {
			t.Errorf("%s is not delegated by itself:\n%s", op, dump.String())
		}
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i, v := range runMixed(t, b, e, x) {
				if math.Abs(float64(v-want[i])) > 1e-5*(1+math.Abs(float64(want[i]))) {
					t.Errorf("element %d is %v, want %v", i, v, want[i])
					return
				}
			}
		})
	}
	wg.Wait()
}

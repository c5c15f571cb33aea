package cpu_test

import (
	"errors"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/compute/support/backendtest"

	"github.com/orrery-rl/orrery/backend/cpu"
)

// TestCompliance runs GoMLX's own suite on every path of this CPU.
func TestCompliance(t *testing.T) {
	for _, path := range cpu.Paths() {
		t.Run(path, func(t *testing.T) {
			b, err := cpu.New(cpu.Config{Path: path, Precision: "f32"})
			if err != nil {
				t.Fatal(err)
			}
			defer b.Finalize()
			backendtest.RunAll(t, b, nil)
		})
	}
}

// TestDonationWorksInPlace checks that an update of a donated input takes its
// memory, and that the input cannot be used any more.
func TestDonationWorksInPlace(t *testing.T) {
	b, err := cpu.New(cpu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Finalize()
	shape := shapes.Make(dtypes.Float32, 5000)
	builder := b.Builder("update")
	f := builder.Main()
	p, err := f.Parameter("p", shape, nil)
	check(t, err)
	g, err := f.Parameter("g", shape, nil)
	check(t, err)
	next, err := f.Sub(p, g)
	check(t, err)
	check(t, f.Return([]compute.Value{next}, nil))
	e, err := builder.Compile()
	check(t, err)
	for _, donate := range []bool{false, true} {
		params, memory, err := b.NewSharedBuffer(0, shape)
		check(t, err)
		grads, err := b.BufferFromFlatData(0, make([]float32, 5000), shape)
		check(t, err)
		out, err := e.Execute([]compute.Buffer{params, grads}, []bool{donate, false}, 0)
		check(t, err)
		data, err := out[0].Data()
		check(t, err)
		if got := &data.([]float32)[0] == &memory.([]float32)[0]; got != donate {
			t.Errorf("donated %v: same memory %v", donate, got)
		}
		if _, err := params.Data(); errors.Is(err, cpu.ErrDonated) != donate {
			t.Errorf("donated %v: then %v", donate, err)
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

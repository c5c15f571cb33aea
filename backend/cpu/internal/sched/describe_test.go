package sched

import (
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/backend/cpu/internal/ir"
)

func TestStepsCountWorkAndBytes(t *testing.T) {
	var b builder
	layer := b.layer(2, 3, 2)
	sum := b.node(ir.ReduceSum, []int{2}, layer)
	sum.Ints = []int{1}
	steps := compile(t, layer, sum).Steps()
	if len(steps) != 2 {
		t.Fatalf("%d steps, want a layer and a sum: %+v", len(steps), steps)
	}
	// 2*2*3 multiply-adds; x, w, bias and the constant 0; the activations.
	want := Step{Kind: "dot", What: "dot [2, 3] x [3, 2] + cluster", FLOPs: 24, Read: 4 * (6 + 6 + 2 + 1), Written: 4 * 4}
	got := steps[0]
	if !strings.HasPrefix(got.Text, "dot [2, 3] x [3, 2], ") {
		t.Errorf("text %q", got.Text)
	}
	if got.Text = ""; got != want {
		t.Errorf("the layer is %+v, want %+v", got, want)
	}
	want = Step{Kind: "reduce", What: "ReduceSum [2, 2, 1]", Read: 4 * 4, Written: 4 * 2}
	got = steps[1]
	want.What, got.Text = got.What, ""
	if got != want {
		t.Errorf("the sum is %+v, want %+v", got, want)
	}
}

func TestProfileTimesStepsOnlyWhileOn(t *testing.T) {
	var b builder
	p := compile(t, b.layer(64, 64, 64))
	inputs := [][]float32{make([]float32, 64*64), make([]float32, 64*64), make([]float32, 64)}
	execute(t, p, inputs...)
	if took := p.Steps()[0].Took; took != 0 {
		t.Errorf("%v without profiling", took)
	}
	p.Profile(true)
	execute(t, p, inputs...)
	p.Profile(false)
	once := p.Steps()[0].Took
	execute(t, p, inputs...)
	if once <= 0 || p.Steps()[0].Took != once {
		t.Errorf("%v while profiling, %v after one more run", once, p.Steps()[0].Took)
	}
	if p.Profile(true); p.Steps()[0].Took != 0 {
		t.Errorf("%v at the start", p.Steps()[0].Took)
	}
}

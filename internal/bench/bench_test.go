package bench

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/orrery-rl/orrery/backend/cpu"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/optim"
	"github.com/orrery-rl/orrery/worldmodel"
)

func TestSpread(t *testing.T) {
	even := NewSpread([]time.Duration{4 * time.Second, 1 * time.Second, 2 * time.Second, 3 * time.Second})
	if want := (Spread{Median: 2.5, Min: 1, Max: 4, Count: 4}); even != want {
		t.Errorf("%+v, want %+v", even, want)
	}
	if odd := NewSpread([]time.Duration{9, 1, 5}); odd.Median != 5e-9 {
		t.Errorf("median of 1, 5 and 9 ns: %g", odd.Median)
	}
}

func TestGroupsAddUpAndComeMostExpensiveFirst(t *testing.T) {
	steps := []Step{
		{What: "a", Kind: "dot", Text: "first", Count: 1, FLOPs: 10, Read: 1, Seconds: 1},
		{What: "b", Kind: "copy", Count: 1, Written: 4, Seconds: 5},
		{What: "a", Kind: "dot", Text: "second", Count: 1, FLOPs: 10, Read: 2, Seconds: 2},
	}
	want := []Step{steps[1], {What: "a", Kind: "dot", Count: 2, FLOPs: 20, Read: 3, Seconds: 3}}
	if got := GroupSteps(steps); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	for i := range steps {
		steps[i].Seconds = 0
	}
	if got := GroupSteps(steps); got[0].What != "a" || got[0].FLOPS() != 0 {
		t.Errorf("without times: %+v", got)
	}
}

func newBackend(t *testing.T) *cpu.Backend {
	t.Helper()
	b, err := cpu.New(cpu.Config{Precision: "f32", Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Finalize)
	return b
}

func TestMachineHasPositiveLimits(t *testing.T) {
	m, err := MeasureMachine(context.Background(), newBackend(t), MachineConfig{Each: 5 * time.Millisecond, Bytes: 8 << 20}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []Limits{m.One, m.All} {
		for _, rate := range []float64{l.FLOPS, l.Read, l.Write, l.Copy} {
			if !(rate > 1e7 && rate < 1e15) {
				t.Errorf("%+v", l)
			}
		}
	}
	if m.Threads != 2 || m.CPU == "" || m.Path != cpu.DetectPath() || m.Precision != "f32" {
		t.Errorf("%+v", m)
	}
	none, err := MeasureMachine(context.Background(), newBackend(t), MachineConfig{}, nil)
	if err != nil || none.One != (Limits{}) || none.CPU != m.CPU {
		t.Errorf("unmeasured: %+v, %v", none, err)
	}
}

// TestPiecesUseTheWholeBuffer checks that the bandwidth loops do what they are
// named after.
func TestPiecesUseTheWholeBuffer(t *testing.T) {
	m := newMemory(3*piece + 7)
	for i := range m.src {
		m.src[i] = 1
	}
	pieces, elements := 0, 0
	rate := m.walk(context.Background(), 2*time.Millisecond, func(dst, src []byte) {
		copyPiece(dst, src)
		pieces, elements = pieces+1, elements+len(src)
	})
	if pieces < 4 || slices.Contains(m.dst, 0) {
		t.Fatalf("%d pieces; all copied: %v", pieces, !slices.Contains(m.dst, 0))
	}
	if most := float64(elements) / 0.002; rate > most || rate < most/1000 {
		t.Errorf("%g bytes/s for %d bytes in 2 ms", rate, elements)
	}
	if writePiece(m.dst, m.src); slices.ContainsFunc(m.dst, func(b byte) bool { return b != 0 }) {
		t.Error("writing leaves something")
	}
}

func tinyUpdate(t *testing.T) UpdateConfig {
	t.Helper()
	model, err := worldmodel.PresetConfig("tiny")
	if err != nil {
		t.Fatal(err)
	}
	return UpdateConfig{
		Model: model, Dims: worldmodel.Dims{Height: 16, Width: 16, Channels: 3, ActionSize: 1}, Optimiser: optim.DefaultConfig(),
		BatchSize: 2, ChunkLength: 3, BitDepth: 5, Count: 2, Profile: true, Dir: t.TempDir(), Began: time.Now(),
	}
}

// TestWorkIsThatOfTheModel compares the FLOPs of a schedule with a count by hand
// of some of its products.
func TestWorkIsThatOfTheModel(t *testing.T) {
	cfg := tinyUpdate(t)
	steps, work, err := UpdateSteps(newBackend(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	// The encoder's first layer: 6 images, 7x7 outputs, 4 channels, 4x4x3 inputs,
	// forward and as the gradient of its kernel.
	first, want := int64(0), int64(2*6*7*7*4*4*4*3)
	total := int64(0)
	for _, s := range steps {
		total += s.FLOPs
		if s.What == "conv [6 16 16 3] * [4 4 3 4] + cluster" || s.What == "conv [6 16 16 3] * [6 7 7 4]" {
			first += s.FLOPs
		}
	}
	if first != 2*want || total != work.FLOPs || work.Steps != len(steps) || work.Arena == 0 {
		t.Errorf("first layer %d FLOPs, want 2*%d; %d in all, %+v", first, want, total, work)
	}
}

func TestProfileCoversTheGraph(t *testing.T) {
	r, err := Update(context.Background(), newBackend(t), tinyUpdate(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, s := range r.Steps {
		sum += s.Seconds
	}
	if len(r.Steps) != r.Work.Steps || sum <= 0 || sum > r.Graph.Max {
		t.Errorf("%d of %d steps took %g s of at most %g", len(r.Steps), r.Work.Steps, sum, r.Graph.Max)
	}
	if parts := r.Sample.Max + r.Noise.Max + r.Graph.Max + r.Rest.Max; math.IsNaN(parts) || parts < r.Total.Max-1e-9 {
		t.Errorf("parts of %g s in %g s", parts, r.Total.Max)
	}
}

func TestNothingToMeasureIsAnError(t *testing.T) {
	cfg := tinyUpdate(t)
	cfg.Count = 0
	if _, err := Update(context.Background(), newBackend(t), cfg, nil); err == nil {
		t.Error("no updates, no error")
	}
	broken := errors.New("broken")
	_, err := Env(context.Background(), EnvConfig{Open: func(int, int) (env.Env, error) { return nil, broken }}, nil)
	if !errors.Is(err, broken) {
		t.Errorf("environment that does not open: %v", err)
	}
}

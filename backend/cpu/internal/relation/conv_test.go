package relation

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
	"pgregory.net/rapid"
)

func TestModelConvs(t *testing.T) {
	forEachPath(t, func(t *testing.T, table *kernel.Table) {
		div := 4 // several panels of columns
		if table.Path == kernel.Generic {
			div = 16
		}
		modelConvs(div, 2, func(name string, s ConvSpec) {
			t.Run(name, func(t *testing.T) {
				if err := checkConv(table, s, 2); err != nil {
					t.Fatal(err)
				}
			})
		})
	})
}

// TestImagesOfThreeChannelsAreJoined: the layers next to the image multiply in bfloat16,
// too, and what they compute is TestModelConvs's.
func TestImagesOfThreeChannelsAreJoined(t *testing.T) {
	for _, path := range kernel.Available() {
		table, err := kernel.New(path)
		if err != nil {
			t.Fatal(err)
		}
		if table.Pairs == nil || table.Pairs.Blocks != nil {
			continue
		}
		all := layers(1)
		for name, s := range map[string]ConvSpec{"first layer": all[0].forward(20), "gradient of the last layer's input": all[7].dataGradient(20)} {
			p, err := NewConv(table, s, 2)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.String(); !strings.Contains(got, "joined, bfloat16") {
				t.Errorf("%v: %s is planned as %s", path, name, got)
			}
		}
	}
}

// TestManyImages runs more images than a block has, with few channels.
func TestManyImages(t *testing.T) {
	forEachPath(t, func(t *testing.T, table *kernel.Table) {
		for _, l := range []layer{
			{"E", false, 6, 4, 2, 5, true}, {"D", true, 3, 5, 5, 3, true}, {"D1", true, 1, 5, 7, 3, true},
		} {
			for _, s := range []ConvSpec{l.forward(700), l.dataGradient(700), l.kernelGradient(700)} {
				if err := checkConv(table, s, 3); err != nil {
					t.Errorf("%s: %v", l.name, err)
				}
			}
		}
	})
}

// drawConv draws any convolution that this package should take, layouts included.
func drawConv(t *rapid.T) ConvSpec {
	draw := func(name string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(t, name) }
	s := ConvSpec{Batch: draw("batch", 1, 20), InChannels: draw("in", 1, 20), OutChannels: draw("out", 1, 36)}
	for a := range 2 {
		s.Input[a] = draw("input", 1, 9)
		s.Kernel[a] = draw("kernel", 1, 7)
		s.Stride[a] = draw("stride", 0, 3)
		s.InputDilation[a] = draw("inputDilation", 0, 3)
		s.KernelDilation[a] = draw("kernelDilation", 0, 2)
		s.PadLow[a] = draw("padLow", -2, 7)
		s.PadHigh[a] = draw("padHigh", -2, 7)
	}
	perm := func(name string) [4]int {
		return [4]int(rapid.Permutation([]int{0, 1, 2, 3}).Draw(t, name))
	}
	out := s.OutputSize()
	if out[0] < 1 || out[1] < 1 || out[0]*out[1] > 150 {
		t.Skip("no output, or a large one: this draw is nothing to test, rapid makes another")
	}
	s.X = denseLayout(perm("x"), [4]int{s.Batch, s.Input[0], s.Input[1], s.InChannels})
	s.W = denseLayout(perm("w"), [4]int{s.InChannels, s.Kernel[0], s.Kernel[1], s.OutChannels})
	s.Out = denseLayout(perm("y"), [4]int{s.Batch, out[0], out[1], s.OutChannels})
	if rapid.Bool().Draw(t, "reversed") { // the kernel's height runs backwards
		s.W.Offset, s.W.Height = (s.Kernel[0]-1)*s.W.Height, -s.W.Height
	}
	return s
}

func TestRandomConvs(t *testing.T) {
	forEachPath(t, func(t *testing.T, table *kernel.Table) {
		rapid.Check(t, func(t *rapid.T) {
			s := drawConv(t)
			if err := checkConv(table, s, rapid.IntRange(1, 3).Draw(t, "workers")); err != nil {
				t.Fatalf("%+v: %v", s, err)
			}
		})
	})
}

// TestKernelSizes covers kernel sizes 1-7, strides 1-3 and paddings, negative ones too,
// in all three directions.
func TestKernelSizes(t *testing.T) {
	forEachPath(t, func(t *testing.T, table *kernel.Table) {
		for k := 1; k <= 7; k++ {
			for stride := 1; stride <= 3; stride++ {
				for pad := -1; pad <= 2; pad++ {
					s := dense(ConvSpec{Batch: 2, InChannels: 3, OutChannels: 4, Input: [2]int{9, 10}, Kernel: both(k),
						Stride: both(stride), PadLow: both(pad), PadHigh: [2]int{0, pad}})
					for name, d := range directions(s) {
						if err := checkConv(table, d, 2); err != nil {
							t.Errorf("k=%d stride=%d pad=%d %s: %v", k, stride, pad, name, err)
						}
					}
				}
			}
		}
	})
}

// directions returns s and its two gradients as convolutions.
func directions(s ConvSpec) map[string]ConvSpec {
	out := s.OutputSize()
	all := map[string]ConvSpec{"forward": s}
	data := ConvSpec{Batch: s.Batch, InChannels: s.OutChannels, OutChannels: s.InChannels,
		Input: out, Kernel: s.Kernel, InputDilation: s.Stride}
	weights := ConvSpec{Batch: s.InChannels, InChannels: s.Batch, OutChannels: s.OutChannels,
		Input: s.Input, Kernel: out, KernelDilation: s.Stride, PadLow: s.PadLow}
	for a := range 2 {
		span := (out[a]-1)*s.Stride[a] + 1
		data.PadLow[a] = s.Kernel[a] - 1 - s.PadLow[a]
		data.PadHigh[a] = s.Input[a] - 1 + s.PadLow[a] - (span - 1)
		weights.PadHigh[a] = s.Kernel[a] - 1 + span - s.Input[a] - s.PadLow[a]
	}
	data = dense(data)
	data.W = Layout{Outer: 1, Inner: s.OutChannels, Width: -s.W.Width, Height: -s.W.Height,
		Offset: (s.Kernel[0]-1)*s.W.Height + (s.Kernel[1]-1)*s.W.Width}
	weights.X = Layout{Outer: s.X.Inner, Inner: s.X.Outer, Height: s.X.Height, Width: s.X.Width}
	weights.W = s.Out
	weights.Out = Layout{Outer: s.OutChannels, Inner: 1, Height: s.W.Height, Width: s.W.Width}
	all["data gradient"], all["kernel gradient"] = data, weights
	return all
}

// TestSameBits runs with several numbers of workers and a hostile schedule: neither may
// change a bit.
func TestSameBits(t *testing.T) {
	table, err := kernel.New(kernel.Detect())
	if err != nil {
		t.Fatal(err)
	}
	sameBits(t, table)
	if table.Pairs != nil {
		sameBits(t, withBlocks(table))
	}
}

func sameBits(t *testing.T, table *kernel.Table) {
	modelConvs(16, 160, func(name string, s ConvSpec) {
		nx, nw, ny := s.sizes()
		x, w := random(nx, 1), random(nw, 2)
		var first []float32
		for _, workers := range []int{1, 2, 7} {
			conv, err := NewConv(table, s, workers)
			if err != nil {
				t.Fatal(err)
			}
			for _, pool := range []Pool{goPool(workers), backwards{}} {
				dst := make([]float32, ny)
				if err := conv.Run(context.Background(), pool, dst, x, w, nanScratch(conv.Scratch()), nil); err != nil {
					t.Fatal(err)
				}
				if first == nil {
					first = dst
				}
				if !slices.Equal(first, dst) {
					t.Errorf("%s: %d workers, %T: result differs", name, workers, pool)
				}
			}
		}
	})
}

// backwards runs the last task first.
type backwards struct{}

func (backwards) Workers() int { return 1 }

func (backwards) Run(_ context.Context, tasks int, f func(task, worker int)) error {
	for task := tasks - 1; task >= 0; task-- {
		f(task, 0)
	}
	return nil
}

func TestRunErrors(t *testing.T) {
	table, err := kernel.New(kernel.Generic)
	if err != nil {
		t.Fatal(err)
	}
	s := layer{"E", false, 6, 4, 2, 5, true}.forward(40)
	conv, err := NewConv(table, s, 1)
	if err != nil {
		t.Fatal(err)
	}
	nx, nw, ny := s.sizes()
	run := func(ctx context.Context, ny, nx, nw, ns int) error {
		f := func(n int) []float32 { return make([]float32, n) }
		return conv.Run(ctx, goPool(1), f(ny), f(nx), f(nw), f(ns), nil)
	}
	ctx := context.Background()
	if err := run(ctx, ny, nx, nw, conv.Scratch()); err != nil {
		t.Fatal(err)
	}
	for i, err := range []error{
		run(ctx, ny-1, nx, nw, conv.Scratch()), run(ctx, ny, nx-1, nw, conv.Scratch()),
		run(ctx, ny, nx, nw-1, conv.Scratch()), run(ctx, ny, nx, nw, conv.Scratch()-1),
	} {
		if err == nil {
			t.Errorf("case %d: a slice that is too short is accepted", i)
		}
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if err := run(done, ny, nx, nw, conv.Scratch()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled run: %v", err)
	}
}

func TestUnsupported(t *testing.T) {
	table, err := kernel.New(kernel.Generic)
	if err != nil {
		t.Fatal(err)
	}
	good := layer{"E", false, 6, 4, 2, 5, true}.forward(3)
	for name, change := range map[string]func(*ConvSpec){
		"no images":         func(s *ConvSpec) { s.Batch = 0 },
		"negative channels": func(s *ConvSpec) { s.InChannels = -1 },
		"negative stride":   func(s *ConvSpec) { s.Stride[0] = -1 },
		"huge dilation":     func(s *ConvSpec) { s.InputDilation[1] = 1 << 40 },
		"huge padding":      func(s *ConvSpec) { s.PadLow[1] = 1 << 40 },
		"huge size":         func(s *ConvSpec) { s.Input[0] = 1 << 40 },
		"kernel too large":  func(s *ConvSpec) { s.Kernel[1] = 7 },
		"huge tensor":       func(s *ConvSpec) { s.X.Outer = 1 << 40 },
		"before its slice":  func(s *ConvSpec) { s.W.Height = -s.W.Height },
	} {
		s := good
		change(&s)
		if _, err := NewConv(table, s, 2); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: error %v, want ErrUnsupported", name, err)
		}
	}
	if _, err := NewDot(table, DotSpec{M: 1, N: 0, K: 1}, 1); !errors.Is(err, ErrUnsupported) {
		t.Errorf("empty product: error %v, want ErrUnsupported", err)
	}
}

func TestRunDoesNotAllocate(t *testing.T) {
	table, err := kernel.New(kernel.Detect())
	if err != nil {
		t.Fatal(err)
	}
	tables := []*kernel.Table{table}
	if table.Pairs != nil {
		tables = append(tables, withBlocks(table))
	}
	for _, table := range tables {
		doesNotAllocate(t, table)
	}
}

func doesNotAllocate(t *testing.T, table *kernel.Table) {
	for _, s := range []ConvSpec{layers(4)[1].forward(4), layers(4)[1].forward(20), layers(4)[1].kernelGradient(20)} {
		conv, err := NewConv(table, s, 1)
		if err != nil {
			t.Fatal(err)
		}
		nx, nw, ny := s.sizes()
		x, w, dst, scratch := random(nx, 1), random(nw, 2), make([]float32, ny), make([]float32, conv.Scratch())
		allocs := testing.AllocsPerRun(50, func() {
			if err := conv.Run(context.Background(), backwards{}, dst, x, w, scratch, nil); err != nil {
				t.Fatal(err)
			}
		})
		if allocs > 0 {
			t.Errorf("%v: %g allocations per run", conv, allocs)
		}
	}
}

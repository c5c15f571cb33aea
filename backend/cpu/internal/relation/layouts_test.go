package relation

import (
	"testing"

	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
)

// forEachBlocks runs f with the tables of this CPU that have bfloat16 kernels, on blocks.
func forEachBlocks(t *testing.T, f func(t *testing.T, table *kernel.Table)) {
	forEachPath(t, func(t *testing.T, table *kernel.Table) {
		if table.Pairs != nil && table.Pairs.Blocks != nil {
			f(t, table)
		}
	})
}

// TestBlocksTakeReversedOperands walks operands backwards along each axis.
func TestBlocksTakeReversedOperands(t *testing.T) {
	forEachBlocks(t, func(t *testing.T, table *kernel.Table) {
		l := layer{"conv", false, 9, 4, 32, 20, true}
		for _, s := range []ConvSpec{l.forward(40), l.kernelGradient(75)} {
			width, height, outer := s, s, s
			width.X.Offset, width.X.Width = (s.Input[1]-1)*s.X.Width, -s.X.Width
			height.X.Offset, height.X.Height = (s.Input[0]-1)*s.X.Height, -s.X.Height
			outer.X.Offset, outer.X.Outer = (s.Batch-1)*s.X.Outer, -s.X.Outer
			kernel := s
			kernel.W.Offset, kernel.W.Width = s.W.Offset+(s.Kernel[1]-1)*s.W.Width, -s.W.Width
			for name, s := range map[string]ConvSpec{"width": width, "height": height, "batch": outer, "kernel width": kernel} {
				if err := checkConv(table, s, 2); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		d := dotSpec(200, 40, 64, false, false, false)
		d.A.Offset, d.A.Row = (d.M-1)*d.A.Row, -d.A.Row
		if err := checkDot(table, d, 2); err != nil {
			t.Errorf("rows: %v", err)
		}
	})
}

// TestBlocksWriteAnyLayout computes kernel gradients, whose output is summed in parts and
// then moved, into outputs of every order of axes.
func TestBlocksWriteAnyLayout(t *testing.T) {
	forEachBlocks(t, func(t *testing.T, table *kernel.Table) {
		for _, l := range []layer{{"deconv", true, 4, 5, 30, 12, true}, {"tall", false, 24, 4, 16, 9, true}} {
			for _, order := range [][4]int{{0, 1, 2, 3}, {1, 0, 2, 3}, {3, 1, 2, 0}, {1, 2, 3, 0}} {
				s := l.kernelGradient(40)
				out := s.OutputSize()
				s.Out = denseLayout(order, [4]int{s.Batch, out[0], out[1], s.OutChannels})
				for _, workers := range []int{1, 3} {
					if err := checkConv(table, s, workers); err != nil {
						t.Errorf("%s, order %v, %d workers: %v", l.name, order, workers, err)
					}
				}
			}
		}
	})
}

// TestFoldsOfOneAxis computes transposed convolutions of few channels that are folded
// along one axis and could join columns along the other.
func TestFoldsOfOneAxis(t *testing.T) {
	forEachPath(t, func(t *testing.T, table *kernel.Table) {
		for _, channels := range []int{3, 4, 8} {
			s := dense(ConvSpec{Batch: 40, InChannels: channels, OutChannels: 3, Input: both(8), Kernel: both(3),
				InputDilation: [2]int{2, 1}, PadLow: [2]int{1, 0}, PadHigh: [2]int{1, 0}})
			for _, order := range [][4]int{{1, 2, 0, 3}, {1, 2, 3, 0}, {0, 1, 2, 3}} {
				s.W = denseLayout(order, [4]int{s.InChannels, s.Kernel[0], s.Kernel[1], s.OutChannels})
				if err := checkConv(table, s, 2); err != nil {
					t.Errorf("%d channels, order %v: %v", channels, order, err)
				}
			}
		}
	})
}

// TestBlocksStaySmall plans products whose blocks would be mostly zeros, or larger than
// memory.
func TestBlocksStaySmall(t *testing.T) {
	forEachBlocks(t, func(t *testing.T, table *kernel.Table) {
		for name, s := range map[string]ConvSpec{
			"one image":             dense(ConvSpec{Batch: 1, InChannels: 16, OutChannels: 16, Input: both(256), Kernel: both(3)}),
			"a large image":         dense(ConvSpec{Batch: 1, InChannels: 8, OutChannels: 8, Input: both(512), Kernel: both(1)}),
			"gradient of an image":  dense(ConvSpec{Batch: 2048, InChannels: 1, OutChannels: 16, Input: both(64), Kernel: both(64)}),
			"gradient of three":     layer{"conv", false, 31, 4, 32, 64, true}.kernelGradient(3),
			"images of a megapixel": dense(ConvSpec{Batch: 16, InChannels: 64, OutChannels: 64, Input: both(1024), Kernel: both(2)}),
		} {
			p, err := NewConv(table, s, 16)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if _, on := blockSegments(p); on {
				t.Errorf("%s: %v, %d MiB of scratch", name, p, p.Scratch()>>18)
			}
		}
	})
}

package relation

import (
	"slices"
	"testing"

	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
)

// withBlocks returns the table with tiles on blocks that are its own pair tiles, which
// have the same definition: what it plans is what a CPU with blocks would run.
func withBlocks(table *kernel.Table) *kernel.Table {
	t, pairs := *table, *table.Pairs
	blocks := pairs.Gemm
	pairs.Blocks, t.Pairs = &blocks, &pairs
	return &t
}

// TestBlocksGetWholeBlocks plans the model's products on blocks, demands that every
// segment suits them, and compares the results with the reference: the zeros that fill
// up blocks must not show.
func TestBlocksGetWholeBlocks(t *testing.T) {
	for _, p := range kernel.Available() {
		table, err := kernel.New(p)
		if err != nil {
			t.Fatal(err)
		}
		if table.Pairs == nil {
			continue
		}
		blocks := withBlocks(table)
		used := 0
		check := func(name string, p *Product, err error) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			segments, on := blockSegments(p)
			if !on {
				return
			}
			used++
			for _, s := range segments {
				if s.K%kernel.BlockWords != 0 {
					t.Errorf("%s: %v: a segment of %d words", name, p, s.K)
				}
			}
		}
		modelConvs(8, 160, func(name string, s ConvSpec) {
			c, err := NewConv(blocks, s, 2)
			check(name, c, err)
		})
		for name, s := range rssmDots() {
			d, err := NewDot(blocks, s, 2)
			check(name, d, err)
		}
		if used < 24 {
			t.Errorf("%v: %d products on blocks", p, used)
		}
		for _, s := range []DotSpec{dotSpec(200, 60, 230, false, false, false), dotSpec(130, 33, 31, false, true, false), dotSpec(150, 40, 206, false, false, false)} {
			if err := checkDot(blocks, s, 2); err != nil {
				t.Errorf("%v: %v", p, err)
			}
		}
		for _, l := range []layer{
			{"conv", false, 9, 4, 32, 20, true}, {"deconv", true, 4, 5, 30, 12, true},
			{"first", false, 12, 4, 3, 33, true}, {"last", true, 5, 6, 40, 3, true}, {"tall", false, 24, 4, 20, 37, true},
		} {
			for _, s := range []ConvSpec{l.forward(41), l.dataGradient(41), l.kernelGradient(75)} {
				if err := checkConv(blocks, s, 2); err != nil {
					t.Errorf("%v, %s: %v", p, l.name, err)
				}
			}
		}
	}
}

// blockSegments returns the segments of a product and whether its tiles are on blocks.
func blockSegments(p *Product) (segments []kernel.Segment, on bool) {
	switch plan := p.plan.(type) {
	case *mapPlan:
		for _, it := range plan.items {
			segments = append(segments, it.segs...)
		}
		return segments, plan.onBlocks() && plan.q.left.in == 1
	case *reducePlan:
		for _, it := range plan.items {
			segments = append(segments, slices.Concat(slices.Concat(it.segs...), slices.Concat(it.tail...))...)
		}
		return segments, plan.onBlocks() && plan.aStep == 1
	}
	return nil, false
}

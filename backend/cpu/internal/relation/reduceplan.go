package relation

import (
	"fmt"

	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
)

// Bounds of the split of a contraction. They depend on sizes only: what a split computes
// and how splits are added up must not depend on the number of workers.
const (
	reduceBlockBytes = 256 << 10 // operands of a block of channels that stay in L2
	reduceSteps      = 192       // contraction steps that pay for loading and storing a tile
	maxBlock         = 256       // channels of a block
	maxSplits        = 16
	splitBlocks      = 4       // blocks of a split that pay for adding up its output
	splitFloats      = 1 << 22 // floats that all partial outputs together may take
	splitOutput      = 1 << 18 // output floats beyond which the output is split instead
)

// reducePlan computes small outputs from long contractions. The channels (for a kernel
// gradient: the images) are cut into blocks and the blocks into splits; a split adds its
// blocks up in its own copy of the output, and the copies are added up at the end.
//
//	for split, for part of the units (tasks)
//		for block of channels
//			for unit (item and panel of columns)
//				for tile of rows
//
// The operands are read in place, or rounded to words first (see [reduceWords]); the
// columns of the right one must be adjacent.
type reducePlan struct {
	k, f32  *kernel.GemmKernels // of the contraction, and of the final sum
	p       *problem            // as the tiles see it: over words, or as given
	words   *reduceWords
	workers int

	inner         innerStep
	items         []reduceItem
	rows          []int // output offset of the first row of every position, by slot
	panels        int
	block, blocks int
	splits, parts int
	direct        bool // tiles accumulate in the output itself
	aStep, bStep  int
	partial       int // floats of a partial output

	ones    []float32 // the left operand and the table of the final sum
	sumSegs []kernel.Segment
}

// innerStep says what the steps of a segment run over.
type innerStep int

const (
	overPositions innerStep = iota // pairs along x; segments: channels and pairs along y
	overChannels                   // channels of a block; segments: pairs along both axes
)

// reduceItem is rows of the output that share tables: those of one position or, where
// they follow each other in the left operand, of a run of positions.
type reduceItem struct {
	segs, tail [][]kernel.Segment // of a whole block, by chunk; of the last one
	rows       int
	slot       int // of the first position
	aRow       int
}

// orientReduce returns p, with its operands in the cheaper order, if it is a case for
// [reducePlan]: rows or columns are contiguous in both operands and what is summed
// outweighs the output.
func orientReduce(k *kernel.GemmKernels, p *problem) (*problem, bool) {
	var best *problem
	var cost float64
	for _, q := range []*problem{p, p.swap()} {
		if q.right.line != 1 || q.left.in == 1 || q.i == 1 && q.axes[1].longest() == 1 {
			continue
		}
		if c := reduceCycles(k, q); best == nil || c < cost {
			best, cost = q, c
		}
	}
	if best == nil {
		return nil, false
	}
	l, r := &p.left, &p.right
	left := p.m * p.i * l.size[0] * l.size[1]
	right := p.j * p.i * r.size[0] * r.size[1]
	out := p.m * p.j * p.out.size[0] * p.out.size[1]
	contiguous := l.line == 1 && r.line == 1
	return best, contiguous || out < min(left, right)
}

// reduceCycles estimates a run of p, including the operands that every item reads from
// L2, and the elements of an output whose columns are not adjacent, which are moved one
// by one.
func reduceCycles(k *kernel.GemmKernels, p *problem) float64 {
	const cyclesPerMove, floatsPerCycle = 6, 8
	step := 0.0
	for _, it := range reduceRows(p) {
		step += panelCycles(k, it.rows, p.j) + float64(it.rows+p.j)/floatsPerCycle
	}
	out := p.out.size[0] * p.out.size[1]
	steps := float64(p.i) * float64(p.axes[0].count()) * float64(p.axes[1].count()) / float64(out)
	cycles := step * steps
	if p.out.col != 1 {
		cycles += cyclesPerMove * float64(p.m) * float64(p.image())
	}
	return cycles
}

// reduceRows lists the items of p without their tables.
func reduceRows(p *problem) []reduceItem {
	var items []reduceItem
	slot := 0
	runs := p.axes[1].runs()
	for range p.axes[0].pairs {
		for _, r := range runs {
			if r.n > 1 && r.dl*p.left.pos[1] == p.m*p.left.line {
				items = append(items, reduceItem{rows: r.n * p.m, slot: slot, aRow: p.left.line})
				slot += r.n
				continue
			}
			for range r.n {
				items = append(items, reduceItem{rows: p.m, slot: slot, aRow: p.left.line})
				slot++
			}
		}
	}
	return items
}

func newReducePlan(t *kernel.Table, p *problem, workers int) *reducePlan {
	r := &reducePlan{k: &t.Gemm, f32: &t.Gemm, p: p, workers: workers, ones: []float32{1}}
	if t.Pairs != nil {
		p = r.useWords(t.Pairs)
	}
	r.panels = ceilDiv(p.j, r.k.NR)
	r.items = reduceRows(p)
	r.aStep, r.bStep = p.left.in, p.right.in
	r.inner = overChannels
	if x := p.axes[1]; !r.onBlocks() && (x.longest() >= 3 || p.i == 1) {
		r.inner = overPositions
		r.aStep, r.bStep = x.dl*p.left.pos[1], x.dr*p.right.pos[1]
	}
	if r.onBlocks() {
		r.aStep, r.bStep = 1, r.words.blocks.columns
		r.chooseSubBlocks()
	} else {
		r.chooseBlock()
	}
	r.chooseSplits()
	r.buildItems()
	if r.words != nil {
		r.placeWords()
	}
	r.sumSegs = []kernel.Segment{{K: int32(r.splits)}}
	return r
}

// onBlocks reports whether the tiles are those on blocks of words.
func (r *reducePlan) onBlocks() bool { return r.words != nil && r.words.blocks != nil }

// chooseBlock sets how many channels go through the tiles at once: as many as stay in
// L2, but enough for tiles to be worth loading.
func (r *reducePlan) chooseBlock() {
	p := r.p
	channel := 4 * (p.m*p.left.size[0]*p.left.size[1] + p.j*p.right.size[0]*p.right.size[1])
	steps := p.axes[0].longest() * p.axes[1].longest()
	n := max(reduceBlockBytes/channel, ceilDiv(reduceSteps, max(1, steps)))
	r.block = min(p.i, n, maxBlock)
	r.blocks = ceilDiv(p.i, r.block)
}

// chooseSplits divides the work: by contraction where the output is small, else by
// output.
func (r *reducePlan) chooseSplits() {
	r.partial = r.p.m * r.p.image()
	r.splits = 1
	if r.partial <= splitOutput {
		r.splits = max(1, min(maxSplits, r.blocks/splitBlocks, splitFloats/r.partial))
	}
	units := len(r.items) * r.panels
	r.parts = 1
	want := ceilDiv(8*r.workers, r.splits)
	if r.onBlocks() && r.splits >= r.workers {
		want = 1 // parts would need all words in memory at once
	}
	if want > 1 && r.p.flops() >= singleFLOPs {
		r.parts = min(units, want)
	}
	r.direct = r.splits == 1 && r.p.out.col == 1
}

// buildItems makes the tables, and notes where the rows go.
func (r *reducePlan) buildItems() {
	i := 0
	tail := r.p.i - (r.blocks-1)*r.block
	runs := r.p.axes[1].runs()
	for y, yPairs := range r.p.axes[0].pairs {
		for _, run := range runs {
			for n := 0; n < run.n; {
				x := run.start + n*run.step
				it := &r.items[i]
				it.segs = r.tables(yPairs, r.p.axes[1].pairs[x], r.block)
				it.tail = r.tables(yPairs, r.p.axes[1].pairs[x], tail)
				count := it.rows / r.p.m
				for s := range count {
					r.rows = append(r.rows, r.p.out.off+y*r.p.out.pos[0]+(x+s*run.step)*r.p.out.pos[1])
				}
				if count > 1 && run.step*r.p.out.pos[1] != r.p.m*r.p.out.row {
					r.direct = false
				}
				n += count
				i++
			}
		}
	}
}

// tables makes the tables of a position for a block of channels, one for each chunk.
func (r *reducePlan) tables(ys, xs []pair, channels int) [][]kernel.Segment {
	if !r.onBlocks() {
		return [][]kernel.Segment{r.segments(ys, xs, channels)}
	}
	var all [][]kernel.Segment
	for _, ch := range r.words.blocks.chunks {
		all = append(all, r.blockSegments(ys, xs, channels, ch))
	}
	return all
}

// chunks is how many chunks a block is summed in.
func (r *reducePlan) chunks() int {
	if !r.onBlocks() {
		return 1
	}
	return len(r.words.blocks.chunks)
}

// segments makes the table of a position for a block of channels.
func (r *reducePlan) segments(ys, xs []pair, channels int) []kernel.Segment {
	var segs []kernel.Segment
	l, w := r.p.left, r.p.right
	if r.inner == overChannels {
		for _, y := range ys {
			for _, x := range xs {
				segs = appendSegment(segs, y.l*l.pos[0]+x.l*l.pos[1], y.r*w.pos[0]+x.r*w.pos[1], channels, r.aStep, r.bStep)
			}
		}
		return segs
	}
	if len(xs) == 0 {
		return nil
	}
	for c := range channels {
		for _, y := range ys {
			a := c*l.in + y.l*l.pos[0] + xs[0].l*l.pos[1]
			b := c*w.in + y.r*w.pos[0] + xs[0].r*w.pos[1]
			segs = appendSegment(segs, a, b, len(xs), r.aStep, r.bStep)
		}
	}
	return segs
}

// packing implements plan: the right operand is read in place, or with words in blocks.
func (r *reducePlan) packing() (key string, size int) { return "", 0 }

// packPhase implements plan; there is nothing to do.
func (r *reducePlan) packPhase(*call) phase { return phase{} }

func (r *reducePlan) scratch() int {
	size := r.partials()
	if r.words != nil {
		size += r.words.size
	}
	if r.onBlocks() {
		size += lineFloats + r.workers*stagingSize
	}
	return size
}

// partials is the number of floats of all partial outputs, in whole cache lines.
func (r *reducePlan) partials() int {
	if r.direct {
		return 0
	}
	return ceilDiv(r.splits*r.partial, lineFloats) * lineFloats
}

// String implements plan.
func (r *reducePlan) String() string {
	inner, order, where := "positions", "", fmt.Sprintf("%d partial outputs", r.splits)
	if r.inner == overChannels {
		inner = "channels"
	}
	if r.p.swapped {
		order = ", rows from the kernel"
	}
	if r.direct {
		where = "in place"
	}
	if r.words != nil {
		order += ", bfloat16"
	}
	if r.onBlocks() {
		order += fmt.Sprintf(" in blocks, %d chunks", r.chunks())
	}
	return fmt.Sprintf("reduce: steps over %s, %d blocks of %d channels, %d items x %d panels in %d parts, %s%s",
		inner, r.blocks, r.block, len(r.items), r.panels, r.parts, where, order)
}

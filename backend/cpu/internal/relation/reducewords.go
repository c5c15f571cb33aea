package relation

import "github.com/orrery-rl/orrery/backend/cpu/internal/kernel"

// reduceWords is what a [reducePlan] over pairs of bfloat16 adds: two channels that
// follow each other, for a kernel gradient two images, make a word. Both operands are
// rounded block by block into memory of the worker, which stays in L2 while all items
// and panels read it, or, when several tasks need the same blocks, as a whole first.
type reduceWords struct {
	pairs       *kernel.PairKernels
	left, right operand // as given; those of the plan's problem place the words
	channels    int     // as given; the problem counts words
	whole       bool
	blocks      *reduceBlocks // nil for tiles that are not on blocks

	leftSize, rightSize int // words of a block, whole cache lines
	size                int // words of all memory
}

// Work and length below which rounding costs more than it gains.
const (
	wordsFLOPs = 1 << 20
	wordsSteps = 64
)

// useWords turns the plan to words if both operands have adjacent lines and the
// contraction is long enough. It returns the problem that the tiles see.
func (r *reducePlan) useWords(pairs *kernel.PairKernels) *problem {
	p := *r.p
	steps := p.i * p.axes[0].longest() * p.axes[1].longest()
	if p.left.line != 1 || p.right.line != 1 || p.i < 2 || steps < wordsSteps || p.flops() < wordsFLOPs {
		return r.p
	}
	if pairs.Blocks != nil && !fitsBlocks(&p) {
		return r.p
	}
	r.words = &reduceWords{pairs: pairs, left: p.left, right: p.right, channels: p.i}
	r.k = &pairs.Gemm
	p.i = ceilDiv(p.i, 2)
	if pairs.Blocks != nil {
		r.useBlocks(&p)
	} else {
		p.left, p.right = compact(p.left, p.m), compact(p.right, p.j)
	}
	r.p = &p
	return r.p
}

// compact places an operand of n lines without gaps, [channel][y][x][line].
func compact(o operand, n int) operand {
	return operand{line: 1, in: o.size[0] * o.size[1] * n, pos: [2]int{o.size[1] * n, n}, size: o.size}
}

// placeWords lays out the memory of the words.
func (r *reducePlan) placeWords() {
	w := r.words
	lines := func(n int) int { return ceilDiv(n, lineFloats) * lineFloats }
	w.leftSize, w.rightSize = lines(r.block*r.p.left.in), lines(r.block*r.p.right.in)
	w.whole = r.parts > 1
	copies := r.workers
	if w.whole {
		// One after another: block number b begins b blocks of channels into the whole.
		w.leftSize, w.rightSize = r.block*r.p.left.in, r.block*r.p.right.in
		copies = r.blocks
	}
	w.size = lines(copies*w.leftSize) + copies*w.rightSize
	if w.blocks != nil {
		w.blocks.staging = r.partials() + lines(w.size)
	}
}

// memory returns where place number i, of a worker or of a block, keeps its words, or
// with i = 0 and whole operands all of them.
func (r *reducePlan) memory(c *call, i int) (left, right []float32) {
	w := r.words
	all := c.scratch[r.partials():][:w.size]
	copies := r.workers
	if w.whole {
		copies = r.blocks
	}
	split := ceilDiv(copies*w.leftSize, lineFloats) * lineFloats
	return all[i*w.leftSize : split], all[split+i*w.rightSize:]
}

// aim points the tiles at the words of a block, of which it rounds what chunk number n
// adds if nothing has, and returns the number of the block there.
func (r *reducePlan) aim(c *call, w *worker, block, n, worker int) (at int) {
	if r.words.whole {
		w.args.A, w.args.B = r.memory(c, 0)
		return block
	}
	r.round(c, block, n, worker, worker)
	w.args.A, w.args.B = r.memory(c, worker)
	return 0
}

// round fills the words of place i with what chunk number n adds to a block.
func (r *reducePlan) round(c *call, block, n, i, worker int) {
	left, right := r.memory(c, i)
	if r.words.blocks != nil {
		r.roundBlock(c, left, right, block, n, worker)
		return
	}
	lo := 2 * block * r.block
	hi := min(lo+2*r.block, r.words.channels)
	r.roundOperand(left, c.left, r.words.left, r.p.left, r.p.m, lo, hi)
	r.roundOperand(right, c.right, r.words.right, r.p.right, r.p.j, lo, hi)
}

// roundOperand rounds channels [lo, hi), lo even, of an operand with n lines.
func (r *reducePlan) roundOperand(dst, src []float32, from, to operand, n, lo, hi int) {
	run, rows, cols := n, from.size[0], from.size[1]
	if cols == 1 || from.pos[1] == run {
		run, cols = run*cols, 1
		if rows == 1 || from.pos[0] == run {
			run, rows = run*rows, 1
		}
	}
	for k := lo; k < hi; k += 2 {
		for y := range rows {
			for x := range cols {
				at := from.off + k*from.in + y*from.pos[0] + x*from.pos[1]
				out := dst[(k-lo)/2*to.in+y*to.pos[0]+x*to.pos[1]:]
				var next []float32
				if k+1 < hi {
					next = src[at+from.in:][:run]
				}
				r.words.pairs.Interleave(out, src[at:][:run], next)
			}
		}
	}
}

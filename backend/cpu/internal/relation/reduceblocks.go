package relation

import "github.com/orrery-rl/orrery/backend/cpu/internal/kernel"

// reduceBlocks is what a [reducePlan] over words adds for tiles on blocks of words, which
// want the words of a row and of a column of blocks side by side: for a kernel gradient,
// those of 32 images. A sub-block of so many channels is laid out
//
//	left  [y][x][line][word]
//	right [y][x][word][column]
//
// so that one position is one step of a tile. Sub-blocks that are larger than the cache
// are rounded and summed a few rows of positions at a time: chunks. Where there are fewer
// splits than workers, everything is rounded first; the chunks stay, as they fix the order
// of sums.
type reduceBlocks struct {
	columns int // of the right operand in memory, whole cache lines
	chunks  []reduceChunk

	staging int // where the workers keep rows of words before they are transposed
}

// reduceChunk is the pairs of axis 0 whose right positions are rows [lo, hi) of the right
// operand, and the rows that they need first.
type reduceChunk struct {
	lo, hi      int
	left, right []int
}

// chunkBytes is what the rows of a chunk may take in L2.
const chunkBytes = 640 << 10

// stagingWords is how many words of a row are transposed at a time, stagingSize the memory
// of a worker for them.
const (
	stagingWords = 256
	stagingSize  = kernel.BlockWords * stagingWords
)

// fitsBlocks reports whether tiles on blocks are faster for p than float32, and the
// sub-blocks small enough.
func fitsBlocks(p *problem) bool {
	size := func(o operand, lines int) int {
		return kernel.BlockWords * o.size[0] * o.size[1] * ceilDiv(lines, lineFloats) * lineFloats
	}
	return ceilDiv(p.i, 2) >= fewestWords && size(p.left, p.m) <= mostFloats && size(p.right, p.j) <= mostFloats
}

// useBlocks lays p out for tiles on blocks; p.i counts words.
func (r *reducePlan) useBlocks(p *problem) {
	const words = kernel.BlockWords
	b := &reduceBlocks{columns: ceilDiv(p.j, lineFloats) * lineFloats}
	r.words.blocks, r.k = b, r.words.pairs.Blocks
	p.i = ceilDiv(p.i, words) * words
	place := func(o operand, lines, line int) operand {
		return operand{line: line, in: o.size[0] * o.size[1] * lines, pos: [2]int{o.size[1] * lines * words, lines * words}, size: o.size}
	}
	p.left, p.right = place(p.left, p.m, words), place(p.right, b.columns, 1)
	b.chooseChunks(p)
}

// chooseChunks cuts the rows of the right operand.
func (b *reduceBlocks) chooseChunks(p *problem) {
	row := 4 * p.right.pos[0]
	if p.right.size[0] > 1 { // and the rows of the left one that they add
		row += 4 * p.left.pos[0] * p.left.size[0] / p.right.size[0]
	}
	per := max(1, chunkBytes/max(1, row))
	var haveLeft, haveRight = make([]bool, p.left.size[0]), make([]bool, p.right.size[0])
	for lo := 0; lo < p.right.size[0]; lo += per {
		c := reduceChunk{lo: lo, hi: min(lo+per, p.right.size[0])}
		for _, pairs := range p.axes[0].pairs {
			for _, pair := range pairs {
				if pair.r < c.lo || pair.r >= c.hi {
					continue
				}
				if !haveLeft[pair.l] {
					haveLeft[pair.l] = true
					c.left = append(c.left, pair.l)
				}
				if !haveRight[pair.r] {
					haveRight[pair.r] = true
					c.right = append(c.right, pair.r)
				}
			}
		}
		b.chunks = append(b.chunks, c)
	}
}

// chooseSubBlocks sets how many channels go through the tiles at once.
func (r *reducePlan) chooseSubBlocks() {
	const words = kernel.BlockWords
	p := r.p
	sub := 4 * words * (p.left.in + p.right.in)
	steps := p.axes[0].longest() * p.axes[1].longest()
	n := max(1, chunkBytes/sub, min(ceilDiv(reduceSteps/words, max(1, steps)), 4*mostFloats/sub))
	r.block = min(p.i, n*words)
	r.blocks = ceilDiv(p.i, r.block)
	if n > 1 { // several sub-blocks fit whole
		r.words.blocks.unite()
	}
}

// unite makes all rows one chunk.
func (b *reduceBlocks) unite() {
	var all reduceChunk
	for _, c := range b.chunks {
		all.hi = c.hi
		all.left, all.right = append(all.left, c.left...), append(all.right, c.right...)
	}
	b.chunks = []reduceChunk{all}
}

// blockSegments makes the table of a position for the sub-blocks of so many channels.
func (r *reducePlan) blockSegments(ys, xs []pair, channels int, ch reduceChunk) []kernel.Segment {
	const words = kernel.BlockWords
	var segs []kernel.Segment
	l, w := r.p.left, r.p.right
	for sub := 0; sub < channels; sub += words {
		for _, y := range ys {
			if y.r < ch.lo || y.r >= ch.hi {
				continue
			}
			for _, x := range xs {
				segs = append(segs, kernel.Segment{
					A: int32(sub*l.in + y.l*l.pos[0] + x.l*l.pos[1]),
					B: int32(sub*w.in + y.r*w.pos[0] + x.r*w.pos[1]), K: words,
				})
			}
		}
	}
	return segs
}

// roundBlock fills the words of a block with the rows that chunk number n adds.
func (r *reducePlan) roundBlock(c *call, left, right []float32, block, n, worker int) {
	const words = kernel.BlockWords
	b := r.words.blocks
	staging := c.scratch[b.staging+worker*stagingSize:][:stagingSize]
	first, last := block*r.block, min((block+1)*r.block, r.p.i)
	for sub := first; sub < last; sub += words {
		at := sub - first
		for _, y := range b.chunks[n].left {
			r.roundLeft(left[at*r.p.left.in+y*r.p.left.pos[0]:], c.left, staging, sub, y)
		}
		for _, y := range b.chunks[n].right {
			r.roundRight(right[at*r.p.right.in+y*r.p.right.pos[0]:], c.right, sub, y)
		}
	}
}

// channelPair returns where the elements of word number k begin, in row y of an operand.
// Those beyond the last channel do not exist.
func (r *reducePlan) channelPair(o operand, k, y int) (lo, hi int, haveLo, haveHi bool) {
	lo = o.off + 2*k*o.in + y*o.pos[0]
	return lo, lo + o.in, 2*k < r.words.channels, 2*k+1 < r.words.channels
}

// roundLeft rounds a row of positions of a sub-block and transposes it.
func (r *reducePlan) roundLeft(dst, src, staging []float32, sub, y int) {
	o, n := r.words.left, r.p.m
	cols := o.size[1]
	if cols == 1 || o.pos[1] == n {
		r.roundRun(dst, src, staging, sub, y, 0, cols*n)
		return
	}
	for x := range cols {
		r.roundRun(dst[x*n*kernel.BlockWords:], src, staging, sub, y, x*o.pos[1], n)
	}
}

// roundRun rounds and transposes n adjacent elements of every channel of a sub-block.
func (r *reducePlan) roundRun(dst, src, staging []float32, sub, y, at, n int) {
	const words = kernel.BlockWords
	pairs := r.words.pairs
	for i := 0; i < n; i += stagingWords {
		part := min(stagingWords, n-i)
		for k := range words {
			to := staging[k*stagingWords:][:part]
			lo, hi, haveLo, haveHi := r.channelPair(r.words.left, sub+k, y)
			switch {
			case haveHi:
				pairs.Interleave(to, src[lo+at+i:][:part], src[hi+at+i:][:part])
			case haveLo:
				pairs.Interleave(to, src[lo+at+i:][:part], nil)
			default:
				clear(to)
			}
		}
		pairs.Transpose(dst[i*words:], staging, stagingWords, part)
	}
}

// roundRight rounds a row of positions of a sub-block.
func (r *reducePlan) roundRight(dst, src []float32, sub, y int) {
	const words = kernel.BlockWords
	o, n, columns := r.words.right, r.p.j, r.words.blocks.columns
	cols := o.size[1]
	l := kernel.Lines{Lines: cols, N: n, From: o.pos[1], To: words * columns}
	for k := range words {
		lo, _, haveLo, haveHi := r.channelPair(o, sub+k, y)
		to := dst[k*columns:]
		if haveHi {
			l.At = lo
			r.words.pairs.InterleaveLines(to, src, o.in, l)
			continue
		}
		for x := range cols {
			if line := to[x*l.To:][:n]; haveLo {
				r.words.pairs.Interleave(line, src[lo+x*o.pos[1]:][:n], nil)
			} else {
				clear(line)
			}
		}
	}
}

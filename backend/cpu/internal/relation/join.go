package relation

// join makes pairs of adjacent columns of positions one position with twice the
// channels, which turns a convolution of stride 2 over images of 3 channels into
// one of stride 1 over 6. An odd number of channels, whose words of two would
// straddle positions, becomes even that way.
type join struct {
	channels int // of a position as given
	pos      int // distance of the right operand's columns as given
}

// newJoin joins q if its relation keeps pairs of columns together and its left
// operand has them next to each other in memory.
func newJoin(q *problem) (*join, problem, bool) {
	j, r := &join{channels: q.i, pos: q.right.pos[1]}, q.rel[1]
	even := r.input%2 == 0 && r.kernel%2 == 0 && r.stride%2 == 0 && r.padLow%2 == 0
	if !even || r.inputDilation != 1 || r.kernelDilation != 1 || q.swapped || q.left.in != 1 || q.left.pos[1] != q.i {
		return nil, problem{}, false
	}
	joined := *q
	joined.i *= 2
	for _, o := range []*operand{&joined.left, &joined.right} {
		o.pos[1], o.size[1] = 2*o.pos[1], o.size[1]/2
	}
	r.input, r.kernel, r.stride, r.padLow = r.input/2, r.kernel/2, r.stride/2, r.padLow/2
	joined.rel[1], joined.axes[1] = r, r.axis()
	return j, joined, true
}

// at places channel i of a joined position, from the position's first channel on.
func (j *join) at(i, in int) int { return i/j.channels*j.pos + i%j.channels*in }

package relation

// join makes several columns of positions one position with more channels: [newJoin]
// pairs of columns, [newWindow] those under a kernel.
type join struct {
	channels int // of a position as given
	pos      int // distance of the right operand's columns as given
}

// newJoin makes pairs of adjacent columns one with twice the channels, which turns a
// convolution of stride 2 over images of 3 channels into one of stride 1 over 6. An odd
// number of channels, whose words of two would straddle positions, becomes even that way.
// It joins q if its relation keeps pairs of columns together and its left
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

// newWindow joins the columns of each window of q, a convolution: every output column has
// a left column of its own, in which a kernel row's channels follow each other, and which
// share elements with their neighbours. It is for few channels, of which it makes enough
// to fill a block of words, and only then ok.
func newWindow(q *problem) (*join, problem, bool) {
	r := q.rel[1]
	inside := r.padLow == 0 && (r.output-1)*r.stride+r.kernel <= r.input
	plain := r.inputDilation == 1 && r.kernelDilation == 1 && r.kernel > 1 && inside
	if !plain || q.swapped || q.left.in != 1 || q.left.pos[1] != q.i || q.i > windowChannels {
		return nil, problem{}, false
	}
	joined := *q
	joined.i *= r.kernel
	joined.left.pos[1], joined.left.size[1] = r.stride*q.i, r.output
	joined.right.pos[1], joined.right.size[1] = 0, 1
	r.input, r.kernel, r.stride = r.output, 1, 1
	joined.rel[1], joined.axes[1] = r, r.axis()
	return &join{channels: q.i, pos: q.right.pos[1]}, joined, true
}

// windowChannels is the most channels that are joined to windows.
const windowChannels = 8

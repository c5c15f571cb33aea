package relation

// fold turns a transposed convolution with few output channels into an ordinary one
// with more: the phases of a block of f[0] x f[1] output positions (f the input dilation)
// read the same window of the input, so they are computed as f[0]*f[1]*j columns of one
// product, with zeros where a phase has no tap, and scattered to their positions.
//
// With oy = f*b + phase and u = h - b - low, the relation f*h = oy + k - pad becomes
// k = f*(u+low) + pad - phase, which no longer depends on b.
type fold struct {
	f   [2]int // positions of a block
	low [2]int // h - b of the window's first position
	pad [2]int
	// Sizes of the unfolded problem.
	columns int
	kernel  [2]int
}

// newFold folds p if its relation allows and at most limit columns result. It returns
// the folded problem, whose output is the blocks and whose right operand exists only in
// packed form.
func newFold(p *problem, limit int) (*fold, *problem, bool) {
	f := &fold{columns: p.j}
	q := *p
	if p.add {
		return nil, nil, false
	}
	for a, r := range p.rel {
		if r.stride != 1 || r.kernelDilation != 1 {
			return nil, nil, false
		}
		d := r.inputDilation
		f.f[a], f.pad[a], f.kernel[a] = d, r.padLow, r.kernel
		f.low[a] = floorDiv(-r.padLow+d-1, d)
		high := floorDiv(r.kernel-1-r.padLow+d-1, d)
		q.axes[a] = relation{
			input: r.input, kernel: high - f.low[a] + 1, output: ceilDiv(r.output, d),
			stride: 1, padLow: -f.low[a], inputDilation: 1, kernelDilation: 1,
		}.axis()
		q.right.size[a] = high - f.low[a] + 1
		q.out.size[a] = ceilDiv(r.output, d)
	}
	q.j = p.j * f.f[0] * f.f[1]
	return f, &q, f.f[0]*f.f[1] > 1 && q.j <= limit
}

// floorDiv is a/b rounded down, b > 0.
func floorDiv(a, b int) int {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}

// packRow writes the folded columns of window position (u0, u1) and channel i.
func (f *fold) packRow(dst, right []float32, o operand, u0, u1, i int) {
	j := f.columns
	for ph0 := range f.f[0] {
		for ph1 := range f.f[1] {
			row := dst[:j]
			dst = dst[j:]
			k0 := f.f[0]*(u0+f.low[0]) + f.pad[0] - ph0
			k1 := f.f[1]*(u1+f.low[1]) + f.pad[1] - ph1
			if k0 < 0 || k0 >= f.kernel[0] || k1 < 0 || k1 >= f.kernel[1] {
				clear(row)
				continue
			}
			at := o.off + k0*o.pos[0] + k1*o.pos[1] + i*o.in
			for c := range row {
				row[c] = right[at+c*o.line]
			}
		}
	}
}

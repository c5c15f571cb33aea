package relation

// pair is one contribution to an output position along one axis: positions of the left
// and of the right operand.
type pair struct{ l, r int }

// relation holds the numbers of the spatial relation along one axis (package comment)
// and the sizes of the three tensors along it.
type relation struct {
	input, kernel, output                         int
	stride, padLow, inputDilation, kernelDilation int
}

// axis lists, for every output position, the pairs that contribute to it, in ascending
// order of the right position.
type axis struct {
	pairs [][]pair
	// shift is the distance of output positions that have the same right positions,
	// away from the borders.
	shift int
	// dl and dr are the distances of consecutive pairs of one output position.
	dl, dr int
}

// axis lists the pairs of the relation; the left operand is the input.
func (r relation) axis() axis {
	g := gcd(r.inputDilation, r.kernelDilation)
	a := axis{
		pairs: make([][]pair, r.output),
		shift: r.inputDilation / gcd(r.inputDilation, r.stride),
		dl:    r.kernelDilation / g,
		dr:    r.inputDilation / g,
	}
	for o := range a.pairs {
		for k := range r.kernel {
			t := r.stride*o + r.kernelDilation*k - r.padLow
			if h := t / r.inputDilation; t >= 0 && t%r.inputDilation == 0 && h < r.input {
				a.pairs[o] = append(a.pairs[o], pair{h, k})
			}
		}
	}
	return a
}

// swapped lists the same relation with the kernel as the left operand.
func (r relation) swapped() axis {
	a := r.axis()
	a.dl, a.dr = a.dr, a.dl
	a.shift = r.kernelDilation / gcd(r.kernelDilation, r.stride)
	for _, ps := range a.pairs {
		for i, p := range ps {
			ps[i] = pair{p.r, p.l}
		}
	}
	return a
}

// count is the number of pairs over all output positions.
func (a axis) count() int {
	n := 0
	for _, ps := range a.pairs {
		n += len(ps)
	}
	return n
}

// longest is the largest number of pairs of an output position.
func (a axis) longest() int {
	n := 0
	for _, ps := range a.pairs {
		n = max(n, len(ps))
	}
	return n
}

// run is a sequence of output positions start, start+step, ... that share their right
// positions while their left positions advance by dl >= 0 from one to the next.
type run struct {
	start, step, n int
	dl             int
	pairs          []pair // of start
}

// runs partitions the output positions into maximal runs.
func (a axis) runs() []run {
	seen := make([]bool, len(a.pairs))
	var rs []run
	for o := range a.pairs {
		if seen[o] {
			continue
		}
		r := a.runFrom(o)
		for i := range r.n {
			seen[r.start+i*r.step] = true
		}
		rs = append(rs, r)
	}
	return rs
}

// runFrom returns the run whose lowest position is o.
func (a axis) runFrom(o int) run {
	r := run{start: o, step: a.shift, n: 1, pairs: a.pairs[o]}
	for next := o + a.shift; next < len(a.pairs); next += a.shift {
		dl, ok := shifted(a.pairs[next-a.shift], a.pairs[next])
		if !ok || r.n > 1 && dl != r.dl {
			break
		}
		r.dl, r.n = dl, r.n+1
	}
	if r.dl < 0 { // walk it backwards
		r.start += (r.n - 1) * r.step
		r.step, r.dl, r.pairs = -r.step, -r.dl, a.pairs[r.start]
	}
	return r
}

// shifted reports whether b is a, not empty, with its left positions moved by d.
func shifted(a, b []pair) (d int, ok bool) {
	if len(a) == 0 || len(a) != len(b) {
		return 0, false
	}
	d = b[0].l - a[0].l
	for i := range a {
		if a[i].r != b[i].r || b[i].l-a[i].l != d {
			return 0, false
		}
	}
	return d, true
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

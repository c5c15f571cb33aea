package sched

import "slices"

// fuseEpilogues lets products finish their results while these are in the
// cache: a cluster that alone reads the result of a product, element by element,
// becomes the product's epilogue, which runs on every range of the result as
// soon as that is complete.
//
// The product moves to the place of the cluster, where all operands of both
// exist. That is always possible: nothing in between reads the result.
func fuseEpilogues(steps []step) []step {
	readers := map[*storage]int{}
	for _, s := range steps {
		for _, st := range distinct(s.reads()) {
			readers[st]++
		}
	}
	producer := map[*storage]int{}
	for i, s := range steps {
		switch s := s.(type) {
		case *productStep:
			producer[s.dst] = i
		case *clusterStep:
			if at, ok := latestProduct(s, producer, readers); ok {
				product := steps[at].(*productStep)
				product.absorb(s)
				steps[at], steps[i] = nil, product
			}
		}
	}
	return slices.DeleteFunc(steps, func(s step) bool { return s == nil })
}

// distinct are the elements of a list without repetitions.
func distinct(list []*storage) []*storage {
	var out []*storage
	for _, st := range list {
		if !slices.Contains(out, st) {
			out = append(out, st)
		}
	}
	return out
}

// latestProduct finds the last product whose result c alone reads, in order.
func latestProduct(c *clusterStep, producer, readers map[*storage]int) (at int, ok bool) {
	at = -1
	for _, in := range c.inputs {
		st := in.view.st
		i, made := producer[st]
		if made && i > at && readers[st] == 1 && st.kind == inArena && in.kind == accessFull && st.size == c.size && !c.rereads(st) {
			at = i
		}
	}
	return at, at >= 0
}

// rereads reports whether c reads a storage in more than one way.
func (c *clusterStep) rereads(st *storage) bool {
	times := 0
	for _, in := range c.inputs {
		if in.view.st == st {
			times++
		}
	}
	return times > 1
}

// absorb makes c the epilogue of s. If it can, an output of c takes the place of
// the result of s: one stream to memory instead of two.
func (s *productStep) absorb(c *clusterStep) {
	s.epilogue = c
	input := slices.IndexFunc(c.inputs, func(in clusterInput) bool { return in.view.st == s.dst })
	for _, o := range c.outputs {
		if !o.st.isBool && c.overwritable(input, o.value) {
			s.dst, c.inputs[input].view.st = o.st, o.st
			return
		}
	}
}

// epilogue returns the function that computes c on ranges of its elements. The
// same run must not start another cluster before it is done.
func (r *run) epilogue(c *clusterStep) func(worker, lo, hi int) {
	r.generation++
	r.finishing = c
	return r.finish
}

// finishRange computes elements [lo, hi) of the cluster at hand.
func (r *run) finishRange(worker, lo, hi int) {
	c := r.finishing
	e := r.evaluator(worker, c)
	for from := lo; from < hi; from += c.tile {
		e.tile(from, min(c.tile, hi-from))
	}
}

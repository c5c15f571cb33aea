package sched

import "slices"

// inPlace finds, for each output, an input whose memory the output may take
// when the caller gives that input up, or -1. Such an input is last read by the
// cluster that computes the output, element by element, and before or by the
// instruction that writes the element. An optimiser's step then streams through
// half the memory, and needs none that is new.
func inPlace(steps []step, outputs int) []int {
	last := map[*storage]int{}
	for i, s := range steps {
		for _, st := range s.reads() {
			last[st] = i
		}
	}
	taken := slices.Repeat([]int{-1}, outputs)
	for i, s := range steps {
		c, forbidden := elementWise(s)
		if c == nil {
			continue
		}
		for _, o := range c.outputs {
			if o.st.kind != isOutput || o.st.isBool || slices.Contains(forbidden, o.st) {
				continue
			}
			for k, in := range c.inputs {
				st := in.view.st
				if st.kind == isInput && last[st] == i && c.overwritable(k, o.value) &&
					!slices.Contains(forbidden, st) && !slices.Contains(taken, st.index) {
					taken[o.st.index] = st.index
					break
				}
			}
		}
	}
	return taken
}

// elementWise returns the cluster of a step, or nil, and the storages that the
// step uses otherwise.
func elementWise(s step) (c *clusterStep, others []*storage) {
	switch s := s.(type) {
	case *clusterStep:
		return s, nil
	case *productStep:
		return s.epilogue, []*storage{s.dst, s.x, s.w}
	}
	return nil, nil
}

// overwritable reports whether value, a result of c, may be written over input
// k: their elements correspond, and nothing reads the input afterwards.
func (c *clusterStep) overwritable(k, value int) bool {
	in := &c.inputs[k]
	return in.kind == accessFull && !in.view.st.isBool && in.view.st.size == c.size &&
		!c.rereads(in.view.st) && c.lastUse(k) <= value
}

// lastUse is the last instruction that reads input k.
func (c *clusterStep) lastUse(k int) int {
	last := 0
	for i, in := range c.instrs {
		if slices.Contains(in.args[:in.n], -1-k) {
			last = i
		}
	}
	return last
}

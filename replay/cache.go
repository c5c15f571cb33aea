package replay

import "slices"

// cache keeps the images of the episodes used last, within a budget.
type cache struct {
	budget int64
	used   int64
	recent []*stored // least recently used first
}

// touch marks an episode, whose images are in memory, as the one used last and
// lets go of others until the budget holds.
func (c *cache) touch(st *stored) {
	if i := slices.Index(c.recent, st); i >= 0 {
		c.recent = append(slices.Delete(c.recent, i, i+1), st)
		return
	}
	c.recent = append(c.recent, st)
	c.used += int64(len(st.images))
	for c.used > c.budget && len(c.recent) > 1 {
		c.forget(c.recent[0])
	}
}

func (c *cache) forget(st *stored) {
	if i := slices.Index(c.recent, st); i >= 0 {
		c.recent = slices.Delete(c.recent, i, i+1)
		c.used -= int64(len(st.images))
		st.images = nil
	}
}

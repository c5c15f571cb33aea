package replay

import "container/list"

// cache keeps the images of the episodes used last, within a budget, but always
// those of the last one.
type cache struct {
	budget int64
	used   int64     // bytes
	recent list.List // of *stored, the one used last at the front
}

// put gives an episode its images and marks it as the one used last.
func (c *cache) put(st *stored, images []byte) {
	c.forget(st)
	st.images, st.cached = images, c.recent.PushFront(st)
	c.used += int64(len(images))
	for c.used > c.budget && c.recent.Len() > 1 {
		c.forget(c.recent.Back().Value.(*stored))
	}
}

// get returns the images of an episode and marks it as the one used last, or
// returns nil if they are not in memory.
func (c *cache) get(st *stored) []byte {
	if st.cached != nil {
		c.recent.MoveToFront(st.cached)
	}
	return st.images
}

// forget lets go of an episode's images, if they are in memory.
func (c *cache) forget(st *stored) {
	if st.cached == nil {
		return
	}
	c.recent.Remove(st.cached)
	c.used -= int64(len(st.images))
	st.images, st.cached = nil, nil
}

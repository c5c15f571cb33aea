package replay

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// errLost reports an episode that the store has just dropped.
var errLost = errors.New("replay: the episode is lost")

// view returns the episodes that can be sampled now.
func (s *Store) view() ([]*stored, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.closed {
		return nil, ErrClosed
	}
	return s.mu.episodes, nil
}

// imagesOf returns an episode's images, from disk if need be, which happens
// outside the lock. An episode whose file has been damaged or removed since it
// was opened is dropped, and the error is errLost, as for one that the store has
// dropped before.
func (s *Store) imagesOf(st *stored) ([]byte, error) {
	if s.schema.ImageSize() == 0 {
		return nil, nil
	}
	if images := s.cachedImages(st); images != nil {
		return images, nil
	}
	ep, err := s.load(st.id)
	if err == nil && ep.Len() != st.light.Len() {
		err = fmt.Errorf("%s: %w: it had %d records, now %d", s.path(st.id), ErrCorrupt, st.light.Len(), ep.Len())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.mu.closed:
		return nil, ErrClosed
	case !s.hasLocked(st): // truncated meanwhile; its number may be another's now
		return nil, errLost
	case errors.Is(err, ErrCorrupt) || errors.Is(err, fs.ErrNotExist):
		s.skipLocked(st.id, err)
		s.dropLocked(st.id, st.id+1)
		return nil, errLost
	case err != nil:
		return nil, fmt.Errorf("replay: %w", err)
	}
	s.mu.cache.put(st, ep.Images)
	return ep.Images, nil
}

// hasLocked reports whether st is still one of the episodes.
func (s *Store) hasLocked(st *stored) bool {
	at, found := slices.BinarySearchFunc(s.mu.episodes, st.id, byID)
	return found && s.mu.episodes[at] == st
}

func (s *Store) cachedImages(st *stored) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.cache.get(st)
}

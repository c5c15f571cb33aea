package replay

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"

	"github.com/orrery-rl/orrery/internal/vfs"
)

// ErrClosed is returned by a store after Close.
var ErrClosed = errors.New("replay: the store is closed")

// Config limits a store.
type Config struct {
	// MemoryBudget is how many bytes of images stay in memory, at least one
	// episode's; the images of other episodes are read when they are sampled.
	// It must not be negative.
	MemoryBudget int64
}

// Store is a directory of episodes with ids 0, 1, 2, …, some of which may be
// missing. It is safe for concurrent use; one process at a time may open it.
type Store struct {
	fs     vfs.FS
	dir    string
	schema Schema
	log    *slog.Logger
	files  []string // by id, of a store that is only read; nil otherwise

	// writing is held while the directory changes, always before mu.
	writing sync.Mutex

	mu struct {
		sync.Mutex
		// episodes are in the order of their ids. Appending may extend the
		// array in place; everything else replaces it, so samplers may keep
		// the slice.
		episodes []*stored
		next     int // the id of the next episode
		records  int
		cache    cache
		skipped  []string
		closed   bool
	}
}

// stored is an episode whose images are in memory or on disk.
type stored struct {
	id    int
	light Episode // without images

	// The cache's, guarded by Store.mu: nil when only on disk.
	images []byte
	cached *list.Element
}

// Open opens the directory, which it creates, and reads every episode in it.
// A file that is damaged or does not fit the schema is skipped with a warning
// that names it, and never overwritten; what interrupted writes have left is
// removed. A file that the disk does not deliver is an error.
func Open(ctx context.Context, fsys vfs.FS, dir string, schema Schema, cfg Config, log *slog.Logger) (*Store, error) {
	if err := schema.Validate(); err != nil {
		return nil, err
	}
	if cfg.MemoryBudget < 0 {
		return nil, fmt.Errorf("replay: a memory budget of %d bytes; it must not be negative", cfg.MemoryBudget)
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Store{fs: fsys, dir: dir, schema: schema, log: log}
	s.mu.cache.budget = cfg.MemoryBudget
	if err := errors.Join(vfs.MakeDirDurable(fsys, dir), vfs.RemoveTemps(fsys, dir)); err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	if err := s.scan(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// scan takes in the files of the directory.
func (s *Store) scan(ctx context.Context) error {
	ids, err := s.listIDs()
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.mu.next = id + 1
		ep, err := s.load(id)
		switch {
		case errors.Is(err, ErrCorrupt):
			s.skipLocked(id, err)
		case err != nil:
			return fmt.Errorf("replay: %w", err)
		default:
			s.addLocked(id, ep)
		}
	}
	return nil
}

// listIDs returns the ids of all files in the directory, in order. Files with
// other names are left alone.
func (s *Store) listIDs() ([]int, error) {
	entries, err := s.fs.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	var ids []int
	for _, entry := range entries {
		if id, ok := episodeID(entry.Name()); ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

func (s *Store) path(id int) string {
	if s.files != nil {
		return s.files[id]
	}
	return filepath.Join(s.dir, episodeName(id))
}

// load reads an episode from disk. It needs no lock.
func (s *Store) load(id int) (*Episode, error) { return ReadFile(s.fs, s.path(id), s.schema) }

func (s *Store) addLocked(id int, ep *Episode) {
	st := &stored{id: id, light: *ep}
	st.light.Images = nil
	s.mu.episodes = append(s.mu.episodes, st)
	s.mu.records += ep.Len()
	s.mu.cache.put(st, ep.Images)
}

func (s *Store) skipLocked(id int, err error) {
	s.log.Warn("episode skipped", "file", s.path(id), "error", err)
	s.mu.skipped = append(s.mu.skipped, s.path(id))
}

func byID(st *stored, id int) int { return cmp.Compare(st.id, id) }

// dropLocked forgets the episodes with ids in [from, to).
func (s *Store) dropLocked(from, to int) {
	begin, _ := slices.BinarySearchFunc(s.mu.episodes, from, byID)
	end, _ := slices.BinarySearchFunc(s.mu.episodes, to, byID)
	for _, st := range s.mu.episodes[begin:end] {
		s.mu.records -= st.light.Len()
		s.mu.cache.forget(st)
	}
	s.mu.episodes = slices.Concat(s.mu.episodes[:begin], s.mu.episodes[end:])
}

// Append writes an episode durably and returns its id. The store keeps the
// slices; the caller must not change them. After an error the episode may
// nevertheless be found when the directory is opened again.
func (s *Store) Append(ctx context.Context, ep *Episode) (id int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := errors.Join(ep.check(s.schema), ep.checkSize(s.schema)); err != nil {
		return 0, fmt.Errorf("replay: append: %w", err)
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	id, err = s.nextID()
	if err != nil {
		return 0, err
	}
	err = vfs.WriteFileDurable(s.fs, s.path(id), func(w io.Writer) error { return ep.write(w, s.schema) })
	if err != nil {
		return 0, fmt.Errorf("replay: episode %d: %w", id, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.next = id + 1
	s.addLocked(id, ep)
	return id, nil
}

func (s *Store) nextID() (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.mu.closed:
		return 0, ErrClosed
	case s.files != nil:
		return 0, ErrReadOnly
	case s.mu.next > maxID:
		return 0, fmt.Errorf("replay: %s is the last possible file; remove it if it is not yours", s.path(maxID))
	}
	return s.mu.next, nil
}

// TruncateTo removes every episode with an id of at least n, damaged files
// included, so that the next one gets the id n: what a run restored from a
// snapshot with n episodes does with those that came after it. A crash in
// between leaves fewer of them.
func (s *Store) TruncateTo(ctx context.Context, n int) error {
	if n < 0 {
		return fmt.Errorf("replay: truncate to %d episodes", n)
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if _, err := s.nextID(); errors.Is(err, ErrClosed) || errors.Is(err, ErrReadOnly) {
		return err
	}
	ids, err := s.listIDs()
	if err != nil {
		return err
	}
	for _, id := range slices.Backward(ids) {
		if id < n {
			break
		}
		if err := s.remove(ctx, id); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropLocked(n, maxID+1) // those whose files were already gone
	s.mu.next = n
	if err := s.fs.SyncDir(s.dir); err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	return nil
}

// remove deletes the last episode and its file.
func (s *Store) remove(ctx context.Context, id int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.fs.Remove(s.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("replay: remove episode %d: %w", id, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropLocked(id, maxID+1)
	s.mu.next = id
	s.mu.skipped = slices.DeleteFunc(s.mu.skipped, func(path string) bool { return path == s.path(id) })
	return nil
}

// Next is the id that the next episode will get: one more than the last file's,
// damaged or not.
func (s *Store) Next() int { return s.count(func() int { return s.mu.next }) }

// Episodes is the number of episodes that can be sampled.
func (s *Store) Episodes() int { return s.count(func() int { return len(s.mu.episodes) }) }

// Records is the number of records in them.
func (s *Store) Records() int { return s.count(func() int { return s.mu.records }) }

// Memory is the number of bytes of images in memory.
func (s *Store) Memory() int64 { return int64(s.count(func() int { return int(s.mu.cache.used) })) }

func (s *Store) count(f func() int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return f()
}

// Missing lists the files of the episodes with ids below n that are not there.
// Damaged ones, which Skipped lists, are.
func (s *Store) Missing(n int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	there := map[string]bool{}
	for _, st := range s.mu.episodes {
		there[s.path(st.id)] = true
	}
	for _, path := range s.mu.skipped {
		there[path] = true
	}
	var missing []string
	for id := range n {
		if path := s.path(id); !there[path] {
			missing = append(missing, path)
		}
	}
	return missing
}

// Whole reports whether all of the first n episodes are there and intact, as
// far as they were read.
func (s *Store) Whole(n int) bool {
	return s.count(func() int {
		below, _ := slices.BinarySearchFunc(s.mu.episodes, n, byID)
		return below
	}) == n
}

// Skipped lists the files that Open skipped, and those that were found damaged
// or missing since.
func (s *Store) Skipped() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mu.skipped)
}

// Close waits for a write in progress and releases the memory. It may be
// called twice.
func (s *Store) Close() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.closed = true
	s.mu.episodes, s.mu.records, s.mu.cache = nil, 0, cache{}
	return nil
}

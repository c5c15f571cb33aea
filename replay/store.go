package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/orrery-rl/orrery/internal/vfs"
)

// ErrClosed is returned by a store after Close.
var ErrClosed = errors.New("replay: the store is closed")

// Config limits a store.
type Config struct {
	// MemoryBudget is how many bytes of images stay in memory, at least one
	// episode's; the images of other episodes are read when they are sampled.
	MemoryBudget int64
}

// Store is a directory of episodes with ids 0, 1, 2, …. It is safe for
// concurrent use.
type Store struct {
	fs     vfs.FS
	dir    string
	schema Schema
	log    *slog.Logger

	mu struct {
		sync.Mutex
		episodes []*stored // by id
		next     int       // the id of the next episode
		records  int
		cache    cache
		skipped  []string
		closed   bool
	}
}

// stored is an episode without its images, which are in memory or on disk.
type stored struct {
	id     int
	light  Episode // no images
	images []byte  // nil when only on disk
}

// Open opens the directory, which it creates, and reads every episode in it.
// A file that is damaged or does not fit the schema is skipped with a warning
// that names it; so are files of unfinished writes, which are removed.
func Open(ctx context.Context, fsys vfs.FS, dir string, schema Schema, cfg Config, log *slog.Logger) (*Store, error) {
	if err := schema.Validate(); err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Store{fs: fsys, dir: dir, schema: schema, log: log}
	s.mu.cache.budget = cfg.MemoryBudget
	if err := fsys.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := s.adopt(entry); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// adopt takes in one file of the directory.
func (s *Store) adopt(entry fs.DirEntry) error {
	path := filepath.Join(s.dir, entry.Name())
	if vfs.IsTemp(entry.Name()) {
		return s.fs.Remove(path)
	}
	id, ok := episodeID(entry.Name())
	if !ok {
		return nil // not ours
	}
	s.mu.next = max(s.mu.next, id+1)
	ep, err := s.load(id)
	if errors.Is(err, ErrCorrupt) {
		s.log.Warn("episode skipped", "file", path, "error", err)
		s.mu.skipped = append(s.mu.skipped, path)
		return nil
	}
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	s.add(id, ep)
	return nil
}

func (s *Store) add(id int, ep *Episode) {
	st := &stored{id: id, light: *ep, images: ep.Images}
	st.light.Images = nil
	at, _ := slices.BinarySearchFunc(s.mu.episodes, id, func(a *stored, id int) int { return a.id - id })
	s.mu.episodes = slices.Insert(s.mu.episodes, at, st)
	s.mu.records += ep.Len()
	s.mu.cache.touch(st)
}

func episodeName(id int) string { return fmt.Sprintf("%06d.npz", id) }

func episodeID(name string) (int, bool) {
	digits, ok := strings.CutSuffix(name, ".npz")
	if !ok {
		return 0, false
	}
	id, err := strconv.Atoi(digits)
	return id, err == nil && id >= 0 && episodeName(id) == name
}

func (s *Store) load(id int) (*Episode, error) {
	path := filepath.Join(s.dir, episodeName(id))
	f, err := s.fs.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	ep, err := readEpisode(f, info.Size(), s.schema)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return ep, nil
}

// Append writes an episode durably and returns its id. The store keeps the
// slices; the caller must not change them.
func (s *Store) Append(ctx context.Context, ep *Episode) (id int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := ep.check(s.schema); err != nil {
		return 0, fmt.Errorf("replay: append: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.closed {
		return 0, ErrClosed
	}
	id = s.mu.next
	path := filepath.Join(s.dir, episodeName(id))
	err = vfs.WriteFileDurable(s.fs, path, func(w io.Writer) error { return ep.write(w, s.schema) })
	if err != nil {
		return 0, fmt.Errorf("replay: episode %d: %w", id, err)
	}
	s.mu.next++
	s.add(id, ep)
	return id, nil
}

// TruncateTo removes every episode with an id of at least n, so that the next
// one gets the id n: what a run restored from a snapshot with n episodes does
// with those that came after it.
func (s *Store) TruncateTo(ctx context.Context, n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := s.mu.next - 1; id >= n; id-- {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := s.fs.Remove(filepath.Join(s.dir, episodeName(id)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("replay: remove episode %d: %w", id, err)
		}
		s.mu.next = id
	}
	s.mu.next = n
	s.mu.episodes = slices.DeleteFunc(s.mu.episodes, func(st *stored) bool {
		if st.id < n {
			return false
		}
		s.mu.records -= st.light.Len()
		s.mu.cache.forget(st)
		return true
	})
	return s.fs.SyncDir(s.dir)
}

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

// Skipped lists the files that Open skipped.
func (s *Store) Skipped() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mu.skipped)
}

// Close releases the memory. It may be called twice.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.closed = true
	s.mu.episodes, s.mu.cache = nil, cache{}
	return nil
}

package live

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/orrery-rl/orrery/internal/vfs"
)

// Config is how often a [Dir] takes something. Zero fields take the defaults.
type Config struct {
	// Decisions (0.6 s) and Episodes (5 s) are the shortest times between two that
	// are shown; what comes earlier is passed over.
	Decisions, Episodes time.Duration
	// Log receives the first failure; nil discards it.
	Log *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Dir is the sink that writes files into the directory of a run. Each file is
// replaced as a whole, so that a reader sees the old or the new one; it isn't
// synced, since a run does not need it. Writing happens in a goroutine of its
// own, which Close ends; while the disk is slow, what is shown is passed over.
type Dir struct {
	fsys     vfs.FS
	dir      string
	log      *slog.Logger
	failed   sync.Once
	decision slot
	episode  slot
	wake     chan struct{}
	closing  sync.Once
	done     chan struct{}
	joined   chan struct{}
}

// slot holds what waits to be written to one file.
type slot struct {
	name  string
	every time.Duration
	now   func() time.Time
	mu    sync.Mutex
	taken time.Time // when something was last taken
	next  []byte    // nil: nothing waits
}

// NewDir returns the sink for the run in a directory, which it makes if need be
// when it writes first. The caller closes it.
func NewDir(fsys vfs.FS, run string, cfg Config) *Dir {
	if cfg.Decisions == 0 {
		cfg.Decisions = 600 * time.Millisecond
	}
	if cfg.Episodes == 0 {
		cfg.Episodes = 5 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	d := &Dir{
		fsys: fsys, dir: filepath.Join(run, DirName), log: cfg.Log,
		decision: slot{name: decisionName, every: cfg.Decisions, now: cfg.Now},
		episode:  slot{name: episodeName, every: cfg.Episodes, now: cfg.Now},
		wake:     make(chan struct{}, 1), done: make(chan struct{}), joined: make(chan struct{}),
	}
	go d.write()
	return d
}

// WantsDecision implements Sink.
func (d *Dir) WantsDecision() bool { return d.decision.wants() }

// WantsEpisode implements Sink.
func (d *Dir) WantsEpisode() bool { return d.episode.wants() }

// ShowDecision implements Sink.
func (d *Dir) ShowDecision(x Decision) {
	d.show(&d.decision, func() ([]byte, error) { return encodeDecision(&x) })
}

// ShowEpisode implements Sink.
func (d *Dir) ShowEpisode(x Episode) {
	d.show(&d.episode, func() ([]byte, error) { return encodeEpisode(&x) })
}

// Close writes what waits and ends the goroutine.
func (d *Dir) Close() error {
	d.closing.Do(func() { close(d.done) })
	<-d.joined
	return nil
}

// wants reports whether something shown now would be taken: it is time, and the
// last is written.
func (s *slot) wants() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.free()
}

func (s *slot) free() bool {
	return s.next == nil && (s.taken.IsZero() || s.now().Sub(s.taken) >= s.every)
}

// put takes data, unless something waits.
func (s *slot) put(data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.free() {
		s.next, s.taken = data, s.now()
	}
}

func (s *slot) get() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	data := s.next
	s.next = nil
	return data
}

func (d *Dir) show(s *slot, encode func() ([]byte, error)) {
	if !s.wants() {
		return
	}
	data, err := encode()
	if err != nil {
		d.report(err)
		return
	}
	s.put(data)
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// write is the goroutine that writes.
func (d *Dir) write() {
	defer close(d.joined)
	for ended := false; !ended; {
		select {
		case <-d.wake:
		case <-d.done:
			ended = true
		}
		for _, s := range []*slot{&d.decision, &d.episode} {
			if data := s.get(); data != nil {
				d.report(d.replace(s.name, data))
			}
		}
	}
}

// replace makes a file hold data, or leaves it as it was.
func (d *Dir) replace(name string, data []byte) error {
	if err := d.fsys.MkdirAll(d.dir); err != nil {
		return fmt.Errorf("live: %w", err)
	}
	path := filepath.Join(d.dir, name)
	temp := path + ".tmp"
	if err := d.fsys.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("live: %w", err)
	}
	f, err := d.fsys.Create(temp)
	if err != nil {
		return fmt.Errorf("live: %w", err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = d.fsys.Rename(temp, path)
	}
	if err != nil {
		_ = d.fsys.Remove(temp) // best effort: the cause is what to report
		return fmt.Errorf("live: write %s: %w", path, err)
	}
	return nil
}

// report logs the first failure.
func (d *Dir) report(err error) {
	if err != nil {
		d.failed.Do(func() {
			d.log.Warn("the live view of the run could not be written; training goes on and later failures are not reported", "error", err)
		})
	}
}

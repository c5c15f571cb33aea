package tensorboard

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/metrics"
)

// ErrNoEvents marks a source without a single whole event.
var ErrNoEvents = errors.New("no events")

// Config says what is written, and where.
type Config struct {
	FS vfs.FS
	// Source is the run's metrics.jsonl.
	Source string
	// Dir is the directory for TensorBoard; it is made if need be.
	Dir string
	// Pictures returns what to show at an event; nil shows none. It must give the
	// same whenever it is asked about the same event.
	Pictures func(metrics.Event) ([]Picture, error)
	// Notes are Markdown by tag, shown at the first event.
	Notes map[string]string
}

// Sink keeps an event file up to date with a run. It is a metrics.Sink whose
// recorder has metrics.jsonl as its truth: events must be there before they
// come here.
type Sink struct {
	config  Config
	encoder *encoder
	file    vfs.File // nil until the first event and after a failure

	failures int       // since the last event that was appended
	failed   error     // the last failure
	retry    time.Time // when to try again
	missed   *metrics.Event
}

// How long a sink that failed again and again waits before it writes a run's
// whole history anew: longer each time.
const (
	firstWait = time.Second
	maxWait   = 5 * time.Minute
)

// New makes the directory. Nothing else is written before the first event.
func New(c Config) (*Sink, error) {
	if err := vfs.MakeDirDurable(c.FS, c.Dir); err != nil {
		return nil, fmt.Errorf("tensorboard: %w", err)
	}
	return &Sink{config: c}, nil
}

// Write appends an event. The first event of a process, and one after a
// failure, is where everything is written anew. Where failures last, as on a full
// disk, that is tried more and more rarely, and by Close.
func (s *Sink) Write(e metrics.Event) error {
	if s.file == nil || e.Kind == metrics.KindRun {
		if time.Now().Before(s.retry) {
			s.miss(e)
			return fmt.Errorf("tensorboard: nothing is written for a while after a failure: %w", s.failed)
		}
		return s.renew(e)
	}
	records, picturesErr := s.encoder.encode(e)
	if _, err := s.file.Write(records); err != nil {
		// Whatever follows a torn record cannot be read: begin anew.
		err = fmt.Errorf("tensorboard: %w", err)
		s.fail(e, err)
		return errors.Join(err, picturesErr, s.drop())
	}
	s.failures, s.retry = 0, time.Time{}
	return picturesErr
}

// fail notes an event that was not written. The first failure may be over at the
// next event; others are given time.
func (s *Sink) fail(e metrics.Event, err error) {
	s.failed = err
	if s.failures++; s.failures > 1 {
		s.retry = time.Now().Add(min(maxWait, firstWait<<min(s.failures-2, 30)))
	}
	s.miss(e)
}

// miss keeps the last event that the file lacks.
func (s *Sink) miss(e metrics.Event) {
	e.Values, e.Text = nil, nil // the caller's
	s.missed = &e
}

// renew writes a new file with the history of the run up to e and goes on there.
// The source may hold more already, which will still come here.
func (s *Sink) renew(e metrics.Event) error {
	if err := s.drop(); err != nil {
		s.fail(e, err)
		return err
	}
	path, encoder, done, err := project(s.config, &e)
	if path == "" {
		s.fail(e, err)
		return err
	}
	s.encoder, s.missed = encoder, nil
	var openErr error
	if s.file, openErr = s.config.FS.Append(path); openErr != nil {
		s.file = nil // not an interface around nothing
		openErr = fmt.Errorf("tensorboard: %w", openErr)
		s.fail(e, openErr)
		err = errors.Join(err, openErr)
	}
	return errors.Join(err, done.err)
}

// drop closes the file, so that the next event begins anew.
func (s *Sink) drop() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	return err
}

// Close closes the file, after a last attempt to write what is missing from it.
func (s *Sink) Close() error {
	var err error
	if s.missed != nil {
		err = s.renew(*s.missed)
	}
	return errors.Join(err, s.drop())
}

// Converted says what [Convert] found.
type Converted struct {
	// Path is the file that was written.
	Path string
	// Events were taken over, Damaged lines were left out.
	Events, Damaged int
}

// Convert writes the file of a run that is there, and removes older ones of the
// same directory. Pictures that could not be made do not prevent the rest;
// they are an error nevertheless.
func Convert(c Config) (Converted, error) {
	if _, err := c.FS.Stat(c.Source); err != nil {
		return Converted{}, fmt.Errorf("tensorboard: %w", err) // before anything is made for it
	}
	s, err := New(c)
	if err != nil {
		return Converted{}, err
	}
	path, _, done, err := project(s.config, nil)
	return Converted{Path: path, Events: done.events, Damaged: done.damaged}, errors.Join(err, done.err)
}

// progress is what copying came to.
type progress struct {
	events, damaged int
	err             error // the first of pictures
}

// project writes a new file from the source, up to the event last if that is not
// nil, and removes the older ones. The path
// is empty if there is no new file; older ones that stay do no harm, since
// TensorBoard forgets them where the new one begins.
func project(c Config, last *metrics.Event) (path string, e *encoder, done progress, err error) {
	older, next, err := list(c.FS, c.Dir)
	if err != nil {
		return "", nil, done, err
	}
	path = filepath.Join(c.Dir, fileName(next))
	err = vfs.WriteFileDurable(c.FS, path, func(w io.Writer) error {
		e, done = newEncoder(c), progress{}
		return done.copy(w, c, e, last)
	})
	if err != nil {
		return "", nil, done, fmt.Errorf("tensorboard: %w", err)
	}
	for _, name := range older {
		err = errors.Join(err, c.FS.Remove(filepath.Join(c.Dir, name)))
	}
	if err != nil {
		err = fmt.Errorf("tensorboard: remove older files: %w", err)
	}
	return path, e, done, err
}

// copy writes the whole history, or that up to last. Without a single event it fails, so that what
// was written before stays.
func (p *progress) copy(w io.Writer, c Config, e *encoder, last *metrics.Event) error {
	end := endOf(c, last)
	for ev, err := range metrics.ReadFile(c.FS, c.Source) {
		if p.events+p.damaged == end {
			break
		}
		if errors.Is(err, metrics.ErrCorrupt) {
			p.damaged++
			continue
		}
		if err != nil {
			return err
		}
		if p.events == 0 {
			if _, err := w.Write(e.head(ev)); err != nil {
				return err
			}
		}
		p.events++
		records, err := e.encode(ev)
		if p.err == nil {
			p.err = err
		}
		if _, err := w.Write(records); err != nil {
			return err
		}
	}
	if p.events == 0 {
		return fmt.Errorf("%w: %s", ErrNoEvents, c.Source)
	}
	return nil
}

// endOf is the number of lines up to the event last, or -1 for all.
func endOf(c Config, last *metrics.Event) int {
	lines, end := 0, -1
	if last == nil {
		return end
	}
	for ev, err := range metrics.ReadFile(c.FS, c.Source) {
		lines++
		if err == nil && ev.Kind == last.Kind && ev.Counters == last.Counters && ev.Time.Equal(last.Time) {
			end = lines
		}
	}
	return end
}

// ownName matches the names of files this package writes.
var ownName = regexp.MustCompile(`^events\.out\.tfevents\.(\d{10})\.orrery$`)

// fileName is that of file number n. TensorBoard reads files in the order of
// their names.
func fileName(n int) string { return fmt.Sprintf("events.out.tfevents.%010d.orrery", n) }

// list names this package's files in a directory, and the number of the next.
func list(fsys vfs.FS, dir string) (names []string, next int, err error) {
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return nil, 0, fmt.Errorf("tensorboard: %w", err)
	}
	next = 1
	for _, entry := range entries {
		match := ownName.FindStringSubmatch(entry.Name())
		if match == nil {
			continue
		}
		names = append(names, entry.Name())
		if n, err := strconv.Atoi(match[1]); err == nil {
			next = max(next, n+1)
		}
	}
	return names, next, nil
}

package metrics

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/orrery-rl/orrery/internal/vfs"
)

// JSONL is the sink that is the truth: a file with one event a line. Each event
// reaches the operating system before Write returns; Sync makes what was
// written survive a power cut. It is not safe for concurrent use, which a
// [Recorder] sees to.
type JSONL struct {
	fs     vfs.FS
	path   string
	file   vfs.File
	torn   bool // the last write failed and may have left part of a line
	events int  // see Events
}

// Resumed says what [OpenJSONL] found in the file.
type Resumed struct {
	// Kept is the number of events that stay.
	Kept int
	// Newer is the number of events removed because they come after the moment
	// resumed from: they will happen again.
	Newer int
	// Events is how many of the kept ones are not of [KindRun].
	Events int
	// Damaged is the number of lines removed because they are not events; a
	// crash leaves at most one, at the end.
	Damaged int
}

// OpenJSONL opens a file for appending and makes it if need be. What lies
// beyond upTo, the counters of the snapshot that the run resumes from, is
// removed first, so that a run that was killed and resumed has one history.
// A new run passes zero counters. Events of the kinds again are removed at upTo
// itself, too: those that the snapshot says have not happened yet.
func OpenJSONL(fsys vfs.FS, path string, upTo Counters, again ...string) (*JSONL, Resumed, error) {
	found, err := rewind(fsys, path, upTo, again)
	if err != nil {
		return nil, found, fmt.Errorf("metrics: resume %s: %w", path, err)
	}
	file, err := fsys.Append(path)
	if err != nil {
		return nil, found, fmt.Errorf("metrics: %w", vfs.Advise(fsys, path, err))
	}
	if err := fsys.SyncDir(filepath.Dir(path)); err != nil {
		return nil, found, errors.Join(fmt.Errorf("metrics: %w", err), file.Close())
	}
	return &JSONL{fs: fsys, path: path, file: file, events: found.Events}, found, nil
}

// CountUpTo is the number of events that [OpenJSONL] would keep, as
// [JSONL.Events] counts them. A file that does not exist has none.
func CountUpTo(fsys vfs.FS, path string, upTo Counters, again ...string) (int, error) {
	found, err := copyUpTo(io.Discard, fsys, path, upTo, again)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("metrics: count the events of %s: %w", path, err)
	}
	return found.Events, nil
}

// rewind rewrites the file without what copyUpTo leaves out, if that is
// anything.
func rewind(fsys vfs.FS, path string, upTo Counters, again []string) (Resumed, error) {
	found, err := copyUpTo(io.Discard, fsys, path, upTo, again)
	if errors.Is(err, fs.ErrNotExist) {
		return Resumed{}, nil
	}
	if err != nil || found.Newer+found.Damaged == 0 {
		return found, err
	}
	return found, vfs.WriteFileDurable(fsys, path, func(w io.Writer) error {
		_, err := copyUpTo(w, fsys, path, upTo, again)
		return err
	})
}

// copyUpTo copies the events of a file that do not lie beyond upTo, nor at it if
// they are of the kinds again.
func copyUpTo(dst io.Writer, fsys vfs.FS, path string, upTo Counters, again []string) (found Resumed, err error) {
	f, err := fsys.Open(path)
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for l, err := range lines(f) {
		if err != nil {
			return found, err
		}
		e, err := l.parse()
		switch {
		case err != nil || !l.complete:
			found.Damaged++
		case e.Counters.after(upTo), e.Counters == upTo && slices.Contains(again, e.Kind):
			found.Newer++
		default:
			found.Kept++
			if e.Kind != KindRun {
				found.Events++
			}
			if _, err := dst.Write(append(l.text, '\n')); err != nil {
				return found, err
			}
		}
	}
	return found, nil
}

// Write appends the event. After an error the event may be in the file in part;
// the next one starts a new line.
func (j *JSONL) Write(e Event) error {
	data, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("metrics: encode: %w", err)
	}
	data = sealed(data)
	if j.torn {
		data = append([]byte{'\n'}, data...)
	}
	_, err = j.file.Write(append(data, '\n'))
	j.torn = err != nil
	if err == nil && e.Kind != KindRun {
		j.events++
	}
	return vfs.Advise(j.fs, j.path, err)
}

// Events is the number of events in the file, without those of [KindRun], which
// tell how often a run was started rather than what happened in it.
func (j *JSONL) Events() int { return j.events }

// Sync makes everything written so far durable. Call it when a snapshot is
// taken, before the snapshot: the file may then be ahead of the snapshot, which
// resuming repairs, but never behind it.
func (j *JSONL) Sync() error {
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("metrics: sync %s: %w", j.path, vfs.Advise(j.fs, j.path, err))
	}
	return nil
}

// Close syncs and closes the file.
func (j *JSONL) Close() error { return errors.Join(j.file.Sync(), j.file.Close()) }

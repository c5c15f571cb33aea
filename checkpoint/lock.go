package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/orrery-rl/orrery/internal/vfs"
)

// lockName is the file in a run directory that a running process holds.
const lockName = "lock"

// ErrLocked is matched by the errors of [Lock] when another process works in
// the directory.
var ErrLocked = errors.New("checkpoint: run directory is in use")

// Holder says who holds a lock.
type Holder struct {
	// PID is the process id, 0 if unknown.
	PID int `json:"pid"`
	// Host is the machine's name.
	Host string `json:"host"`
	// Command is what was typed to start it.
	Command string `json:"command,omitempty"`
	// Since is when the lock was taken.
	Since time.Time `json:"since"`
}

// LockedError is the error of [Lock] when the lock is taken; it matches
// [ErrLocked].
type LockedError struct {
	Path   string
	Holder Holder
}

// Error names the holder and the remedy.
func (e *LockedError) Error() string {
	who := "an unknown process"
	if e.Holder.PID != 0 {
		who = fmt.Sprintf("process %d on %s since %s", e.Holder.PID, e.Holder.Host, e.Holder.Since.Format(time.RFC3339))
		if e.Holder.Command != "" {
			who += fmt.Sprintf(" (%s)", e.Holder.Command)
		}
	}
	return fmt.Sprintf("%v: %s is held by %s; stop it, or choose another directory", ErrLocked, e.Path, who)
}

// Unwrap makes the error match [ErrLocked].
func (e *LockedError) Unwrap() error { return ErrLocked }

// DirLock is the exclusive right to write in a run directory.
type DirLock struct {
	file *os.File
}

// Lock takes the right to write in dir, which must exist, without waiting. Where
// the operating system has file locks it ends with the process, however that
// dies, so there are no stale locks. A second Lock of the same directory fails
// with a [LockedError], also in the same process.
func Lock(dir string) (*DirLock, error) {
	path := filepath.Join(dir, lockName)
	file, err := openLocked(path)
	if errors.Is(err, errHeld) {
		return nil, &LockedError{Path: path, Holder: readHolder(path)}
	}
	if err != nil {
		return nil, fmt.Errorf("checkpoint: lock %s: %w", path, vfs.Advise(vfs.OS(), path, err))
	}
	if err := writeHolder(file); err != nil {
		return nil, errors.Join(fmt.Errorf("checkpoint: lock %s: %w", path, vfs.Advise(vfs.OS(), path, err)), unlock(file))
	}
	return &DirLock{file: file}, nil
}

// Release gives the lock back. Calling it again does nothing.
func (l *DirLock) Release() error {
	if l.file == nil {
		return nil
	}
	file := l.file
	l.file = nil
	if err := unlock(file); err != nil {
		return fmt.Errorf("checkpoint: release %s: %w", file.Name(), err)
	}
	return nil
}

// errHeld is what openLocked returns when somebody else has the lock.
var errHeld = errors.New("held")

// writeHolder records this process in the lock file, for error messages only.
func writeHolder(file *os.File) error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	data, err := json.Marshal(Holder{PID: os.Getpid(), Host: host, Command: commandLine(os.Args), Since: time.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err = file.WriteAt(append(data, '\n'), 0)
	return err
}

// maxCommand bounds what is told of a command line, in bytes.
const maxCommand = 400

// commandLine is the program's name with its arguments, cut off if it is long.
func commandLine(args []string) string {
	text := strings.Join(append([]string{filepath.Base(args[0])}, args[1:]...), " ")
	if len(text) > maxCommand {
		text = strings.ToValidUTF8(text[:maxCommand], "") + "…"
	}
	return text
}

// readHolder is the zero Holder when the file cannot be understood, for example
// because its holder is just writing it.
func readHolder(path string) Holder {
	file, err := os.Open(path)
	if err != nil {
		return Holder{}
	}
	defer file.Close()
	var h Holder
	if err := json.NewDecoder(io.LimitReader(file, 4096)).Decode(&h); err != nil {
		return Holder{}
	}
	return h
}

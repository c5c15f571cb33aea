// Package vfs is the seam under everything this project writes to disk: a small
// file system interface, the operating system behind it, and the one way a file
// becomes durable.
package vfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// FS is the part of a file system that the project uses. Paths are in the
// operating system's form.
type FS interface {
	// Open opens a file for reading.
	Open(path string) (File, error)
	// Create makes a new file for writing; it fails if the path exists.
	Create(path string) (File, error)
	// Append opens a file for writing at its end, and makes it if need be.
	Append(path string) (File, error)
	// Rename moves a file over another, atomically.
	Rename(from, to string) error
	// Remove deletes a file or an empty directory.
	Remove(path string) error
	// Truncate cuts a file to size bytes.
	Truncate(path string, size int64) error
	// MkdirAll makes a directory with all its parents.
	MkdirAll(path string) error
	// ReadDir lists a directory by name.
	ReadDir(path string) ([]fs.DirEntry, error)
	// Stat describes a file.
	Stat(path string) (fs.FileInfo, error)
	// SyncDir makes the names in a directory durable.
	SyncDir(path string) error
}

// File is an open file.
type File interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.Closer
	// Stat describes the file.
	Stat() (fs.FileInfo, error)
	// Sync makes what was written durable.
	Sync() error
}

// ErrTooLarge is wrapped by ReadFile for files over the limit.
var ErrTooLarge = errors.New("file too large")

// tempMark is part of the name of every unfinished file.
const tempMark = ".tmp-"

// IsTemp reports whether a file name is that of an unfinished write, which a
// crash may leave behind and anybody may delete.
func IsTemp(name string) bool { return strings.Contains(filepath.Base(name), tempMark) }

// WriteFileDurable makes path hold what write produces, or leaves what was
// there: it writes a temporary file in the same directory, syncs it, renames it
// over path and syncs the directory. When it returns nil the contents survive a
// power cut.
func WriteFileDurable(fsys FS, path string, write func(io.Writer) error) (err error) {
	temp := fmt.Sprintf("%s%s%d", path, tempMark, os.Getpid())
	if err := fsys.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("vfs: write %s: %w", path, err)
	}
	f, err := fsys.Create(temp)
	if err != nil {
		return fmt.Errorf("vfs: write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("vfs: write %s: %w", path, err)
			_ = fsys.Remove(temp) // best effort: the cause is already reported
		}
	}()
	if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := fsys.Rename(temp, path); err != nil {
		return err
	}
	return fsys.SyncDir(filepath.Dir(path))
}

// ReadFile returns the contents of a file of at most limit bytes.
func ReadFile(fsys FS, path string, limit int64) ([]byte, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%s: %w: %d bytes, the limit is %d", path, ErrTooLarge, info.Size(), limit)
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}

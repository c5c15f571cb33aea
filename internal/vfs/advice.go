package vfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"syscall"
)

// advisedError is an error with what a person can do about it.
type advisedError struct {
	err    error
	advice string
}

func (e *advisedError) Error() string { return e.err.Error() + ": " + e.advice }
func (e *advisedError) Unwrap() error { return e.err }

// Advise adds to an error about path what a person can do about it, where the
// cause is known and the error does not say it yet.
func Advise(fsys FS, path string, err error) error { return adviseSize(fsys, path, err, nil) }

// adviseSize is Advise for a failed attempt to write a file; size says how large
// it would be and may be nil.
func adviseSize(fsys FS, path string, err error, size func() (int64, bool)) error {
	var already *advisedError
	if err == nil || errors.As(err, &already) {
		return err
	}
	dir := filepath.Dir(path)
	var advice string
	switch {
	case isFull(err):
		advice = needs(fsys, dir, size) + ": free some space there and give the same command again; what was saved before is whole"
	case errors.Is(err, syscall.EROFS):
		advice = fmt.Sprintf("the file system of %s is read-only: mount it for writing, or choose another directory", dir)
	case errors.Is(err, fs.ErrPermission):
		advice = permission(fsys, path)
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		advice = fmt.Sprintf("there is a file where a directory is needed: choose another directory, or move the file that %s leads through", path)
	case errors.Is(err, fs.ErrNotExist):
		advice = fmt.Sprintf("is %s gone, or not mounted? Bring it back and give the same command again", dir)
	case errors.Is(err, syscall.EIO):
		advice = "the disk failed: look into the system's log, and copy the directory to another disk before going on"
	case errors.Is(err, syscall.ESTALE):
		advice = fmt.Sprintf("the network file system of %s has lost the file: wait until it is back, and give the same command again", dir)
	case errors.Is(err, syscall.EXDEV):
		advice = fmt.Sprintf("it is mounted or linked from another file system than %s: keep all of the directory on one", dir)
	default:
		return err
	}
	return &advisedError{err, advice}
}

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || isFullHere(err)
}

// permission says what forbids writing path.
func permission(fsys FS, path string) string {
	for _, at := range []string{path, filepath.Dir(path)} {
		if info, err := fsys.Stat(at); err == nil {
			return fmt.Sprintf("%s has the mode %v: change it or its owner, or choose another directory", at, info.Mode())
		}
	}
	return "change the mode or the owner of its directory, or choose another one"
}

// needs says how much a file takes and how much there is.
func needs(fsys FS, dir string, size func() (int64, bool)) string {
	text := fmt.Sprintf("the disk of %s is full", dir)
	if size != nil {
		if n, ok := size(); ok {
			text = fmt.Sprintf("%d bytes are needed in %s", n, dir)
		}
	}
	if free, ok := Free(fsys, dir); ok {
		text += fmt.Sprintf(", %d are free", free)
	}
	return text
}

// Free is the number of bytes that may still be written below dir, if the file
// system says so.
func Free(fsys FS, dir string) (int64, bool) {
	if f, ok := fsys.(interface{ Free(string) (int64, bool) }); ok {
		return f.Free(dir)
	}
	return 0, false
}

// sizeOf returns a function that writes a file once more, to nowhere, to say how
// large it is.
func sizeOf(write func(io.Writer) error) func() (int64, bool) {
	return func() (int64, bool) {
		var n counter
		err := write(&n)
		return int64(n), err == nil
	}
}

// counter counts the bytes written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

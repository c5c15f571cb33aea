//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package checkpoint

import (
	"errors"
	"io/fs"
	"os"
)

// openLocked creates the file, whose existence is the lock on systems without
// file locks. A process that dies leaves it behind; the error names the process
// that wrote it, and removing the file frees the directory.
func openLocked(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil, errHeld
	}
	return file, err
}

// unlock closes and removes the file.
func unlock(file *os.File) error {
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

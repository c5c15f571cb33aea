//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package checkpoint

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// openLocked opens or creates the file and takes an advisory lock on it.
func openLocked(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		closeErr := file.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errHeld
		}
		return nil, errors.Join(err, closeErr)
	}
	return file, nil
}

// unlock closes the file, which ends the lock. The file stays: removing it
// would let a second process lock a name that a third recreates.
func unlock(file *os.File) error { return file.Close() }

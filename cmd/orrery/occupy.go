package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/internal/vfs"
)

// lockName is the file that [checkpoint.Lock] makes in a directory.
const lockName = "lock"

// occupyDir makes a directory ours until opened is closed. Directories that it
// had to make are then removed if nothing has come into them.
func occupyDir(dir string, opened *closers) error {
	made := missingDirs(dir)
	opened.add(func() error { removeEmpty(made); return nil })
	if err := vfs.MakeDirDurable(vfs.OS(), dir); err != nil {
		return err
	}
	lock, err := checkpoint.Lock(dir)
	if err != nil {
		return err
	}
	opened.add(func() error {
		unused := len(made) > 0 && onlyLock(dir)
		path := filepath.Join(dir, lockName)
		if unused && os.Remove(path) == nil { // while it is ours; not every system can
			unused = false
		}
		err := lock.Release()
		if unused && onlyLock(dir) {
			err = errors.Join(err, os.Remove(path))
		}
		return err
	})
	return nil
}

// missingDirs are dir and those above it that do not exist, the deepest first.
func missingDirs(dir string) (dirs []string) {
	for dir = filepath.Clean(dir); ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			return dirs
		}
		dirs = append(dirs, dir)
	}
}

// onlyLock reports whether the lock is all there is in a directory.
func onlyLock(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && len(entries) == 1 && entries[0].Name() == lockName
}

// removeEmpty removes directories as long as they are empty.
func removeEmpty(dirs []string) {
	for _, dir := range dirs {
		if os.Remove(dir) != nil {
			return
		}
	}
}

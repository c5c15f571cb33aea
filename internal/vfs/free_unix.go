//go:build linux || darwin || freebsd

package vfs

import "golang.org/x/sys/unix"

// Free asks the file system.
func (osFS) Free(dir string) (int64, bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}

func isFullHere(error) bool { return false }

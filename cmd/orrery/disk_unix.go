//go:build linux || darwin || freebsd

package main

import "golang.org/x/sys/unix"

// enoughDisk is what a run of the paper's length writes.
const enoughDisk = 8 << 30

// diskFree asks the file system of the working directory.
func diskFree() finding {
	f := finding{Name: "disk", State: "unknown", Found: "the file system does not say", For: "1000 episodes take 2 to 7 GiB"}
	var s unix.Statfs_t
	if err := unix.Statfs(".", &s); err != nil {
		return f
	}
	return sized(f, int64(s.Bavail)*int64(s.Bsize), enoughDisk, "free some space, or give --run a directory elsewhere")
}

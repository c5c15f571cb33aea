// Package room says how much memory a process may still take on this machine:
// what the system has available, or what is left of a control group's limit, as
// containers have, if that is less.
package room

import (
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
)

// Memory is the number of bytes, and what limits it, for messages. It is not
// known everywhere.
func Memory() (bytes int64, what string, ok bool) { return memory(os.DirFS("/")) }

func memory(root fs.FS) (bytes int64, what string, ok bool) {
	bytes, ok = meminfo(root)
	what = "available"
	for _, left := range []func(fs.FS) (int64, bool){groupV2, groupV1} {
		if n, limited := left(root); limited && (!ok || n < bytes) {
			bytes, what, ok = n, "left of this container's limit", true
		}
	}
	return bytes, what, ok
}

// meminfo reads what Linux says is available without swapping.
func meminfo(root fs.FS) (int64, bool) {
	text, err := fs.ReadFile(root, "proc/meminfo")
	if err != nil {
		return 0, false
	}
	kib, ok := field(string(text), "MemAvailable:")
	return kib << 10, ok
}

// groupV2 walks from this process's group to the root; any of them may limit it.
func groupV2(root fs.FS) (least int64, limited bool) {
	text, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0, false
	}
	group := ""
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "0::"); ok {
			group = strings.TrimSpace(rest)
		}
	}
	for at := path.Join("sys/fs/cgroup", group); strings.HasPrefix(at, "sys/fs/cgroup"); at = path.Dir(at) {
		if n, ok := left(root, at, "memory.max", "memory.current", "inactive_file"); ok && (!limited || n < least) {
			least, limited = n, true
		}
	}
	return least, limited
}

func groupV1(root fs.FS) (int64, bool) {
	return left(root, "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
}

// left is the limit less what is used, not counting files that can be dropped.
func left(root fs.FS, dir, limitName, usedName, cached string) (int64, bool) {
	limit, ok := number(root, path.Join(dir, limitName))
	used, known := number(root, path.Join(dir, usedName))
	if !ok || !known || limit >= 1<<60 { // version 1 writes a huge number for none
		return 0, false
	}
	if text, err := fs.ReadFile(root, path.Join(dir, "memory.stat")); err == nil {
		if n, ok := field(string(text), cached); ok {
			used -= n
		}
	}
	return max(0, limit-used), true
}

// number reads a file with one number; "max" is none.
func number(root fs.FS, name string) (int64, bool) {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}

// field finds the number after a name at the start of a line.
func field(text, name string) (int64, bool) {
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == name {
			n, err := strconv.ParseInt(words[1], 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

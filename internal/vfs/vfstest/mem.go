// Package vfstest provides file systems for tests: one in memory that can lose
// power, and a wrapper that watches every operation and makes it fail.
package vfstest

import (
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/orrery-rl/orrery/internal/vfs"
)

// Mem is a file system in memory that remembers what was synced: the contents
// of files by File.Sync, the names in a directory by SyncDir. CrashClone shows
// what a power cut leaves of it.
type Mem struct {
	mu struct {
		sync.Mutex
		root *node
	}
}

// node is a file or, when names is not nil, a directory.
type node struct {
	data, syncedData   []byte
	names, syncedNames map[string]*node
}

// NewMem returns an empty file system.
func NewMem() *Mem { return newMem(newDir()) }

func newMem(root *node) *Mem {
	m := &Mem{}
	m.mu.root = root
	return m
}

func newDir() *node { return &node{names: map[string]*node{}, syncedNames: map[string]*node{}} }

func (n *node) isDir() bool { return n.names != nil }

// CrashClone returns what may be found after a power cut now. Of every name
// and every file contents that are not synced, keep decides whether they
// survived all the same; a nil keep loses them all.
func (m *Mem) CrashClone(keep func() bool) *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	if keep == nil {
		keep = func() bool { return false }
	}
	return newMem(m.mu.root.survivor(keep))
}

func (n *node) survivor(keep func() bool) *node {
	if !n.isDir() {
		data := slices.Clone(n.syncedData)
		if lost := len(n.data) - len(data); lost > 0 && keep() {
			if !keep() {
				lost /= 2 // a torn write
			}
			data = slices.Clone(n.data[:len(data)+lost])
		}
		return &node{data: data, syncedData: slices.Clone(data)}
	}
	out := newDir()
	all := maps.Clone(n.names)
	maps.Copy(all, n.syncedNames)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		child := n.syncedNames[name]
		if n.names[name] != child && keep() {
			child = n.names[name]
		}
		if child != nil {
			out.names[name] = child.survivor(keep)
		}
	}
	out.syncedNames = maps.Clone(out.names)
	return out
}

// findLocked returns the node at path, or an error for op.
func (m *Mem) findLocked(op, path string) (*node, error) {
	at := m.mu.root
	for part := range strings.SplitSeq(filepath.ToSlash(filepath.Clean(path)), "/") {
		if part == "" || part == "." {
			continue
		}
		if !at.isDir() {
			return nil, &fs.PathError{Op: op, Path: path, Err: syscall.ENOTDIR}
		}
		if at = at.names[part]; at == nil {
			return nil, &fs.PathError{Op: op, Path: path, Err: fs.ErrNotExist}
		}
	}
	return at, nil
}

// parentLocked returns the directory of path, and path's name in it.
func (m *Mem) parentLocked(op, path string) (*node, string, error) {
	dir, err := m.findLocked(op, filepath.Dir(path))
	if err == nil && !dir.isDir() {
		err = &fs.PathError{Op: op, Path: path, Err: syscall.ENOTDIR}
	}
	return dir, filepath.Base(path), err
}

// Open implements vfs.FS.
func (m *Mem) Open(path string) (vfs.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.findLocked("open", path)
	if err != nil {
		return nil, err
	}
	return &file{mem: m, node: n, name: filepath.Base(path)}, nil
}

// Create implements vfs.FS.
func (m *Mem) Create(path string) (vfs.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, name, err := m.parentLocked("create", path)
	if err != nil {
		return nil, err
	}
	if dir.names[name] != nil {
		return nil, &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	dir.names[name] = &node{}
	return &file{mem: m, node: dir.names[name], name: name, writable: true}, nil
}

// Append implements vfs.FS.
func (m *Mem) Append(path string) (vfs.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, name, err := m.parentLocked("append", path)
	if err != nil {
		return nil, err
	}
	if dir.names[name] == nil {
		dir.names[name] = &node{}
	}
	if dir.names[name].isDir() {
		return nil, &fs.PathError{Op: "append", Path: path, Err: syscall.EISDIR}
	}
	return &file{mem: m, node: dir.names[name], name: name, writable: true}, nil
}

// Rename implements vfs.FS.
func (m *Mem) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.findLocked("rename", from)
	if err != nil {
		return err
	}
	source, old, err := m.parentLocked("rename", from)
	if err != nil {
		return err
	}
	target, name, err := m.parentLocked("rename", to)
	if err != nil {
		return err
	}
	delete(source.names, old)
	target.names[name] = n
	return nil
}

// Remove implements vfs.FS.
func (m *Mem) Remove(path string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.findLocked("remove", path)
	if err != nil {
		return err
	}
	if len(n.names) > 0 {
		return &fs.PathError{Op: "remove", Path: path, Err: syscall.ENOTEMPTY}
	}
	dir, name, err := m.parentLocked("remove", path)
	if err != nil {
		return err
	}
	delete(dir.names, name)
	return nil
}

// MkdirAll implements vfs.FS.
func (m *Mem) MkdirAll(path string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := m.mu.root
	for part := range strings.SplitSeq(filepath.ToSlash(filepath.Clean(path)), "/") {
		if part == "" || part == "." {
			continue
		}
		if at.names[part] == nil {
			at.names[part] = newDir()
		}
		if at = at.names[part]; !at.isDir() {
			return &fs.PathError{Op: "mkdir", Path: path, Err: syscall.ENOTDIR}
		}
	}
	return nil
}

// ReadDir implements vfs.FS.
func (m *Mem) ReadDir(path string) ([]fs.DirEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.findLocked("readdir", path)
	if err != nil {
		return nil, err
	}
	if !n.isDir() {
		return nil, &fs.PathError{Op: "readdir", Path: path, Err: syscall.ENOTDIR}
	}
	var entries []fs.DirEntry
	for _, name := range slices.Sorted(maps.Keys(n.names)) {
		entries = append(entries, fs.FileInfoToDirEntry(n.names[name].info(name)))
	}
	return entries, nil
}

// Stat implements vfs.FS.
func (m *Mem) Stat(path string) (fs.FileInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.findLocked("stat", path)
	if err != nil {
		return nil, err
	}
	return n.info(filepath.Base(path)), nil
}

// SyncDir implements vfs.FS.
func (m *Mem) SyncDir(path string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.findLocked("syncdir", path)
	if err != nil {
		return err
	}
	n.syncedNames = maps.Clone(n.names)
	return nil
}

// file is an open file. Writes go to the end, reads begin at the start.
type file struct {
	mem      *Mem
	node     *node
	name     string
	writable bool
	at       int64
	closed   bool
}

func (f *file) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, f.at)
	f.at += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.mem.mu.Lock()
	defer f.mem.mu.Unlock()
	switch {
	case f.closed:
		return 0, &fs.PathError{Op: "read", Path: f.name, Err: fs.ErrClosed}
	case f.node.isDir():
		return 0, &fs.PathError{Op: "read", Path: f.name, Err: syscall.EISDIR}
	case off >= int64(len(f.node.data)):
		return 0, io.EOF
	}
	n := copy(p, f.node.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) Write(p []byte) (int, error) {
	f.mem.mu.Lock()
	defer f.mem.mu.Unlock()
	if f.closed || !f.writable {
		return 0, &fs.PathError{Op: "write", Path: f.name, Err: fs.ErrClosed}
	}
	f.node.data = append(f.node.data, p...)
	return len(p), nil
}

func (f *file) Sync() error {
	f.mem.mu.Lock()
	defer f.mem.mu.Unlock()
	if f.closed {
		return &fs.PathError{Op: "sync", Path: f.name, Err: fs.ErrClosed}
	}
	f.node.syncedData = slices.Clone(f.node.data)
	return nil
}

func (f *file) Stat() (fs.FileInfo, error) {
	f.mem.mu.Lock()
	defer f.mem.mu.Unlock()
	return f.node.info(f.name), nil
}

func (f *file) Close() error {
	f.mem.mu.Lock()
	defer f.mem.mu.Unlock()
	if f.closed {
		return &fs.PathError{Op: "close", Path: f.name, Err: fs.ErrClosed}
	}
	f.closed = true
	return nil
}

// info describes a node; it implements fs.FileInfo.
type info struct {
	name string
	size int64
	mode fs.FileMode
}

func (n *node) info(name string) info {
	if n.isDir() {
		return info{name: name, mode: fs.ModeDir | 0o755}
	}
	return info{name: name, size: int64(len(n.data)), mode: 0o644}
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return nil }

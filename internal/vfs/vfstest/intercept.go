package vfstest

import (
	"io/fs"

	"github.com/orrery-rl/orrery/internal/vfs"
)

// Kind says what an operation does.
type Kind string

// The operations that an interceptor sees.
const (
	Open    Kind = "open"
	ReadDir Kind = "readdir"
	Create  Kind = "create"
	Append  Kind = "append"
	Write   Kind = "write"
	Sync    Kind = "sync"
	Close   Kind = "close" // of a file opened for writing
	Rename  Kind = "rename"
	Remove  Kind = "remove"
	Mkdir   Kind = "mkdir"
	SyncDir Kind = "syncdir"
)

// Op is one operation on a file system.
type Op struct {
	Kind Kind
	Path string // for Rename the new one
}

// Changes reports whether the operation may change what is on the disk.
func (o Op) Changes() bool { return o.Kind != Open && o.Kind != ReadDir }

// Intercept returns fsys with before called before every operation. When before
// returns an error the operation fails with it and has no effect, except that a
// failing write still writes its first half and a failing close closes.
func Intercept(fsys vfs.FS, before func(Op) error) vfs.FS {
	return &interceptor{FS: fsys, before: before}
}

// FailAt makes the n-th change fail, counted from 1, and no other.
func FailAt(n int, err error) func(Op) error {
	return failWhen(err, func(count int) bool { return count == n })
}

// FailFrom makes the n-th change and all after it fail, as if the process had
// been killed.
func FailFrom(n int, err error) func(Op) error {
	return failWhen(err, func(count int) bool { return count >= n })
}

func failWhen(err error, fails func(count int) bool) func(Op) error {
	count := 0
	return func(op Op) error {
		if op.Changes() {
			count++
		}
		if op.Changes() && fails(count) {
			return &fs.PathError{Op: string(op.Kind), Path: op.Path, Err: err}
		}
		return nil
	}
}

type interceptor struct {
	vfs.FS
	before func(Op) error
}

func (i *interceptor) Open(path string) (vfs.File, error) {
	if err := i.before(Op{Open, path}); err != nil {
		return nil, err
	}
	return i.FS.Open(path)
}

func (i *interceptor) ReadDir(path string) ([]fs.DirEntry, error) {
	if err := i.before(Op{ReadDir, path}); err != nil {
		return nil, err
	}
	return i.FS.ReadDir(path)
}

func (i *interceptor) Create(path string) (vfs.File, error) {
	return i.writable(Op{Create, path}, i.FS.Create)
}

func (i *interceptor) Append(path string) (vfs.File, error) {
	return i.writable(Op{Append, path}, i.FS.Append)
}

func (i *interceptor) writable(op Op, open func(string) (vfs.File, error)) (vfs.File, error) {
	if err := i.before(op); err != nil {
		return nil, err
	}
	f, err := open(op.Path)
	if err != nil {
		return nil, err
	}
	return &interceptedFile{File: f, path: op.Path, before: i.before}, nil
}

func (i *interceptor) Rename(from, to string) error {
	if err := i.before(Op{Rename, to}); err != nil {
		return err
	}
	return i.FS.Rename(from, to)
}

func (i *interceptor) Remove(path string) error {
	if err := i.before(Op{Remove, path}); err != nil {
		return err
	}
	return i.FS.Remove(path)
}

func (i *interceptor) MkdirAll(path string) error {
	if err := i.before(Op{Mkdir, path}); err != nil {
		return err
	}
	return i.FS.MkdirAll(path)
}

func (i *interceptor) SyncDir(path string) error {
	if err := i.before(Op{SyncDir, path}); err != nil {
		return err
	}
	return i.FS.SyncDir(path)
}

type interceptedFile struct {
	vfs.File
	path   string
	before func(Op) error
}

func (f *interceptedFile) Write(p []byte) (int, error) {
	if err := f.before(Op{Write, f.path}); err != nil {
		n, _ := f.File.Write(p[:len(p)/2])
		return n, err
	}
	return f.File.Write(p)
}

func (f *interceptedFile) Sync() error {
	if err := f.before(Op{Sync, f.path}); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *interceptedFile) Close() error {
	err := f.before(Op{Close, f.path})
	if closeErr := f.File.Close(); err == nil {
		err = closeErr
	}
	return err
}

package vfs

import (
	"io/fs"
	"os"
)

// OS returns the operating system's file system. New directories have mode 755
// and new files 644, before the umask.
func OS() FS { return osFS{} }

type osFS struct{}

func (osFS) Open(path string) (File, error) { return asFile(os.Open(path)) }

func (osFS) Create(path string) (File, error) {
	return asFile(os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644))
}

func (osFS) Append(path string) (File, error) {
	return asFile(os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644))
}

func (osFS) Rename(from, to string) error               { return os.Rename(from, to) }
func (osFS) Remove(path string) error                   { return os.Remove(path) }
func (osFS) MkdirAll(path string) error                 { return os.MkdirAll(path, 0o755) }
func (osFS) ReadDir(path string) ([]fs.DirEntry, error) { return os.ReadDir(path) }
func (osFS) Stat(path string) (fs.FileInfo, error)      { return os.Stat(path) }
func (osFS) SyncDir(path string) error                  { return syncDir(path) }

// asFile avoids a non-nil File around a nil *os.File.
func asFile(f *os.File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

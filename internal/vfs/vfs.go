// Package vfs is the seam under everything this project writes to disk: a small
// file system interface, the operating system behind it, and the one way a file
// becomes durable.
package vfs

import (
	"io"
	"io/fs"
)

// FS is the part of a file system that the project uses. Paths are in the
// operating system's form. Errors match those of io/fs. It is safe for
// concurrent use.
type FS interface {
	// Open opens a file for reading.
	Open(path string) (File, error)
	// Create makes a new file for writing; it fails if the path exists.
	Create(path string) (File, error)
	// Append opens a file for writing at its end, and makes it if need be.
	Append(path string) (File, error)
	// Rename moves a file over another, atomically.
	Rename(from, to string) error
	// Remove deletes a file or an empty directory.
	Remove(path string) error
	// MkdirAll makes a directory with all its parents, as far as they are missing.
	MkdirAll(path string) error
	// ReadDir lists a directory by name.
	ReadDir(path string) ([]fs.DirEntry, error)
	// Stat describes a file.
	Stat(path string) (fs.FileInfo, error)
	// SyncDir makes the names in a directory durable: those that were created,
	// renamed and removed. Syncing a file does not do that.
	SyncDir(path string) error
}

// File is an open file.
type File interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.Closer
	// Stat describes the file.
	Stat() (fs.FileInfo, error)
	// Sync makes the contents durable, not the name.
	Sync() error
}

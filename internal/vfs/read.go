package vfs

import (
	"errors"
	"fmt"
	"io"
)

// ErrTooLarge is matched by the error of [ReadFile] for files over the limit.
var ErrTooLarge = errors.New("file too large")

// ReadFile returns the contents of a file of at most limit bytes. A larger file
// costs no memory.
func ReadFile(fsys FS, path string, limit int64) ([]byte, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, fmt.Errorf("vfs: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("vfs: %w", err)
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("vfs: %s: %w: %d bytes, the limit is %d", path, ErrTooLarge, info.Size(), limit)
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, fmt.Errorf("vfs: %s: %w", path, err)
	}
	return data, nil
}

//go:build !unix

package main

import (
	"io"
	"os"
)

// interruptibleReader is the file: nothing ends a read of a terminal here but a
// key, or the process.
func interruptibleReader(f *os.File) (r io.Reader, stop func()) { return f, nil }

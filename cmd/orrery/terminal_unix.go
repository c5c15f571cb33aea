//go:build unix

package main

import (
	"errors"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// pollMillis is how long a read waits before it looks whether it should end.
const pollMillis = 50

// interruptibleReader reads from a terminal until stop is called: reads of a
// terminal know no deadline.
func interruptibleReader(f *os.File) (r io.Reader, stop func()) {
	p := &polled{file: f, quit: make(chan struct{})}
	return p, sync.OnceFunc(func() { close(p.quit) })
}

type polled struct {
	file *os.File
	quit chan struct{}
}

// Read implements io.Reader.
func (p *polled) Read(b []byte) (int, error) {
	for {
		select {
		case <-p.quit:
			return 0, io.EOF
		default:
		}
		ready, err := unix.Poll([]unix.PollFd{{Fd: int32(p.file.Fd()), Events: unix.POLLIN}}, pollMillis)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return 0, err
		}
		if ready > 0 {
			return p.file.Read(b)
		}
	}
}

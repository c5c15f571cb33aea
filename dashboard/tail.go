package dashboard

import (
	"bytes"
	"errors"
	"io"
	"os"

	"github.com/orrery-rl/orrery/metrics"
)

const (
	// chunk bounds what is read of a file at a time.
	chunk = 4 << 20
	// marked is how much before the end of what was read is compared, to notice a
	// file that was cut and has grown again.
	marked = 128
)

// tail follows a file of events as it grows. A run that is resumed takes events
// away, by a new file of the same name or by cutting it; then all is read again.
type tail struct {
	path   string
	info   os.FileInfo // of the file that was read
	offset int64       // of the first line not read
	mark   []byte      // the bytes before offset
}

// errNoFile is what reading something else gives.
var errNoFile = errors.New("it is not a regular file")

// read gives each new event to add, at most a chunk of them, and reset is called
// before if the history begins anew. more reports whether there is more to read,
// damaged counts lines that are not events.
func (t *tail) read(reset func(), add func(metrics.Event)) (more bool, damaged int, err error) {
	info, err := os.Stat(t.path)
	if err != nil {
		return false, 0, err
	}
	if !info.Mode().IsRegular() { // opening a pipe may take for ever
		return false, 0, errNoFile
	}
	f, err := os.Open(t.path)
	if err != nil {
		return false, 0, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return false, 0, err
	}
	if !t.goesOn(f, info) {
		reset()
		t.offset, t.mark = 0, nil
	}
	t.info = info
	if info.Size() <= t.offset {
		return false, 0, nil
	}
	data := make([]byte, min(chunk, info.Size()-t.offset))
	n, err := f.ReadAt(data, t.offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, 0, err
	}
	damaged = t.take(data[:n], add)
	return t.offset < info.Size() && n == chunk, damaged, nil
}

// goesOn reports whether the file still begins with what was read.
func (t *tail) goesOn(f *os.File, info os.FileInfo) bool {
	if t.info == nil {
		return true
	}
	if !os.SameFile(t.info, info) || info.Size() < t.offset {
		return false
	}
	seen := make([]byte, len(t.mark))
	_, err := f.ReadAt(seen, t.offset-int64(len(t.mark)))
	return (err == nil || errors.Is(err, io.EOF)) && bytes.Equal(seen, t.mark)
}

// take reads the whole lines of data and leaves an unfinished one for later,
// unless it is longer than any event.
func (t *tail) take(data []byte, add func(metrics.Event)) (damaged int) {
	end := bytes.LastIndexByte(data, '\n') + 1
	if end == 0 && len(data) == chunk {
		end, damaged = len(data), 1
	}
	for e, err := range metrics.Read(bytes.NewReader(data[:end])) {
		if err != nil {
			damaged++
			continue
		}
		add(e)
	}
	t.offset += int64(end)
	t.mark = append(t.mark, data[:end]...)
	t.mark = bytes.Clone(t.mark[max(0, len(t.mark)-marked):])
	return damaged
}

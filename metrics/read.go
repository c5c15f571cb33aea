package metrics

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/orrery-rl/orrery/internal/vfs"
)

// ErrCorrupt is matched by errors about a line that is not an event.
var ErrCorrupt = errors.New("metrics: damaged line")

// maxLine bounds one event; real ones have about a kilobyte.
const maxLine = 1 << 20

// Read returns the events of a JSONL stream in order. A line that is not an
// event yields an error that matches [ErrCorrupt] and names the line; reading
// goes on after it. An unfinished last line, which a crash or a writer at work
// leaves, is passed over.
func Read(r io.Reader) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for line, err := range lines(r) {
			if err != nil {
				yield(Event{}, err)
				return
			}
			if !line.complete {
				return
			}
			e, err := line.parse()
			if !yield(e, err) {
				return
			}
		}
	}
}

// ReadFile returns the events of a JSONL file as [Read] does. A file that
// cannot be opened yields the error.
func ReadFile(fsys vfs.FS, path string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		f, err := fsys.Open(path)
		if err != nil {
			yield(Event{}, fmt.Errorf("metrics: %w", err))
			return
		}
		defer f.Close()
		Read(f)(yield)
	}
}

// line is one line of a stream.
type line struct {
	number    int
	text      []byte // without the line end; cut off if oversized
	complete  bool   // ends with a line end
	oversized bool   // longer than maxLine
}

// parse decodes the event.
func (l line) parse() (Event, error) {
	if l.oversized {
		return Event{}, fmt.Errorf("%w %d: longer than %d bytes", ErrCorrupt, l.number, maxLine)
	}
	if err := unsealed(l.text); err != nil {
		return Event{}, fmt.Errorf("%w %d: %w", ErrCorrupt, l.number, err)
	}
	var e Event
	if err := json.Unmarshal(l.text, &e); err != nil {
		return Event{}, fmt.Errorf("%w %d: %w", ErrCorrupt, l.number, err)
	}
	return e, nil
}

// lines splits a stream and passes over empty lines. The text is valid until
// the next step.
func lines(r io.Reader) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		in := bufio.NewReaderSize(r, maxLine)
		for number := 1; ; number++ {
			text, err := in.ReadSlice('\n')
			oversized := errors.Is(err, bufio.ErrBufferFull)
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = in.ReadSlice('\n')
			}
			if err != nil && !errors.Is(err, io.EOF) {
				yield(line{}, fmt.Errorf("metrics: line %d: %w", number, err))
				return
			}
			complete := err == nil
			text = bytes.TrimRight(text, "\r\n")
			if len(text) > 0 && !yield(line{number, text, complete, oversized}, nil) {
				return
			}
			if !complete {
				return
			}
		}
	}
}

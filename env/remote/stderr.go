package remote

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
)

// Bounds on what is kept of a child's standard error.
const (
	maxLine     = 2 << 10 // bytes; the rest of a longer line is dropped
	maxLines    = 200     // logged between two requests; later ones are counted
	tailOfLines = 20      // the last ones, for error messages: a traceback
)

// lineLog receives a child's standard error: it logs lines, drops what floods,
// and remembers the last lines, which usually say why a child died. Until the
// child has started it logs them late, so that lines which an error tells are not
// logged as well. It is safe for concurrent use and never blocks or fails a writer.
type lineLog struct {
	mu      sync.Mutex
	log     *slog.Logger
	name    string
	line    []byte
	tail    []string
	logged  int
	dropped int
	held    []string // the last lines, not logged yet
	started bool     // lines are logged at once
}

// Write implements io.Writer.
func (l *lineLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for rest := p; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n')
		part := rest
		if end >= 0 {
			part = rest[:end]
		}
		l.line = append(l.line, part[:min(len(part), maxLine-len(l.line))]...)
		if end < 0 {
			break
		}
		l.endLine()
		rest = rest[end+1:]
	}
	return len(p), nil
}

func (l *lineLog) endLine() {
	text := strings.TrimRight(string(l.line), "\r ")
	l.line = l.line[:0]
	if text == "" {
		return
	}
	l.tail = append(l.tail, text)
	l.tail = l.tail[max(0, len(l.tail)-tailOfLines):]
	if l.logged == maxLines {
		l.dropped++
		l.release(0) // for the last lines are others now
		return
	}
	l.logged++
	l.held = append(l.held, text)
	if l.started {
		l.release(0)
	} else {
		l.release(tailOfLines)
	}
}

// release logs what is held but for the last keep lines.
func (l *lineLog) release(keep int) {
	for len(l.held) > keep {
		l.log.LogAttrs(context.Background(), slog.LevelInfo, l.held[0], slog.String("env", l.name))
		l.held = l.held[1:]
	}
}

// start ends the time in which lines are held back.
func (l *lineLog) start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.started = true
	l.release(0)
}

// rest begins a new allowance of lines and reports those that were dropped.
func (l *lineLog) rest() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dropped > 0 {
		l.log.Warn("the environment writes too much to its standard error; lines were dropped", "env", l.name, "lines", l.dropped)
	}
	l.logged, l.dropped = 0, 0
}

// last returns the last lines, an unfinished one included.
func (l *lineLog) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.line) > 0 {
		l.endLine()
	}
	return strings.Join(l.tail, "\n")
}

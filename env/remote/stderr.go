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
	tailOfLines = 8       // the last ones, for error messages
)

// lineLog receives a child's standard error: it logs lines, drops what floods,
// and remembers the last lines, which usually say why a child died. It is safe
// for concurrent use and never blocks or fails a writer.
type lineLog struct {
	mu      sync.Mutex
	log     *slog.Logger
	name    string
	line    []byte
	tail    []string
	logged  int
	dropped int
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
		return
	}
	l.logged++
	l.log.LogAttrs(context.Background(), slog.LevelInfo, text, slog.String("env", l.name))
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

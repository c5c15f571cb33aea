package remote

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// grace is how long a child may take to end after it was asked to.
const grace = 2 * time.Second

// child is one running program. It serves one exchange at a time.
type child struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    io.ReadCloser
	reader *bufio.Reader
	stderr *lineLog

	mu   sync.Mutex
	gone bool // no process of ours has the id any more
}

// start runs the program of cfg and hands it the preamble.
func start(cfg Config) (*child, error) {
	cmd := exec.Command(cfg.Command[0], cfg.Command[1:]...)
	cmd.Dir = cfg.Dir
	if len(cfg.Env) > 0 {
		cmd.Env = append(cmd.Environ(), cfg.Env...)
	}
	isolate(cmd)
	c := &child{cmd: cmd, stderr: &lineLog{log: cfg.Log, name: cfg.Name}}
	cmd.Stderr = c.stderr
	// A grandchild may hold standard error open for ever.
	cmd.WaitDelay = grace
	var err error
	if c.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if c.out, err = cmd.StdoutPipe(); err != nil {
		return nil, errors.Join(err, c.in.Close())
	}
	c.reader = bufio.NewReaderSize(c.out, 64<<10)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return c, nil
}

// exchange sends a request and returns the answer, whose payload may have up to
// limit bytes. When ctx ends first the child is killed, which ends the reads and
// writes. After any error the child must be stopped.
func (c *child) exchange(ctx context.Context, send func(io.Writer) error, limit int) (answer, []byte, error) {
	stop := context.AfterFunc(ctx, c.kill)
	defer stop()
	c.stderr.rest()
	// Even if sending fails the answer is read: it says whether the child ended.
	sent := send(c.in)
	a, payload, err := readFrame(c.reader, limit)
	switch {
	case ctx.Err() != nil:
		return answer{}, nil, ctx.Err()
	case err != nil:
		return answer{}, nil, err
	case a.Type == "error":
		return answer{}, nil, fmt.Errorf("it reports: %s", a.Message)
	}
	return a, payload, sent
}

// kill ends the whole group and whatever waits for it.
func (c *child) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return
	}
	killGroup(c.cmd)
	// A process outside of the group may hold the other ends.
	_, _ = c.in.Close(), c.out.Close()
}

// stop waits until the child is gone, for up to patience by itself, and returns
// how it ended, for people. It must be called once.
func (c *child) stop(patience time.Duration) string {
	timer := time.AfterFunc(patience, c.kill)
	defer timer.Stop()
	// Killed or not: how it ended matters only as a description.
	_ = c.cmd.Wait()
	c.kill() // what the child started and left behind
	c.mu.Lock()
	c.gone = true
	c.mu.Unlock()
	return c.cmd.ProcessState.String()
}

// part asks the child to end and waits, up to grace, for its output to close.
func (c *child) part() {
	timer := time.AfterFunc(grace, c.kill)
	defer timer.Stop()
	if err := writeFrame(c.in, request{Type: "close"}, nil); err != nil {
		return
	}
	if err := c.in.Close(); err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, c.reader) // ends when the child does, or at kill
}

// obituary describes why a child that failed with cause is no more.
func (c *child) obituary(cause error, end string) error {
	text := ""
	if last := c.stderr.last(); last != "" {
		text = "; its last words:\n  " + strings.ReplaceAll(last, "\n", "\n  ")
	}
	if errors.Is(cause, io.EOF) || errors.Is(cause, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %s: it ended (%s)%s", ErrChild, c.cmd.Path, end, text)
	}
	return fmt.Errorf("%w: %s: %w%s", ErrChild, c.cmd.Path, cause, text)
}

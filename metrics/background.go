package metrics

import (
	"errors"
	"maps"
	"time"
)

// ErrBehind is returned for an event that a listener in the background misses,
// because too many wait for it already.
var ErrBehind = errors.New("metrics: a listener is too far behind")

// How much a listener in the background may be behind, and how long the end of a
// run waits for it.
const (
	backlog  = 1024 // events
	patience = 10 * time.Second
)

// Background returns a sink that hands events to s in a goroutine of its own: a
// slow or hanging s, on a network disk for example, costs the run nothing. What
// it cannot keep up with it misses; see [ErrBehind]. Close waits for s, ten
// seconds at most.
func Background(s Sink) Sink {
	b := &background{sink: s, events: make(chan Event, backlog), done: make(chan error, 1), patience: patience}
	go b.run()
	return b
}

type background struct {
	sink     Sink
	events   chan Event
	done     chan error // what s reported, and its Close
	patience time.Duration
}

// run hands events on until there are no more.
func (b *background) run() {
	var first error
	for e := range b.events {
		if err := b.sink.Write(e); err != nil && first == nil {
			first = err
		}
	}
	b.done <- errors.Join(first, b.sink.Close())
}

// Write implements Sink.
func (b *background) Write(e Event) error {
	e.Values, e.Text = maps.Clone(e.Values), maps.Clone(e.Text)
	select {
	case b.events <- e:
		return nil
	default:
		return ErrBehind
	}
}

// Close implements Sink. The error is the first of s, or says that s hangs.
func (b *background) Close() error {
	close(b.events)
	select {
	case err := <-b.done:
		return err
	case <-time.After(b.patience):
		return errors.New("metrics: a listener does not end")
	}
}

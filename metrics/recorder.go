package metrics

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Sink receives events. Write is called by one goroutine at a time and must not
// keep the maps of the event beyond the call. Close is called once.
type Sink interface {
	Write(Event) error
	Close() error
}

// Recorder hands events to sinks. Its methods may be called from several
// goroutines.
type Recorder struct {
	mu        sync.Mutex
	truth     Sink
	listeners []*listener
	log       *slog.Logger
	now       func() time.Time
}

// listener is a sink that may fail.
type listener struct {
	sink   Sink
	failed int // events it did not take
}

// NewRecorder returns a recorder that writes to truth, whose errors it returns,
// and then to the listeners, whose errors it logs. It owns the sinks: Close
// closes them. log may be nil.
func NewRecorder(truth Sink, log *slog.Logger, listeners ...Sink) *Recorder {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	r := &Recorder{truth: truth, log: log, now: time.Now}
	for _, s := range listeners {
		r.listeners = append(r.listeners, &listener{sink: s})
	}
	return r
}

// Record hands the event to every sink. It fails only if the event is invalid
// or the truth could not be written; then no listener sees the event.
func (r *Recorder) Record(e Event) error {
	if err := e.Validate(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Time.IsZero() {
		e.Time = r.now().UTC()
	}
	if err := r.truth.Write(e); err != nil {
		return fmt.Errorf("metrics: record %s event at update %d: %w", e.Kind, e.Counters.Updates, err)
	}
	for _, l := range r.listeners {
		r.offer(l, e)
	}
	return nil
}

// offer gives a listener the event and logs its first failure.
func (r *Recorder) offer(l *listener, e Event) {
	err := l.sink.Write(e)
	if err == nil {
		return
	}
	l.failed++
	if l.failed == 1 {
		r.log.Warn("a metrics listener failed; training goes on and later failures of it are only counted",
			"listener", fmt.Sprintf("%T", l.sink), "event", e.Kind, "error", err)
	}
}

// Close closes every sink and returns the truth's error; those of listeners are
// logged, with how many events each missed.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.listeners {
		if err := l.sink.Close(); err != nil || l.failed > 0 {
			r.log.Warn("a metrics listener missed events", "listener", fmt.Sprintf("%T", l.sink), "missed", l.failed, "error", err)
		}
	}
	r.listeners = nil
	err := r.truth.Close()
	r.truth = closedSink{}
	return err
}

// errClosed is what recording after Close returns.
var errClosed = errors.New("metrics: recorder is closed")

type closedSink struct{}

func (closedSink) Write(Event) error { return errClosed }
func (closedSink) Close() error      { return nil }

package metrics

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
)

var errBroken = errors.New("broken")

// memory keeps events and fails on command.
type memory struct {
	events []Event
	fail   error
	closed int
}

func (m *memory) Write(e Event) error {
	if m.fail != nil {
		return m.fail
	}
	m.events = append(m.events, e)
	return nil
}

func (m *memory) Close() error { m.closed++; return m.fail }

func TestRecorderGivesEverySinkTheSameEvent(t *testing.T) {
	truth, a, b := &memory{}, &memory{}, &memory{}
	r := NewRecorder(truth, nil, a, b)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r.now = func() time.Time { return now }
	if err := r.Record(Event{Kind: KindRun}); err != nil {
		t.Fatal(err)
	}
	for i, s := range []*memory{truth, a, b} {
		if len(s.events) != 1 || !s.events[0].Time.Equal(now) {
			t.Errorf("sink %d has %+v, want one event at %v", i, s.events, now)
		}
	}
}

func TestFailingListenerIsLoggedOnceAndStopsNothing(t *testing.T) {
	var log bytes.Buffer
	truth, broken, healthy := &memory{}, &memory{fail: errBroken}, &memory{}
	r := NewRecorder(truth, slog.New(slog.NewTextHandler(&log, nil)), broken, healthy)
	for i := range int64(3) {
		if err := r.Record(update(i, nil)); err != nil {
			t.Fatal(err)
		}
	}
	if len(truth.events) != 3 || len(healthy.events) != 3 {
		t.Errorf("truth has %d events, the healthy listener %d; want 3 and 3", len(truth.events), len(healthy.events))
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 {
		t.Errorf("%d warnings, want 1:\n%s", n, log.String())
	}
	if err := r.Close(); err != nil {
		t.Errorf("closing a broken listener failed the run: %v", err)
	}
	if !strings.Contains(log.String(), "missed=3") {
		t.Errorf("the log does not say that 3 events were missed:\n%s", log.String())
	}
}

func TestFailingTruthIsReturned(t *testing.T) {
	listener := &memory{}
	r := NewRecorder(&memory{fail: errBroken}, nil, listener)
	if err := r.Record(update(7, nil)); !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "update 7") {
		t.Errorf("error %v, want the truth's with its place", err)
	}
	if len(listener.events) != 0 {
		t.Error("a listener saw an event that the truth does not have")
	}
	if err := r.Close(); !errors.Is(err, errBroken) {
		t.Errorf("close: %v, want the truth's error", err)
	}
}

func TestInvalidEventReachesNoSink(t *testing.T) {
	truth := &memory{}
	if err := NewRecorder(truth, nil).Record(update(1, map[string]float64{"kl": 1})); !errors.Is(err, ErrInvalid) {
		t.Errorf("error %v, want ErrInvalid", err)
	}
	if len(truth.events) != 0 {
		t.Error("the truth has an invalid event")
	}
}

func TestRecorderClosesSinksOnce(t *testing.T) {
	truth, listener := &memory{}, &memory{}
	r := NewRecorder(truth, nil, listener)
	for range 2 {
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if truth.closed != 1 || listener.closed != 1 {
		t.Errorf("closed %d and %d times, want once", truth.closed, listener.closed)
	}
	if err := r.Record(Event{Kind: KindRun}); err == nil {
		t.Error("recording after Close succeeds")
	}
}

func TestRecordFromManyGoroutines(t *testing.T) {
	truth := &memory{}
	r := NewRecorder(truth, nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if err := r.Record(Event{Kind: KindRun}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if len(truth.events) != 400 {
		t.Errorf("%d events, want 400", len(truth.events))
	}
}

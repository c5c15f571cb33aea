package metrics

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
)

// slow is a sink that takes an event only when it is let.
type slow struct {
	let    chan struct{}
	seen   []int64
	closed bool
}

func (s *slow) Write(e Event) error {
	<-s.let
	s.seen = append(s.seen, e.Counters.Updates)
	if e.Counters.Updates == 2 {
		return errors.New("the second one hurts")
	}
	return nil
}

func (s *slow) Close() error { s.closed = true; return nil }

// TestBackgroundNeverWaits: a sink that hangs costs a run nothing but events for
// that sink, and gets what waits when it goes on.
func TestBackgroundNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{let: make(chan struct{})}
		b := Background(s)
		missed := 0
		values := map[string]float64{"loss/kl:nats": 1}
		for i := range int64(backlog + 10) {
			if err := b.Write(Event{Kind: KindUpdate, Counters: Counters{Updates: i}, Values: values}); errors.Is(err, ErrBehind) {
				missed++
			}
			synctest.Wait()
		}
		if missed != 9 { // one is in the sink's hands
			t.Errorf("%d events missed, want 9", missed)
		}
		close(s.let)
		if err := b.Close(); err == nil || err.Error() != "the second one hurts" {
			t.Errorf("Close says %v", err)
		}
		want := make([]int64, backlog+1)
		for i := range want {
			want[i] = int64(i)
		}
		if !slices.Equal(s.seen, want) || !s.closed {
			t.Errorf("the sink saw %d events, closed %v", len(s.seen), s.closed)
		}
	})
}

// TestBackgroundGivesUp: a sink that never comes back does not keep a run from
// ending.
func TestBackgroundGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{let: make(chan struct{})}
		b := Background(s)
		if err := b.Write(Event{}); err != nil {
			t.Fatal(err)
		}
		if err := b.Close(); err == nil {
			t.Error("the end of a sink that hangs is reported as clean")
		}
		close(s.let)
	})
}

// TestBackgroundKeepsNoMaps: events are the sink's own.
func TestBackgroundKeepsNoMaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got float64
		let := make(chan struct{})
		b := Background(sinkFunc(func(e Event) error { <-let; got = e.Values["x"]; return nil }))
		values := map[string]float64{"x": 1}
		if err := b.Write(Event{Values: values}); err != nil {
			t.Fatal(err)
		}
		values["x"] = 2
		close(let)
		if err := b.Close(); err != nil || got != 1 {
			t.Errorf("the sink saw %v (%v), want 1", got, err)
		}
	})
}

type sinkFunc func(Event) error

func (f sinkFunc) Write(e Event) error { return f(e) }
func (f sinkFunc) Close() error        { return nil }

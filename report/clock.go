package report

import (
	"slices"
	"time"

	"github.com/orrery-rl/orrery/metrics"
)

// Clock says how a run spent its time.
type Clock struct {
	// From and To are the times of the first and the last event.
	From, To time.Time
	// Processes is how many processes worked on the run.
	Processes int
	// Gaps are times in which none did.
	Gaps []Gap
	// Backwards reports that the clock was set back in between.
	Backwards bool

	working []time.Duration // at each event, since the first, without gaps
}

// Gap is a time in which a run did not go on.
type Gap struct {
	From, To time.Time
	// At is how far the run had come.
	At metrics.Counters
	// Resumed reports that a new process ended the gap; otherwise one went on, on a
	// machine that slept or after being stopped.
	Resumed bool
}

// Length is how long the gap was.
func (g Gap) Length() time.Duration { return g.To.Sub(g.From) }

// The least that counts as a gap within a process: so long, and so many times
// the usual distance of events of its kind.
const (
	gapLeast = time.Minute
	gapTimes = 10
)

// Clock finds out where the time went. Between two processes all time but that
// of compiling is a gap; within one, a distance between events far beyond the
// usual is.
func (r *Run) Clock() Clock {
	c := Clock{working: make([]time.Duration, len(r.Events))}
	usual := r.usualDistance()
	for i, e := range r.Events {
		if e.Kind == metrics.KindRun {
			c.Processes++
		}
		if i == 0 {
			c.From, c.To = e.Time, e.Time
			continue
		}
		before := r.Events[i-1]
		took := e.Time.Sub(before.Time)
		if took < 0 {
			c.Backwards, took = true, 0
		}
		spent := took
		switch limit := max(gapLeast, gapTimes*usual[e.Kind]); {
		case e.Kind == metrics.KindRun:
			spent = min(took, time.Duration(e.Values["time/compile:seconds"]*float64(time.Second)))
		case took > limit:
			spent = min(took, usual[e.Kind])
		}
		if spent < 0 {
			spent = 0
		}
		if idle := took - spent; idle >= gapLeast || e.Kind == metrics.KindRun && idle > time.Second {
			c.Gaps = append(c.Gaps, Gap{From: before.Time, To: before.Time.Add(idle), At: before.Counters, Resumed: e.Kind == metrics.KindRun})
		}
		c.working[i] = c.working[i-1] + spent
		if e.Time.After(c.To) {
			c.To = e.Time
		}
	}
	return c
}

// usualDistance is the median of the times before an event, by its kind.
func (r *Run) usualDistance() map[string]time.Duration {
	all := map[string][]time.Duration{}
	for i := 1; i < len(r.Events); i++ {
		kind := r.Events[i].Kind
		if d := r.Events[i].Time.Sub(r.Events[i-1].Time); d >= 0 {
			all[kind] = append(all[kind], d)
		}
	}
	out := map[string]time.Duration{}
	for kind, d := range all {
		slices.Sort(d)
		out[kind] = d[len(d)/2]
	}
	return out
}

// Working is how long processes worked on the run.
func (c Clock) Working() time.Duration {
	if len(c.working) == 0 {
		return 0
	}
	return c.working[len(c.working)-1]
}

// Idle is how long none did.
func (c Clock) Idle() (sum time.Duration) {
	for _, g := range c.Gaps {
		sum += g.Length()
	}
	return sum
}

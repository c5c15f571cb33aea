package metrics

import (
	"slices"
	"time"
)

// Pace tells from the events of a run how long it will still take: from those
// since its last start, since it may have moved to another machine, without
// random episodes, which take no time to speak of, and without gaps in which the
// machine slept. The zero value counts nothing; set Kind.
type Pace struct {
	// Kind is what the run works through: KindEpisode for episodes that the
	// planner plays, KindUpdate for the updates of offline training.
	Kind string

	laps  []lap // the last ones
	since time.Time
	at    Counters
}

// lap is some progress and what it took; episodes that are played side by side
// are one.
type lap struct {
	done int64
	took time.Duration
}

const (
	// paceLaps is how many laps count, and paceLeast how much there must be.
	paceLaps  = 20
	paceLeast = 2
	// A lap is a gap if it is longer than both: so long, and so many times the
	// usual lap.
	paceGap      = time.Minute
	paceGapTimes = 10
)

// Add takes the next event of the run.
func (p *Pace) Add(e Event) {
	switch {
	case e.Kind == KindRun:
		p.laps, p.since, p.at = nil, e.Time, e.Counters
	case e.Kind != p.Kind:
	case p.since.IsZero() || e.Kind == KindEpisode && e.Text["policy"] == "random":
		p.since, p.at = e.Time, e.Counters
	default:
		p.lap(e)
	}
}

func (p *Pace) lap(e Event) {
	l := lap{done: p.count(e.Counters) - p.count(p.at), took: max(0, e.Time.Sub(p.since))}
	beside := p.Kind == KindEpisode && e.Counters.Updates == p.at.Updates && len(p.laps) > 0
	p.since, p.at = e.Time, e.Counters
	switch {
	case l.done <= 0:
	case beside:
		last := &p.laps[len(p.laps)-1]
		last.done, last.took = last.done+l.done, last.took+l.took
	default:
		p.laps = append(p.laps[max(0, len(p.laps)-paceLaps+1):], l)
	}
}

func (p *Pace) count(c Counters) int64 {
	if p.Kind == KindUpdate {
		return c.Updates
	}
	return c.Episodes
}

// Each is how long one episode or update takes, or false while it is too early
// to tell.
func (p *Pace) Each() (time.Duration, bool) {
	limit := max(paceGap, paceGapTimes*p.usual())
	var sum lap
	for _, l := range p.laps {
		if l.took <= limit {
			sum.done, sum.took = sum.done+l.done, sum.took+l.took
		}
	}
	if sum.done < paceLeast {
		return 0, false
	}
	return sum.took / time.Duration(sum.done), true
}

// usual is the median of what laps take, the lower of two.
func (p *Pace) usual() time.Duration {
	if len(p.laps) == 0 {
		return 0
	}
	all := make([]time.Duration, len(p.laps))
	for i, l := range p.laps {
		all[i] = l.took
	}
	slices.Sort(all)
	return all[(len(all)-1)/2]
}

// Left is how long so many more episodes or updates take, or false while it is
// too early to tell or none are left.
func (p *Pace) Left(n int64) (time.Duration, bool) {
	each, ok := p.Each()
	return each * time.Duration(max(0, n)), ok && n > 0
}

package metrics_test

import (
	"testing"
	"time"

	"github.com/orrery-rl/orrery/metrics"
)

// paced makes events one after another for a Pace.
type paced struct {
	pace metrics.Pace
	at   time.Time
	c    metrics.Counters
}

func newPaced(kind string) *paced {
	return &paced{pace: metrics.Pace{Kind: kind}, at: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
}

func (p *paced) start(after time.Duration) {
	p.at = p.at.Add(after)
	p.pace.Add(metrics.Event{Kind: metrics.KindRun, Time: p.at, Counters: p.c})
}

func (p *paced) episode(took time.Duration, policy string, updates int64) {
	p.at = p.at.Add(took)
	p.c.Episodes, p.c.Updates = p.c.Episodes+1, p.c.Updates+updates
	p.pace.Add(metrics.Event{Kind: metrics.KindEpisode, Time: p.at, Counters: p.c, Text: map[string]string{"policy": policy}})
}

func (p *paced) update(took time.Duration, updates int64) {
	p.at = p.at.Add(took)
	p.c.Updates += updates
	p.pace.Add(metrics.Event{Kind: metrics.KindUpdate, Time: p.at, Counters: p.c})
}

func (p *paced) want(t *testing.T, each time.Duration, ok bool) {
	t.Helper()
	if got, have := p.pace.Each(); got != each || have != ok {
		t.Errorf("%v %v, want %v %v", got, have, each, ok)
	}
}

// TestPaceIsThatOfPlannedEpisodes: random episodes do not count, and one planned
// one is too few.
func TestPaceIsThatOfPlannedEpisodes(t *testing.T) {
	p := newPaced(metrics.KindEpisode)
	p.start(0)
	for range 5 {
		p.episode(time.Second, "random", 0)
	}
	p.want(t, 0, false)
	p.update(50*time.Second, 25) // part of the episode that follows
	p.episode(10*time.Second, "planner", 0)
	p.want(t, 0, false)
	p.episode(100*time.Second, "planner", 25)
	p.want(t, 80*time.Second, true)
	if left, ok := p.pace.Left(3); left != 4*time.Minute || !ok {
		t.Errorf("%v %v", left, ok)
	}
	if left, ok := p.pace.Left(0); left != 0 || ok {
		t.Errorf("nothing is left, and it takes %v %v", left, ok)
	}
}

// TestPaceBeginsAnewWhenARunGoesOn: neither the time in between nor what another
// process did counts.
func TestPaceBeginsAnewWhenARunGoesOn(t *testing.T) {
	p := newPaced(metrics.KindEpisode)
	p.start(0)
	p.episode(time.Second, "random", 0)
	for range 3 {
		p.episode(time.Minute, "planner", 25)
	}
	p.want(t, time.Minute, true)
	p.start(9 * time.Hour)
	p.want(t, 0, false)
	p.episode(20*time.Second, "planner", 25)
	p.want(t, 0, false)
	p.episode(20*time.Second, "planner", 25)
	p.want(t, 20*time.Second, true)
}

// TestPaceLeavesGapsOut: a machine that slept says nothing about the pace, slow
// laps do.
func TestPaceLeavesGapsOut(t *testing.T) {
	p := newPaced(metrics.KindEpisode)
	p.start(0)
	for _, took := range []time.Duration{20, 20, 40, 20, 9000} {
		p.episode(took*time.Second, "planner", 25)
	}
	p.want(t, 25*time.Second, true)
}

// TestPaceOfEpisodesSideBySide: the events of a group come at once, after the
// time that all of them took.
func TestPaceOfEpisodesSideBySide(t *testing.T) {
	p := newPaced(metrics.KindEpisode)
	p.start(0)
	for range 3 {
		p.episode(120*time.Second, "planner", 100)
		for range 3 {
			p.episode(0, "planner", 0)
		}
	}
	p.want(t, 30*time.Second, true)
}

// TestPaceForgets: only the last laps count.
func TestPaceForgets(t *testing.T) {
	p := newPaced(metrics.KindEpisode)
	p.start(0)
	for range 30 {
		p.episode(50*time.Second, "planner", 25)
	}
	for range 20 {
		p.episode(10*time.Second, "planner", 25)
	}
	p.want(t, 10*time.Second, true)
}

// TestPaceOfUpdates is that of offline training.
func TestPaceOfUpdates(t *testing.T) {
	p := newPaced(metrics.KindUpdate)
	p.start(0)
	p.want(t, 0, false)
	p.update(50*time.Second, 25)
	p.episode(time.Second, "planner", 0) // another kind
	p.update(49*time.Second, 25)
	p.want(t, 2*time.Second, true)
}

package diagnose

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/orrery-rl/orrery/metrics"
)

// point is a value of a curve and where in the run it was measured.
type point struct {
	at    metrics.Counters
	time  time.Time
	value float64
}

// curve is one metric over a run.
type curve struct {
	name   string
	points []point
}

// history is what rules look at.
type history struct {
	Settings
	now     time.Time
	events  []metrics.Event
	curves  map[string]curve
	last    metrics.Counters
	planned []metrics.Event // episodes that were acted by the planner
	seeds   []metrics.Event // and those by chance
}

func newHistory(events []metrics.Event, s Settings, now time.Time) *history {
	h := &history{Settings: s, now: now, events: events, curves: map[string]curve{}}
	for _, e := range events {
		h.last = e.Counters
		for name, v := range e.Values {
			c := h.curves[name]
			c.name = name
			c.points = append(c.points, point{e.Counters, e.Time, v})
			h.curves[name] = c
		}
		switch {
		case e.Kind == metrics.KindEpisode && e.Text["policy"] == "random":
			h.seeds = append(h.seeds, e)
		case e.Kind == metrics.KindEpisode:
			h.planned = append(h.planned, e)
		}
	}
	return h
}

// curve returns the curve of a metric if it has at least n points.
func (h *history) curve(name string, n int) (curve, bool) {
	c := h.curves[name]
	return c, len(c.points) >= n
}

// finite drops points that are no numbers: one rule is about these alone.
func (c curve) finite() curve {
	return curve{c.name, slices.DeleteFunc(slices.Clone(c.points), func(p point) bool { return math.IsNaN(p.value) || math.IsInf(p.value, 0) })}
}

// part is the stretch of the curve between two shares of its length, at least one
// point unless it has none.
func (c curve) part(from, to float64) curve {
	n := len(c.points)
	if n == 0 {
		return c
	}
	i := min(int(from*float64(n)), n-1)
	j := max(int(math.Ceil(to*float64(n))), i+1)
	return curve{c.name, c.points[i:min(j, n)]}
}

// tail is the last fifth, early what comes after the first tenth, and middle the
// middle third.
func (c curve) tail() curve   { return c.part(0.8, 1) }
func (c curve) early() curve  { return c.part(0.1, 0.2) }
func (c curve) middle() curve { return c.part(1.0/3, 2.0/3) }

func (c curve) values() []float64 {
	out := make([]float64, len(c.points))
	for i, p := range c.points {
		out[i] = p.value
	}
	return out
}

func (c curve) median() float64 { return median(c.values()) }

func median(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(x))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// lowest is the lowest median of five neighbours, and where it is.
func (c curve) lowest() point {
	const width = 5
	best := point{value: math.Inf(1)}
	for i := 0; i+width <= len(c.points) || i == 0; i++ {
		window := curve{c.name, c.points[i:min(i+width, len(c.points))]}
		if m := window.median(); m < best.value {
			best = window.points[len(window.points)/2]
			best.value = m
		}
	}
	return best
}

// said is the median of a stretch with its name and where it is.
func (c curve) said() string {
	return fmt.Sprintf("%s is %s (median, %s)", c.name, number(c.median()), c.where())
}

// where names the stretch by the counter that moves in it.
func (c curve) where() string {
	if len(c.points) == 0 {
		return "nowhere"
	}
	a, b := c.points[0].at, c.points[len(c.points)-1].at
	if b.Episodes > a.Episodes && (b.Updates == a.Updates || c.perEpisode()) {
		return fmt.Sprintf("episodes %d to %d", a.Episodes, b.Episodes)
	}
	return fmt.Sprintf("updates %d to %d", a.Updates, b.Updates)
}

// perEpisode reports whether the metric is measured once in an episode.
func (c curve) perEpisode() bool {
	for _, prefix := range []string{"return/train", "action/", "plan/", "split/", "replay/", "process/", "episode/", "rate/"} {
		if len(c.name) > len(prefix) && c.name[:len(prefix)] == prefix {
			return true
		}
	}
	return false
}

func number(v float64) string { return fmt.Sprintf("%.4g", v) }

package report

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/orrery-rl/orrery/internal/plotsvg"
	"github.com/orrery-rl/orrery/metrics"
)

// Axis is what curves are drawn against.
type Axis string

// The axes. Hours leave out the time in which no process worked on the run.
const (
	EnvSteps Axis = "env_steps"
	Updates  Axis = "updates"
	Episodes Axis = "episodes"
	Hours    Axis = "hours"
)

// Axes are all of them.
func Axes() []Axis { return []Axis{EnvSteps, Updates, Episodes, Hours} }

// Series are the values of a metric in order, with where they lie on an axis.
func (r *Run) Series(metric string, axis Axis) (x, y []float64) {
	at := r.positions(axis)
	for i, e := range r.Events {
		if v, ok := e.Values[metric]; ok {
			x, y = append(x, at[i]), append(y, v)
		}
	}
	return x, y
}

// positions are where the events lie on an axis.
func (r *Run) positions(axis Axis) []float64 {
	out := make([]float64, len(r.Events))
	for i, e := range r.Events {
		switch axis {
		case Updates:
			out[i] = float64(e.Counters.Updates)
		case Episodes:
			out[i] = float64(e.Counters.Episodes)
		default:
			out[i] = float64(e.Counters.EnvSteps)
		}
	}
	if axis == Hours {
		for i, d := range r.Clock().working {
			out[i] = d.Hours()
		}
	}
	return out
}

// has reports whether the run measured a metric.
func (r *Run) has(metric string) bool {
	return slices.ContainsFunc(r.Events, func(e metrics.Event) bool { _, ok := e.Values[metric]; return ok })
}

// naturalAxis is env_steps, or updates where a run has learned without steps or
// none has taken any.
func naturalAxis(runs []*Run) Axis {
	steps := false
	for _, r := range runs {
		last := r.Last()
		steps = steps || last.EnvSteps > 0
		if last.EnvSteps == 0 && last.Updates > 0 {
			return Updates
		}
	}
	if !steps {
		return Updates
	}
	return EnvSteps
}

// MetricNames are those that any of the runs has values of, in the order of the
// catalogue, others behind.
func MetricNames(runs ...*Run) []string {
	have := map[string]bool{}
	for _, r := range runs {
		for _, e := range r.Events {
			for name := range e.Values {
				have[name] = true
			}
		}
	}
	var out []string
	for _, m := range metrics.Catalogue() {
		if have[m.Name] {
			out = append(out, m.Name)
			delete(have, m.Name)
		}
	}
	return append(out, slices.Sorted(maps.Keys(have))...)
}

// Resolve finds the metrics that a name stands for: itself, with its unit left
// out, or a group such as "loss".
func Resolve(name string, runs ...*Run) ([]string, error) {
	all := MetricNames(runs...)
	for _, same := range []func(string) bool{
		func(m string) bool { return m == name },
		func(m string) bool { return strings.HasPrefix(m, name+":") },
		func(m string) bool { return strings.HasPrefix(m, strings.TrimSuffix(name, "/")+"/") },
	} {
		if found := slices.DeleteFunc(slices.Clone(all), func(m string) bool { return !same(m) }); len(found) > 0 {
			return found, nil
		}
	}
	if near := nearest(name, all); near != "" {
		return nil, fmt.Errorf("%w %q; did you mean %q?", ErrNoMetric, name, near)
	}
	return nil, fmt.Errorf("%w %q", ErrNoMetric, name)
}

// ErrNoMetric marks a name that no metric of the runs has.
var ErrNoMetric = errors.New("report: no metric")

// nearest is the metric or group of metrics whose name looks most like one, or
// "" if none does.
func nearest(name string, metrics []string) string {
	best, most := "", 0.4
	for _, m := range metrics {
		full, _, _ := strings.Cut(m, ":")
		group, short, _ := strings.Cut(full, "/")
		for _, c := range []struct{ typed, meant string }{{group, group}, {full, full}, {short, full}, {m, full}} {
			if s := likeness(name, c.typed); s > most {
				best, most = c.meant, s
			}
		}
	}
	return best
}

// likeness is the coefficient of Dice of the pairs of letters of two words, whose
// ends count as letters: from 0 for none in common to 1 for the same.
func likeness(a, b string) float64 {
	have := map[string]int{}
	a, b = "^"+a+"$", "^"+b+"$"
	for i := range len(a) - 1 {
		have[a[i:i+2]]++
	}
	common := 0
	for i := range len(b) - 1 {
		if have[b[i:i+2]]--; have[b[i:i+2]] >= 0 {
			common++
		}
	}
	return 2 * float64(common) / float64(len(a)+len(b)-2)
}

// Smooth is the mean of the last n values at each point; values that are not
// finite are passed over.
func Smooth(y []float64, n int) []float64 {
	if n <= 1 {
		return y
	}
	out := make([]float64, len(y))
	for i := range y {
		sum, count := 0.0, 0
		for _, v := range y[max(0, i+1-n) : i+1] {
			if finite(v) {
				sum, count = sum+v, count+1
			}
		}
		out[i] = sum / float64(count) // NaN without any
	}
	return out
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// thin reduces a series to at most n points: means of equal numbers of values,
// with their range as a band. Values that are not finite are passed over.
func thin(s plotsvg.Series, n int) plotsvg.Series {
	if len(s.X) <= n || n < 1 || s.Low != nil {
		return s
	}
	out := plotsvg.Series{Name: s.Name}
	for b := range n {
		from, to := b*len(s.X)/n, (b+1)*len(s.X)/n
		x, sum, count, low, high := 0.0, 0.0, 0, math.Inf(1), math.Inf(-1)
		for i := from; i < to; i++ {
			x += s.X[i] / float64(to-from)
			if v := s.Y[i]; finite(v) {
				sum, count, low, high = sum+v, count+1, min(low, v), max(high, v)
			}
		}
		out.X, out.Y = append(out.X, x), append(out.Y, sum/float64(count))
		out.Low, out.High = append(out.Low, low), append(out.High, high)
	}
	return out
}

package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/orrery-rl/orrery/internal/stats"
	"github.com/orrery-rl/orrery/metrics"
)

// Severity says how much something matters.
type Severity string

// The severities.
const (
	Info    Severity = "info"
	Warning Severity = "warning"
	Error   Severity = "error"
)

// Finding is something about a run that a person should know.
type Finding struct {
	Severity Severity
	Text     string
}

// Findings are what the files of a run say against it: what is missing or
// damaged, what was interrupted, and what lies outside its healthy range.
func (r *Run) Findings() (out []Finding) {
	say := func(s Severity, format string, args ...any) {
		out = append(out, Finding{s, fmt.Sprintf(format, args...)})
	}
	for _, p := range r.Problems {
		say(Warning, "%s", p)
	}
	if n := len(r.Damaged); n > 0 {
		say(Error, "Left out: %s of the event file, the first: %v. What they said is missing from this page.", plural(n, "damaged line"), r.Damaged[0])
	}
	r.findProgress(say)
	r.findNonFinite(say)
	r.findOutside(say)
	r.findProcesses(say)
	return out
}

// findProgress says how far the run has come, if that is not to its end.
func (r *Run) findProgress(say func(Severity, string, ...any)) {
	last := r.Last()
	if r.Config != nil && !r.Offline() && last.Episodes > 0 && last.Episodes < int64(r.Config.Learn.Episodes) {
		say(Info, "The run has %d of %d episodes: it goes on, or was interrupted. The same command goes on with it.", last.Episodes, r.Config.Learn.Episodes)
	}
	evaluations := r.Evaluations()
	if len(evaluations)+len(r.Afterwards) == 0 && len(r.Events) > 0 {
		say(Warning, "The agent was not evaluated yet: training returns include exploration noise.")
		return
	}
	all := slices.Concat(evaluations, r.Afterwards)
	if n := all[max(len(all)-1, 0):]; len(n) > 0 && n[0].Summary.N > 0 && n[0].Summary.N < 10 {
		say(Info, "The last evaluation has %d episodes, which is few: orrery eval -n 10 plays more.", n[0].Summary.N)
	}
}

// findNonFinite names the first value that is no number.
func (r *Run) findNonFinite(say func(Severity, string, ...any)) {
	for _, e := range r.Events {
		for _, name := range MetricNames(&Run{Events: []metrics.Event{e}}) {
			if !finite(e.Values[name]) {
				say(Error, "%s is %v after %d updates: training broke there.", name, e.Values[name], e.Counters.Updates)
				return
			}
		}
	}
}

// recent is how many of the last values are looked at.
const recent = 10

// findOutside names the metrics whose recent values lie outside their healthy
// range.
func (r *Run) findOutside(say func(Severity, string, ...any)) {
	for _, name := range MetricNames(r) {
		m, ok := metrics.Lookup(name)
		if !ok || !m.HasRange() {
			continue
		}
		_, y := r.Series(name, Updates)
		y = slices.DeleteFunc(y[max(0, len(y)-recent):], func(v float64) bool { return !finite(v) })
		if len(y) == 0 {
			continue
		}
		if v := stats.Median(y); v < m.Low || v > m.High {
			say(Warning, "%s is %s lately, outside its healthy range of %g to %g. %s", name, significant(v), m.Low, m.High, m.Healthy)
		}
	}
}

// findProcesses tells of interruptions and of what changed between processes.
func (r *Run) findProcesses(say func(Severity, string, ...any)) {
	c := r.Clock()
	if c.Backwards {
		say(Info, "The machine's clock was set back during the run; times are approximate.")
	}
	if n := len(c.Gaps); n > 0 {
		say(Info, "Nothing worked on the run for %s in %s; these times are left out of what is said about speed.", duration(c.Idle()), plural(n, "gap"))
	}
	var changed []string
	facts := r.processes()
	for _, key := range factKeys(facts) {
		if len(distinct(facts, key)) > 1 {
			changed = append(changed, key)
		}
	}
	if len(changed) > 0 {
		say(Info, "The processes that worked on the run differ in: %s.", strings.Join(changed, ", "))
	}
	for _, commit := range distinct(facts, "commit") {
		if strings.Contains(commit, "with changes") {
			say(Warning, "A program with changes that were not committed (%s) made this run: it cannot be made again from the commit alone.", commit)
		}
	}
}

// significant formats a value with as many digits as one reads.
func significant(v float64) string {
	switch a := math.Abs(v); {
	case v == math.Trunc(v) && a < 1e15:
		return thousands(int64(v))
	case a >= 1000:
		return fmt.Sprintf("%.0f", v)
	case a >= 100:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.3g", v)
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "s") {
		noun += "e"
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

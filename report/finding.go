package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
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

// Findings are what to know of the files of a run before reading on: what is
// missing or damaged, and what was interrupted. How the learning itself went is
// up to package diagnose.
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

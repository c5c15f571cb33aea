package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/orrery-rl/orrery/metrics"
)

// Severity says how much a finding matters.
type Severity string

const (
	// Problem: the run will not come to anything as it is.
	Problem Severity = "problem"
	// Warning: something is likely to be wrong.
	Warning Severity = "warning"
	// Note: worth knowing; a healthy run may have it.
	Note Severity = "note"
)

func (s Severity) rank() int { return slices.Index([]Severity{Problem, Warning, Note}, s) }

// Settings are what the configuration of a run says that its events do not. Zeros
// are unknown, and rules that need them then go without.
type Settings struct {
	// FreeNats and ClipNorm are the objective's and the optimiser's.
	FreeNats, ClipNorm float64
	// Episodes is how many the run collects in all, Updates how many updates it makes
	// if it collects none.
	Episodes, Updates int
	// Horizon is the planner's, BatchSize and ChunkLength are those of an update.
	Horizon, BatchSize, ChunkLength int
	// DamagedLines is how many lines of the event file could not be read.
	DamagedLines int
}

// Finding is something that looks wrong; its JSON form is stable.
type Finding struct {
	// ID names the rule, Title says in a sentence what was found.
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	Title    string   `json:"title"`
	// Evidence are the numbers, with the counters where they come from.
	Evidence []string `json:"evidence"`
	// Cause is the likely one, and Try what to do about it.
	Cause string   `json:"cause"`
	Try   []string `json:"try"`
}

// Check says what came of a rule; its JSON form is stable.
type Check struct {
	ID string `json:"id"`
	// Outcome is "fine", "found", "too early" or "not measured".
	Outcome string `json:"outcome"`
}

// Report is a diagnosis; its JSON form is stable.
type Report struct {
	// Healthy is true unless there is a finding that is more than a note.
	Healthy bool `json:"healthy"`
	// Summary is one sentence.
	Summary string `json:"summary"`
	// Counters say how far the run has come.
	Counters metrics.Counters `json:"counters"`
	// Findings are in the order of their severity, Checked in that of Rules.
	Findings []Finding `json:"findings"`
	Checked  []Check   `json:"checked"`
}

// Rule is one thing that is looked at.
type Rule struct {
	// ID names it; Title, Cause and Try are those of its findings.
	ID, Title, Cause string
	Try              []string
	// Severity is that of its findings, or the highest if it depends.
	Severity Severity
	// Judged says what the finding goes by.
	Judged string

	check func(h *history) verdict
}

// verdict is what a rule comes to.
type verdict struct {
	outcome  string
	evidence []string
	severity Severity // the rule's, if empty
}

// Outcomes of a check.
const (
	fine        = "fine"
	found       = "found"
	tooEarly    = "too early"
	notMeasured = "not measured"
)

func isFine() verdict { return verdict{outcome: fine} }

func finding(evidence ...string) verdict { return verdict{outcome: found, evidence: evidence} }

func (v verdict) as(s Severity) verdict {
	v.severity = s
	return v
}

// absent is the verdict on too few points of a metric: the run is young, or does
// not measure it.
func (h *history) absent(name string) verdict {
	if len(h.curves[name].points) == 0 && len(h.events) > 0 && h.last.Updates >= warmUp {
		return verdict{outcome: notMeasured}
	}
	return verdict{outcome: tooEarly}
}

// Diagnose applies all rules to the events of a run, in order, as they are at the
// given time.
func Diagnose(events []metrics.Event, s Settings, now time.Time) Report {
	h := newHistory(events, s, now)
	r := Report{Healthy: true, Counters: h.last, Findings: []Finding{}}
	for _, rule := range Rules() {
		v := rule.check(h)
		r.Checked = append(r.Checked, Check{rule.ID, v.outcome})
		if v.outcome != found {
			continue
		}
		f := Finding{ID: rule.ID, Severity: cmp.Or(v.severity, rule.Severity), Title: rule.Title, Evidence: v.evidence, Cause: rule.Cause, Try: rule.Try}
		r.Findings = append(r.Findings, f)
		r.Healthy = r.Healthy && f.Severity == Note
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return a.Severity.rank() - b.Severity.rank() })
	r.Summary = r.summarise()
	return r
}

// Names lists the rules with an outcome.
func (r Report) Names(outcome string) []string {
	var names []string
	for _, c := range r.Checked {
		if c.Outcome == outcome {
			names = append(names, c.ID)
		}
	}
	return names
}

func (r Report) summarise() string {
	count := map[Severity]int{}
	for _, f := range r.Findings {
		count[f.Severity]++
	}
	ok := len(r.Names(fine))
	switch {
	case !r.Healthy:
		var parts []string
		for _, s := range []Severity{Problem, Warning, Note} {
			if n := count[s]; n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", n, plural(string(s), n)))
			}
		}
		return strings.Join(parts, ", ")
	case ok <= len(r.Checked)/3:
		return fmt.Sprintf("too early to tell: %d of %d things can be judged, and look healthy", ok, len(r.Checked))
	case count[Note] > 0:
		return fmt.Sprintf("healthy, with %d %s; %d things were checked", count[Note], plural("note", count[Note]), ok+count[Note])
	}
	return fmt.Sprintf("healthy: %d things were checked, and none looks wrong", ok)
}

func plural(word string, n int) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

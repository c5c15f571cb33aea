package report

import (
	"fmt"
	"time"

	"github.com/orrery-rl/orrery/internal/stats"
)

// interval is the confidence interval of a mean over episodes in words.
func interval(s stats.Summary) string {
	if s.FewEpisodes() && s.N > 0 {
		return "too few episodes for an interval"
	}
	low, high, ok := s.Interval95()
	if !ok {
		return "no interval"
	}
	return fmt.Sprintf("95 %%: %s to %s", decimal(low), decimal(high))
}

// intervalCell is the confidence interval of a mean for a table.
func intervalCell(s stats.Summary) string {
	low, high, ok := s.Interval95()
	if !ok {
		return "–"
	}
	return decimal(low) + " to " + decimal(high)
}

const intervalNote = "Intervals are those of the mean over the episodes of an evaluation, after Student's t; they say nothing about other seeds. Fewer than four episodes have none."

// results are the evaluations.
func (r *Run) results() []block {
	t := evaluationTable("Evaluations without exploration noise", r.Evaluations())
	out := []block{}
	if len(t.rows) > 0 {
		out = append(out, t)
	}
	if after := evaluationTable("Evaluations made afterwards (orrery eval)", r.Afterwards); len(after.rows) > 0 {
		out = append(out, after)
	}
	if len(out) == 0 {
		return []block{paragraph("There is no evaluation yet.")}
	}
	return append(out, paragraph(intervalNote))
}

func evaluationTable(caption string, all []Evaluation) table {
	t := table{caption: caption, header: []string{"episodes", "env_steps", "updates", "mean return", "95 % interval", "lowest", "highest", "n"}}
	for _, e := range all {
		t.rows = append(t.rows, append([]string{thousands(e.At.Episodes), thousands(e.At.EnvSteps), thousands(e.At.Updates)}, evaluationCells(e.Summary)...))
	}
	return t
}

// evaluationCells describe an evaluation.
func evaluationCells(s stats.Summary) []string {
	cells := summaryCells(s)
	if s.FewEpisodes() {
		cells[1] = "–"
	}
	return cells
}

func summaryCells(s stats.Summary) []string {
	n := "?"
	if s.N > 0 {
		n = fmt.Sprint(s.N)
	}
	return []string{decimal(s.Mean), intervalCell(s), decimal(s.Min), decimal(s.Max), n}
}

// timeBlocks say where the time went.
func (r *Run) timeBlocks() []block {
	c := r.Clock()
	working := c.Working()
	var out []block
	if t := r.splitTable(); len(t.rows) > 0 {
		out = append(out, t)
	}
	last := r.Last()
	speed := table{caption: "Speed, over the time at work", header: []string{"", ""}, left: 1}
	add := func(name, value string) { speed.rows = append(speed.rows, []string{name, value}) }
	add("from first to last event", duration(c.To.Sub(c.From)))
	add("at work", duration(working))
	if s := working.Seconds(); s > 0 {
		add("updates per second", significant(float64(last.Updates)/s))
		if last.EnvSteps > 0 {
			add("env_steps per second", significant(float64(last.EnvSteps)/s))
			add("episodes per hour", significant(float64(last.Episodes)/s*3600))
		}
	}
	if v, ok := r.peak("process/memory:bytes"); ok {
		add("memory of the process, at most", fmt.Sprintf("%.2f GiB", v/(1<<30)))
	}
	out = append(out, speed)
	if len(c.Gaps) > 0 {
		t := table{caption: "Times in which nothing worked on the run", header: []string{"from", "why", "for", "episodes", "updates"}, left: 2}
		for _, g := range c.Gaps {
			why := "the machine slept, or the process was stopped"
			if g.Resumed {
				why = "the process ended; another went on"
			}
			t.rows = append(t.rows, []string{moment(g.From), why, duration(g.Length()), thousands(g.At.Episodes), thousands(g.At.Updates)})
		}
		out = append(out, t)
	}
	return out
}

// splitTable sums what the run attributed to each part, and evaluations.
func (r *Run) splitTable() table {
	parts := []struct{ metric, name string }{
		{"split/update:seconds", "updates"}, {"split/plan:seconds", "filtering and planning"}, {"split/env:seconds", "simulating and drawing"},
		{"split/io:seconds", "sampling, episodes, snapshots"}, {"time/evaluate:seconds", "evaluations"}, {"time/compile:seconds", "building and compiling graphs"},
	}
	sums, total := make([]float64, len(parts)), 0.0
	for i, p := range parts {
		_, y := r.Series(p.metric, Updates)
		for _, v := range y {
			if finite(v) && v > 0 {
				sums[i] += v
				total += v
			}
		}
	}
	t := table{caption: "Where the time went", header: []string{"part", "time", "share"}, left: 1}
	for i, p := range parts {
		if sums[i] > 0 {
			t.rows = append(t.rows, []string{p.name, duration(time.Duration(sums[i] * float64(time.Second))), fmt.Sprintf("%.1f %%", 100*sums[i]/total)})
		}
	}
	return t
}

// peak is the largest finite value of a metric.
func (r *Run) peak(metric string) (most float64, ok bool) {
	_, y := r.Series(metric, Updates)
	for _, v := range y {
		if finite(v) && (!ok || v > most) {
			most, ok = v, true
		}
	}
	return most, ok
}

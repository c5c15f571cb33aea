package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/internal/stats"
)

// severalPage sets runs beside each other.
func severalPage(runs []*Run, o Options) *Document {
	d := &Document{title: named(plural(len(runs), "run"), commonEnv(runs)), subtitle: strings.Join(names(runs), ", ")}
	d.add(heading{2, "Results"}, comparison(runs))
	if t := groupTable(Groups(runs)); len(t.rows) > 0 {
		d.add(t, paragraph("The mean is that of the runs' last evaluations; its interval is that over the runs, after Student's t."))
	} else if len(runs) > 1 {
		d.add(notice{Info, "No two of these runs differ in their seed only. Runs of one setting with different seeds differ, too: do not take a gap between two runs for a finding."})
	}
	d.add(paragraph(intervalNote))
	d.add(heading{2, "Learning curves"})
	d.add(curves(runs)...)
	d.add(heading{2, "Settings that differ"})
	d.add(differing(runs)...)
	d.add(heading{2, "The runs"})
	for _, r := range runs {
		d.add(folded{r.Name, r.inShort(o)})
	}
	return d
}

func names(runs []*Run) (out []string) {
	for _, r := range runs {
		out = append(out, r.Name)
	}
	return out
}

// commonEnv is the environment of all runs, or empty.
func commonEnv(runs []*Run) string {
	env := runs[0].Env()
	for _, r := range runs {
		if r.Env() != env {
			return ""
		}
	}
	return env
}

// comparison has a row a run.
func comparison(runs []*Run) table {
	t := table{
		caption: "The last evaluation of each run", left: 1,
		header: []string{"run", "seed", "episodes", "env_steps", "updates", "at work", "mean return", "95 % interval", "lowest", "highest", "n"},
	}
	for _, r := range runs {
		seed := "?"
		if r.Config != nil {
			seed = fmt.Sprint(r.Config.Seed)
		}
		last := r.Last()
		row := []string{r.Name, seed, thousands(last.Episodes), thousands(last.EnvSteps), thousands(last.Updates), duration(r.Clock().Working())}
		if e, ok := r.final(); ok {
			row = append(row, evaluationCells(e.Summary)...)
		} else {
			row = append(row, "–", "–", "–", "–", "0")
		}
		t.rows = append(t.rows, row)
	}
	return t
}

// groupTable has a row for each group of several runs that were evaluated.
func groupTable(groups []Group) table {
	t := table{caption: "Over seeds", header: []string{"runs that differ in their seed only", "mean return", "95 % interval", "lowest", "highest", "n"}, left: 1}
	for _, g := range groups {
		var means []float64
		for _, r := range g.Runs {
			if e, ok := r.final(); ok && finite(e.Summary.Mean) {
				means = append(means, e.Summary.Mean)
			}
		}
		if len(g.Runs) > 1 && len(means) > 0 {
			t.rows = append(t.rows, append([]string{g.Name}, summaryCells(stats.Summarise(means))...))
		}
	}
	return t
}

// differing are the settings in which the runs differ, a column a run.
func differing(runs []*Run) []block {
	with := slices.DeleteFunc(slices.Clone(runs), func(r *Run) bool { return r.Config == nil })
	if len(with) < 2 {
		return []block{paragraph("Fewer than two of the runs have a configuration.")}
	}
	t := table{header: append([]string{"setting"}, names(with)...), left: 1 + len(with)}
	rows := map[string][]string{}
	var order []string
	for i, r := range with[1:] {
		changes, err := config.Differences(*with[0].Config, *r.Config)
		if err != nil {
			return []block{paragraph("The configurations cannot be compared: " + err.Error())}
		}
		for _, c := range changes {
			if rows[c.Name] == nil {
				order = append(order, c.Name)
				rows[c.Name] = slices.Repeat([]string{c.Old}, len(with))
			}
			rows[c.Name][i+1] = c.New
		}
	}
	slices.Sort(order)
	for _, name := range order {
		t.rows = append(t.rows, append([]string{name}, rows[name]...))
	}
	if len(t.rows) == 0 {
		return []block{paragraph("The configurations are the same.")}
	}
	return []block{t}
}

// inShort is what a page of several runs says of each.
func (r *Run) inShort(o Options) (out []block) {
	out = append(out, paragraph(r.subtitle()))
	for _, f := range r.Findings() {
		out = append(out, notice{f.Severity, f.Text})
	}
	out = append(out, r.diagnosis(3)...)
	out = append(out, r.results()...)
	out = append(out, r.seen(o)...)
	out = append(out, r.timeBlocks()...)
	out = append(out, r.where()...)
	out = append(out, r.settings()...)
	return append(out, r.reproduce()...)
}

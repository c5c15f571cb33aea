package report

import (
	"strings"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/internal/diagnose"
)

// diagnosis is what looks wrong with how a run learned. It is made for the time
// of the last event, so that the same files give the same page.
func (r *Run) diagnosis(level int) []block {
	if len(r.Events) == 0 {
		return nil
	}
	s := diagnose.Settings{}
	if r.Config != nil {
		s = DiagnoseSettings(*r.Config)
	}
	s.DamagedLines = len(r.Damaged)
	d := diagnose.Diagnose(r.Events, s, r.Clock().To)
	out := []block{heading{level, "Diagnosis"}, paragraph(d.Summary)}
	for _, f := range d.Findings {
		out = append(out, notice{severities[f.Severity], f.Title + " " + strings.TrimSuffix(strings.Join(f.Evidence, "; "), ".") + "."},
			paragraph("Likely: "+f.Cause), list(f.Try))
	}
	t := table{header: []string{"looked at", "outcome"}, left: 2}
	for _, c := range d.Checked {
		t.rows = append(t.rows, []string{c.ID, c.Outcome})
	}
	return append(out, folded{"All that was looked at", []block{t}})
}

var severities = map[diagnose.Severity]Severity{diagnose.Problem: Error, diagnose.Warning: Warning, diagnose.Note: Info}

// DiagnoseSettings are what a configuration says to a diagnosis.
func DiagnoseSettings(run config.Run) diagnose.Settings {
	s := diagnose.Settings{
		FreeNats: run.Model.FreeNats, ClipNorm: run.Optimiser.ClipNorm, Episodes: run.Learn.Episodes,
		Horizon: run.Plan.Horizon, BatchSize: run.Learn.BatchSize, ChunkLength: run.Learn.ChunkLength,
	}
	if len(run.Learn.Offline.Episodes) > 0 {
		s.Episodes, s.Updates = 0, run.Learn.OfflineSchedule().Updates
	}
	return s
}

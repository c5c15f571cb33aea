package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/orrery-rl/orrery/internal/diagnose"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/report"
)

// diagnosis is what doctor says of one run; its JSON form is stable.
type diagnosis struct {
	Run string `json:"run"`
	diagnose.Report
}

// diagnose reads runs and says what looks wrong.
func (a *app) diagnose(runs []string, asJSON bool) error {
	var all []diagnosis
	for _, run := range runs {
		d, err := diagnoseRun(run)
		if err != nil {
			return err
		}
		all = append(all, d)
	}
	if asJSON {
		return a.printJSON(all)
	}
	for i, d := range all {
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		d.print(a)
	}
	return nil
}

// diagnoseRun reads the run in a directory, or a file of events.
func diagnoseRun(path string) (diagnosis, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return diagnosis{}, noRunWith(path, learn.MetricsName)
	}
	if err != nil {
		return diagnosis{}, fmt.Errorf("%w: %w", errUsage, err)
	}
	events, settings := path, strings.TrimSuffix(path, filepath.Ext(path))+".yaml"
	if info.IsDir() {
		events, settings = filepath.Join(path, learn.MetricsName), filepath.Join(path, configName)
		if _, err := os.Stat(events); errors.Is(err, fs.ErrNotExist) {
			return diagnosis{}, noRunWith(path, learn.MetricsName)
		}
	} else if _, err := os.Stat(settings); err != nil {
		settings = filepath.Join(filepath.Dir(path), configName)
	}
	s, err := diagnoseSettings(settings)
	if err != nil {
		return diagnosis{}, err
	}
	var read []metrics.Event
	for e, err := range metrics.ReadFile(vfs.OS(), events) {
		switch {
		case errors.Is(err, metrics.ErrCorrupt):
			s.DamagedLines++
		case err != nil:
			return diagnosis{}, err
		default:
			read = append(read, e)
		}
	}
	if len(read) == 0 {
		return diagnosis{}, fmt.Errorf("%w: %s holds no events", errUsage, events)
	}
	return diagnosis{path, diagnose.Diagnose(read, s, time.Now())}, nil
}

// diagnoseSettings are what the configuration says, or nothing without one.
func diagnoseSettings(path string) (diagnose.Settings, error) {
	run, err := readStored(path)
	if errors.Is(err, fs.ErrNotExist) {
		return diagnose.Settings{}, nil
	}
	return report.DiagnoseSettings(run), err
}

// print says it in words.
func (d diagnosis) print(a *app) {
	c := d.Counters
	fmt.Fprintf(a.out, "%s: %d episodes, %d env_steps, %d updates\n", d.Run, c.Episodes, c.EnvSteps, c.Updates)
	fmt.Fprintln(a.out, d.Summary)
	for _, f := range d.Findings {
		fmt.Fprintf(a.out, "\n%s %s: %s\n", f.Severity, f.ID, f.Title)
		for _, e := range f.Evidence {
			fmt.Fprintln(a.out, "  found   ", e)
		}
		fmt.Fprintln(a.out, "  likely  ", f.Cause)
		for _, t := range f.Try {
			fmt.Fprintln(a.out, "  try     ", t)
		}
	}
	for _, outcome := range []struct{ name, text string }{
		{"fine", "looked at and fine"}, {"too early", "too early to judge"}, {"not measured", "not measured in this run"},
	} {
		if names := d.Names(outcome.name); len(names) > 0 {
			fmt.Fprintf(a.out, "\n%s: %s\n", outcome.text, strings.Join(names, ", "))
		}
	}
}

package main

import (
	"strings"
	"time"

	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/metrics"
)

// quietFor is how long offline training says nothing where there is no terminal.
const quietFor = 30 * time.Second

// offlineProgress tells a person how training from given episodes is doing.
type offlineProgress struct {
	*progress
	updates int64 // in all
	told    time.Time
}

func newOfflineProgress(p *progress) *offlineProgress {
	p.pace.Kind = metrics.KindUpdate
	return &offlineProgress{progress: p}
}

func (p *offlineProgress) start(dir string, parts learn.OfflineParts) {
	d := parts.Data
	held, records := d.Held()
	p.line("offline, preset %s, seed %d: %d parameters; %s", p.run.Preset, p.run.Seed, parts.Model.NumParams(), parts.Backend.Description())
	p.line("%d episodes of %d records to learn from, %d of %d held out", d.Train.Episodes(), d.Train.Records(), held, records)
	switch {
	case parts.NewEnv != nil:
		p.line("evaluated in %s", p.run.Env.Name)
	case p.run.Env.Name == noEnv:
		p.line("no evaluations: --env names the environment of the episodes")
	}
	if parts.From != nil {
		p.line("starting from %s, after %d updates", p.run.Learn.From, parts.From.Counters.Updates)
	}
	p.line("run directory %s (settings in %s)", dir, configName)
}

func (p *offlineProgress) opened(c metrics.Counters, updates int64) {
	p.from, p.updates = c, updates
	if c.Updates > 0 {
		p.line("going on after %d updates", c.Updates)
	}
	p.line("graphs compiled and run opened in %s", since(time.Since(p.began)))
	p.began, p.told = time.Now(), time.Now()
}

// Write implements metrics.Sink.
func (p *offlineProgress) Write(e metrics.Event) error {
	p.pace.Add(e)
	switch e.Kind {
	case metrics.KindUpdate:
		text := p.updating(e)
		if left, ok := p.pace.Left(p.updates - e.Counters.Updates); ok {
			text += "  ETA " + since(left)
		}
		if p.show("%s", text); !p.terminal && time.Since(p.told) >= quietFor {
			p.say("%s", text)
		}
	case metrics.KindValidation:
		p.say("update %d/%d  held out: %s", e.Counters.Updates, p.updates, strings.Join(terms("validation", e.Values), " "))
	case metrics.KindEvaluation:
		p.say("update %d/%d  evaluation: mean return %.1f ± %.1f (%.1f to %.1f)", e.Counters.Updates, p.updates,
			e.Values["return/eval:reward"], e.Values["return/eval_std:reward"], e.Values["return/eval_min:reward"], e.Values["return/eval_max:reward"])
	}
	return nil
}

func (p *offlineProgress) say(format string, args ...any) {
	p.told = time.Now()
	p.line(format, args...)
}

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/metrics"
)

// progress tells a person how a run is doing: a line for each episode and
// evaluation, and between them, on a terminal, one line that is kept up to date.
// It is a metrics.Sink.
type progress struct {
	out      io.Writer
	terminal bool
	quiet    bool
	run      config.Run
	began    time.Time
	from     metrics.Counters // at the start of this process
	pace     metrics.Pace
	last     map[string]float64
	status   int // width of the status line on screen
}

func newProgress(out io.Writer, run config.Run, quiet bool) *progress {
	f, isFile := out.(*os.File)
	return &progress{
		out: out, run: run, quiet: quiet, began: time.Now(), terminal: isFile && term.IsTerminal(int(f.Fd())),
		pace: metrics.Pace{Kind: metrics.KindEpisode},
	}
}

func (p *progress) start(dir, backend string, params int) {
	p.line("%s, preset %s, seed %d: %d parameters; %s", p.run.Env.Name, p.run.Preset, p.run.Seed, params, backend)
	p.line("run directory %s (settings in %s)", dir, configName)
}

func (p *progress) opened(c metrics.Counters) {
	p.from = c
	if c.Episodes > 0 {
		p.line("going on after %d episodes, %d env_steps, %d updates", c.Episodes, c.EnvSteps, c.Updates)
	}
	p.line("graphs compiled and run opened in %s", since(time.Since(p.began)))
	p.began = time.Now()
}

// Write implements metrics.Sink.
func (p *progress) Write(e metrics.Event) error {
	p.pace.Add(e)
	switch e.Kind {
	case metrics.KindUpdate:
		if p.last == nil {
			p.line("first %d updates done %s after the run was opened", e.Counters.Updates-p.from.Updates, since(time.Since(p.began)))
		}
		p.last = e.Values
		p.show("%s", p.updating(e))
	case metrics.KindEpisode:
		p.line("%s", p.episode(e))
	case metrics.KindEvaluation:
		p.line("evaluation after %d episodes: mean return %.1f ± %.1f (%.1f to %.1f)", e.Counters.Episodes,
			e.Values["return/eval:reward"], e.Values["return/eval_std:reward"], e.Values["return/eval_min:reward"], e.Values["return/eval_max:reward"])
	}
	return nil
}

func (p *progress) updating(e metrics.Event) string {
	return fmt.Sprintf("update %d:%s", e.Counters.Updates, losses(e.Values))
}

// losses are the terms of the objective that tell most, of those that there are.
func losses(values map[string]float64) string {
	text := ""
	for _, term := range terms("loss", values) {
		text += "  " + term
	}
	return text
}

// terms are those of losses in a group of metrics, a name and a value each.
func terms(group string, values map[string]float64) []string {
	var out []string
	for _, l := range []struct{ name, format string }{{"image", "%.1f"}, {"vector", "%.3f"}, {"reward", "%.3f"}, {"kl", "%.2f"}} {
		if v, ok := values[group+"/"+l.name+":nats"]; ok {
			out = append(out, fmt.Sprintf("%s "+l.format, l.name, v))
		}
	}
	return out
}

func (p *progress) episode(e metrics.Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "episode %d/%d  env_steps %d  return %.1f", e.Counters.Episodes, p.run.Learn.Episodes, e.Counters.EnvSteps, e.Values["return/train:reward"])
	if e.Text["policy"] == "random" {
		b.WriteString("  (random)")
	}
	if e.Counters.Updates == 0 {
		return b.String()
	}
	b.WriteString(losses(p.last))
	fmt.Fprintf(&b, "  %s", split(e.Values))
	if left, ok := p.pace.Left(int64(p.run.Learn.Episodes) - e.Counters.Episodes); ok {
		fmt.Fprintf(&b, "  ETA %s", since(left))
	}
	return b.String()
}

// split shows where the time since the last episode went.
func split(values map[string]float64) string {
	total := 0.0
	for _, name := range []string{"env", "plan", "update", "io"} {
		total += values["split/"+name+":seconds"]
	}
	if total == 0 {
		return ""
	}
	parts := make([]string, 0, 4)
	for _, name := range []string{"env", "plan", "update", "io"} {
		parts = append(parts, fmt.Sprintf("%s %.0f%%", name, 100*values["split/"+name+":seconds"]/total))
	}
	return fmt.Sprintf("%.1fs (%s)", total, strings.Join(parts, " "))
}

// Close implements metrics.Sink.
func (p *progress) Close() error {
	p.clear()
	return nil
}

// line prints a line that stays.
func (p *progress) line(format string, args ...any) {
	if p.quiet {
		return
	}
	p.clear()
	fmt.Fprintf(p.out, format+"\n", args...)
}

// show replaces the status line; without a terminal there is none.
func (p *progress) show(format string, args ...any) {
	if p.quiet || !p.terminal {
		return
	}
	text := fmt.Sprintf(format, args...)
	fmt.Fprintf(p.out, "\r%-*s", p.status, text)
	p.status = len(text)
}

func (p *progress) clear() {
	if p.status > 0 {
		fmt.Fprintf(p.out, "\r%*s\r", p.status, "")
		p.status = 0
	}
}

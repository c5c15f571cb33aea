package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/orrery-rl/orrery/internal/paper"
	"github.com/orrery-rl/orrery/internal/plotsvg"
	"github.com/orrery-rl/orrery/metrics"
)

// FigureOptions say what to draw. The zero value draws the returns against
// env_steps.
type FigureOptions struct {
	// Metrics are names as [Resolve] takes them, a plot each; none draws the
	// returns.
	Metrics []string
	// Axis is what they are drawn against; empty is env_steps, or updates for runs
	// that take no steps.
	Axis Axis
	// Group draws the mean of runs that differ in their seed only, with Band
	// around it (BandStd).
	Group bool
	Band  Band
	// Smooth is how many values the mean is taken of at each point; 0 is 5 for the
	// training returns of several runs and 1 otherwise.
	Smooth int
	// Paper draws the return that the paper reports for the task, where it does,
	// beside returns.
	Paper bool
	// Log draws other metrics than returns on a logarithmic axis; LogWide does so
	// where they are positive and spread over more than a factor of 30.
	Log, LogWide bool
	// Lines are values to compare returns with; other metrics are drawn without.
	Lines []plotsvg.Line
	// Title replaces the environment's name.
	Title string
	// Width and Height of each plot are in pixels; 0 takes the default. Points is
	// how many a curve has at most; 0 draws all.
	Width, Height, Points int

	// some draws the returns of the runs that have any, if others have none.
	some bool
}

const trainReturn, evalReturn, evalSpread = "return/train:reward", "return/eval:reward", "return/eval_std:reward"

// Figure draws metrics of runs.
func Figure(runs []*Run, o FigureOptions) (plotsvg.Figure, error) {
	if o.Axis == "" {
		o.Axis = naturalAxis(runs)
	}
	o.Band = cmp.Or(o.Band, BandStd)
	if len(o.Metrics) == 0 {
		p, err := o.returns(runs)
		return plotsvg.Figure{p}, err
	}
	var figure plotsvg.Figure
	for _, name := range o.Metrics {
		names, err := Resolve(name, runs...)
		if err != nil {
			return nil, err
		}
		for _, metric := range names {
			figure = append(figure, o.metric(runs, metric))
		}
	}
	if len(figure) > maxPlots {
		return nil, fmt.Errorf("report: %d plots in one figure; draw at most %d", len(figure), maxPlots)
	}
	return figure, nil
}

// maxPlots keeps a figure viewable.
const maxPlots = 24

// returns draws every training episode and the evaluations of one run, or the
// smoothed training episodes of several side by side.
func (o FigureOptions) returns(runs []*Run) (plotsvg.Plot, error) {
	metric, without := drawnReturn(runs), withoutReturns(runs)
	if len(without) > 0 && (!o.some || len(without) == len(runs)) {
		return plotsvg.Plot{}, fmt.Errorf("report: %s holds no episodes yet", without[0].Path)
	}
	if len(runs) == 1 && !o.Group {
		return o.oneRun(runs[0]), nil
	}
	if o.Smooth == 0 && metric == trainReturn {
		o.Smooth = 5
	}
	p := o.metric(runs, metric)
	p.Title = cmp.Or(o.Title, runs[0].Env())
	return p, nil
}

// drawnReturn is what runs are compared by: the returns of training, or those of
// evaluations where a run has no others, since it collects nothing.
func drawnReturn(runs []*Run) string {
	if slices.ContainsFunc(runs, func(r *Run) bool { return !r.has(trainReturn) && r.has(evalReturn) }) {
		return evalReturn
	}
	return trainReturn
}

// withoutReturns are the runs that have none, neither of training nor of
// evaluations.
func withoutReturns(runs []*Run) (out []*Run) {
	for _, r := range runs {
		if !r.has(trainReturn) && !r.has(evalReturn) {
			out = append(out, r)
		}
	}
	return out
}

// oneRun draws all that a run returned.
func (o FigureOptions) oneRun(r *Run) plotsvg.Plot {
	p := o.plot([]*Run{r}, cmp.Or(o.Title, r.Env()), "return")
	if train := o.series(r, trainReturn); len(train.X) > 0 {
		train.Name = "training episodes (with exploration noise)" + o.smoothText()
		p.Series = append(p.Series, train)
	}
	x, mean := r.Series(evalReturn, o.Axis)
	_, std := r.Series(evalSpread, o.Axis)
	if len(x) > 0 {
		s := plotsvg.Series{Name: "evaluation, without noise", X: x, Y: mean}
		if len(std) == len(x) {
			s.Name += " (mean ± standard deviation)"
			for i := range x {
				s.Low, s.High = append(s.Low, mean[i]-std[i]), append(s.High, mean[i]+std[i])
			}
		}
		p.Series = append(p.Series, s)
	}
	p.ZeroY = true
	return p
}

// metric draws one metric of all runs.
func (o FigureOptions) metric(runs []*Run, metric string) plotsvg.Plot {
	_, unit, _ := strings.Cut(metric, ":")
	if unit == "1" {
		unit = ""
	}
	if metric == trainReturn || metric == evalReturn {
		unit = "return"
	}
	p := o.plot(runs, metric, strings.TrimPrefix(unit+o.smoothText(), ", "))
	p.ZeroY = strings.HasPrefix(metric, "return/")
	if !p.ZeroY || metric == evalSpread {
		p.Lines = nil
	}
	if !p.ZeroY {
		p.LogY = o.Log || o.LogWide && wide(runs, metric)
	}
	if !o.Group {
		for _, r := range runs {
			p.Series = append(p.Series, o.series(r, metric))
		}
		return p
	}
	for _, g := range Groups(runs) {
		var all []plotsvg.Series
		for _, r := range g.Runs {
			all = append(all, o.series(r, metric))
		}
		s := all[0]
		if len(all) > 1 {
			s = aggregate(all, o.Band)
			p.YLabel = strings.TrimPrefix(unit+o.smoothText()+", mean of runs "+o.Band.text(), ", ")
		}
		if len(s.X) > 0 {
			s.Name = g.Name
		}
		p.Series = append(p.Series, s)
	}
	return p
}

// wide reports whether all values of a metric are positive and spread over more
// than a factor of 30.
func wide(runs []*Run, metric string) bool {
	low, high := math.Inf(1), 0.0
	for _, r := range runs {
		_, y := r.Series(metric, Updates)
		for _, v := range y {
			if finite(v) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	return low > 0 && high > 30*low
}

func (o FigureOptions) plot(runs []*Run, title, y string) plotsvg.Plot {
	p := plotsvg.Plot{Title: title, XLabel: string(o.Axis), YLabel: y, Width: o.Width, Height: o.Height, Lines: o.Lines}
	if o.Axis == Hours {
		p.XLabel = "hours of work"
	}
	if v, ok := paper.Return(runs[0].Env()); ok && o.Paper {
		p.Lines = append(p.Lines, plotsvg.Line{Name: fmt.Sprintf("paper, after 1000 episodes: %g", v), Y: v})
	}
	return p
}

// series is a metric of one run, smoothed and thinned.
func (o FigureOptions) series(r *Run, metric string) plotsvg.Series {
	x, y := r.Series(metric, o.Axis)
	s := plotsvg.Series{Name: r.Name, X: x, Y: Smooth(y, o.Smooth)}
	if len(x) == 0 {
		s.Name = "" // its colour stays, for other plots of the figure
	}
	if o.Points > 0 && !o.Group {
		s = thin(s, o.Points)
	}
	return s
}

func (o FigureOptions) smoothText() string {
	if o.Smooth <= 1 {
		return ""
	}
	return fmt.Sprintf(", mean of %d", o.Smooth)
}

// help is the catalogue's entry for a metric.
func help(metric string) (description, healthy string) {
	m, ok := metrics.Lookup(metric)
	if !ok {
		return "", ""
	}
	healthy = m.Healthy
	if m.HasRange() {
		healthy += fmt.Sprintf(" Range: %g to %g.", m.Low, m.High)
	}
	return m.Description, healthy
}

package report

import (
	"strings"
)

// curveSections are the groups of metrics that a page draws, and their names.
var curveSections = []struct {
	title  string
	groups []string
}{
	{"World model", []string{"loss", "validation"}},
	{"Gradients and parameters", []string{"grad", "param"}},
	{"Planner and actions", []string{"plan", "action"}},
}

// The sizes of a page's drawings.
const (
	wideWidth, wideHeight   = 720, 320
	smallWidth, smallHeight = 480, 280
	pagePoints              = 300
)

// curves draw the returns and what explains them, of one run or several.
func curves(runs []*Run) (out []block) {
	o := FigureOptions{Width: wideWidth, Height: wideHeight, Points: pagePoints, Title: "Returns", some: true}
	if f, err := Figure(runs, o); err == nil {
		out = append(out, chart{name: "returns", figure: f, caption: returnsCaption(runs)})
	} else {
		out = append(out, paragraph("There are no returns to draw: "+err.Error()))
	}
	if groups := Groups(runs); len(groups) < len(runs) {
		o.Group = true
		if f, err := Figure(runs, o); err == nil {
			out = append(out, chart{name: "returns-of-groups", figure: f, caption: "The mean of runs that differ in their seed only, where all of them have values, with one standard deviation around it."})
		}
	}
	for _, s := range curveSections {
		if g := smallCharts(runs, s.groups); len(g) > 0 {
			out = append(out, heading{3, s.title}, g)
		}
	}
	return out
}

func returnsCaption(runs []*Run) string {
	if len(runs) == 1 {
		return "What the episodes returned, training episodes with exploration noise and evaluations without."
	}
	caption := "What the training episodes returned, with exploration noise."
	if drawnReturn(runs) == evalReturn {
		caption = "What the evaluations returned, without exploration noise."
	}
	if without := names(withoutReturns(runs)); len(without) == 1 {
		caption += " " + without[0] + " has no returns."
	} else if len(without) > 1 {
		caption += " " + strings.Join(without, ", ") + " have no returns."
	}
	return caption
}

// smallCharts draw every metric of some groups.
func smallCharts(runs []*Run, groups []string) (out grid) {
	for _, metric := range MetricNames(runs...) {
		group, _, _ := strings.Cut(metric, "/")
		for _, g := range groups {
			if g != group {
				continue
			}
			f, err := Figure(runs, FigureOptions{Metrics: []string{metric}, Width: smallWidth, Height: smallHeight, Points: pagePoints, LogWide: true})
			if err != nil {
				continue
			}
			description, healthy := help(metric)
			if healthy != "" {
				description += " Healthy: " + healthy
			}
			out = append(out, chart{name: strings.NewReplacer("/", "-", ":", "-").Replace(metric), figure: f, caption: description})
		}
	}
	return out
}

package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/internal/plotsvg"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/report"
)

type plotOptions struct {
	figure     report.FigureOptions
	out        string
	axis, band string
	references []string
	list       bool
	typedBand  bool
}

func newPlot(a *app) *cobra.Command {
	o := &plotOptions{}
	cmd := &cobra.Command{
		Use: "plot RUN...", Short: "Draw metrics of runs as SVG or PNG", Args: someRuns,
		Long: `Plot draws the returns of a run against env_steps: every training episode and
the evaluations. With several runs it draws their training episodes, smoothed,
side by side. A RUN is a directory, or the file of its events (*.jsonl).

--metric draws other metrics, a plot each: a name of docs/metrics.md, with or
without its unit, or a group such as loss. --group draws the mean of runs that
differ in nothing but their seed, and how far they lie apart.

The ending of --out chooses the format: .svg or .png.`,
		Example: `  orrery plot runs/cartpole-swingup -o curve.svg
  orrery plot runs/rssm runs/ssm runs/deterministic -o ablations.png
  orrery plot runs/swingup-1 runs/swingup-2 runs/swingup-3 --group --band interval --paper
  orrery plot runs/cartpole-swingup --metric loss/kl --metric loss/image --x updates --smooth 10
  orrery plot runs/cartpole-swingup --list`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.typedBand = cmd.Flags().Changed("band")
			return o.run(a, args)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.out, "out", "o", "curve.svg", "file to write, .svg or .png")
	f.StringArrayVarP(&o.figure.Metrics, "metric", "m", nil, "metric to draw in place of the returns; may be repeated")
	f.StringVar(&o.axis, "x", "", "what to draw against: env_steps, updates, episodes or hours (default: env_steps, or updates where a run takes none)")
	f.BoolVar(&o.figure.Group, "group", false, "draw the mean of runs that differ in their seed only")
	f.StringVar(&o.band, "band", string(report.BandStd), "around the mean of --group: std, interval (95 %, Student's t) or range")
	f.IntVar(&o.figure.Smooth, "smooth", 0, "mean of so many values at each point (default: 5 for the training returns of several runs, else 1)")
	f.BoolVar(&o.figure.Log, "log", false, "logarithmic vertical axis for metrics other than returns")
	f.BoolVar(&o.figure.Paper, "paper", false, "draw the return that the paper reports for the task")
	f.StringArrayVar(&o.references, "reference", nil, "a line to compare returns with, as NAME=VALUE; may be repeated")
	f.StringVar(&o.figure.Title, "title", "", "title (default: the environment)")
	f.IntVar(&o.figure.Width, "width", 0, "width in pixels (default 720); PNG has twice as many")
	f.IntVar(&o.figure.Height, "height", 0, "height of each plot in pixels (default 400)")
	f.BoolVar(&o.list, "list", false, "list the metrics of the runs and stop")
	_ = cmd.RegisterFlagCompletionFunc("metric", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return catalogueNames(), cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

func catalogueNames() (names []string) {
	for _, m := range metrics.Catalogue() {
		names = append(names, m.Name)
	}
	return names
}

// someRuns wants at least one argument.
func someRuns(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("%w: %s needs a RUN directory, or several", errUsage, cmd.Name())
	}
	return nil
}

func (o *plotOptions) run(a *app, args []string) error {
	if err := o.parse(); err != nil {
		return err
	}
	runs, err := loadRuns(a, args)
	if err != nil {
		return err
	}
	if o.list {
		_, err := fmt.Fprintln(a.out, strings.Join(report.MetricNames(runs...), "\n"))
		return err
	}
	figure, err := report.Figure(runs, o.figure)
	if errors.Is(err, report.ErrNoMetric) {
		return fmt.Errorf("%w: %w (--list shows them)", errUsage, err)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if err := o.idle(figure, runs[0].Env()); err != nil {
		return err
	}
	return writeFile(a, o.out, func(w io.Writer) error {
		if strings.EqualFold(filepath.Ext(o.out), ".png") {
			return figure.WritePNG(w, 2)
		}
		return figure.Write(w)
	})
}

// parse checks the flags and takes their values over.
func (o *plotOptions) parse() error {
	if ending := strings.ToLower(filepath.Ext(o.out)); ending != ".svg" && ending != ".png" {
		return fmt.Errorf("%w: --out %s must end in .svg or .png", errUsage, o.out)
	}
	o.figure.Axis, o.figure.Band = report.Axis(o.axis), report.Band(o.band)
	if o.axis != "" && !slices.Contains(report.Axes(), o.figure.Axis) {
		return fmt.Errorf("%w: --x %s; choose env_steps, updates, episodes or hours", errUsage, o.axis)
	}
	if !slices.Contains(report.Bands(), o.figure.Band) {
		return fmt.Errorf("%w: --band %s; choose std, interval or range", errUsage, o.band)
	}
	if o.typedBand && !o.figure.Group {
		return fmt.Errorf("%w: --band %s is drawn around the mean of runs: add --group", errUsage, o.band)
	}
	if o.figure.Smooth < 0 {
		return fmt.Errorf("%w: --smooth is %d; it must not be negative", errUsage, o.figure.Smooth)
	}
	for _, text := range o.references {
		name, value, ok := strings.Cut(text, "=")
		v, err := strconv.ParseFloat(value, 64)
		if !ok || err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%w: --reference %s; write it as NAME=VALUE, for example random=40", errUsage, text)
		}
		o.figure.Lines = append(o.figure.Lines, plotsvg.Line{Name: name, Y: v})
	}
	return nil
}

// idle refuses flags that have changed nothing in a figure.
func (o *plotOptions) idle(figure plotsvg.Figure, task string) error {
	lines, log := 0, false
	for _, p := range figure {
		lines, log = max(lines, len(p.Lines)), log || p.LogY
	}
	switch references := len(o.figure.Lines); {
	case references > 0 && lines == 0:
		return fmt.Errorf("%w: --reference is drawn with returns, and there are none among the metrics; leave it out, or add --metric return/eval", errUsage)
	case o.figure.Paper && lines == 0 && len(o.figure.Metrics) > 0:
		return fmt.Errorf("%w: --paper is drawn with returns, and there are none among the metrics; leave it out, or add --metric return/eval", errUsage)
	case o.figure.Paper && lines == references:
		return fmt.Errorf("%w: --paper: the paper reports no return for %s; leave it out, or use --reference", errUsage, task)
	case o.figure.Log && !log:
		return fmt.Errorf("%w: --log is for other metrics than returns; name one with --metric", errUsage)
	}
	return nil
}

// loadRuns reads runs and says which of their lines are damaged.
func loadRuns(a *app, paths []string) ([]*report.Run, error) {
	var runs []*report.Run
	for _, path := range paths {
		r, err := report.Load(vfs.OS(), path)
		if errors.Is(err, report.ErrNoRun) {
			return nil, noRunWith(path, learn.MetricsName)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errUsage, err)
		}
		if n := len(r.Damaged); n > 0 {
			lines := "1 damaged line was"
			if n > 1 {
				lines = fmt.Sprintf("%d damaged lines were", n)
			}
			fmt.Fprintf(a.err, "orrery: %s: %s left out, the first: %v\n", path, lines, r.Damaged[0])
		}
		runs = append(runs, r)
	}
	return runs, nil
}

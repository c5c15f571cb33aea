package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/internal/plotsvg"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/metrics"
)

func newPlot(a *app) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "plot RUN...", Short: "Draw the returns of runs against env_steps as SVG", Args: someRuns,
		Long: `Plot draws the returns of a run: every training episode and the evaluations.
With several runs it draws their training episodes, smoothed, side by side.`,
		Example: `  orrery plot runs/cartpole-swingup -o curve.svg
  orrery plot runs/rssm runs/ssm runs/deterministic -o ablations.svg`,
		RunE: func(_ *cobra.Command, args []string) error {
			figure, err := figureOf(args)
			if err != nil {
				return err
			}
			return writeFile(a, out, func(w io.Writer) error { return figure.Write(w) })
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "curve.svg", "file to write")
	return cmd
}

// someRuns wants at least one argument.
func someRuns(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("%w: plot needs a RUN directory, or several", errUsage)
	}
	return nil
}

func figureOf(runs []string) (plotsvg.Plot, error) {
	var curves []curve
	for _, dir := range runs {
		c, err := readCurve(dir)
		if err != nil {
			return plotsvg.Plot{}, err
		}
		curves = append(curves, c)
	}
	if len(curves) == 1 {
		return curves[0].figure(), nil
	}
	figure := plotsvg.Plot{Title: curves[0].task, XLabel: "env_steps", YLabel: "return, mean of five episodes", ZeroY: true}
	for _, c := range curves {
		figure.Series = append(figure.Series, smoothed(c.name, c.train, 5))
	}
	return figure, nil
}

// curve is what a run returned: each training episode, with exploration noise,
// and the evaluations without.
type curve struct {
	name, task  string
	train, eval plotsvg.Series
}

// readCurve reads the events of the run in dir.
func readCurve(dir string) (curve, error) {
	c := curve{name: filepath.Base(filepath.Clean(dir))}
	path := filepath.Join(dir, learn.MetricsName)
	for e, err := range metrics.ReadFile(vfs.OS(), path) {
		if err != nil {
			return c, fmt.Errorf("plot: %w", err)
		}
		x := float64(e.Counters.EnvSteps)
		switch e.Kind {
		case metrics.KindEpisode:
			c.train.X, c.train.Y = append(c.train.X, x), append(c.train.Y, e.Values["return/train:reward"])
		case metrics.KindEvaluation:
			mean, std := e.Values["return/eval:reward"], e.Values["return/eval_std:reward"]
			c.eval.X, c.eval.Y = append(c.eval.X, x), append(c.eval.Y, mean)
			c.eval.Low, c.eval.High = append(c.eval.Low, mean-std), append(c.eval.High, mean+std)
		case metrics.KindRun:
			c.task = e.Text["env"]
		}
	}
	if len(c.train.X) == 0 {
		return c, fmt.Errorf("plot: %s holds no episodes yet", path)
	}
	return c, nil
}

// figure draws one run.
func (c curve) figure() plotsvg.Plot {
	c.train.Name, c.eval.Name = "training episodes (with exploration noise)", "evaluation, without noise (mean ± standard deviation)"
	series := []plotsvg.Series{c.train}
	if len(c.eval.X) > 0 {
		series = append(series, c.eval)
	}
	return plotsvg.Plot{Title: c.task, XLabel: "env_steps", YLabel: "return", Series: series, ZeroY: true}
}

// smoothed is the mean of the last n points at each point.
func smoothed(name string, s plotsvg.Series, n int) plotsvg.Series {
	out := plotsvg.Series{Name: name, X: s.X}
	for i := range s.Y {
		part := s.Y[max(0, i+1-n) : i+1]
		sum := 0.0
		for _, y := range part {
			sum += y
		}
		out.Y = append(out.Y, sum/float64(len(part)))
	}
	return out
}

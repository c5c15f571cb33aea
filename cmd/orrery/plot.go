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
		Use: "plot RUN", Short: "Draw a run's returns against env_steps as SVG", Args: exactArgs("a RUN directory"),
		Example: "  orrery plot runs/cartpole-swingup -o curve.svg",
		RunE: func(_ *cobra.Command, args []string) error {
			figure, err := returnsFigure(filepath.Join(args[0], learn.MetricsName))
			if err != nil {
				return err
			}
			return writeFile(a, out, func(w io.Writer) error { return figure.Write(w) })
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "curve.svg", "file to write")
	return cmd
}

// returnsFigure reads the events of a run and sets its returns against
// env_steps: every training episode, and the evaluations.
func returnsFigure(path string) (plotsvg.Plot, error) {
	train := plotsvg.Series{Name: "training episodes (with exploration noise)"}
	eval := plotsvg.Series{Name: "evaluation, without noise (mean ± standard deviation)"}
	task := ""
	for e, err := range metrics.ReadFile(vfs.OS(), path) {
		if err != nil {
			return plotsvg.Plot{}, fmt.Errorf("plot: %w", err)
		}
		x := float64(e.Counters.EnvSteps)
		switch e.Kind {
		case metrics.KindEpisode:
			train.X, train.Y = append(train.X, x), append(train.Y, e.Values["return/train:reward"])
		case metrics.KindEvaluation:
			mean, std := e.Values["return/eval:reward"], e.Values["return/eval_std:reward"]
			eval.X, eval.Y = append(eval.X, x), append(eval.Y, mean)
			eval.Low, eval.High = append(eval.Low, mean-std), append(eval.High, mean+std)
		case metrics.KindRun:
			task = e.Text["env"]
		}
	}
	if len(train.X) == 0 {
		return plotsvg.Plot{}, fmt.Errorf("plot: %s holds no episodes yet", path)
	}
	series := []plotsvg.Series{train}
	if len(eval.X) > 0 {
		series = append(series, eval)
	}
	return plotsvg.Plot{Title: task, XLabel: "env_steps", YLabel: "return", Series: series, ZeroY: true}, nil
}

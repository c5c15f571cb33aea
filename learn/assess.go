package learn

import (
	"context"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/metrics"
)

// evaluateIfDue evaluates every EvalEvery episodes after the seed episodes, once,
// and saves the run, so that no evaluation is recorded twice.
func (r *Run) evaluateIfDue(ctx context.Context) error {
	if !r.evaluationDue() {
		return nil
	}
	if err := r.evaluate(ctx); err != nil {
		return err
	}
	return r.snapshot(ctx)
}

// evaluationDue tells whether the last batch of episodes reached a multiple of
// EvalEvery after which there was no evaluation yet.
func (r *Run) evaluationDue() bool {
	if r.cfg.EvalEvery == 0 {
		return false
	}
	seed, every := int64(r.cfg.SeedEpisodes), int64(r.cfg.EvalEvery)
	n := r.counters.Episodes - seed
	multiple := n - n%every
	return multiple > 0 && multiple > n-int64(r.cfg.Envs) && r.evaluated < seed+multiple
}

// evaluate plays the evaluation episodes with the current parameters. Their
// initial states are the same at every evaluation of a run and differ from each
// other and from those of training.
func (r *Run) evaluate(ctx context.Context) error {
	start := r.Now()
	r.judge.SetParams(r.learner.Params())
	tasks := r.Env.Spec().Tasks
	ev, err := r.judged(ctx, func(i, failed int) uint64 {
		stream := r.stream(versionOf("evaluate", versionAt(failed)), int64(i))
		return env.TaskSeed(stream.Uint64(), int64(i), len(tasks))
	}, func(attempt int, err error) error {
		return r.again(ctx, "evaluation", r.counters.Episodes, attempt, err)
	})
	if err != nil {
		return err
	}
	r.evaluated = r.counters.Episodes
	return r.metrics.Record(metrics.Event{
		Kind: metrics.KindEvaluation, Counters: r.counters, Text: ev.text(tasks),
		Values: ev.values(r.Now().Sub(start)),
	})
}

// values are the metrics of an evaluation that took so long.
func (ev Evaluation) values(took time.Duration) map[string]float64 {
	mean, std := Moments(ev.Returns)
	return map[string]float64{
		"return/eval:reward":     mean,
		"return/eval_std:reward": std,
		"return/eval_min:reward": slices.Min(ev.Returns),
		"return/eval_max:reward": slices.Max(ev.Returns),
		"time/evaluate:seconds":  took.Seconds(),
	}
}

// text has every return, in the order of the initial states, and the mean of
// each of several tasks.
func (ev Evaluation) text(tasks []string) map[string]string {
	all := make([]string, len(ev.Returns))
	for i, v := range ev.Returns {
		all[i] = strconv.FormatFloat(v, 'g', 6, 64)
	}
	text := map[string]string{"returns": strings.Join(all, " ")}
	maps.Copy(text, byTask(tasks, ev.Returns))
	return text
}

// byTask is the mean return of each of several tasks that took turns.
func byTask(tasks []string, returns []float64) map[string]string {
	if len(tasks) < 2 {
		return nil
	}
	text := map[string]string{}
	for k, name := range tasks {
		var own []float64
		for i := k; i < len(returns); i += len(tasks) {
			own = append(own, returns[i])
		}
		if len(own) > 0 {
			mean, _ := Moments(own)
			text["return of "+name] = strconv.FormatFloat(mean, 'g', 6, 64)
		}
	}
	return text
}

// Moments returns the mean and the standard deviation with divisor n-1, which
// is 0 for a single value.
func Moments(x []float64) (mean, std float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		std += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(std / math.Max(1, float64(len(x)-1)))
}

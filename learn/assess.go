package learn

import (
	"context"
	"math"
	"slices"

	"github.com/orrery-rl/orrery/metrics"
)

// evaluateIfDue evaluates every EvalEvery episodes after the seed episodes, once,
// and saves the run, so that no evaluation is recorded twice.
func (r *Run) evaluateIfDue(ctx context.Context) error {
	n := r.counters.Episodes - int64(r.cfg.SeedEpisodes)
	if r.cfg.EvalEvery == 0 || n <= 0 || n%int64(r.cfg.EvalEvery) != 0 || r.evaluated == r.counters.Episodes {
		return nil
	}
	if err := r.evaluate(ctx); err != nil {
		return err
	}
	return r.snapshot(ctx)
}

// evaluate plays the evaluation episodes with the current parameters. Their
// initial states are the same at every evaluation of a run and differ from each
// other and from those of training.
func (r *Run) evaluate(ctx context.Context) error {
	start := r.Now()
	r.judge.SetParams(r.learner.Params())
	seeds := make([]uint64, len(r.judgeEnvs))
	for i := range seeds {
		seeds[i] = r.stream("evaluate", int64(i)).Uint64()
	}
	ev, err := Evaluate(ctx, r.judge, r.judgeEnvs, seeds)
	if err != nil {
		return err
	}
	r.evaluated = r.counters.Episodes
	mean, std := Moments(ev.Returns)
	return r.metrics.Record(metrics.Event{Kind: metrics.KindEvaluation, Counters: r.counters, Values: map[string]float64{
		"return/eval:reward":     mean,
		"return/eval_std:reward": std,
		"return/eval_min:reward": slices.Min(ev.Returns),
		"return/eval_max:reward": slices.Max(ev.Returns),
		"time/evaluate:seconds":  r.Now().Sub(start).Seconds(),
	}})
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

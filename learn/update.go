package learn

import (
	"context"

	"github.com/orrery-rl/orrery/metrics"
)

// update samples a batch and makes one optimiser step.
func (r *Run) update(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	number := r.counters.Updates + 1
	err := r.watch.time(phaseIO, func() error {
		r.sampler.SetStream(r.stream("sample", number))
		r.stream("posterior", number).FillNormal(r.learner.Noise())
		r.stream("rollout", number).FillNormal(r.learner.RolloutNoise())
		return r.sampler.Sample(ctx, r.learner.Batch())
	})
	if err != nil {
		return err
	}
	var stats Stats
	err = r.watch.time(phaseUpdate, func() (err error) {
		// An update that has begun is finished: its inputs are donated.
		stats, err = r.learner.Update(context.WithoutCancel(ctx), number)
		return err
	})
	if err != nil {
		return err
	}
	r.counters.Updates = number
	r.losses.add(stats)
	if number%int64(r.cfg.LogEvery) == 0 {
		return r.metrics.Record(metrics.Event{Kind: metrics.KindUpdate, Counters: r.counters, Values: r.losses.take(r.Model.LossNames())})
	}
	return nil
}

// average is the running mean of the statistics of several updates.
type average struct {
	sums []float64
	norm float64
	n    int
}

func (a *average) add(s Stats) {
	if a.sums == nil {
		a.sums = make([]float64, len(s.Losses))
	}
	for i, v := range s.Losses {
		a.sums[i] += v
	}
	a.norm += s.GradNorm
	a.n++
}

// take returns the means by metric name, losses being those of the given names
// in their order, and starts again.
func (a *average) take(losses []string) map[string]float64 {
	values := map[string]float64{"grad/norm:1": a.norm / float64(a.n)}
	for i, name := range losses {
		values["loss/"+name+":nats"] = a.sums[i] / float64(a.n)
	}
	*a = average{}
	return values
}

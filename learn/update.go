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
	number, before := r.counters.Updates+1, r.watch.total
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
		at := r.counters
		at.Updates = number
		return r.learner.inquest(r.FS, r.Dir, r.metrics, at, stats, err)
	}
	r.counters.Updates = number
	r.losses.add(stats, r.Optimiser.ClipNorm)
	r.pace.sample += r.watch.total[phaseIO] - before[phaseIO]
	r.pace.update += r.watch.total[phaseUpdate] - before[phaseUpdate]
	r.pace.n++
	if number%int64(r.cfg.LogEvery) == 0 {
		return r.tellUpdates()
	}
	return nil
}

// tellUpdates records what the updates since the last event were like.
func (r *Run) tellUpdates() (err error) {
	values := r.losses.take(r.Model.LossNames())
	r.pace.take(values)
	if values["param/norm:1"], err = r.learner.paramNorm(); err != nil {
		return err
	}
	return r.metrics.Record(metrics.Event{Kind: metrics.KindUpdate, Counters: r.counters, Values: values})
}

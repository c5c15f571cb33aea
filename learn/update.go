package learn

import (
	"context"
	"maps"

	"github.com/orrery-rl/orrery/metrics"
)

// update samples a batch and makes one optimiser step; every LogEvery updates it
// tells what they were like.
func (t *trainer) update(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	number, before := t.counters.Updates+1, t.watch.total
	err := t.watch.time(phaseIO, func() error {
		t.sampler.SetStream(t.stream("sample", number))
		t.stream("posterior", number).FillNormal(t.learner.Noise())
		t.stream("rollout", number).FillNormal(t.learner.RolloutNoise())
		return t.sampler.Sample(ctx, t.learner.Batch())
	})
	if err != nil {
		return err
	}
	var stats Stats
	err = t.watch.time(phaseUpdate, func() (err error) {
		// An update that has begun is finished: its inputs are donated.
		stats, err = t.learner.Update(context.WithoutCancel(ctx), number)
		return err
	})
	if err != nil {
		at := t.counters
		at.Updates = number
		return t.learner.inquest(t.parts.FS, t.parts.Dir, t.metrics, at, stats, err)
	}
	t.counters.Updates = number
	t.losses.add(stats, t.parts.Optimiser.ClipNorm)
	t.pace.sample += t.watch.total[phaseIO] - before[phaseIO]
	t.pace.update += t.watch.total[phaseUpdate] - before[phaseUpdate]
	t.pace.n++
	if number%int64(t.parts.Schedule.LogEvery) == 0 {
		return t.tellUpdates()
	}
	return nil
}

// tellUpdates records what the updates since the last event were like.
func (t *trainer) tellUpdates() (err error) {
	values := t.losses.take(t.parts.Model.LossNames())
	t.pace.take(values)
	if values["param/norm:1"], err = t.learner.paramNorm(); err != nil {
		return err
	}
	if t.beside != nil {
		maps.Copy(values, t.beside())
	}
	return t.metrics.Record(metrics.Event{Kind: metrics.KindUpdate, Counters: t.counters, Values: values})
}

package learn

import (
	"context"
	"errors"

	"github.com/orrery-rl/orrery/metrics"
)

// Train makes updates on chunks of the given episodes until there are
// OfflineConfig.Updates, and now and then validates, evaluates and saves.
//
// Where it stands follows from the number of updates alone, so a run restored
// from any snapshot continues exactly as if it had never stopped. A cancelled
// context ends it after the current update with a snapshot and ErrInterrupted.
func (o *Offline) Train(ctx context.Context) error {
	for {
		if err := o.lookIfDue(ctx); err != nil {
			return o.stop(ctx, err)
		}
		if o.counters.Updates >= o.Updates() {
			return nil
		}
		if err := o.update(ctx); err != nil {
			return o.stop(ctx, err)
		}
	}
}

// lookIfDue validates, evaluates and saves where that is due, each once.
func (o *Offline) lookIfDue(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	n := o.counters.Updates
	due := func(every int) bool { return n == o.Updates() || every > 0 && n > 0 && n%int64(every) == 0 }
	looked := false
	if o.validator != nil && o.mark.Validated < n && due(o.schedule.ValidateEvery) {
		if err := o.validate(ctx); err != nil {
			return err
		}
		looked = true
	}
	if o.judge != nil && o.mark.Evaluated < n && due(o.schedule.EvalEvery) {
		if err := o.evaluate(ctx); err != nil {
			return err
		}
		looked = true
	}
	if looked || o.saved < n && due(o.schedule.SaveEvery) {
		return o.snapshot(ctx)
	}
	return nil
}

// stop decides what survives an error; see [Run.Train].
func (o *Offline) stop(ctx context.Context, cause error) error {
	if ctx.Err() == nil || !errors.Is(cause, ctx.Err()) {
		return cause
	}
	if err := o.snapshot(ctx); err != nil {
		return unsaved(err)
	}
	return ErrInterrupted
}

// update samples a batch and makes one optimiser step.
func (o *Offline) update(ctx context.Context) error {
	number, start := o.counters.Updates+1, o.Now()
	o.sampler.SetStream(o.stream("sample", number))
	o.stream("posterior", number).FillNormal(o.learner.Noise())
	o.stream("rollout", number).FillNormal(o.learner.RolloutNoise())
	if err := o.sampler.Sample(ctx, o.learner.Batch()); err != nil {
		return err
	}
	sampled := o.Now()
	// An update that has begun is finished: its inputs are donated.
	stats, err := o.learner.Update(context.WithoutCancel(ctx), number)
	if err != nil {
		at := o.counters
		at.Updates = number
		return o.learner.inquest(o.FS, o.Dir, o.metrics, at, stats, err)
	}
	o.counters.Updates = number
	o.losses.add(stats, o.Optimiser.ClipNorm)
	o.pace.sample += sampled.Sub(start)
	o.pace.update += o.Now().Sub(sampled)
	o.pace.n++
	if number%int64(o.Schedule.LogEvery) == 0 {
		return o.tellUpdates()
	}
	return nil
}

// tellUpdates records what the updates since the last event were like.
func (o *Offline) tellUpdates() (err error) {
	values := o.losses.take(o.Model.LossNames())
	o.pace.take(values)
	if values["param/norm:1"], err = o.learner.paramNorm(); err != nil {
		return err
	}
	values["replay/memory:bytes"] = float64(o.Data.Train.Memory())
	values["process/memory:bytes"] = processMemory()
	now := o.Now()
	if wall := now.Sub(o.told.at).Seconds(); wall > 0 {
		values["rate/updates:per_second"] = float64(o.counters.Updates-o.told.updates) / wall
	}
	o.told = told{at: now, updates: o.counters.Updates}
	return o.metrics.Record(metrics.Event{Kind: metrics.KindUpdate, Counters: o.counters, Values: values})
}

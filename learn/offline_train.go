package learn

import (
	"context"
)

// Train makes updates on chunks of the given episodes until there are
// OfflineConfig.Updates, and now and then validates, evaluates and saves.
//
// Where it stands follows from the number of updates alone, so a run restored
// from any snapshot continues exactly as if it had never stopped. A cancelled
// context ends it after the current update with a snapshot and ErrInterrupted.
func (o *Offline) Train(ctx context.Context) error {
	return o.stop(ctx, o.train(ctx), o.snapshot)
}

func (o *Offline) train(ctx context.Context) error {
	for {
		if err := o.lookIfDue(ctx); err != nil || o.counters.Updates >= o.Updates() {
			return err
		}
		if err := o.update(ctx); err != nil {
			return err
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

// snapshot saves the whole run.
func (o *Offline) snapshot(ctx context.Context) error {
	if err := o.save(ctx, map[string]any{offlineKey: o.mark}); err != nil {
		return err
	}
	o.saved = o.counters.Updates
	return nil
}

// resources are what update events say beside what was learned.
func (o *Offline) resources() map[string]float64 {
	values := map[string]float64{
		"replay/memory:bytes":  float64(o.Data.Train.Memory()),
		"process/memory:bytes": processMemory(),
	}
	now := o.Now()
	if wall := now.Sub(o.told.at).Seconds(); wall > 0 {
		values["rate/updates:per_second"] = float64(o.counters.Updates-o.told.updates) / wall
	}
	o.told = told{at: now, updates: o.counters.Updates}
	return values
}

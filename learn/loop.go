package learn

import (
	"context"
	"errors"
	"fmt"
)

// ErrInterrupted reports that the context was cancelled: the run stopped at a
// safe point and was saved, and the same command goes on from there.
var ErrInterrupted = errors.New("interrupted")

// unsaved is the error of an interrupted run that could not be saved. It does not
// match ErrInterrupted, which would say the contrary.
func unsaved(cause error) error {
	return fmt.Errorf("learn: interrupted, and the run could not be saved; what came after its newest snapshot will be learned again: %w", cause)
}

// Train runs Algorithm 1 of the paper (Hafner et al. 2019) until
// Config.Episodes episodes are collected: seed episodes with random actions,
// then, again and again, UpdatesPerCollect updates, one episode acted by the
// planner with exploration noise, an evaluation if one is due, a snapshot. With
// several environments (Envs, N) it is N times the updates, then N episodes at
// once, the last time perhaps fewer.
//
// Where it stands follows from the counters alone, so a run restored from any
// snapshot continues exactly as if it had never stopped. A cancelled context
// ends it after the current update or decision with a snapshot and
// ErrInterrupted; unfinished episodes, if any, are dropped and will be collected
// again.
func (r *Run) Train(ctx context.Context) error {
	return r.stop(ctx, r.algorithm(ctx), r.snapshot)
}

func (r *Run) algorithm(ctx context.Context) error {
	for r.counters.Episodes < int64(r.cfg.SeedEpisodes) {
		if err := r.collectRandom(ctx); err != nil {
			return err
		}
	}
	for r.counters.Episodes < int64(r.cfg.Episodes) {
		// The first is due only if the run was interrupted in an evaluation.
		for _, step := range []func(context.Context) error{r.evaluateIfDue, r.updates, r.collect, r.evaluateIfDue, r.snapshot} {
			if err := step(ctx); err != nil {
				return err
			}
		}
	}
	return r.finish(ctx)
}

// updates makes those that must precede the next episodes.
func (r *Run) updates(ctx context.Context) error {
	for r.counters.Updates < r.updatesDue() {
		if err := r.update(ctx); err != nil {
			return err
		}
	}
	return nil
}

// updatesDue is how many updates must precede the next episodes.
func (r *Run) updatesDue() int64 {
	collected := r.counters.Episodes - int64(r.cfg.SeedEpisodes)
	return (collected + int64(r.atOnce(r.cfg.Episodes))) * int64(r.cfg.UpdatesPerCollect)
}

// finish evaluates a completed run, unless its last episode already was, and
// saves it.
func (r *Run) finish(ctx context.Context) error {
	if r.evaluated < r.counters.Episodes {
		if err := r.evaluate(ctx); err != nil {
			return err
		}
	}
	return r.snapshot(ctx)
}

// snapshot saves the whole run.
func (r *Run) snapshot(ctx context.Context) error { return r.save(ctx, nil) }

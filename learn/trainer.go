package learn

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/replay"
)

// trainer is what runs that collect and runs that learn offline have in common: a
// learner and where its chunks come from, the events that tell of its updates, the
// counters and means that its snapshots hold, and the agent that evaluations judge
// it by.
type trainer struct {
	parts     Parts // as they were given, with Log and Now
	learner   *Learner
	sampler   *replay.Sampler
	judge     *agent.Agent
	others    []env.Env // made by NewEnv: some collect, some are evaluated in
	events    *metrics.JSONL
	metrics   *metrics.Recorder
	counters  metrics.Counters
	evaluated int64 // episodes at the last evaluation
	watch     stopwatch
	losses    average
	pace      pace
	told      told
	beside    func() map[string]float64 // what update events say beside; or nil
	compiling time.Duration
	saving    time.Duration // of the last snapshot
	gone      int           // events that snapshots count and the file has lost
}

func newTrainer(p Parts) trainer { return trainer{parts: p, watch: stopwatch{now: p.Now}} }

// orDefault is what a Log and a Now that are nil stand for.
func orDefault(log *slog.Logger, now func() time.Time) (*slog.Logger, func() time.Time) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if now == nil {
		now = time.Now
	}
	return log, now
}

// tidy removes what interrupted writes have left beside the run's own files.
func (t *trainer) tidy(context.Context) error {
	if err := vfs.RemoveTemps(t.parts.FS, t.parts.Dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("learn: %w", err)
	}
	return nil
}

// stream is the source of randomness number n of its kind: update n, training
// episode n, or episode n of an evaluation, which is the same in all evaluations.
func (t *trainer) stream(kind string, n int64) *rng.Stream {
	return rng.New(t.parts.Seed, fmt.Sprintf("%s/%d", kind, n))
}

// Counters says how far the run has come.
func (t *trainer) Counters() metrics.Counters { return t.counters }

// stop decides what survives the error that training ended with, if any. A cancelled context saves the run; a
// non-finite update must not, because its weights are damaged: the last good
// snapshot stays the newest.
func (t *trainer) stop(ctx context.Context, cause error, save func(context.Context) error) error {
	if ctx.Err() == nil || !errors.Is(cause, ctx.Err()) {
		return cause
	}
	if err := save(ctx); err != nil {
		return unsaved(err)
	}
	return ErrInterrupted
}

// close releases everything; rest is what the run has beside.
func (t *trainer) close(rest ...error) error {
	var errs []error
	if t.metrics != nil {
		errs = append(errs, t.metrics.Close())
	} else {
		for _, l := range t.parts.Listeners {
			errs = append(errs, l.Close())
		}
	}
	errs = append(errs, rest...)
	for _, e := range t.others {
		errs = append(errs, e.Close())
	}
	if t.judge != nil {
		errs = append(errs, t.judge.Close())
	}
	if t.learner != nil {
		errs = append(errs, t.learner.Close())
	}
	return errors.Join(errs...)
}

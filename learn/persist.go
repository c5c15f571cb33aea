package learn

import (
	"context"
	"errors"
	"fmt"

	"github.com/orrery-rl/orrery/env"
)

// maxBroken is how many times in a row an episode may break before the run
// gives up.
const maxBroken = 5

// again decides about an episode, or an evaluation, that failed with err for the
// attempt-th time, from 1: nil if it is to be played again, or else the error
// that ends the run. A simulator that dies costs an episode and not the run; what
// a broken episode had collected is dropped.
//
// The first repetition is the same episode again, so that a program that was
// killed by chance leaves no trace in the results. If it breaks once more, that
// is likely to be the task's doing, and later ones are other episodes: see
// [versionAt].
func (r *Run) again(ctx context.Context, what string, number int64, attempt int, err error) error {
	switch {
	case !errors.Is(err, env.ErrBroken):
		return err
	case ctx.Err() != nil: // whatever stopped us may have stopped the simulator, too
		return errors.Join(ctx.Err(), err)
	case attempt == maxBroken:
		return fmt.Errorf("learn: %s %d broke %d times in a row: %w", what, number, maxBroken, err)
	}
	r.Log.Warn("the environment broke; the episode is dropped and played again",
		"env", r.Env.Spec().Name, "what", what, "episode", number, "attempt", attempt, "error", err)
	return nil
}

// versionAt is the version of an episode that is played after so many failed
// attempts, which its streams are named by, see [versionOf].
func versionAt(failed int) int { return max(0, failed-1) }

// versionOf is the name of a stream in the given version of an episode; version 0
// is the name itself.
func versionOf(name string, number int) string {
	if number == 0 {
		return name
	}
	return fmt.Sprintf("%s/again/%d", name, number)
}

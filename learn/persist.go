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

// persist calls play until the environment does not break in it, at most
// maxBroken times: a simulator that dies costs an episode and not the run. What
// a broken episode had collected is dropped.
//
// The first repetition is the same episode again, so that a program that was
// killed by chance leaves no trace in the results. If it breaks once more, that
// is likely to be the task's doing, and later ones are other episodes; play gets
// the version to name its streams by, see [versionOf].
func (r *Run) persist(ctx context.Context, what string, play func(version int) error) error {
	for attempt := 0; ; attempt++ {
		err := play(max(0, attempt-1))
		if err == nil || !errors.Is(err, env.ErrBroken) || ctx.Err() != nil {
			return err
		}
		if attempt+1 == maxBroken {
			return fmt.Errorf("learn: %s %d broke %d times in a row: %w", what, r.counters.Episodes, maxBroken, err)
		}
		r.Log.Warn("the environment broke; the episode is dropped and played again",
			"env", r.Env.Spec().Name, "what", what, "episode", r.counters.Episodes, "attempt", attempt+1, "error", err)
	}
}

// versionOf is the name of a stream in the given version of an episode; version 0
// is the name itself.
func versionOf(name string, number int) string {
	if number == 0 {
		return name
	}
	return fmt.Sprintf("%s/again/%d", name, number)
}

package learn

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/metrics"
)

// restore continues from the newest whole snapshot, or from the beginning when
// there is none, and drops the episodes beyond it.
func (r *Run) restore(ctx context.Context) error {
	s, err := r.newest(ctx, "episodes or events", r.examine)
	switch {
	case errors.Is(err, checkpoint.ErrNone):
		return r.begin(ctx)
	case err != nil:
		return err
	}
	if err := r.takeUp(s); err != nil {
		return err
	}
	if err := r.checkEpisodes(s.ReplayEpisodes); err != nil {
		return err
	}
	if err := r.dropPassed(s); err != nil {
		return err
	}
	return r.replay.TruncateTo(ctx, s.ReplayEpisodes)
}

// examine implements what newest asks for.
func (r *Run) examine(s *saved) (err error) {
	if _, offline := s.Extra[offlineKey]; offline {
		return fmt.Errorf("learn: %w: the run in %s learns from given episodes; go on with them (--offline), or start a new run from it (--from)", ErrParts, r.Dir)
	}
	if err := s.decode(milestoneKey, &s.milestone); err != nil {
		return err
	}
	s.episodes = r.replay.Whole(s.ReplayEpisodes)
	events, err := r.countEvents(s, untold(s.Evaluated, metrics.Counters(s.Counters)))
	s.whole = s.episodes && events
	return err
}

// untold are the kinds of events that have not happened at c itself, although
// the file may tell of them.
func untold(evaluated int64, c metrics.Counters) []string {
	if evaluated < c.Episodes {
		return []string{metrics.KindEvaluation}
	}
	return nil
}

// ErrNoEpisodes reports a run whose episodes are gone while a snapshot counts
// them: going on would learn something else.
var ErrNoEpisodes = errors.New("episodes are missing")

// checkEpisodes demands that the first n episodes are there.
func (r *Run) checkEpisodes(n int) error {
	missing := r.replay.Missing(n)
	if len(missing) == 0 {
		if !r.replay.Whole(n) {
			r.Log.Warn("the run goes on without episodes that are damaged; what it learns from here on differs from what it would have learned",
				"run", r.Dir, "damaged", len(r.replay.Skipped()))
		}
		return nil
	}
	shown := missing[:min(len(missing), 5)]
	return fmt.Errorf("learn: %w: %d of the %d that the snapshot in %s counts (%s%s): restore the files, or start a new run in another directory",
		ErrNoEpisodes, len(missing), n, r.Dir, strings.Join(shown, ", "), map[bool]string{true: ", …"}[len(shown) < len(missing)])
}

// ErrNoSnapshot reports a run whose snapshots are gone while its episodes are
// there: starting anew would delete them.
var ErrNoSnapshot = errors.New("the snapshots are missing")

// begin initialises a new run. A run killed before its first snapshot leaves
// the seed episodes and one more for each environment, which are collected again;
// more than that was learned from, and is not deleted.
func (r *Run) begin(ctx context.Context) error {
	if n := r.replay.Episodes(); n > r.cfg.SeedEpisodes+r.cfg.Envs {
		return fmt.Errorf("learn: %s holds %d episodes, but %w: restore %s, or start a new run in another directory",
			r.Dir, n, ErrNoSnapshot, filepath.Join(r.Dir, snapshotsDir))
	}
	if err := r.initialise(); err != nil {
		return err
	}
	return r.replay.TruncateTo(ctx, 0)
}

package learn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/metrics"
)

// saved is a snapshot, where it is, and what is left of what it counts.
type saved struct {
	*checkpoint.Snapshot
	milestone
	path            string
	episodes, whole bool // its episodes are there; so are its events
	passed          bool // a newer snapshot, intact, for what it counts is not
}

// newest loads the newest whole snapshot. If episodes or events that it counts
// are gone or damaged and the one before does without them, that is taken: they
// will be made again, identically.
func (r *Run) newest(ctx context.Context) (saved, error) {
	dir := filepath.Join(r.Dir, snapshotsDir)
	s, report, err := checkpoint.LoadLatest(ctx, r.FS, dir)
	for _, d := range report.Damaged {
		r.Log.Warn("snapshot is damaged and was passed over; what it held beyond the one before is learned again", "snapshot", d)
	}
	if err != nil {
		return saved{}, err
	}
	last, err := r.examine(s, report.Path)
	if err != nil || last.whole {
		return last, err
	}
	s, report, err = checkpoint.LoadBefore(ctx, r.FS, dir, s.Counters)
	switch {
	case errors.Is(err, checkpoint.ErrNone), errors.Is(err, checkpoint.ErrCorrupt):
		return last, nil
	case err != nil:
		return saved{}, err
	}
	before, err := r.examine(s, report.Path)
	if err != nil || !before.whole && (last.episodes || !before.episodes) {
		return last, err
	}
	r.Log.Warn("episodes or events that the newest snapshot counts are gone or damaged; the one before does without them, and what came after it is learned again",
		"snapshot", last.path, "before", before.path)
	before.passed = true
	return before, nil
}

// examine reads what a snapshot says of the run, and looks for what it counts.
func (r *Run) examine(s *checkpoint.Snapshot, path string) (saved, error) {
	out := saved{Snapshot: s, path: path, episodes: r.replay.Whole(s.ReplayEpisodes)}
	if _, offline := s.Extra[offlineKey]; offline {
		out.whole = true // it counts neither
		return out, nil
	}
	if err := json.Unmarshal(s.Extra[milestoneKey], &out.milestone); err != nil {
		return out, fmt.Errorf("learn: snapshot %s: %w", path, err)
	}
	c := metrics.Counters(s.Counters)
	events, err := metrics.CountUpTo(r.FS, filepath.Join(r.Dir, MetricsName), c, untold(out.Evaluated, c)...)
	out.whole = out.episodes && events >= out.Events
	return out, err
}

// untold are the kinds of events that have not happened at c itself, although
// the file may tell of them.
func untold(evaluated int64, c metrics.Counters) []string {
	if evaluated < c.Episodes {
		return []string{metrics.KindEvaluation}
	}
	return nil
}

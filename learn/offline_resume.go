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

// offlineSaved is a snapshot of an offline run, and whether the events that it
// counts are there.
type offlineSaved struct {
	*checkpoint.Snapshot
	milestone
	mark   offlineMark
	path   string
	whole  bool
	passed bool // a newer snapshot, intact, for events that it counts are not
}

// newest loads the newest whole snapshot, or the one before if that does without
// events that are gone or damaged: they will be told again, identically.
func (o *Offline) newest(ctx context.Context) (offlineSaved, error) {
	dir := filepath.Join(o.Dir, snapshotsDir)
	s, report, err := checkpoint.LoadLatest(ctx, o.FS, dir)
	for _, d := range report.Damaged {
		o.Log.Warn("snapshot is damaged and was passed over; what it held beyond the one before is learned again", "snapshot", d)
	}
	if err != nil {
		return offlineSaved{}, err
	}
	last, err := o.examine(s, report.Path)
	if err != nil || last.whole {
		return last, err
	}
	if s, report, err = checkpoint.LoadBefore(ctx, o.FS, dir, s.Counters); err != nil {
		if errors.Is(err, checkpoint.ErrNone) || errors.Is(err, checkpoint.ErrCorrupt) {
			err = nil
		}
		return last, err
	}
	before, err := o.examine(s, report.Path)
	if err != nil || !before.whole {
		return last, err
	}
	o.Log.Warn("events that the newest snapshot counts are gone or damaged; the one before does without them, and what came after it is learned again",
		"snapshot", last.path, "before", before.path)
	before.passed = true
	return before, nil
}

// examine reads what a snapshot says of the run, and counts the events.
func (o *Offline) examine(s *checkpoint.Snapshot, path string) (out offlineSaved, err error) {
	out.Snapshot, out.path = s, path
	raw, offline := s.Extra[offlineKey]
	if !offline {
		return out, fmt.Errorf("learn: %w: the run in %s collects its own episodes; start another one with --run DIR (and --from to continue from its weights)", ErrParts, o.Dir)
	}
	if err := errors.Join(json.Unmarshal(s.Extra[milestoneKey], &out.milestone), json.Unmarshal(raw, &out.mark)); err != nil {
		return out, fmt.Errorf("learn: snapshot %s: %w", path, err)
	}
	c := metrics.Counters(s.Counters)
	events, err := metrics.CountUpTo(o.FS, filepath.Join(o.Dir, MetricsName), c, out.mark.untold(c)...)
	out.whole = events >= out.Events
	return out, err
}

// untold are the kinds of events that have not happened at c itself, although
// the file may tell of them.
func (m offlineMark) untold(c metrics.Counters) (kinds []string) {
	if m.Validated < c.Updates {
		kinds = append(kinds, metrics.KindValidation)
	}
	if m.Evaluated < c.Updates {
		kinds = append(kinds, metrics.KindEvaluation)
	}
	return kinds
}

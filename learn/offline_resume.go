package learn

import (
	"context"
	"errors"
	"fmt"

	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/metrics"
)

// restore continues from the newest whole snapshot, or begins.
func (o *Offline) restore(ctx context.Context) error {
	held, _ := o.Data.Held()
	o.mark = offlineMark{Episodes: o.Data.Train.Episodes(), HeldOut: held, Records: o.Data.Train.Records(), SHA256: o.Data.SHA256}
	s, err := o.newest(ctx, "events", o.examine)
	if errors.Is(err, checkpoint.ErrNone) {
		return o.initialise()
	}
	if err != nil {
		return err
	}
	if err := o.checkData(s.mark); err != nil {
		return err
	}
	if err := o.takeUp(s); err != nil {
		return err
	}
	o.mark, o.saved = s.mark, s.Counters.Updates
	return o.dropPassed(s)
}

// checkData demands the episodes that a run has learned from.
func (o *Offline) checkData(learned offlineMark) error {
	if learned.SHA256 == o.mark.SHA256 {
		return nil
	}
	return fmt.Errorf("learn: %w: the run in %s learns from other episodes: %d of %d records and %d held out, not %d of %d and %d (or other values in them); restore these, or start a new run (with --from %[2]s to continue from its weights)",
		ErrParts, o.Dir, learned.Episodes, learned.Records, learned.HeldOut, o.mark.Episodes, o.mark.Records, o.mark.HeldOut)
}

// examine implements what newest asks for; the episodes are the caller's.
func (o *Offline) examine(s *saved) (err error) {
	if _, offline := s.Extra[offlineKey]; !offline {
		return fmt.Errorf("learn: %w: the run in %s collects its own episodes; start another one with --run DIR (and --from to continue from its weights)", ErrParts, o.Dir)
	}
	if err := errors.Join(s.decode(milestoneKey, &s.milestone), s.decode(offlineKey, &s.mark)); err != nil {
		return err
	}
	s.episodes = true
	s.whole, err = o.countEvents(s, s.mark.untold(metrics.Counters(s.Counters)))
	return err
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

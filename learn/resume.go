package learn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/worldmodel"
)

// saved is a snapshot, where it is, and what is left of what it counts.
type saved struct {
	*checkpoint.Snapshot
	milestone
	mark            offlineMark // of runs that learn offline
	path            string
	episodes, whole bool // its episodes are there; so are its events
	passed          bool // a newer snapshot, intact, for what it counts is not
}

// newest loads the newest whole snapshot. If things that it counts, episodes or
// events, are gone or damaged and the one before does without them, that is taken:
// they will be made again, identically. examine reads what a snapshot says of the
// run, and looks for what it counts.
func (t *trainer) newest(ctx context.Context, things string, examine func(*saved) error) (saved, error) {
	s, report, err := checkpoint.LoadLatest(ctx, t.parts.FS, t.snapshots())
	t.tellDamaged(report)
	if err != nil {
		return saved{}, err
	}
	last := saved{Snapshot: s, path: report.Path}
	if err := examine(&last); err != nil || last.whole {
		return last, err
	}
	s, report, err = checkpoint.LoadBefore(ctx, t.parts.FS, t.snapshots(), s.Counters)
	t.tellDamaged(report)
	switch {
	case errors.Is(err, checkpoint.ErrNone), errors.Is(err, checkpoint.ErrCorrupt):
		return last, nil
	case err != nil:
		return saved{}, err
	}
	before := saved{Snapshot: s, path: report.Path}
	if err := examine(&before); err != nil || !before.whole && (last.episodes || !before.episodes) {
		return last, err
	}
	t.parts.Log.Warn(things+" that the newest snapshot counts are gone or damaged; the one before does without them, and what came after it is learned again",
		"snapshot", last.path, "before", before.path)
	before.passed = true
	return before, nil
}

func (t *trainer) tellDamaged(r checkpoint.Report) {
	for _, d := range r.Damaged {
		t.parts.Log.Warn("snapshot is damaged and was passed over; what it held beyond the one before is learned again", "snapshot", d)
	}
}

// decode reads a part of what a snapshot holds beside counters and tensors.
func (s *saved) decode(key string, into any) error {
	if err := json.Unmarshal(s.Extra[key], into); err != nil {
		return fmt.Errorf("learn: snapshot %s: %w", s.path, err)
	}
	return nil
}

// countEvents reports whether the events that a snapshot counts are there.
func (t *trainer) countEvents(s *saved, untold []string) (bool, error) {
	n, err := metrics.CountUpTo(t.parts.FS, filepath.Join(t.parts.Dir, MetricsName), metrics.Counters(s.Counters), untold...)
	return n >= s.Events, err
}

// takeUp continues from a snapshot.
func (t *trainer) takeUp(s saved) error {
	if s.Seed != t.parts.Seed {
		return fmt.Errorf("learn: %w: the run in %s has seed %d, not %d", ErrParts, t.parts.Dir, s.Seed, t.parts.Seed)
	}
	var state [3][][]float32
	for i, group := range [][]checkpoint.Tensor{s.Params, s.AdamM, s.AdamV} {
		var err error
		if state[i], err = fit(group, t.parts.Model); err != nil {
			return fmt.Errorf("learn: snapshot %s: %w", s.path, err)
		}
	}
	t.counters, t.evaluated, t.losses, t.gone = metrics.Counters(s.Counters), s.Evaluated, s.Losses, s.Events
	return t.learner.SetState(state[0], state[1], state[2])
}

// dropPassed removes the snapshot that one was preferred to, if there is one.
func (t *trainer) dropPassed(s saved) error {
	if !s.passed {
		return nil
	}
	return checkpoint.Drop(t.parts.FS, t.snapshots(), s.Counters)
}

// initialise gives a new run its weights.
func (t *trainer) initialise() error {
	params, err := initial(t.parts.Model, t.parts.From, t.stream("init", 0))
	if err != nil {
		return err
	}
	return t.learner.SetState(params, zeros(params), zeros(params))
}

func zeros(like [][]float32) [][]float32 {
	out := make([][]float32, len(like))
	for i, x := range like {
		out[i] = make([]float32, len(x))
	}
	return out
}

// fit returns the values of tensors in the order of the model's parameters.
func fit(tensors []checkpoint.Tensor, model *worldmodel.Model) ([][]float32, error) {
	var specs []checkpoint.Spec
	for _, p := range model.ParamSpecs() {
		specs = append(specs, checkpoint.Spec{Name: p.Name, Dims: p.Dims})
	}
	matched, err := checkpoint.Match(tensors, specs)
	if err != nil {
		return nil, err
	}
	out := make([][]float32, len(matched))
	for i, t := range matched {
		out[i] = t.Data
	}
	return out, nil
}

package learn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/worldmodel"
)

// MetricsName is the file of a run's events in its directory.
const MetricsName = "metrics.jsonl"

// Names in a run's directory.
const (
	episodesDir  = "episodes"
	snapshotsDir = "snapshots"
)

// milestone is what a snapshot holds beside counters and tensors.
type milestone struct {
	Seed      uint64          `json:"seed"`
	Evaluated int64           `json:"evaluated"`
	Dims      worldmodel.Dims `json:"dims"`
	// Events is how many events had been told, those of starts not counted.
	Events int `json:"events,omitzero"`
	// Losses are the updates that no event tells of yet.
	Losses average `json:"losses,omitzero"`
}

const milestoneKey = "learn"

// snapshot saves the whole run atomically. The seed and the counters are the
// state of all random streams: each is derived from them when it is needed.
// An interruption does not keep it from being written.
func (r *Run) snapshot(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	start := r.Now()
	defer func() { r.saving = r.Now().Sub(start) }()
	return r.watch.time(phaseIO, func() error {
		s, err := r.capture()
		if err != nil {
			return err
		}
		if err := stillThere(r.FS, r.Dir); err != nil {
			return err
		}
		if err := r.events.Sync(); err != nil {
			return err
		}
		return checkpoint.Save(ctx, r.FS, filepath.Join(r.Dir, snapshotsDir), s)
	})
}

// ErrVanished reports a run whose directory was moved or deleted while it was
// trained.
var ErrVanished = errors.New("the run's directory has vanished")

// stillThere refuses to save into a directory that is not the run's any more:
// a snapshot without the episodes would be of no use.
func stillThere(fsys vfs.FS, dir string) error {
	path := filepath.Join(dir, MetricsName)
	if _, err := fsys.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("learn: %w: there is no %s: if it was moved, the same command goes on there from its newest snapshot", ErrVanished, path)
	}
	return nil
}

func (r *Run) capture() (*checkpoint.Snapshot, error) {
	params, m, v, err := r.learner.State()
	if err != nil {
		return nil, err
	}
	extra, err := json.Marshal(milestone{Seed: r.Seed, Evaluated: r.evaluated, Dims: r.Model.Dims(), Events: r.events.Events() + r.gone, Losses: r.losses})
	if err != nil {
		return nil, err
	}
	return &checkpoint.Snapshot{
		Counters: checkpoint.Counters(r.counters),
		Params:   named(r.Model, params), AdamM: named(r.Model, m), AdamV: named(r.Model, v),
		ReplayEpisodes: int(r.counters.Episodes),
		Config:         r.Config,
		Extra:          map[string]json.RawMessage{milestoneKey: extra},
	}, nil
}

// restore continues from the newest whole snapshot, or from the beginning when
// there is none, and drops the episodes beyond it.
func (r *Run) restore(ctx context.Context) error {
	s, err := r.newest(ctx)
	switch {
	case errors.Is(err, checkpoint.ErrNone):
		return r.begin(ctx)
	case err != nil:
		return err
	}
	if _, offline := s.Extra[offlineKey]; offline {
		return fmt.Errorf("learn: %w: the run in %s learns from given episodes; go on with them (--offline), or start a new run from it (--from)", ErrParts, r.Dir)
	}
	if s.Seed != r.Seed {
		return fmt.Errorf("learn: the run in %s has seed %d, not %d", r.Dir, s.Seed, r.Seed)
	}
	var state [3][][]float32
	for i, group := range [][]checkpoint.Tensor{s.Params, s.AdamM, s.AdamV} {
		if state[i], err = fit(group, r.Model); err != nil {
			return fmt.Errorf("learn: snapshot %s: %w", s.path, err)
		}
	}
	if err := r.learner.SetState(state[0], state[1], state[2]); err != nil {
		return err
	}
	if err := r.checkEpisodes(s.ReplayEpisodes); err != nil {
		return err
	}
	r.counters, r.evaluated, r.losses, r.gone = metrics.Counters(s.Counters), s.Evaluated, s.Losses, s.Events
	if s.passed {
		if err := checkpoint.Drop(r.FS, filepath.Join(r.Dir, snapshotsDir), s.Counters); err != nil {
			return err
		}
	}
	return r.replay.TruncateTo(ctx, s.ReplayEpisodes)
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
// the seed episodes and one more for each environment, which are collected again; more than that was
// learned from, and is not deleted.
func (r *Run) begin(ctx context.Context) error {
	if n := r.replay.Episodes(); n > r.cfg.SeedEpisodes+r.cfg.Envs {
		return fmt.Errorf("learn: %s holds %d episodes, but %w: restore %s, or start a new run in another directory",
			r.Dir, n, ErrNoSnapshot, filepath.Join(r.Dir, snapshotsDir))
	}
	params, err := initial(r.Model, r.From, r.stream("init", 0))
	if err != nil {
		return err
	}
	if err := r.learner.SetState(params, zeros(params), zeros(params)); err != nil {
		return err
	}
	return r.replay.TruncateTo(ctx, 0)
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

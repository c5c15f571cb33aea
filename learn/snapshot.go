package learn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"

	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/internal/vfs"
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

// save writes a snapshot atomically. The seed and the counters are the state of all
// random streams: each is derived from them when it is needed. beside is what the
// run adds. An interruption does not keep it from being written.
func (t *trainer) save(ctx context.Context, beside map[string]any) error {
	ctx = context.WithoutCancel(ctx)
	start := t.parts.Now()
	defer func() { t.saving = t.parts.Now().Sub(start) }()
	return t.watch.time(phaseIO, func() error {
		s, err := t.capture(beside)
		if err != nil {
			return err
		}
		if err := stillThere(t.parts.FS, t.parts.Dir); err != nil {
			return err
		}
		if err := t.events.Sync(); err != nil {
			return err
		}
		return checkpoint.Save(ctx, t.parts.FS, t.snapshots(), s)
	})
}

// snapshots is the directory of the snapshots.
func (t *trainer) snapshots() string { return filepath.Join(t.parts.Dir, snapshotsDir) }

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

func (t *trainer) capture(beside map[string]any) (*checkpoint.Snapshot, error) {
	params, m, v, err := t.learner.State()
	if err != nil {
		return nil, err
	}
	model, extra := t.parts.Model, map[string]json.RawMessage{}
	all := map[string]any{milestoneKey: milestone{
		Seed: t.parts.Seed, Evaluated: t.evaluated, Dims: model.Dims(), Events: t.events.Events() + t.gone, Losses: t.losses,
	}}
	maps.Copy(all, beside)
	for key, value := range all {
		if extra[key], err = json.Marshal(value); err != nil {
			return nil, err
		}
	}
	return &checkpoint.Snapshot{
		Counters: checkpoint.Counters(t.counters),
		Params:   named(model, params), AdamM: named(model, m), AdamV: named(model, v),
		ReplayEpisodes: int(t.counters.Episodes),
		Config:         t.parts.Config,
		Extra:          extra,
	}, nil
}

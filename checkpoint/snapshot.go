package checkpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/orrery-rl/orrery/internal/vfs"
)

// ErrNone is returned by [LoadLatest] for a directory without any snapshot.
var ErrNone = errors.New("checkpoint: no snapshot")

// Counters say how far a run has come.
type Counters struct {
	// EnvSteps is the number of simulator steps taken in training.
	EnvSteps int64 `json:"env_steps"`
	// Decisions is the number of actions chosen.
	Decisions int64 `json:"decisions"`
	// Updates is the number of optimiser steps.
	Updates int64 `json:"updates"`
	// Episodes is the number of training episodes collected, seeds included.
	Episodes int64 `json:"episodes"`
}

// Snapshot is a whole run at one moment.
type Snapshot struct {
	// Counters say which moment.
	Counters Counters
	// Params are the model's parameters, AdamM and AdamV the optimiser's first
	// and second moments, each in the model's order.
	Params, AdamM, AdamV []Tensor
	// ReplayEpisodes is the number of episodes that were in the replay; later
	// ones are not part of this moment.
	ReplayEpisodes int
	// Config is the configuration of the run as JSON.
	Config json.RawMessage
	// Extra is whatever else the run needs, by name.
	Extra map[string]json.RawMessage
	// Created is when the snapshot was taken; [Save] fills in a zero time.
	Created time.Time
}

// kept is how many snapshots stay: the newest and one to fall back to.
const kept = 2

const snapshotKind = "orrery-snapshot"

// snapshotName sorts by updates, then episodes, as text.
func snapshotName(c Counters) string {
	return fmt.Sprintf("%012d-%09d.safetensors", c.Updates, c.Episodes)
}

// isSnapshot matches what snapshotName returns; other files are left alone.
var isSnapshot = regexp.MustCompile(`^\d{12}-\d{9}\.safetensors$`)

// Save writes s into dir, which it creates, as one file that appears by a
// single durable rename. Only then are older snapshots removed, except the one
// before, and any that claim to be newer: those belong to a future that a
// resumed run has left.
//
// After an error the snapshots that were there before still are; the new one
// may or may not be.
func Save(ctx context.Context, fsys vfs.FS, dir string, s *Snapshot) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("checkpoint: save snapshot: %w", err)
	}
	if err := vfs.MakeDirDurable(fsys, dir); err != nil {
		return fmt.Errorf("checkpoint: save snapshot: %w", err)
	}
	stamped := *s
	if stamped.Created.IsZero() {
		stamped.Created = time.Now().UTC().Truncate(time.Second)
	}
	name := snapshotName(s.Counters)
	err := vfs.WriteFileDurable(fsys, filepath.Join(dir, name), func(w io.Writer) error { return stamped.encode(w) })
	if err != nil {
		return fmt.Errorf("checkpoint: save snapshot %s: %w", name, err)
	}
	if err := prune(fsys, dir, name); err != nil {
		return fmt.Errorf("checkpoint: snapshot %s is saved, but removing others failed: %w", name, err)
	}
	return nil
}

func (s *Snapshot) encode(w io.Writer) error {
	h := header{
		Created: s.Created, Counters: s.Counters, Config: s.Config,
		ReplayEpisodes: s.ReplayEpisodes, Extra: s.Extra,
	}
	return encode(w, snapshotKind, h, map[string][]Tensor{paramsGroup: s.Params, momentMGroup: s.AdamM, momentVGroup: s.AdamV})
}

// prune removes all snapshots but the newest, given by name, and those just
// before it, and what interrupted writes have left.
func prune(fsys vfs.FS, dir, newest string) error {
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if vfs.IsTemp(e.Name()) {
			errs = append(errs, fsys.Remove(filepath.Join(dir, e.Name())))
		}
	}
	before := 0
	for _, name := range slices.Backward(snapshots(entries)) {
		if name < newest {
			before++
		}
		if name > newest || before >= kept {
			errs = append(errs, fsys.Remove(filepath.Join(dir, name)))
		}
	}
	return errors.Join(errs...)
}

// list returns the names of the snapshots in dir, oldest first. A directory
// that does not exist has none.
func list(fsys vfs.FS, dir string) ([]string, error) {
	entries, err := fsys.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return snapshots(entries), err
}

// snapshots picks the names of snapshots, oldest first.
func snapshots(entries []fs.DirEntry) []string {
	var names []string
	for _, e := range entries {
		if isSnapshot.MatchString(e.Name()) && !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names
}

// Report says what [LoadLatest] did.
type Report struct {
	// Path is the file that was loaded.
	Path string
	// Damaged are newer snapshots that could not be used, newest first. The
	// caller should tell the user: progress was lost.
	Damaged []Damage
}

// Damage is a snapshot that was passed over.
type Damage struct {
	Path string
	// Err says what is wrong; it matches [ErrCorrupt].
	Err error
}

// String formats the damage for a log.
func (d Damage) String() string { return fmt.Sprintf("%s: %v", d.Path, d.Err) }

// LoadLatest returns the newest intact snapshot in dir. Damaged ones are passed
// over and listed in the report. Without any file the error is [ErrNone]; with
// none intact it matches [ErrCorrupt]. A file that cannot be read, or that a
// newer version wrote, is an error and not passed over: the next Save would
// remove it.
func LoadLatest(ctx context.Context, fsys vfs.FS, dir string) (*Snapshot, Report, error) {
	return loadBelow(ctx, fsys, dir, "~") // which sorts after every name
}

// LoadBefore is LoadLatest of the snapshots older than the moment of c, for a
// caller that cannot use a newer one although it is intact.
func LoadBefore(ctx context.Context, fsys vfs.FS, dir string, c Counters) (*Snapshot, Report, error) {
	return loadBelow(ctx, fsys, dir, snapshotName(c))
}

// Drop removes the snapshots newer than the moment of c, which is what a run
// restored from that moment leaves behind: what they count besides themselves is
// about to be undone.
func Drop(fsys vfs.FS, dir string, c Counters) error {
	names, err := list(fsys, dir)
	if err != nil {
		return fmt.Errorf("checkpoint: drop snapshots: %w", err)
	}
	var errs []error
	for _, name := range slices.Backward(names) {
		if name > snapshotName(c) {
			errs = append(errs, fsys.Remove(filepath.Join(dir, name)))
		}
	}
	if err := errors.Join(append(errs, fsys.SyncDir(dir))...); err != nil {
		return fmt.Errorf("checkpoint: drop snapshots: %w", err)
	}
	return nil
}

// loadBelow loads the newest intact snapshot whose name sorts before a limit.
func loadBelow(ctx context.Context, fsys vfs.FS, dir, limit string) (*Snapshot, Report, error) {
	names, err := list(fsys, dir)
	if err != nil {
		return nil, Report{}, fmt.Errorf("checkpoint: load snapshot: %w", err)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name >= limit })
	var report Report
	for _, name := range slices.Backward(names) {
		if err := ctx.Err(); err != nil {
			return nil, report, fmt.Errorf("checkpoint: load snapshot: %w", err)
		}
		path := filepath.Join(dir, name)
		s, err := load(fsys, path)
		if err == nil {
			report.Path = path
			return s, report, nil
		}
		if !errors.Is(err, ErrCorrupt) {
			return nil, report, fmt.Errorf("checkpoint: load snapshot %s: %w", path, err)
		}
		report.Damaged = append(report.Damaged, Damage{Path: path, Err: err})
	}
	if len(report.Damaged) > 0 {
		return nil, report, fmt.Errorf("checkpoint: none of the %d snapshots in %s is intact, so the run cannot go on: restore one of them from a copy, or start a new run in another directory; nothing was changed here: %w",
			len(names), dir, report.Damaged[0].Err)
	}
	return nil, report, fmt.Errorf("%w in %s", ErrNone, dir)
}

// load reads one snapshot and checks that it is the one its name announces.
func load(fsys vfs.FS, path string) (*Snapshot, error) {
	data, err := vfs.ReadFile(fsys, path, maxFileSize)
	if err != nil {
		return nil, err
	}
	h, groups, err := decode(data, snapshotKind)
	if err != nil {
		return nil, err
	}
	if want := snapshotName(h.Counters); want != filepath.Base(path) {
		return nil, fmt.Errorf("%w: it holds the snapshot %s", ErrCorrupt, want)
	}
	if c := h.Counters; min(c.EnvSteps, c.Decisions, c.Updates, c.Episodes, int64(h.ReplayEpisodes)) < 0 {
		return nil, fmt.Errorf("%w: it has negative counters, or %d episodes", ErrCorrupt, h.ReplayEpisodes)
	}
	return &Snapshot{
		Counters: h.Counters, Params: groups[paramsGroup], AdamM: groups[momentMGroup], AdamV: groups[momentVGroup],
		ReplayEpisodes: h.ReplayEpisodes, Config: h.Config, Extra: h.Extra, Created: h.Created,
	}, nil
}

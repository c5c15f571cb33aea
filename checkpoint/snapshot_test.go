package checkpoint_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/internal/vfs"
)

// moment is a small snapshot after n updates; all its numbers depend on n.
func moment(n int64) *checkpoint.Snapshot {
	tensors := func(offset float32) []checkpoint.Tensor {
		x := float32(n) + offset
		return []checkpoint.Tensor{ // not in alphabetical order, on purpose
			{Name: "rssm/gru/kernel", Dims: []int{2, 3}, Data: []float32{x, x + 1, x + 2, x + 3, x + 4, x + 5}},
			{Name: "encoder/bias", Dims: []int{2}, Data: []float32{-x, 0}},
			{Name: "step", Dims: []int{}, Data: []float32{x}},
			{Name: "empty", Dims: []int{0, 4}, Data: []float32{}},
		}
	}
	return &checkpoint.Snapshot{
		Counters: checkpoint.Counters{EnvSteps: 80 * n, Decisions: 10 * n, Updates: n, Episodes: n / 100},
		Params:   tensors(0), AdamM: tensors(0.25), AdamV: tensors(0.5),
		ReplayEpisodes: int(n / 100),
		Config:         json.RawMessage(`{"preset":"tiny","seed":1}`),
		Extra:          map[string]json.RawMessage{"evaluated": json.RawMessage(`3`)},
		Created:        time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

func save(t testing.TB, fsys vfs.FS, dir string, s *checkpoint.Snapshot) {
	t.Helper()
	if err := checkpoint.Save(t.Context(), fsys, dir, s); err != nil {
		t.Fatal(err)
	}
}

func loadLatest(t testing.TB, fsys vfs.FS, dir string) (*checkpoint.Snapshot, checkpoint.Report) {
	t.Helper()
	s, report, err := checkpoint.LoadLatest(t.Context(), fsys, dir)
	if err != nil {
		t.Fatal(err)
	}
	return s, report
}

// files lists a directory.
func files(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestSnapshotIsLoadedAsSaved(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "snapshots")
	want := moment(100)
	save(t, vfs.OS(), dir, want)
	got, report := loadLatest(t, vfs.OS(), dir)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("snapshot (-saved +loaded):\n%s", diff)
	}
	if report.Path != filepath.Join(dir, "000000000100-000000001.safetensors") || len(report.Damaged) != 0 {
		t.Errorf("report is %+v", report)
	}
}

func TestLastTwoSnapshotsAreKept(t *testing.T) {
	dir := t.TempDir()
	notOurs := filepath.Join(dir, "weights.safetensors")
	if err := os.WriteFile(notOurs, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for n := int64(100); n <= 400; n += 100 {
		save(t, vfs.OS(), dir, moment(n))
	}
	want := []string{"000000000300-000000003.safetensors", "000000000400-000000004.safetensors", "weights.safetensors"}
	if diff := cmp.Diff(want, files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestNoSnapshotIsErrNone(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "absent")} {
		if _, _, err := checkpoint.LoadLatest(t.Context(), vfs.OS(), dir); !errors.Is(err, checkpoint.ErrNone) {
			t.Errorf("error %v, want ErrNone", err)
		}
	}
}

func TestDamagedSnapshotIsPassedOverAndReported(t *testing.T) {
	dir := t.TempDir()
	save(t, vfs.OS(), dir, moment(100))
	save(t, vfs.OS(), dir, moment(200))
	newest := filepath.Join(dir, "000000000200-000000002.safetensors")
	if err := os.Truncate(newest, 700); err != nil {
		t.Fatal(err)
	}
	got, report := loadLatest(t, vfs.OS(), dir)
	if got.Counters.Updates != 100 {
		t.Errorf("loaded the snapshot of update %d, want 100", got.Counters.Updates)
	}
	if len(report.Damaged) != 1 || report.Damaged[0].Path != newest || !errors.Is(report.Damaged[0].Err, checkpoint.ErrCorrupt) {
		t.Errorf("report is %+v, want the damage of %s", report, newest)
	}
	// Going on from 100, the run leaves the damaged future behind.
	save(t, vfs.OS(), dir, moment(150))
	if diff := cmp.Diff([]string{"000000000100-000000001.safetensors", "000000000150-000000001.safetensors"}, files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestOnlyDamagedSnapshotsAreNotNone(t *testing.T) {
	dir := t.TempDir()
	save(t, vfs.OS(), dir, moment(100))
	if err := os.WriteFile(filepath.Join(dir, "000000000100-000000001.safetensors"), []byte("oops"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, report, err := checkpoint.LoadLatest(t.Context(), vfs.OS(), dir)
	if !errors.Is(err, checkpoint.ErrCorrupt) || errors.Is(err, checkpoint.ErrNone) || len(report.Damaged) != 1 {
		t.Errorf("error %v, report %+v; want ErrCorrupt and one damaged file", err, report)
	}
}

func TestSnapshotUnderAnotherNameIsDamaged(t *testing.T) {
	dir := t.TempDir()
	save(t, vfs.OS(), dir, moment(100))
	err := os.Rename(filepath.Join(dir, "000000000100-000000001.safetensors"), filepath.Join(dir, "000000000900-000000009.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := checkpoint.LoadLatest(t.Context(), vfs.OS(), dir); !errors.Is(err, checkpoint.ErrCorrupt) {
		t.Errorf("error %v, want ErrCorrupt", err)
	}
}

// Every byte counts: flipping any bit must be noticed, or change nothing. The
// case of a letter in a JSON key is such a nothing.
func TestEveryFlippedBitIsNoticed(t *testing.T) {
	dir := t.TempDir()
	want := moment(100)
	save(t, vfs.OS(), dir, want)
	path := filepath.Join(dir, "000000000100-000000001.safetensors")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	unnoticed := 0
	for i := range data {
		bit := byte(1) << (i % 8)
		data[i] ^= bit
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		data[i] ^= bit
		got, _, err := checkpoint.LoadLatest(t.Context(), vfs.OS(), dir)
		switch {
		case err == nil && !cmp.Equal(want, got, cmpopts.EquateEmpty()):
			t.Fatalf("bit %d of byte %d: a changed snapshot was loaded", i%8, i)
		case err == nil:
			unnoticed++
		case !errors.Is(err, checkpoint.ErrCorrupt):
			t.Fatalf("bit %d of byte %d: error %v, want ErrCorrupt", i%8, i, err)
		}
	}
	if unnoticed > len(data)/20 {
		t.Errorf("%d of %d flips went unnoticed", unnoticed, len(data))
	}
}

func TestEveryTruncationIsNoticed(t *testing.T) {
	dir := t.TempDir()
	save(t, vfs.OS(), dir, moment(100))
	path := filepath.Join(dir, "000000000100-000000001.safetensors")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	for size := info.Size() - 1; size >= 0; size-- {
		if err := os.Truncate(path, size); err != nil {
			t.Fatal(err)
		}
		if _, _, err := checkpoint.LoadLatest(t.Context(), vfs.OS(), dir); !errors.Is(err, checkpoint.ErrCorrupt) {
			t.Fatalf("%d of %d bytes: error %v, want ErrCorrupt", size, info.Size(), err)
		}
	}
}

func TestCancelledContextSavesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if err := checkpoint.Save(ctx, vfs.OS(), dir, moment(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("save: %v, want context.Canceled", err)
	}
	if names := files(t, dir); len(names) != 0 {
		t.Errorf("directory has %v", names)
	}
	save(t, vfs.OS(), dir, moment(1))
	if _, _, err := checkpoint.LoadLatest(ctx, vfs.OS(), dir); !errors.Is(err, context.Canceled) {
		t.Errorf("load: %v, want context.Canceled", err)
	}
}

func TestWrongShapeIsRefusedWhenSaving(t *testing.T) {
	s := moment(1)
	s.AdamV[0].Dims = []int{2, 2}
	dir := t.TempDir()
	err := checkpoint.Save(t.Context(), vfs.OS(), dir, s)
	if err == nil || !strings.Contains(err.Error(), "adam_v/rssm/gru/kernel") {
		t.Errorf("error %v does not name the tensor", err)
	}
	if names := files(t, dir); len(names) != 0 {
		t.Errorf("the failed save left %v", names)
	}
}

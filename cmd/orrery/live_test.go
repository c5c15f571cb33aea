package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/metrics/live"
)

// TestTrainShowsItself: a run leaves its last decision and episode to be looked
// at, and going on without them is allowed.
func TestTrainShowsItself(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	must(t, tiny(dir)...)
	d, err := live.ReadDecision(vfs.OS(), dir)
	if err != nil || len(d.Image) != d.Size.Bytes() || len(d.Action) != 2 {
		t.Errorf("decision %+v, %v", d, err)
	}
	e, err := live.ReadEpisode(vfs.OS(), dir)
	if err != nil || len(e.Real) == 0 || len(e.Dream) != len(e.Real) || len(e.Reconstruction) != len(e.Real) {
		t.Errorf("episode %+v, %v", e, err)
	}
	if err := os.RemoveAll(filepath.Join(dir, live.DirName)); err != nil {
		t.Fatal(err)
	}
	must(t, tiny(dir, "--episodes", "8", "--set", "watch.live=false")...)
	if _, err := live.ReadDecision(vfs.OS(), dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without watch.live: %v", err)
	}
}

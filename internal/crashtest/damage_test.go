package crashtest

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/metrics"
)

// damage changes files of a run whose process is dead, in a way that it must
// recover from, and returns what was done, and the events that are gone for
// good: those the newest snapshot counts.
func damage(t testing.TB, dir string, random *rand.Rand) (what string, lost []string) {
	t.Helper()
	switch random.IntN(4) {
	case 0:
		n, _ := intact(t, dir)
		if path := newestIn(dir, "snapshots"); n >= 2 && path != "" {
			return "snapshot " + spoil(t, path, random, 0), nil
		}
	case 1:
		if path := newestIn(dir, "episodes"); path != "" && expendable(t, dir, path) {
			if random.IntN(3) == 0 {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
				return "episode removed", nil
			}
			return "episode " + spoil(t, path, random, 0), nil
		}
	case 2:
		for _, name := range []string{"snapshots/x.safetensors", "episodes/000001.npz", "config.yaml"} {
			path := filepath.Join(dir, name) + ".tmp-1"
			if os.MkdirAll(filepath.Dir(path), 0o755) != nil || os.WriteFile(path, make([]byte, random.IntN(5000)), 0o644) != nil {
				t.Fatal("cannot write ", path)
			}
		}
		return "unfinished files left about", nil
	}
	return damageEvents(t, dir, random)
}

// damageEvents spoils the end of the event file.
func damageEvents(t testing.TB, dir string, random *rand.Rand) (what string, lost []string) {
	t.Helper()
	path := filepath.Join(dir, metricsName)
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return "", nil
	}
	_, saved := intact(t, dir)
	before := told(t, path, saved)
	what = "events " + spoil(t, path, random, 3000)
	after := told(t, path, saved)
	for _, e := range before {
		if !slices.Contains(after, e) {
			lost = append(lost, e)
		}
	}
	return what, lost
}

// told are the events up to the counters, as readEvents returns them.
func told(t testing.TB, path string, upTo checkpoint.Counters) (out []string) {
	t.Helper()
	for e, err := range metrics.ReadFile(vfs.OS(), path) {
		c := e.Counters
		if err == nil && e.Kind != metrics.KindRun && c.Episodes <= upTo.Episodes && c.Updates <= upTo.Updates && c.Decisions <= upTo.Decisions {
			out = append(out, timeless(t, e))
		}
	}
	return out
}

// spoil truncates a file or flips a bit of it, in its last tail bytes, or
// anywhere if tail is 0.
func spoil(t testing.TB, path string, random *rand.Rand, tail int) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	from := 0
	if tail > 0 {
		from = max(0, len(data)-tail)
	}
	at := from + random.IntN(len(data)-from)
	what := "truncated"
	if random.IntN(2) == 0 {
		data = data[:at]
	} else {
		data[at] ^= 1 << random.IntN(8)
		what = "with a flipped bit"
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return what
}

// newestIn is the last file in a folder of a run, or nothing.
func newestIn(dir, folder string) string {
	files, _ := filepath.Glob(filepath.Join(dir, folder, "*[a-z]"))
	if len(files) == 0 {
		return ""
	}
	return slices.Max(files)
}

// expendable reports whether an episode will be collected again: a snapshot that
// can be loaded does without it, or nothing was learned from it yet.
func expendable(t testing.TB, dir, path string) bool {
	t.Helper()
	snapshots := filepath.Join(dir, "snapshots")
	s, _, err := checkpoint.LoadLatest(context.Background(), vfs.OS(), snapshots)
	if err != nil {
		return newestIn(dir, "snapshots") == ""
	}
	oldest := s.ReplayEpisodes
	if s, _, err = checkpoint.LoadBefore(context.Background(), vfs.OS(), snapshots, s.Counters); err == nil {
		oldest = s.ReplayEpisodes
	}
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	index := slices.IndexFunc(files, func(e os.DirEntry) bool { return e.Name() == filepath.Base(path) })
	return index >= oldest
}

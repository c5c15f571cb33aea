package learn

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/internal/vfs/vfstest"
	"github.com/orrery-rl/orrery/metrics"
)

// shortRun is a run with a seed episode, an evaluation in between and one at the
// end, on a file system of one's own. All share the backend of p.
func shortRun(p Parts, fsys vfs.FS) Parts {
	p.FS, p.Dir = fsys, "run"
	p.Schedule.Episodes, p.Schedule.SeedEpisodes, p.Schedule.UpdatesPerCollect, p.Schedule.LogEvery = 4, 1, 2, 2
	return p
}

// leftOn are the contents of every file of a run, less times: each snapshot
// without when it was written, the events without starts and times.
func leftOn(t testing.TB, fsys vfs.FS) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, path := range filesOn(t, fsys, "run") {
		data, err := vfs.ReadFile(fsys, path, 1<<24)
		if err != nil {
			t.Fatal(err)
		}
		switch filepath.Ext(path) {
		case ".safetensors":
			out[path] = timelessSnapshot(t, fsys, path)
		case ".jsonl":
			out[path] = timelessEvents(t, fsys, path)
		default:
			out[path] = string(data)
		}
	}
	return out
}

func filesOn(t testing.TB, fsys vfs.FS, dir string) (paths []string) {
	t.Helper()
	entries, err := fsys.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range entries {
		switch path := filepath.Join(dir, e.Name()); {
		case e.IsDir() && e.Name() == "live": // replaced all the time, and no part of the run
		case e.IsDir():
			paths = append(paths, filesOn(t, fsys, path)...)
		default:
			paths = append(paths, path)
		}
	}
	return paths
}

func timelessSnapshot(t testing.TB, fsys vfs.FS, path string) string {
	t.Helper()
	s, report, err := checkpoint.LoadLatest(context.Background(), fsys, filepath.Dir(path))
	for err == nil && report.Path != path {
		s, report, err = checkpoint.LoadBefore(context.Background(), fsys, filepath.Dir(path), s.Counters)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.Created = time.Time{}
	return fmt.Sprintf("%+v", *s)
}

func timelessEvents(t testing.TB, fsys vfs.FS, path string) (text string) {
	t.Helper()
	for e, err := range metrics.ReadFile(fsys, path) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind != metrics.KindRun {
			text += fmt.Sprintf("%+v\n", timeless(e))
		}
	}
	return text
}

// sameLeft demands that a run on a file system left what was expected.
func sameLeft(t testing.TB, fsys vfs.FS, want map[string]string) {
	t.Helper()
	got := leftOn(t, fsys)
	for path, text := range want {
		if got[path] != text {
			t.Errorf("%s: differs, or is missing", path)
		}
	}
	for path := range got {
		if _, ok := want[path]; !ok {
			t.Errorf("%s: should not be there", path)
		}
	}
}

// diskFingerprint tells file systems with different contents apart. Of unfinished
// files only the name counts: they are removed unread.
func diskFingerprint(t testing.TB, fsys vfs.FS) (sum [sha256.Size]byte) {
	t.Helper()
	hash := sha256.New()
	for _, path := range filesOn(t, fsys, "run") {
		data, err := vfs.ReadFile(fsys, path, 1<<24)
		if err != nil {
			t.Fatal(err)
		}
		if vfs.IsTemp(path) {
			data = nil
		}
		fmt.Fprintf(hash, "%s %d\n%s", path, len(data), data)
	}
	return [sha256.Size]byte(hash.Sum(nil))
}

// TestPowerCutAtEveryChangeEndsIdentically cuts the power before every change
// that a whole run makes to its disk, with everything unsynced lost and with a
// random part of it kept, and resumes from what is left. Every outcome must end
// as if nothing had happened. Where two cuts leave the same, one is resumed.
func TestPowerCutAtEveryChangeEndsIdentically(t *testing.T) {
	p := parts(t, "", newToy(t))
	whole := vfstest.NewMem()
	changes := 0
	counting := vfstest.Intercept(whole, func(op vfstest.Op) error {
		if op.Changes() {
			changes++
		}
		return nil
	})
	if _, err := train(t, context.Background(), shortRun(p, counting)); err != nil {
		t.Fatal(err)
	}
	want := leftOn(t, whole)

	coin := rand.New(rand.NewPCG(1, 2))
	seen, resumed, count := map[[sha256.Size]byte]bool{}, 0, 0
	resume := func(left *vfstest.Mem) {
		resumed++
		if _, err := train(t, context.Background(), shortRun(p, left)); err != nil {
			t.Fatalf("power cut before change %d: %v", count, err)
		}
		sameLeft(t, left, want)
		if t.Failed() {
			t.Fatalf("power cut before change %d of %d", count, changes)
		}
	}
	disk := vfstest.NewMem()
	cutting := vfstest.Intercept(disk, func(op vfstest.Op) error {
		if !op.Changes() {
			return nil
		}
		count++
		for _, keep := range []func() bool{nil, func() bool { return coin.IntN(2) == 0 }} {
			left := disk.CrashClone(keep)
			sum := diskFingerprint(t, left)
			if seen[sum] || testing.Short() && coin.IntN(8) > 0 {
				continue
			}
			seen[sum] = true
			resume(left)
		}
		return nil
	})
	if _, err := train(t, context.Background(), shortRun(p, cutting)); err != nil {
		t.Fatal(err)
	}
	if count != changes || changes < 60 {
		t.Errorf("%d changes seen, want %d, and no fewer than 60", count, changes)
	}
	t.Logf("%d changes, %d different disks after power cuts, %d resumed", changes, len(seen), resumed)
}

// TestPowerCutWhileResuming cuts the power in a resumed run, too, up to three
// times in all.
func TestPowerCutWhileResuming(t *testing.T) {
	p := parts(t, "", newToy(t))
	whole := vfstest.NewMem()
	if _, err := train(t, context.Background(), shortRun(p, whole)); err != nil {
		t.Fatal(err)
	}
	want := leftOn(t, whole)
	cases := uint64(20)
	if testing.Short() {
		cases = 3
	}
	for seed := range cases {
		coin := rand.New(rand.NewPCG(seed, 3))
		disk := vfstest.NewMem()
		for range 3 {
			cut := vfstest.FailFrom(1+coin.IntN(90), errPower)
			_, err := tryTrain(shortRun(p, vfstest.Intercept(disk, cut)))
			if err != nil && !errors.Is(err, errPower) {
				t.Fatalf("seed %d: %v", seed, err)
			}
			disk = disk.CrashClone(func() bool { return coin.IntN(2) == 0 })
		}
		if _, err := tryTrain(shortRun(p, disk)); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		sameLeft(t, disk, want)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

var errPower = errors.New("no power")

// tryTrain is train for a run that may not even open.
func tryTrain(p Parts) (metrics.Counters, error) {
	r, err := Open(context.Background(), p)
	if err != nil {
		return metrics.Counters{}, err
	}
	err = r.Train(context.Background())
	return r.Counters(), errors.Join(err, r.Close())
}

// tellingChanges are the numbers of the changes in a whole run, except that of
// many writes in a row to one file there are the first, one in the middle and the
// last.
func tellingChanges(t testing.TB, p Parts) (numbers []int) {
	t.Helper()
	var ops []vfstest.Op
	disk := vfstest.Intercept(vfstest.NewMem(), func(op vfstest.Op) error {
		if op.Changes() {
			ops = append(ops, op)
		}
		return nil
	})
	if _, err := tryTrain(shortRun(p, disk)); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(ops); {
		j := i + 1
		for j < len(ops) && ops[i].Kind == vfstest.Write && ops[j] == ops[i] {
			j++
		}
		numbers = append(numbers, i+1, (i+j-1)/2+1, j)
		i = j
	}
	return slices.Compact(numbers)
}

// TestWriteErrorAtAnyChangeStopsTheRunAndCostsNothing makes a change fail once
// with a full disk: the run stops with that error or goes on, and a process
// after it ends as if nothing had happened.
func TestWriteErrorAtAnyChangeStopsTheRunAndCostsNothing(t *testing.T) {
	p := parts(t, "", newToy(t))
	whole := vfstest.NewMem()
	if _, err := train(t, context.Background(), shortRun(p, whole)); err != nil {
		t.Fatal(err)
	}
	want := leftOn(t, whole)
	stopped := 0
	for i, at := range tellingChanges(t, p) {
		if testing.Short() && i%17 > 0 {
			continue
		}
		disk := vfstest.NewMem()
		_, err := tryTrain(shortRun(p, vfstest.Intercept(disk, vfstest.FailAt(at, syscall.ENOSPC))))
		if err != nil {
			stopped++
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("change %d: %v", at, err)
			}
			if _, err := tryTrain(shortRun(p, disk)); err != nil {
				t.Fatalf("change %d, then: %v", at, err)
			}
		}
		sameLeft(t, disk, want)
		if t.Failed() {
			t.Fatalf("change %d", at)
		}
	}
	if stopped < 5 {
		t.Errorf("only %d runs were stopped", stopped)
	}
	t.Logf("%d runs were stopped by a write error", stopped)
}

// TestDamageIsRepairedFromTheSnapshotBefore damages what only the newest
// snapshot counts, in several ways at once or alone.
func TestDamageIsRepairedFromTheSnapshotBefore(t *testing.T) {
	p := parts(t, "", newToy(t))
	whole := vfstest.NewMem()
	if _, err := train(t, context.Background(), shortRun(p, whole)); err != nil {
		t.Fatal(err)
	}
	want := leftOn(t, whole)
	episode, events := filepath.Join("run", episodesDir, "000003.npz"), filepath.Join("run", MetricsName)
	paths := filesOn(t, whole, filepath.Join("run", snapshotsDir))
	newest := slices.Max(paths)
	for name, damage := range map[string]func(*vfstest.Mem) error{
		"episode removed":    func(m *vfstest.Mem) error { return m.Remove(episode) },
		"episode truncated":  func(m *vfstest.Mem) error { return rewrite(m, episode, func(b []byte) []byte { return b[:len(b)/2] }) },
		"last event removed": func(m *vfstest.Mem) error { return rewrite(m, events, func(b []byte) []byte { return b[:len(b)-5] }) },
		"last event altered": func(m *vfstest.Mem) error {
			return rewrite(m, events, func(b []byte) []byte { b[len(b)-200] ^= 4; return b })
		},
		"snapshot damaged": func(m *vfstest.Mem) error {
			return rewrite(m, newest, func(b []byte) []byte { b[len(b)-9] ^= 1; return b })
		},
		"snapshot and episode": func(m *vfstest.Mem) error { return errors.Join(m.Remove(newest), m.Remove(episode)) },
	} {
		disk := whole.CrashClone(nil)
		if err := damage(disk); err != nil {
			t.Fatal(err)
		}
		if _, err := tryTrain(shortRun(p, disk)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		sameLeft(t, disk, want)
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// rewrite changes the contents of a file.
func rewrite(m *vfstest.Mem, path string, change func([]byte) []byte) error {
	data, err := vfs.ReadFile(m, path, 1<<24)
	if err != nil {
		return err
	}
	if err := m.Remove(path); err != nil {
		return err
	}
	f, err := m.Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(change(data))
	return errors.Join(err, f.Close())
}

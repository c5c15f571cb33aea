package learn

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/internal/vfs/vfstest"
	"github.com/orrery-rl/orrery/metrics"
)

// TestClocksThatJumpChangeNothing runs with a clock that is set back by an hour
// at every reading. Nothing but times may differ, and no time is not a number.
func TestClocksThatJumpChangeNothing(t *testing.T) {
	p := parts(t, "", newToy(t))
	steady, jumping := vfstest.NewMem(), vfstest.NewMem()
	if _, err := tryTrain(shortRun(p, steady)); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 10, 25, 3, 0, 0, 0, time.UTC)
	q := shortRun(p, jumping)
	q.Now = func() time.Time { now = now.Add(-time.Hour); return now }
	if _, err := tryTrain(q); err != nil {
		t.Fatal(err)
	}
	sameLeft(t, jumping, leftOn(t, steady))
	for e, err := range metrics.ReadFile(jumping, filepath.Join("run", MetricsName)) {
		for name, v := range e.Values {
			if err != nil || math.IsNaN(v) || math.IsInf(v, 0) || strings.HasPrefix(name, "rate/") && v < 0 {
				t.Errorf("%s is %v, %v", name, v, err)
			}
		}
	}
}

// TestRenameThatWasDoneAndFailed: a network file system may report a failure of
// what it did. The run stops, and its next process goes on.
func TestRenameThatWasDoneAndFailed(t *testing.T) {
	p := parts(t, "", newToy(t))
	whole := vfstest.NewMem()
	if _, err := tryTrain(shortRun(p, whole)); err != nil {
		t.Fatal(err)
	}
	want := leftOn(t, whole)
	for nth := 1; nth < 7; nth += 2 {
		disk := vfstest.NewMem()
		left := nth
		if _, err := tryTrain(shortRun(p, &unsureRename{disk, &left})); !errors.Is(err, syscall.ESTALE) {
			t.Fatalf("rename %d: %v", nth, err)
		}
		if _, err := tryTrain(shortRun(p, disk)); err != nil {
			t.Fatalf("rename %d, then: %v", nth, err)
		}
		sameLeft(t, disk, want)
	}
}

// unsureRename renames, and says that it failed the n-th time.
type unsureRename struct {
	vfs.FS
	left *int
}

func (u *unsureRename) Rename(from, to string) error {
	err := u.FS.Rename(from, to)
	if *u.left--; *u.left == 0 && err == nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: syscall.ESTALE}
	}
	return err
}

// TestInterruptedRunsThatCannotBeSavedSaySo: neither kind of run pretends to be
// saved.
func TestInterruptedRunsThatCannotBeSavedSaySo(t *testing.T) {
	full := vfstest.Intercept(vfs.OS(), func(op vfstest.Op) error {
		if op.Changes() && strings.Contains(op.Path, snapshotsDir) {
			return syscall.ENOSPC
		}
		return nil
	})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stop := []metrics.Sink{sinkFunc(func(e metrics.Event) {
		if e.Kind == metrics.KindUpdate {
			cancel()
		}
	})}
	p := parts(t, t.TempDir(), newToy(t))
	p.FS, p.Listeners = full, stop
	if _, err := train(t, ctx, p); errors.Is(err, ErrInterrupted) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v", err)
	}
	ctx, cancel = context.WithCancel(context.Background())
	defer cancel()
	q := offline(t, t.TempDir(), openData(t, recorded(t, 4)))
	q.FS, q.Listeners, q.Schedule.Offline.SaveEvery = full, stop, 100
	if err := trainOffline(t, ctx, q); errors.Is(err, ErrInterrupted) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("offline: %v", err)
	}
}

// TestRunWhoseDirectoryVanishesSaysSo moves the directory away in the middle of
// a run, and trains on where it was moved to.
func TestRunWhoseDirectoryVanishesSaysSo(t *testing.T) {
	for _, when := range []string{metrics.KindUpdate, metrics.KindEpisode} {
		whole, root := t.TempDir(), t.TempDir()
		if _, err := train(t, context.Background(), parts(t, whole, newToy(t))); err != nil {
			t.Fatal(err)
		}
		here, there := filepath.Join(root, "here"), filepath.Join(root, "there")
		p := parts(t, here, newToy(t))
		p.Listeners = []metrics.Sink{&mover{when: when, from: here, to: there, t: t}}
		_, err := train(t, context.Background(), p)
		if err == nil || !strings.Contains(err.Error(), here) || !errors.Is(err, ErrVanished) && !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("%s: %v", when, err)
		}
		if _, err := os.Stat(here); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the directory was made again (%v)", when, err)
		}
		if _, err := train(t, context.Background(), parts(t, there, newToy(t))); err != nil {
			t.Fatal(err)
		}
		sameRun(t, there, whole)
	}
}

// mover moves a directory at the first event of a kind after four episodes.
type mover struct {
	when, from, to string
	t              testing.TB
}

func (m *mover) Write(e metrics.Event) error {
	if e.Kind == m.when && e.Counters.Episodes == 4 && m.from != "" {
		if err := os.Rename(m.from, m.to); err != nil {
			m.t.Error(err)
		}
		m.from = ""
	}
	return nil
}

func (m *mover) Close() error { return nil }

// TestDamagedSnapshotsAreNotTheEndOfARun: the newest damaged falls back and says
// so; both damaged refuse, and nothing is changed.
func TestDamagedSnapshotsAreNotTheEndOfARun(t *testing.T) {
	p := parts(t, "", newToy(t))
	whole := vfstest.NewMem()
	if _, err := tryTrain(shortRun(p, whole)); err != nil {
		t.Fatal(err)
	}
	snapshots := filesOn(t, whole, filepath.Join("run", snapshotsDir))
	for _, path := range snapshots {
		if err := rewrite(whole, path, func(b []byte) []byte { return b[:100] }); err != nil {
			t.Fatal(err)
		}
	}
	before := diskFingerprint(t, whole)
	_, err := tryTrain(shortRun(p, whole))
	if !errors.Is(err, checkpoint.ErrCorrupt) || !strings.Contains(err.Error(), "restore one of them from a copy, or start a new run") || !strings.Contains(err.Error(), filepath.Join("run", snapshotsDir)) {
		t.Errorf("%v", err)
	}
	if diskFingerprint(t, whole) != before {
		t.Error("the run was changed")
	}
}

// TestKilledBeforeTheFirstSnapshotOfSeveralEnvironments: the first round of them
// is collected again.
func TestKilledBeforeTheFirstSnapshotOfSeveralEnvironments(t *testing.T) {
	p := parts(t, "", newToy(t))
	several := func(fsys vfs.FS) Parts {
		q := shortRun(p, fsys)
		q.Schedule.Episodes, q.Schedule.Envs = 7, 3
		return q
	}
	whole, disk := vfstest.NewMem(), vfstest.NewMem()
	if _, err := tryTrain(several(whole)); err != nil {
		t.Fatal(err)
	}
	_, err := tryTrain(several(vfstest.Intercept(disk, func(op vfstest.Op) error {
		if op.Changes() && strings.Contains(op.Path, snapshotsDir) {
			return errPower
		}
		return nil
	})))
	if !errors.Is(err, errPower) {
		t.Fatal(err)
	}
	if n := len(filesOn(t, disk, filepath.Join("run", episodesDir))); n != 4 {
		t.Fatalf("%d episodes are left; the test wants the first round whole", n)
	}
	if _, err := tryTrain(several(disk)); err != nil {
		t.Fatal(err)
	}
	sameLeft(t, disk, leftOn(t, whole))
}

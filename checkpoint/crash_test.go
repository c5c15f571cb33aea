package checkpoint_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/internal/vfs"
)

// faulty is a disk that fails from its n-th change on, or on that one only. It
// logs the changes that succeed.
type faulty struct {
	vfs.FS
	failAt int   // number of the first change that fails; 0 never fails
	dead   bool  // everything after it fails too, as if the process were killed
	err    error // what it fails with
	count  int
	log    []string
}

// change counts a change and decides its fate.
func (f *faulty) change(op, path string) error {
	f.count++
	if f.failAt > 0 && (f.count == f.failAt || f.dead && f.count > f.failAt) {
		return f.err
	}
	f.log = append(f.log, op+" "+filepath.Base(path))
	return nil
}

func (f *faulty) Create(path string) (vfs.File, error) {
	if err := f.change("create", path); err != nil {
		return nil, err
	}
	file, err := f.FS.Create(path)
	if err != nil {
		return nil, err
	}
	return &faultyFile{file, f, path}, nil
}

func (f *faulty) Rename(from, to string) error {
	return errors.Join(f.change("rename", to), f.ifAlive(func() error { return f.FS.Rename(from, to) }))
}

func (f *faulty) Remove(path string) error {
	if _, err := f.FS.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return err // nothing changes
	}
	return errors.Join(f.change("remove", path), f.ifAlive(func() error { return f.FS.Remove(path) }))
}

func (f *faulty) SyncDir(path string) error {
	return errors.Join(f.change("syncdir", path), f.ifAlive(func() error { return f.FS.SyncDir(path) }))
}

// ifAlive runs do unless the change just counted fails.
func (f *faulty) ifAlive(do func() error) error {
	if f.failAt > 0 && (f.count == f.failAt || f.dead && f.count > f.failAt) {
		return nil
	}
	return do()
}

type faultyFile struct {
	vfs.File
	disk *faulty
	path string
}

func (f *faultyFile) Write(p []byte) (int, error) {
	if err := f.disk.change("write", f.path); err != nil {
		n, _ := f.File.Write(p[:len(p)/2]) // a torn write
		return n, err
	}
	return f.File.Write(p)
}

func (f *faultyFile) Sync() error {
	return errors.Join(f.disk.change("sync", f.path), f.disk.ifAlive(f.File.Sync))
}

var errKilled = errors.New("killed")

// saveOver saves moment 300 over moments 100 and 200 on a disk that fails.
func saveOver(t *testing.T, disk *faulty) (dir string, err error) {
	t.Helper()
	dir = t.TempDir()
	save(t, vfs.OS(), dir, moment(100))
	save(t, vfs.OS(), dir, moment(200))
	return dir, checkpoint.Save(t.Context(), disk, dir, moment(300))
}

// expectWhole loads from dir what must be a whole snapshot: the new one if the
// save succeeded, else the new or the previous one.
func expectWhole(t *testing.T, dir string, saved bool) {
	t.Helper()
	got, report := loadLatest(t, vfs.OS(), dir)
	if n := got.Counters.Updates; n != 300 && (saved || n != 200) {
		t.Fatalf("loaded the snapshot of update %d", n)
	}
	if diff := cmp.Diff(moment(got.Counters.Updates), got, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("snapshot changed:\n%s", diff)
	}
	if len(report.Damaged) > 0 {
		t.Fatalf("damaged snapshots are visible: %v", report.Damaged)
	}
}

func TestKilledAtEveryChangeLoadsWhole(t *testing.T) {
	for at := 1; ; at++ {
		disk := &faulty{FS: vfs.OS(), failAt: at, dead: true, err: errKilled}
		dir, err := saveOver(t, disk)
		expectWhole(t, dir, err == nil)
		save(t, vfs.OS(), dir, moment(400)) // the next process goes on
		if diff := cmp.Diff(400, int(first(loadLatest(t, vfs.OS(), dir)).Counters.Updates)); diff != "" {
			t.Fatal(diff)
		}
		for _, name := range files(t, dir) {
			if vfs.IsTemp(name) {
				t.Fatalf("killed at change %d: %s is left after the next save", at, name)
			}
		}
		if err == nil {
			if at < 8 {
				t.Fatalf("a save has only %d changes: the disk does not see them", at)
			}
			return
		}
		if !errors.Is(err, errKilled) {
			t.Fatalf("killed at change %d: error %v hides the cause", at, err)
		}
	}
}

func first(s *checkpoint.Snapshot, _ checkpoint.Report) *checkpoint.Snapshot { return s }

func TestFullDiskLosesNothing(t *testing.T) {
	for at := 1; ; at++ {
		disk := &faulty{FS: vfs.OS(), failAt: at, err: syscall.ENOSPC}
		dir, err := saveOver(t, disk)
		expectWhole(t, dir, err == nil)
		if err == nil {
			return
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("change %d: error %v hides the cause", at, err)
		}
	}
}

// What a power cut may undo is what was not synced. The order of changes is
// therefore the guarantee: contents synced, then renamed, then the directory
// synced, and only then older snapshots removed.
func TestOldSnapshotsGoOnlyAfterTheNewOneIsDurable(t *testing.T) {
	disk := &faulty{FS: vfs.OS()}
	dir, err := saveOver(t, disk)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, entry := range disk.log {
		if op, name, _ := strings.Cut(entry, " "); op != "write" && name != filepath.Base(filepath.Dir(dir)) {
			order = append(order, op)
		}
	}
	want := []string{"create", "sync", "rename", "syncdir", "remove"}
	if !slices.Equal(order, want) {
		t.Errorf("changes are %v, want %v", order, want)
	}
}

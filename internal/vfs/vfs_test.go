package vfs_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/internal/vfs/vfstest"
)

// path is the file that the tests write.
var path = filepath.Join("run", "file")

// put writes text in two pieces, so that a crash may come between.
func put(fsys vfs.FS, text string) error {
	return vfs.WriteFileDurable(fsys, path, func(w io.Writer) error {
		for _, part := range []string{text[:len(text)/2], text[len(text)/2:]} {
			if _, err := io.WriteString(w, part); err != nil {
				return err
			}
		}
		return nil
	})
}

// prepared is a disk that holds the old file.
func prepared(t *testing.T) *vfstest.Mem {
	t.Helper()
	mem := vfstest.NewMem()
	if err := errors.Join(vfs.MakeDirDurable(mem, "run"), put(mem, "old contents")); err != nil {
		t.Fatal(err)
	}
	return mem
}

func get(t *testing.T, fsys vfs.FS) string {
	t.Helper()
	data, err := vfs.ReadFile(fsys, path, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestPowerCutAtEveryChangeLeavesAWholeFile cuts the power before every change
// and after the last. Each time anything unsynced may be lost or kept.
func TestPowerCutAtEveryChangeLeavesAWholeFile(t *testing.T) {
	mem := prepared(t)
	var found []string
	coin := rand.New(rand.NewPCG(1, 2))
	crash := func() {
		for try := range 20 {
			keep := func() bool { return coin.IntN(2) == 0 }
			if try == 0 {
				keep = nil
			}
			after := mem.CrashClone(keep)
			text := get(t, after)
			if text != "old contents" && text != "new contents, and longer" {
				t.Fatalf("after %d changes the file holds %q", len(found), text)
			}
			if try == 0 {
				found = append(found, text)
			}
			if err := errors.Join(vfs.RemoveTemps(after, "run"), put(after, "again")); err != nil {
				t.Fatalf("the next process cannot write: %v", err)
			}
		}
	}
	watched := vfstest.Intercept(mem, func(op vfstest.Op) error {
		if op.Changes() {
			crash()
		}
		return nil
	})
	if err := put(watched, "new contents, and longer"); err != nil {
		t.Fatal(err)
	}
	crash()
	if len(found) < 8 || found[0] != "old contents" || found[len(found)-1] != "new contents, and longer" {
		t.Errorf("power cuts found %q", found)
	}
}

// TestFailureAtEveryChange makes each change fail, alone and with all after it.
func TestFailureAtEveryChange(t *testing.T) {
	for name, fail := range map[string]func(int, error) func(vfstest.Op) error{"full disk": vfstest.FailAt, "killed": vfstest.FailFrom} {
		for at := 1; ; at++ {
			mem := prepared(t)
			err := put(vfstest.Intercept(mem, fail(at, syscall.ENOSPC)), "new contents")
			text := get(t, mem)
			if text != "new contents" && (text != "old contents" || err == nil) {
				t.Fatalf("%s at change %d: the file holds %q, the error is %v", name, at, text, err)
			}
			if entries, _ := mem.ReadDir("run"); name == "full disk" && len(entries) != 1 && at > 1 {
				t.Fatalf("%s at change %d: temporary files stay: %v", name, at, entries)
			}
			if err == nil {
				if at < 8 {
					t.Fatalf("%s: a write has only %d changes", name, at-1)
				}
				break
			}
			if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), path) {
				t.Fatalf("%s at change %d: error %q names neither cause nor file", name, at, err)
			}
		}
	}
}

func TestMakeDirDurableSurvivesAPowerCut(t *testing.T) {
	mem, dir := vfstest.NewMem(), filepath.Join("a", "b", "c")
	for range 2 { // the second time nothing is missing
		if err := vfs.MakeDirDurable(mem, dir); err != nil {
			t.Fatal(err)
		}
		if _, err := mem.CrashClone(nil).Stat(dir); err != nil {
			t.Errorf("the directory is lost: %v", err)
		}
	}
	failing := vfstest.Intercept(vfstest.NewMem(), vfstest.FailAt(2, syscall.EIO))
	if err := vfs.MakeDirDurable(failing, dir); !errors.Is(err, syscall.EIO) {
		t.Errorf("a failed sync is not reported: %v", err)
	}
}

// TestMakeDirDurableAfterOneThatWasKilled: the directory is there, its name not
// yet on the disk.
func TestMakeDirDurableAfterOneThatWasKilled(t *testing.T) {
	mem := vfstest.NewMem()
	if err := mem.MkdirAll("run"); err != nil {
		t.Fatal(err)
	}
	if err := vfs.MakeDirDurable(mem, "run"); err != nil {
		t.Fatal(err)
	}
	if _, err := mem.CrashClone(nil).Stat("run"); err != nil {
		t.Errorf("the directory is lost: %v", err)
	}
}

func TestTempsAreRecognised(t *testing.T) {
	mem := prepared(t)
	killed := vfstest.Intercept(mem, vfstest.FailFrom(4, syscall.EIO))
	if err := put(killed, "never"); err == nil {
		t.Fatal("the write was not interrupted")
	}
	temps := 0
	entries, err := mem.ReadDir("run")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if vfs.IsTemp(e.Name()) {
			temps++
		}
	}
	if temps != 1 || len(entries) != 2 {
		t.Fatalf("%d temporary files among %v", temps, entries)
	}
	if err := vfs.RemoveTemps(mem, "run"); err != nil {
		t.Fatal(err)
	}
	if entries, _ := mem.ReadDir("run"); len(entries) != 1 || entries[0].Name() != "file" {
		t.Errorf("left: %v", entries)
	}
	for _, name := range []string{"file", "x.tmp-", "x.tmp-1a", "my.tmp-1.npz", "tmp-1"} {
		if vfs.IsTemp(name) {
			t.Errorf("%q is somebody's file", name)
		}
	}
}

func TestReadFileRefusesLargeFiles(t *testing.T) {
	mem := prepared(t)
	if _, err := vfs.ReadFile(mem, path, 11); !errors.Is(err, vfs.ErrTooLarge) || !strings.Contains(err.Error(), "12 bytes, the limit is 11") {
		t.Errorf("12 bytes with the limit 11: %v", err)
	}
	if data, err := vfs.ReadFile(mem, path, 12); err != nil || string(data) != "old contents" {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := vfs.ReadFile(mem, "missing", 12); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

// TestFileSystemsAgree runs the same operations on the operating system's file
// system and the one in memory.
func TestFileSystemsAgree(t *testing.T) {
	mem, root := vfstest.NewMem(), t.TempDir()
	if err := mem.MkdirAll(root); err != nil {
		t.Fatal(err)
	}
	real, inMemory := operations(vfs.OS(), root), operations(mem, root)
	for i := range real {
		if real[i] != inMemory[i] {
			t.Errorf("step %d: %q on disk, %q in memory", i, real[i], inMemory[i])
		}
	}
	if len(real) != len(inMemory) {
		t.Errorf("%d steps on disk, %d in memory", len(real), len(inMemory))
	}
}

// operations returns what each of a number of operations says.
func operations(fsys vfs.FS, root string) (log []string) {
	at := func(parts ...string) string { return filepath.Join(append([]string{root}, parts...)...) }
	say := func(err error) {
		for _, kind := range []error{fs.ErrExist, fs.ErrNotExist, io.EOF} {
			if errors.Is(err, kind) {
				err = kind
			}
		}
		if err != nil && !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) && err != io.EOF {
			err = errors.New("other error")
		}
		log = append(log, errText(err))
	}
	write := func(open func(string) (vfs.File, error), path, text string) {
		f, err := open(path)
		say(err)
		if err == nil {
			_, err := io.WriteString(f, text)
			say(errors.Join(err, f.Sync(), f.Close()))
			say(f.Close()) // the second time it fails
		}
	}
	read := func(path string) {
		data, err := vfs.ReadFile(fsys, path, 100)
		say(err)
		log = append(log, string(data))
	}
	say(fsys.MkdirAll(at("d", "e")))
	say(fsys.MkdirAll(at("d", "e")))
	write(fsys.Create, at("d", "f"), "one")
	write(fsys.Create, at("d", "f"), "two")
	write(fsys.Create, at("missing", "f"), "two")
	write(fsys.Append, at("d", "f"), "three")
	write(fsys.Append, at("d", "new"), "four")
	write(fsys.Append, at("d"), "five")
	read(at("d", "f"))
	read(at("d", "nothing"))
	read(at("d", "f", "g"))
	say(fsys.Rename(at("d", "f"), at("d", "new")))
	say(fsys.Rename(at("d", "f"), at("d", "newer")))
	read(at("d", "new"))
	say(fsys.Remove(at("d"))) // not empty
	say(fsys.Remove(at("d", "e")))
	say(fsys.Remove(at("d", "e")))
	say(fsys.MkdirAll(at("d", "new", "x")))
	say(fsys.SyncDir(at("d")))
	say(fsys.SyncDir(at("x")))
	entries, err := fsys.ReadDir(at("d"))
	say(err)
	for _, e := range entries {
		info, err := e.Info()
		say(err)
		if err == nil && !info.IsDir() {
			log = append(log, e.Name(), string(rune('0'+info.Size())))
		}
	}
	_, err = fsys.ReadDir(at("d", "new"))
	say(err)
	if f, err := fsys.Open(at("d", "new")); err == nil {
		part := make([]byte, 6)
		n, err := f.ReadAt(part, 5)
		say(err)
		log = append(log, string(part[:n]))
		all, err := io.ReadAll(f)
		say(err)
		log = append(log, string(all))
		_, err = f.Write([]byte("x")) // opened for reading
		say(err)
		say(f.Close())
		_, err = f.ReadAt(part, 0)
		say(err)
	}
	return log
}

func errText(err error) string {
	if err == nil {
		return "ok"
	}
	return err.Error()
}

// TestOSWritesDurably is the one test of the real thing; that it survives power
// cuts is what the file system in memory is for.
func TestOSWritesDurably(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "x", "y")
	if err := vfs.MakeDirDurable(vfs.OS(), dir); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"first", "second"} {
		err := vfs.WriteFileDurable(vfs.OS(), filepath.Join(dir, "f"), func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if data, err := os.ReadFile(filepath.Join(dir, "f")); err != nil || !bytes.Equal(data, []byte(text)) {
			t.Errorf("%q, %v", data, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}

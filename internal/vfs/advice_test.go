package vfs_test

import (
	"errors"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/internal/vfs/vfstest"
)

// TestFailedWritesSayWhatToDo fails each change of a durable write in every known
// way. The error keeps its cause, names the path and says what to do.
func TestFailedWritesSayWhatToDo(t *testing.T) {
	for errno, want := range map[syscall.Errno]string{
		syscall.ENOSPC:  "5000 bytes are needed in run: free some space there and give the same command again",
		syscall.EDQUOT:  "5000 bytes are needed in run",
		syscall.EROFS:   "the file system of run is read-only",
		syscall.EACCES:  "change it or its owner, or choose another directory",
		syscall.EPERM:   "has the mode",
		syscall.ENOTDIR: "there is a file where a directory is needed",
		syscall.ENOENT:  "is run gone, or not mounted?",
		syscall.EIO:     "look into the system's log",
		syscall.ESTALE:  "wait until it is back",
		syscall.EXDEV:   "keep all of the directory on one",
	} {
		for at := 1; ; at++ {
			mem := vfstest.NewMem()
			if err := vfs.MakeDirDurable(mem, "run"); err != nil {
				t.Fatal(err)
			}
			count, failing := 0, ""
			disk := vfstest.Intercept(mem, func(op vfstest.Op) error {
				if !op.Changes() || op.Kind == vfstest.Remove {
					return nil // removing what is not there is no failure
				}
				if count++; count == at {
					failing = string(op.Kind)
					return errno
				}
				return nil
			})
			err := vfs.WriteFileDurable(disk, filepath.Join("run", "f"), func(w io.Writer) error {
				_, err := w.Write(make([]byte, 5000))
				return err
			})
			if failing == "" {
				if at < 6 {
					t.Fatalf("a write has only %d changes", at-1)
				}
				break
			}
			if !errors.Is(err, errno) || !strings.Contains(err.Error(), filepath.Join("run", "f")) {
				t.Errorf("%v while %s: %v", errno, failing, err)
			}
			if !strings.Contains(err.Error(), want) && !(failing == string(vfstest.SyncDir) && strings.Contains(want, "5000 bytes") && strings.Contains(err.Error(), "is full")) {
				t.Errorf("%v while %s: %v does not say %q", errno, failing, err, want)
			}
		}
	}
}

func TestAdviceIsGivenOnce(t *testing.T) {
	err := vfs.Advise(vfs.OS(), "f", vfs.Advise(vfs.OS(), "f", syscall.EIO))
	if n := strings.Count(err.Error(), "the disk failed"); n != 1 {
		t.Errorf("%v", err)
	}
	if err := vfs.Advise(vfs.OS(), "f", nil); err != nil {
		t.Error(err)
	}
	unknown := errors.New("something else")
	if err := vfs.Advise(vfs.OS(), "f", unknown); err != unknown {
		t.Error(err)
	}
	if free, ok := vfs.Free(vfs.OS(), t.TempDir()); ok && free <= 0 {
		t.Errorf("%d bytes are free", free)
	}
}

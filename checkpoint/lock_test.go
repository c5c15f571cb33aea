package checkpoint_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/checkpoint"
)

func TestSecondLockNamesTheHolder(t *testing.T) {
	dir := t.TempDir()
	first, err := checkpoint.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = checkpoint.Lock(dir)
	var locked *checkpoint.LockedError
	if !errors.Is(err, checkpoint.ErrLocked) || !errors.As(err, &locked) {
		t.Fatalf("second lock: error %v, want ErrLocked", err)
	}
	if locked.Holder.PID != os.Getpid() || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("error %v does not name process %d", err, os.Getpid())
	}
	for range 2 {
		if err := first.Release(); err != nil {
			t.Fatal(err)
		}
	}
	again, err := checkpoint.Lock(dir)
	if err != nil {
		t.Fatalf("lock after release: %v", err)
	}
	if err := again.Release(); err != nil {
		t.Fatal(err)
	}
}

func TestLockWithUnreadableHolderStillRefuses(t *testing.T) {
	dir := t.TempDir()
	lock, err := checkpoint.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	if err := os.WriteFile(filepath.Join(dir, "lock"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := checkpoint.Lock(dir); !errors.Is(err, checkpoint.ErrLocked) || !strings.Contains(err.Error(), "unknown process") {
		t.Errorf("error %v, want ErrLocked by an unknown process", err)
	}
}

func TestLockInMissingDirectoryFails(t *testing.T) {
	if _, err := checkpoint.Lock(filepath.Join(t.TempDir(), "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want os.ErrNotExist", err)
	}
}

// A process that is killed leaves no lock behind. The test runs its own binary
// as that process.
func TestLockEndsWithItsProcess(t *testing.T) {
	const directory = "CHECKPOINT_TEST_LOCK"
	if dir := os.Getenv(directory); dir != "" {
		holdUntilKilled(dir)
	}
	dir := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run=^TestLockEndsWithItsProcess$")
	child.Env = append(os.Environ(), directory+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := child.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "locked\n" {
		t.Fatalf("child said %q, %v", line, err)
	}
	_, err = checkpoint.Lock(dir)
	var locked *checkpoint.LockedError
	if !errors.As(err, &locked) || locked.Holder.PID != child.Process.Pid {
		t.Errorf("while the child lives: error %v, want one naming process %d", err, child.Process.Pid)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed: that is its error
	lock, err := checkpoint.Lock(dir)
	if err != nil {
		t.Fatalf("after the child was killed: %v", err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
}

// holdUntilKilled locks dir and waits on standard input, which stays open until
// the parent kills this process.
func holdUntilKilled(dir string) {
	lock, err := checkpoint.Lock(dir)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("locked")
	_, _ = os.Stdin.Read(make([]byte, 1))
	_ = lock.Release()
	os.Exit(1)
}

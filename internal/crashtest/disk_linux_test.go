package crashtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// inNamespace runs a shell script that may mount things: what it mounts ends
// with it. Tests that need it are skipped where the system forbids that.
func inNamespace(t *testing.T, script string, env ...string) string {
	t.Helper()
	shell := func(script string) *exec.Cmd {
		cmd := exec.Command("sh", "-euc", script)
		cmd.Env = append(os.Environ(), env...)
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
		if os.Getuid() == 0 { // which needs no user namespace, and may not be allowed one
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Unshareflags: syscall.CLONE_NEWNS}
		}
		return cmd
	}
	probe := t.TempDir()
	if out, err := shell("mount -t tmpfs -o size=1m none " + probe).CombinedOutput(); err != nil {
		t.Skipf("this system lets nobody mount a file system of their own; CI runs as root, who may: %v: %s", err, out)
	}
	out, err := shell(script).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// TestFullDiskKeepsTheRun trains on a file system that is full after a few
// episodes, frees space, and trains on.
func TestFullDiskKeepsTheRun(t *testing.T) {
	expected := wholeRun(t, 0)
	disk, saved := t.TempDir(), filepath.Join(t.TempDir(), "run")
	run := filepath.Join(disk, "run")
	train := quoted(append([]string{orrery(t)}, arguments(run, settingsOf(0, runSeed))...))
	out := inNamespace(t, fmt.Sprintf(`mount -t tmpfs -o size=2m none %[1]s
		head -c 1400000 /dev/zero > %[1]s/filler
		if %[2]s --force; then echo "the disk is not full"; exit 1; fi
		ls %[1]s/run/snapshots
		rm %[1]s/filler
		%[2]s
		cp -r %[1]s/run %[3]s`, disk, train, saved))
	for _, want := range []string{"no space left on device", " bytes are needed in " + run, "are free: free some space there and give the same command again", ".safetensors"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing from:\n%s", want, out)
		}
	}
	if strings.Contains(out, ".tmp-") && strings.Contains(out, ".safetensors.tmp-") && !strings.Contains(out, "write "+run) {
		t.Errorf("an unfinished snapshot is left:\n%s", out)
	}
	for _, d := range readLeftovers(t, saved).diff(expected, nil) {
		t.Error(d)
	}
}

// TestReadOnlyFileSystemIsNamed stops a run half-way, makes its file system
// read-only, and gives the command again.
func TestReadOnlyFileSystemIsNamed(t *testing.T) {
	disk := t.TempDir()
	run := filepath.Join(disk, "run")
	short := quoted(append([]string{orrery(t)}, arguments(run, append(settingsOf(0, runSeed), "learn.episodes=4"))...))
	train := quoted(append([]string{orrery(t)}, arguments(run, settingsOf(0, runSeed))...))
	out := inNamespace(t, fmt.Sprintf(`mount -t tmpfs -o size=4m none %[1]s
		%[2]s
		mount -o remount,ro %[1]s
		if %[3]s; then echo "it can be written"; exit 1; fi
		if %[4]s; then echo "it can be written"; exit 1; fi`, disk, short, train, strings.ReplaceAll(train, run, run+"2")))
	if n := strings.Count(out, "is read-only: mount it for writing, or choose another directory"); n != 2 {
		t.Errorf("%s", out)
	}
}

// quoted is a command line for sh.
func quoted(args []string) string {
	for i, a := range args {
		args[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
	}
	return strings.Join(args, " ")
}

//go:build linux && amd64

// Package tiletest lets tests run AMX's tile instructions on processors without them: in
// a child process under ptrace, where each of them stops the process with SIGILL and is
// executed by the test, with the instruction's order of sums and its flushing of
// denormals. That takes about 0.1 ms an instruction.
package tiletest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// emulatedEnv tells a child process that its tile instructions are emulated.
const emulatedEnv = "ORRERY_TEST_EMULATED_AMX"

// Emulated reports whether this process runs under the emulator. Elsewhere it runs the
// calling test, which may not be part of another, once more in a child process that does,
// and fails if that fails. It skips the test where ptrace is not permitted.
func Emulated(t *testing.T) bool {
	t.Helper()
	if os.Getenv(emulatedEnv) != "" {
		return true
	}
	runtime.LockOSThread() // a tracer is a thread
	defer runtime.UnlockOSThread()
	var out bytes.Buffer
	file, err := os.CreateTemp(t.TempDir(), "output")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), emulatedEnv+"=1", "GODEBUG=asyncpreemptoff=1")
	cmd.Stdout, cmd.Stderr = file, file
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSYS) {
		t.Skipf("hardware missing: no AMX, and ptrace, which CI runs with, is not permitted to emulate it: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	e := emulator{pid: cmd.Process.Pid, tiles: map[int]*tileState{}}
	status, err := e.run()
	if _, seekErr := file.Seek(0, 0); seekErr == nil {
		_, _ = out.ReadFrom(file)
	}
	if err != nil {
		_ = cmd.Process.Kill()
	}
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSYS) {
		t.Skipf("hardware missing: no AMX, and tracing, which CI runs with, is not permitted to emulate it: %v", err)
	}
	if err != nil || status != 0 {
		t.Fatalf("under the emulator: exit status %d, %v\n%s", status, err, out.String())
	}
	if e.products == 0 {
		t.Fatalf("the child process multiplied no tiles\n%s", out.String())
	}
	t.Logf("%d tile products emulated", e.products)
	return false
}

// emulator traces a process and executes the tile instructions that its CPU refuses.
type emulator struct {
	pid      int
	tiles    map[int]*tileState // by thread
	products int
}

// run serves the process, stopped at its start, until it ends.
func (e *emulator) run() (status int, err error) {
	var ws syscall.WaitStatus
	if _, err := syscall.Wait4(e.pid, &ws, 0, nil); err != nil {
		return 0, err
	}
	options := syscall.PTRACE_O_TRACECLONE | unix.PTRACE_O_EXITKILL
	if err := syscall.PtraceSetOptions(e.pid, options); err != nil {
		return 0, err
	}
	if err := syscall.PtraceCont(e.pid, 0); err != nil {
		return 0, err
	}
	for {
		tid, err := syscall.Wait4(-1, &ws, syscall.WALL, nil)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return 0, err
		case tid == e.pid && ws.Exited():
			return ws.ExitStatus(), nil
		case tid == e.pid && ws.Signaled():
			return int(ws.Signal()), errors.New("killed by a signal")
		case ws.Stopped():
			if err := e.resume(tid, ws); err != nil && err != syscall.ESRCH {
				return 0, err
			}
		}
	}
}

// resume lets a stopped thread go on, with its signal unless that was for the emulator.
func (e *emulator) resume(tid int, ws syscall.WaitStatus) error {
	signal := ws.StopSignal()
	switch signal {
	case syscall.SIGTRAP, syscall.SIGSTOP: // new threads
		signal = 0
	case syscall.SIGILL:
		done, err := e.execute(tid)
		if err != nil {
			return err
		}
		if done {
			signal = 0
		}
	}
	return syscall.PtraceCont(tid, int(signal))
}

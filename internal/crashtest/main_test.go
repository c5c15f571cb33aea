package crashtest

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

var (
	killsFlag = flag.Int("kills", 16, "how many live processes TestKilledRunsEndIdentically kills at least")
	seedFlag  = flag.Uint64("case-seed", 1, "seed of the first case; the others count up from it")
	casesFlag = flag.Int("cases", 0, "run this many cases instead, whatever they kill")
)

// built is the program, built once.
var built struct {
	sync.Once
	path string
	err  error
}

// TestMain behaves as a process whose disk fails when the environment says so.
func TestMain(m *testing.M) {
	if text := os.Getenv(faultVariable); text != "" {
		os.Exit(faultyMain(context.Background(), text, os.Args[1:]))
	}
	code := m.Run()
	if built.path != "" {
		_ = os.RemoveAll(filepath.Dir(built.path)) // of no use to anybody
	}
	os.Exit(code)
}

// orrery is the built program.
func orrery(t testing.TB) string {
	t.Helper()
	built.Do(func() {
		dir, err := os.MkdirTemp("", "crashtest")
		if err != nil {
			built.err = err
			return
		}
		built.path = filepath.Join(dir, "orrery")
		if runtime.GOOS == "windows" {
			built.path += ".exe"
		}
		if out, err := exec.Command("go", "build", "-o", built.path, "../../cmd/orrery").CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w: %s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.path
}

// process is one that was started, and what it prints.
type process struct {
	*exec.Cmd
	out  bytes.Buffer
	done chan struct{} // closed when it has ended
}

// start runs a program in the background.
func start(t testing.TB, env []string, program string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(program, args...), done: make(chan struct{})}
	p.Env = append(os.Environ(), env...)
	p.Stdout, p.Stderr = &p.out, &p.out
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = p.Wait() // what it says is in ProcessState
	}()
	return p
}

// ended reports whether the process has ended.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// testBinary is this test's own program, which faultyMain is a part of.
func testBinary(t testing.TB) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

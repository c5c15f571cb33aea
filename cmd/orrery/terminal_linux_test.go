package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pseudoTerminal is a terminal of 70 x 30 with its other end.
func pseudoTerminal(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v; CI has /dev/ptmx", err)
	}
	t.Cleanup(func() { _ = ours.Close() })
	if err := unix.IoctlSetPointerInt(int(ours.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(ours.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v; CI has /dev/ptmx", err)
	}
	t.Cleanup(func() { _ = theirs.Close() })
	if err := unix.IoctlSetWinsize(int(ours.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 30, Col: 70}); err != nil {
		t.Fatal(err)
	}
	return ours, theirs
}

// seen is what a terminal was sent.
type seen struct {
	sync.Mutex
	text bytes.Buffer
}

func (s *seen) Write(b []byte) (int, error) {
	s.Lock()
	defer s.Unlock()
	return s.text.Write(b)
}

func (s *seen) String() string {
	s.Lock()
	defer s.Unlock()
	return s.text.String()
}

// watchScreen keeps what a terminal is sent until it is closed.
func watchScreen(ours *os.File) *seen {
	screen := &seen{}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := ours.Read(buf)
			if n > 0 {
				_, _ = screen.Write(buf[:n])
			}
			if err != nil {
				return
			}
		}
	}()
	return screen
}

// TestVideoTellsATerminalHowFarItIs: one line that is replaced, and is gone at the
// end.
func TestVideoTellsATerminalHowFarItIs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	must(t, tiny(dir, "--episodes", "2", "--quiet")...)
	ours, theirs := pseudoTerminal(t)
	cmd := command("video", dir, "-n", "2", "--size", "32", "-o", filepath.Join(t.TempDir(), "video.gif"))
	cmd.Stdout, cmd.Stderr = theirs, theirs
	screen := watchScreen(ours)
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %q", err, screen)
	}
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(screen.String(), "wrote "); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the screen shows %q", screen)
		}
	}
	text := screen.String()
	for _, want := range []string{"filming 2 episodes: decision 1 of 100  ETA ", "decision 100 of 100", "drawing episode 2 of 2", "writing 102 frames"} {
		if !strings.Contains(text, want) {
			t.Errorf("the screen never shows %q: %q", want, text)
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(text), "\r\n") {
		if last := line[strings.LastIndex(line, "\r")+1:]; !strings.HasPrefix(last, "episode ") && !strings.HasPrefix(last, "wrote ") {
			t.Errorf("the line %q stays", last)
		}
	}
}

// TestCollectInATerminal acts in a real process in a terminal, quits, and looks at
// what the terminal is like afterwards.
func TestCollectInATerminal(t *testing.T) {
	for name, quit := range map[string]string{"q": "q", "Ctrl-C": "\x03"} {
		ours, theirs := pseudoTerminal(t)
		before, err := unix.IoctlGetTermios(int(theirs.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "mine")
		cmd := command("collect", "--policy", "human", "--env", "toy-dot", "--image-size", "16", "--fps", "0", "-n", "3", "--out", dir)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, theirs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		screen := watchScreen(ours)
		until := func(what string) {
			t.Helper()
			for deadline := time.Now().Add(20 * time.Second); !strings.Contains(screen.String(), what); time.Sleep(5 * time.Millisecond) {
				if time.Now().After(deadline) {
					_ = cmd.Process.Kill()
					t.Fatalf("%s: the screen never shows %q but %q", name, what, screen.String())
				}
			}
		}
		press := func(keys string) {
			t.Helper()
			if _, err := ours.WriteString(keys); err != nil {
				t.Fatal(err)
			}
		}
		until("episode 1 of 3   decision 0")
		press("a\x1b[C") // a letter and an arrow
		until("decision 2 of 50")
		press(strings.Repeat("s", 48))
		until("episode 2 of 3   decision 0")
		press("d" + quit)
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%s: %v: %q", name, err, screen.String())
		}
		until("1 of them new")
		if got := actionsOf(t, dir)[:6]; fmt.Sprint(got) != "[-1 0 1 0 0 -1]" {
			t.Errorf("%s: stored actions %v", name, got)
		}
		after, err := unix.IoctlGetTermios(int(theirs.Fd()), unix.TCGETS)
		if err != nil || *after != *before {
			t.Errorf("%s: the terminal was not restored (%v)", name, err)
		}
		if !strings.Contains(screen.String(), "\x1b[?25h\x1b[?1049l") {
			t.Errorf("%s: the cursor and the screen were not given back", name)
		}
	}
}

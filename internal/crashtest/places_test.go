package crashtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// refused runs the program, which must fail, and returns what it says.
func refused(t *testing.T, dir string) string {
	t.Helper()
	p := start(t, nil, orrery(t), arguments(dir, settingsOf(0, runSeed))...)
	<-p.done
	if p.ProcessState.Success() {
		t.Fatalf("%s was accepted", dir)
	}
	return p.out.String()
}

func TestRunInAPlaceThatCannotBe(t *testing.T) {
	root := t.TempDir()
	file := filepath.Join(root, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "run")} {
		if out := refused(t, dir); !strings.Contains(out, "there is a file where a directory is needed") || !strings.Contains(out, file) {
			t.Errorf("%s: %s", dir, out)
		}
	}
	loop := filepath.Join(root, "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Skip("no symbolic links here; CI runs on Linux, which has them: ", err)
	}
	if out := refused(t, loop); !strings.Contains(out, loop) {
		t.Errorf("%s", out)
	}
	if os.Getuid() == 0 {
		return // whom nothing is forbidden
	}
	closed := filepath.Join(root, "closed")
	if err := os.Mkdir(closed, 0o555); err != nil {
		t.Fatal(err)
	}
	if out := refused(t, filepath.Join(closed, "run")); !strings.Contains(out, "change it or its owner, or choose another directory") {
		t.Errorf("%s", out)
	}
}

// TestRunBehindALink is trained through a symbolic link, and on at its place.
func TestRunBehindALink(t *testing.T) {
	expected := wholeRun(t, 0)
	root := t.TempDir()
	place, link := filepath.Join(root, "place"), filepath.Join(root, "link")
	if err := os.Mkdir(place, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(place, link); err != nil {
		t.Skip("no symbolic links here; CI runs on Linux, which has them: ", err)
	}
	finish(t, link, append(settingsOf(0, runSeed), "learn.episodes=6"))
	finish(t, place, settingsOf(0, runSeed))
	finish(t, link, settingsOf(0, runSeed))
	for _, d := range readLeftovers(t, place).diff(expected, nil) {
		t.Error(d)
	}
}

// TestSecondProcessIsToldOfTheFirst: its number, machine and command.
func TestSecondProcessIsToldOfTheFirst(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	p := start(t, nil, orrery(t), arguments(dir, append(settingsOf(0, runSeed), "learn.episodes=10000"))...)
	defer func() { _ = p.Process.Kill(); <-p.done }()
	for deadline := time.Now().Add(time.Minute); !strings.HasPrefix(lastLine(filepath.Join(dir, metricsName)), `{"kind"`); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) || p.ended() {
			t.Fatal("the first process does not start: ", p.out.String())
		}
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	out := refused(t, dir)
	for _, want := range []string{"is held by process ", " on " + host + " since ", "(orrery train --preset tiny --quiet", "stop it, or choose another directory"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing from: %s", want, out)
		}
	}
}

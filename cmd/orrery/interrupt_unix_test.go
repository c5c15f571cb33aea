//go:build !windows

package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestInterruptSavesAndSaysHowToGoOn sends Ctrl-C's signal to a process.
func TestInterruptSavesAndSaysHowToGoOn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	cmd := command(tiny(dir, "--episodes", "10000")...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if names, _ := filepath.Glob(filepath.Join(dir, "snapshots", "*")); len(names) > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no snapshot appears")
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != exitInterrupted {
		t.Fatalf("%v: %s", err, out.String())
	}
	for _, want := range []string{"again to quit at once", "the same command goes on"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing from:\n%s", want, out.String())
		}
	}
	if text := must(t, "eval", dir, "-n", "1"); !strings.Contains(text, "mean") {
		t.Errorf("%s", text)
	}
}

// TestInterruptedDashHasNothingToFinish: it says what it waits for, and
// ends without a word about steps.
func TestInterruptedDashHasNothingToFinish(t *testing.T) {
	dir := t.TempDir()
	absent := filepath.Join(dir, "absent")
	cmd := command("dash", dir, absent, "--addr", ":0")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	first, _ := lines.ReadString('\n')
	second, _ := lines.ReadString('\n')
	if first != absent+" is not there yet; waiting for it\n" || !dashboardURL.MatchString(second) {
		t.Errorf("it prints %q and %q", first, second)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(lines)
	_ = cmd.Wait()
	if text := string(rest) + errs.String(); strings.Contains(text, "step") {
		t.Errorf("on an interrupt it prints %q", text)
	}
}

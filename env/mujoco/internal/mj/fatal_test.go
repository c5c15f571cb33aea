//go:build mujoco

package mj

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// starved has so little memory for intermediate results that a step raises one
// of the errors that end the process unless a handler is installed.
const starved = `
<mujoco>
  <size nstack="400"/>
  <worldbody>
    <geom type="plane" size="1 1 1"/>
    <body pos="0 0 1"><freejoint/>
      <geom type="box" size="0.1 0.1 0.1"/>
      <geom type="box" size="0.1 0.1 0.1" pos="0.3 0 0"/>
      <geom type="box" size="0.1 0.1 0.1" pos="0.6 0 0"/>
      <geom type="box" size="0.1 0.1 0.1" pos="0.9 0 0"/>
    </body>
  </worldbody>
</mujoco>`

// stepStarved is what the child process of the next test runs.
func stepStarved(t *testing.T) {
	m := load(t, starved, nil)
	d := newData(t, m)
	d.Qpos()[2] = 0.09 // sixteen contacts
	err := d.Step(1)
	if !errors.Is(err, ErrMuJoCo) || !strings.Contains(err.Error(), "tack overflow") {
		t.Fatalf("got %v, want an ErrMuJoCo about a stack overflow", err)
	}
	if again := d.Step(1); !errors.Is(again, ErrMuJoCo) || !strings.Contains(again.Error(), "until Reset") {
		t.Errorf("a step after an error gives %v", again)
	}
	must(t, d.Reset())
	d.Qpos()[2] = 0.09
	if err := d.Step(1); !errors.Is(err, ErrMuJoCo) {
		t.Errorf("after a reset: %v", err)
	}
	if err := newData(t, load(t, testXML, nil)).Step(1); err != nil {
		t.Errorf("another model: %v", err)
	}
}

// An error of MuJoCo's comes back, without a word, without reading the standard
// input, which here never ends, and without a log file.
func TestFatalErrorsAreGoErrors(t *testing.T) {
	if !strings.HasPrefix(Version(), "2.") {
		t.Skipf("MuJoCo %s runs out of contacts before memory, which is a warning; CI installs Debian's 2.2", Version())
	}
	if os.Getenv(childVariable) != "" {
		stepStarved(t)
		return
	}
	dir := t.TempDir()
	reader, writer, err := os.Pipe()
	must(t, err)
	defer reader.Close()
	defer writer.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestFatalErrorsAreGoErrors$")
	cmd.Dir, cmd.Env, cmd.Stdin = dir, append(os.Environ(), childVariable+"=1"), reader
	output, err := cmd.CombinedOutput()
	if err != nil || strings.TrimSpace(string(output)) != "PASS" {
		t.Errorf("the child says %v: %s", err, output)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("MuJoCo left %v, %v", entries, err)
	}
}

//go:build unix

package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/orrery-rl/orrery/env"
)

// gone waits until no process has the id.
func gone(pid int) error {
	for range 200 {
		if syscall.Kill(pid, 0) != nil {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("process %d is still there", pid)
}

// bare is a client without wrappers, whose process the tests can see.
func bare(t *testing.T, role string) *client {
	t.Helper()
	c := &client{cfg: as(role).withDefaults()}
	if err := c.start(context.Background()); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCloseLeavesNobody(t *testing.T) {
	c := bare(t, "good")
	pid := c.child.cmd.Process.Pid
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := gone(pid); err != nil {
		t.Error(err)
	}
}

// TestKilledFromOutside: somebody kills the child between two steps.
func TestKilledFromOutside(t *testing.T) {
	c := bare(t, "good")
	defer c.Close()
	if _, err := c.Reset(context.Background(), 1); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(c.child.cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Step(context.Background(), []float32{0}); !errors.Is(err, ErrChild) {
		t.Errorf("error %v, want ErrChild", err)
	}
	if _, err := c.Reset(context.Background(), 1); err != nil {
		t.Errorf("reset after it: %v", err)
	}
}

// TestGrandchildrenAreGone: what a hanging child started ends with it.
func TestGrandchildrenAreGone(t *testing.T) {
	var log bytes.Buffer
	cfg := as("grandchild")
	cfg.Log, cfg.StepTimeout = slog.New(slog.NewTextHandler(&log, nil)), 300*time.Millisecond
	e := open(t, cfg, env.Options{})
	if _, err := thirdStep(context.Background(), t, e); !errors.Is(err, ErrChild) {
		t.Fatalf("error %v, want ErrChild", err)
	}
	found := regexp.MustCompile(`sleeper (\d+)`).FindStringSubmatch(log.String())
	if found == nil {
		t.Fatalf("no sleeper in the log:\n%s", log.String())
	}
	pid, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := gone(pid); err != nil {
		t.Error(err)
	}
}

//go:build unix

package dashboard

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/orrery-rl/orrery/metrics/live"
)

// TestPipesAreNotWaitedFor: opening one that nobody writes to takes for ever.
func TestPipesAreNotWaitedFor(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, live.DirName), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, eventsName), filepath.Join(dir, settingsName), live.DecisionPath(dir), live.EpisodePath(dir)} {
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := New(Config{Runs: []string{dir}})
	looked := make(chan struct{})
	go func() {
		defer close(looked)
		d.look(context.Background())
		for _, read := range []func(*run, *liveCache) error{
			func(r *run, c *liveCache) error { _, err := c.readDecision(r); return err },
			func(r *run, c *liveCache) error { _, err := c.readEpisode(r); return err },
		} {
			r := d.all()[0]
			if err := read(r, d.cacheOf(r)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a pipe in place of a live file: %v", err)
			}
		}
	}()
	select {
	case <-looked:
	case <-time.After(5 * time.Second):
		t.Fatal("it waits for a pipe")
	}
	if problem := d.all()[0].summary().Problem; problem != "The event file cannot be read: it is not a regular file" {
		t.Errorf("it says %q", problem)
	}
}

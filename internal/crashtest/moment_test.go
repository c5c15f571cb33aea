package crashtest

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/metrics"
)

// moment is when a process is killed: after it was seen doing something for the
// n-th time, and a while.
type moment struct {
	of    string
	n     int
	while time.Duration
}

// String is for messages.
func (m moment) String() string { return fmt.Sprintf("%v after %s no. %d", m.while, m.of, m.n) }

// sights are what a watcher can see of a running process, and for how long a
// kill may be put off after them.
var sights = map[string]struct {
	while time.Duration
	seen  func(dir string) bool
}{
	"the start":              {250 * time.Millisecond, func(string) bool { return true }},
	"writing a snapshot":     {2 * time.Millisecond, func(dir string) bool { return hasTemp(filepath.Join(dir, "snapshots")) }},
	"writing an episode":     {2 * time.Millisecond, func(dir string) bool { return hasTemp(filepath.Join(dir, "episodes")) }},
	"an event of run":        {15 * time.Millisecond, lastEventIs(metrics.KindRun)},
	"an event of update":     {15 * time.Millisecond, lastEventIs(metrics.KindUpdate)},
	"an event of episode":    {15 * time.Millisecond, lastEventIs(metrics.KindEpisode)},
	"an event of evaluation": {15 * time.Millisecond, lastEventIs(metrics.KindEvaluation)},
}

// sightNames is the keys of sights in a fixed order.
var sightNames = []string{"the start", "writing a snapshot", "writing an episode", "an event of run", "an event of update", "an event of episode", "an event of evaluation"}

func drawMoment(random *rand.Rand) moment {
	of := sightNames[random.IntN(len(sightNames))]
	n := 1
	if of != "the start" && of != "an event of run" {
		n += random.IntN(3)
	}
	return moment{of, n, time.Duration(random.Int64N(int64(sights[of].while)))}
}

// wait returns when the moment has come, or the process has ended.
func (m moment) wait(p *process, dir string) {
	saw := false
	for left := m.n; left > 0 && !p.ended(); time.Sleep(30 * time.Microsecond) {
		now := sights[m.of].seen(dir)
		if now && !saw {
			left--
		}
		saw = now
	}
	select {
	case <-time.After(m.while):
	case <-p.done:
	}
}

func hasTemp(dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false // it is not there yet
	}
	for _, e := range entries {
		if vfs.IsTemp(e.Name()) {
			return true
		}
	}
	return false
}

func lastEventIs(kind string) func(dir string) bool {
	return func(dir string) bool {
		line := lastLine(filepath.Join(dir, metricsName))
		return strings.HasPrefix(line, `{"kind":"`+kind+`"`)
	}
}

// lastLine is the last whole line of a file, or nothing.
func lastLine(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	tail := make([]byte, min(info.Size(), 8192))
	if _, err := f.ReadAt(tail, info.Size()-int64(len(tail))); err != nil {
		return ""
	}
	end := strings.LastIndexByte(string(tail), '\n')
	if end < 0 {
		return ""
	}
	return string(tail[strings.LastIndexByte(string(tail[:end]), '\n')+1 : end])
}

// phase says what a process was doing when it died, by what it left. starts is
// how many it had told of before.
func phase(t testing.TB, dir string, run config.Run, starts int) string {
	t.Helper()
	switch {
	case hasTemp(filepath.Join(dir, "snapshots")):
		return "writing a snapshot"
	case hasTemp(filepath.Join(dir, "episodes")):
		return "writing an episode"
	case countStarts(dir) <= starts:
		return "opening and compiling"
	}
	var last metrics.Event
	for e, err := range metrics.ReadFile(vfs.OS(), filepath.Join(dir, metricsName)) {
		if err == nil {
			last = e
		}
	}
	_, saved := intact(t, dir)
	c, seed := last.Counters, int64(run.Learn.SeedEpisodes)
	due := (c.Episodes - seed + 1) * int64(run.Learn.UpdatesPerCollect)
	switch {
	case c.Episodes < seed:
		return "seed episodes"
	case last.Kind == metrics.KindUpdate && c.Updates == due:
		return "collecting"
	case last.Kind == metrics.KindEpisode && c.Episodes > seed && c.Episodes%int64(run.Learn.EvalEvery) == 0:
		return "evaluating"
	case c.Episodes > seed && last.Kind != metrics.KindUpdate && saved != checkpoint.Counters(c):
		return "about to write a snapshot"
	}
	return "updates"
}

// countStarts is how many processes have told of their start.
func countStarts(dir string) int {
	data, err := os.ReadFile(filepath.Join(dir, metricsName))
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	return strings.Count(string(data), `{"kind":"run"`)
}

package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/metrics"
)

func lineOf(n int64) string {
	data, _ := json.Marshal(metrics.Event{Kind: metrics.KindUpdate, Counters: metrics.Counters{Updates: n}})
	return string(data) + "\n"
}

// follower reads a file and keeps what is in it according to the tail.
type follower struct {
	tail
	seen    []int64
	damaged int
	resets  int
}

func (f *follower) look(t *testing.T) {
	t.Helper()
	for more := true; more; {
		var damaged int
		var err error
		more, damaged, err = f.read(func() { f.resets++; f.seen = nil }, func(e metrics.Event) { f.seen = append(f.seen, e.Counters.Updates) })
		if err != nil {
			t.Fatal(err)
		}
		f.damaged += damaged
	}
}

func TestTailFollowsTruncationReplacementAndUnfinishedLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), eventsName)
	f := &follower{tail: tail{path: path}}
	write := func(text string, flag int) {
		t.Helper()
		file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|flag, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if _, err := file.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	want := func(damaged, resets int, seen ...int64) {
		t.Helper()
		f.look(t)
		if fmt.Sprint(f.seen) != fmt.Sprint(seen) || f.damaged != damaged || f.resets != resets {
			t.Fatalf("saw %v with %d damaged lines and %d beginnings; want %v, %d, %d", f.seen, f.damaged, f.resets, seen, damaged, resets)
		}
	}
	write(lineOf(1)+lineOf(2), 0)
	want(0, 0, 1, 2)
	third := lineOf(3)
	write(third[:10], os.O_APPEND)
	want(0, 0, 1, 2)
	write(third[10:]+"rubbish\n", os.O_APPEND)
	want(1, 0, 1, 2, 3)
	// Cut, as an editor would, and grown again beyond what was read.
	write(lineOf(1)+lineOf(7)+lineOf(8)+lineOf(9)+lineOf(10), os.O_TRUNC)
	want(1, 1, 1, 7, 8, 9, 10)
	// Cut by a run that is resumed: another file of the same name.
	j, _, err := metrics.OpenJSONL(vfs.OS(), path, metrics.Counters{Updates: 8})
	if err != nil {
		t.Fatal(err)
	}
	for n := range int64(3) {
		if err := j.Write(metrics.Event{Kind: metrics.KindUpdate, Counters: metrics.Counters{Updates: 20 + n}}); err != nil {
			t.Fatal(err)
		}
	}
	want(1, 2, 1, 7, 8, 20, 21, 22)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestTailReadsLargeFilesInPieces(t *testing.T) {
	path := filepath.Join(t.TempDir(), eventsName)
	var text bytes.Buffer
	n := int64(0)
	for text.Len() < 2*chunk {
		n++
		text.WriteString(lineOf(n))
	}
	text.WriteString(strings.Repeat("x", 2*chunk+5) + "\n") // longer than any event
	text.WriteString(lineOf(n + 1))
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	f := &follower{tail: tail{path: path}}
	f.look(t)
	if len(f.seen) != int(n)+1 || f.seen[n] != n+1 || f.damaged == 0 {
		t.Errorf("saw %d of %d events and %d damaged lines", len(f.seen), n+1, f.damaged)
	}
}

func TestLongRunsCostBoundedMemoryAndAreTold(t *testing.T) {
	const events = 100_000
	dir := t.TempDir()
	var text bytes.Buffer
	for i := range events {
		fmt.Fprintf(&text, `{"kind":"update","time":"2026-01-02T03:04:05Z","env_steps":%d,"decisions":0,"updates":%d,"episodes":0,"values":{"loss/kl:nats":%d.5}}`+"\n", 8*i, i, i%7)
	}
	if err := os.WriteFile(filepath.Join(dir, eventsName), text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	r := newRun("r1", dir)
	for r.poll() {
	}
	data, err := r.whole()
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 400<<10 {
		t.Errorf("a run of %d events is told in %d bytes", events, len(data))
	}
	if s := r.summary(); s.Events != events || s.Counters.Updates != events-1 {
		t.Errorf("summary %+v", s)
	}
	if again, err := r.changes(); err != nil || !bytes.Contains(again, []byte(`"again":true`)) {
		t.Errorf("the change is %.200s, %v", again, err)
	}
	if none, err := r.changes(); err != nil || none != nil {
		t.Errorf("nothing new is told as %.200s, %v", none, err)
	}
}

func TestSettingsAreFlattened(t *testing.T) {
	flat, err := parseSettings([]byte("preset: small\nmodel:\n  depth: 16\n  reward_layers:\n    - 200\n    - 100\nlearn: {episodes: 130}\n"))
	want := map[string]string{"preset": "small", "model.depth": "16", "model.reward_layers": "[200, 100]", "learn.episodes": "130"}
	if err != nil || fmt.Sprint(flat) != fmt.Sprint(want) {
		t.Errorf("%v, %v", flat, err)
	}
}

func FuzzSettings(f *testing.F) {
	f.Add([]byte("a: {b: [1, 2], c: &x {d: *x}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		flat, err := parseSettings(data)
		if err == nil && len(flat) > maxSettings {
			t.Errorf("%d settings", len(flat))
		}
		for name, v := range flat {
			if len(name) > maxName || len(v) > maxSetting*40 {
				t.Errorf("%q is %q", name, v)
			}
		}
	})
}

// FuzzEvents demands that whatever an event file holds is told as JSON of bounded
// size.
func FuzzEvents(f *testing.F) {
	f.Add([]byte(lineOf(1) + lineOf(2)))
	f.Add([]byte(`{"kind":"run","time":"2026-01-02T03:04:05Z","env_steps":-1,"values":{"a/b:1":null},"text":{"env":"x"}}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, eventsName), data, 0o644); err != nil {
			t.Fatal(err)
		}
		r := newRun("r1", dir)
		for r.poll() {
		}
		whole, err := r.whole()
		if err != nil || !json.Valid(whole) {
			t.Errorf("%v: %.500s", err, whole)
		}
	})
}

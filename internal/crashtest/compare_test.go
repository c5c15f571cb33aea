package crashtest

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/internal/format/safetensors"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/metrics"
)

// leftovers are everything that a run leaves, less times: the contents of every
// file by its path in the run's directory, with these exceptions. The lock and
// the live views are left out. Snapshots are taken apart: every tensor's bytes, and the header
// without the time of writing. Of the events, those that tell of a start are
// left out, and of the others what is measured in seconds or bytes.
type leftovers struct {
	files  map[string]string
	events []string
	bytes  int // in files and events together
}

func readLeftovers(t testing.TB, dir string) leftovers {
	t.Helper()
	l := leftovers{files: map[string]string{}}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "live" {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() || d.Name() == "lock" {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if name == metricsName {
			l.events = readEvents(t, path)
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.HasSuffix(name, ".safetensors") {
			l.takeApart(t, name, data)
			return nil
		}
		l.files[filepath.ToSlash(name)] = string(data)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range l.files {
		l.bytes += len(f)
	}
	for _, e := range l.events {
		l.bytes += len(e)
	}
	return l
}

// metricsName is the event file of a run.
const metricsName = "metrics.jsonl"

// takeApart lists a snapshot's tensors and header.
func (l *leftovers) takeApart(t testing.TB, name string, data []byte) {
	t.Helper()
	f, err := safetensors.Open(strings.NewReader(string(data)), int64(len(data)))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, e := range f.Entries {
		raw, err := f.Read(e.Name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		l.files[name+"#"+e.Name] = string(raw.Data)
	}
	var header map[string]json.RawMessage
	if err := json.Unmarshal([]byte(f.Metadata["header"]), &header); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	delete(header, "created")
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	l.files[name+"#header"] = string(text)
}

// readEvents returns the events without what differs from process to process.
func readEvents(t testing.TB, path string) []string {
	t.Helper()
	var out []string
	for e, err := range metrics.ReadFile(vfs.OS(), path) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind != metrics.KindRun {
			out = append(out, timeless(t, e))
		}
	}
	return out
}

func timeless(t testing.TB, e metrics.Event) string {
	t.Helper()
	e.Time = time.Time{}
	for name := range e.Values {
		if m, _ := metrics.Lookup(name); slices.Contains([]string{"seconds", "per_second", "bytes"}, m.Unit()) {
			delete(e.Values, name)
		}
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// diff lists in what l differs from want, apart from the events lost.
func (l leftovers) diff(want leftovers, lost []string) []string {
	var out []string
	for name, text := range want.files {
		switch got, ok := l.files[name]; {
		case !ok:
			out = append(out, name+" is missing")
		case got != text:
			out = append(out, name+" differs")
		}
	}
	for name := range l.files {
		if _, ok := want.files[name]; !ok {
			out = append(out, name+" should not be there")
		}
	}
	left := slices.DeleteFunc(slices.Clone(want.events), func(e string) bool { return slices.Contains(lost, e) })
	kept := slices.DeleteFunc(slices.Clone(l.events), func(e string) bool { return slices.Contains(lost, e) })
	if !slices.Equal(kept, left) {
		out = append(out, "the events differ: "+firstDifference(kept, left))
	}
	return out
}

func firstDifference(got, want []string) string {
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			return "lacks " + want[i]
		case i >= len(want):
			return "has " + got[i]
		case got[i] != want[i]:
			return got[i] + "\nwant " + want[i]
		}
	}
	return ""
}

// intact counts the snapshots of a run that can be loaded, and returns the
// counters of the newest.
func intact(t testing.TB, dir string) (n int, newest checkpoint.Counters) {
	t.Helper()
	snapshots := filepath.Join(dir, "snapshots")
	s, _, err := checkpoint.LoadLatest(context.Background(), vfs.OS(), snapshots)
	for ; err == nil; s, _, err = checkpoint.LoadBefore(context.Background(), vfs.OS(), snapshots, s.Counters) {
		if n++; n == 1 {
			newest = s.Counters
		}
	}
	if !errors.Is(err, checkpoint.ErrNone) && !errors.Is(err, checkpoint.ErrCorrupt) {
		t.Fatal(err)
	}
	return n, newest
}

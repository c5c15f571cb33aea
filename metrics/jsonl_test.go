package metrics

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/orrery-rl/orrery/internal/vfs"
)

// record opens the file at path as upTo says, writes the events and closes it.
func record(t *testing.T, path string, upTo Counters, events ...Event) Resumed {
	t.Helper()
	sink, found, err := OpenJSONL(vfs.OS(), path, upTo)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if err := sink.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
	return found
}

// readBack returns the updates of the events in the file, and the errors.
func readBack(path string) (events []Event, errs []error) {
	for e, err := range ReadFile(vfs.OS(), path) {
		if err != nil {
			errs = append(errs, err)
		} else {
			events = append(events, e)
		}
	}
	return events, errs
}

func updatesOf(events []Event) []int64 {
	var out []int64
	for _, e := range events {
		out = append(out, e.Counters.Updates)
	}
	return out
}

func TestEventsAreReadBackAsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.jsonl")
	want := []Event{update(1, map[string]float64{"loss/kl:nats": 3}), update(2, map[string]float64{"loss/kl:nats": math.NaN(), "grad/norm:1": math.Inf(1)}), update(3, nil)}
	record(t, path, Counters{}, want[0])
	record(t, path, want[0].Counters, want[1:]...)
	got, errs := readBack(path)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("events (-wrote +read):\n%s", diff)
	}
}

func TestResumedRunHasOneHistory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.jsonl")
	snapshot := update(200, nil).Counters
	record(t, path, Counters{}, update(100, nil), update(200, nil), update(300, nil), update(400, nil))
	appendText(t, path, `{"kind":"update","upda`) // killed while writing
	found := record(t, path, snapshot, update(300, nil))
	if want := (Resumed{Kept: 2, Newer: 2, Events: 2, Damaged: 1}); found != want {
		t.Errorf("resuming found %+v, want %+v", found, want)
	}
	events, errs := readBack(path)
	if diff := cmp.Diff([]int64{100, 200, 300}, updatesOf(events)); diff != "" || len(errs) > 0 {
		t.Errorf("history (-want +got):\n%s\nerrors %v", diff, errs)
	}
	if found := record(t, path, update(300, nil).Counters); found != (Resumed{Kept: 3, Events: 3}) {
		t.Errorf("resuming again found %+v, want 3 kept and nothing removed", found)
	}
}

// During the seed episodes no update happens: the other counters must decide.
func TestResumeCutsByEveryCounter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.jsonl")
	seed := func(n int64) Event {
		return Event{Kind: KindEpisode, Counters: Counters{EnvSteps: 1000 * n, Decisions: 125 * n, Episodes: n}}
	}
	record(t, path, Counters{}, seed(1), seed(2), seed(3))
	if found := record(t, path, seed(2).Counters); found != (Resumed{Kept: 2, Newer: 1, Events: 2}) {
		t.Errorf("resuming after episode 2 found %+v, want 2 kept and 1 newer", found)
	}
}

// TestWhatHappensAgainIsRemoved: at the moment resumed from, and of that kind
// only.
func TestWhatHappensAgainIsRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.jsonl")
	at := update(200, nil).Counters
	record(t, path, Counters{}, Event{Kind: KindEvaluation}, update(200, nil), Event{Kind: KindEvaluation, Counters: at})
	sink, found, err := OpenJSONL(vfs.OS(), path, at, KindEvaluation)
	if err != nil {
		t.Fatal(err)
	}
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
	if found != (Resumed{Kept: 2, Newer: 1, Events: 2}) {
		t.Errorf("resuming found %+v, want 2 kept and 1 newer", found)
	}
}

func appendText(t *testing.T, path, text string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(data, text...), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestReadNamesDamagedLinesAndGoesOn(t *testing.T) {
	good := `{"kind":"update","time":"2026-01-02T03:04:05Z","env_steps":0,"decisions":0,"updates":%,"episodes":0}`
	line := func(n string) string { return strings.Replace(good, "%", n, 1) }
	text := line("1") + "\nnonsense\n\n" + strings.Repeat("\x00", maxLine+10) + "\r\n" + line("2") + "\r\n" + line("3")
	var got []int64
	var errs []string
	for e, err := range Read(strings.NewReader(text)) {
		if err == nil {
			got = append(got, e.Counters.Updates)
			continue
		}
		if !errors.Is(err, ErrCorrupt) {
			t.Errorf("error %v, want ErrCorrupt", err)
		}
		errs = append(errs, err.Error())
	}
	if diff := cmp.Diff([]int64{1, 2}, got); diff != "" {
		t.Errorf("events; the third line is unfinished (-want +got):\n%s", diff)
	}
	if len(errs) != 2 || !strings.Contains(errs[0], "line 2") || !strings.Contains(errs[1], "line 4") {
		t.Errorf("errors %q do not name lines 2 and 4", errs)
	}
}

func TestReadStopsWhenAsked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.jsonl")
	record(t, path, Counters{}, update(0, nil), update(1, nil))
	n := 0
	for range ReadFile(vfs.OS(), path) {
		n++
		break
	}
	if n != 1 {
		t.Errorf("%d events, want to stop after 1", n)
	}
}

func TestReadFileOfMissingFileYieldsTheError(t *testing.T) {
	_, errs := readBack(filepath.Join(t.TempDir(), "absent"))
	if len(errs) != 1 || !errors.Is(errs[0], os.ErrNotExist) {
		t.Errorf("errors %v, want one: os.ErrNotExist", errs)
	}
}

// halfFile writes half of what it is given and fails, once.
type halfFile struct {
	vfs.File
	failed bool
}

func (f *halfFile) Write(p []byte) (int, error) {
	if f.failed {
		return f.File.Write(p)
	}
	f.failed = true
	n, _ := f.File.Write(p[:len(p)/2])
	return n, errBroken
}

func TestFailedWriteDamagesOneEventOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.jsonl")
	sink, _, err := OpenJSONL(vfs.OS(), path, Counters{})
	if err != nil {
		t.Fatal(err)
	}
	sink.file = &halfFile{File: sink.file}
	if err := sink.Write(update(1, nil)); !errors.Is(err, errBroken) {
		t.Errorf("error %v, want the file's", err)
	}
	if err := errors.Join(sink.Write(update(2, nil)), sink.Write(update(3, nil)), sink.Close()); err != nil {
		t.Fatal(err)
	}
	events, errs := readBack(path)
	if diff := cmp.Diff([]int64{2, 3}, updatesOf(events)); diff != "" || len(errs) != 1 {
		t.Errorf("events (-want +got):\n%s\nerrors %v, want one", diff, errs)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("{\"kind\":\"run\",\"time\":\"2026-01-02T03:04:05Z\",\"values\":{\"a/b:c\":null}}\n"))
	f.Add([]byte("{}\n\n\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for e, err := range Read(strings.NewReader(string(data))) {
			if err == nil && e.Validate() != nil {
				t.Errorf("an invalid event was read: %+v", e)
			}
		}
	})
}

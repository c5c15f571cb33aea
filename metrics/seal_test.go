package metrics

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orrery-rl/orrery/internal/vfs"
)

// TestEveryFlippedBitOfALineIsNoticedOrHarmless flips each bit of a file of
// three events. What is still read must be what was written.
func TestEveryFlippedBitOfALineIsNoticedOrHarmless(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.jsonl")
	want := []Event{update(1, map[string]float64{"loss/kl:nats": 3.25}), update(2, nil), {Kind: KindRun, Counters: update(2, nil).Counters, Text: map[string]string{"env": "toy-dot"}}}
	record(t, path, Counters{}, want...)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	unnoticed := 0
	for i := range 8 * len(data) {
		data[i/8] ^= 1 << (i % 8)
		at, read := 0, 0
		for e, err := range Read(bytes.NewReader(data)) {
			if err != nil {
				if !errors.Is(err, ErrCorrupt) {
					t.Fatalf("bit %d: %v", i, err)
				}
				continue
			}
			for at < len(want) && !cmp.Equal(want[at], e) {
				at++
			}
			if at == len(want) {
				t.Fatalf("bit %d of byte %d (%q): %+v is read, which was not written there", i%8, i/8, data[i/8], e)
			}
			at++
			read++
		}
		if read == len(want) {
			unnoticed++
		}
		data[i/8] ^= 1 << (i % 8)
	}
	if unnoticed > 3*8*len(sealPrefix)+8 {
		t.Errorf("%d flips of %d went unnoticed", unnoticed, 8*len(data))
	}
}

// TestLinesOfOtherProgramsAreTakenAsTheyAre: they have no checksum.
func TestLinesOfOtherProgramsAreTakenAsTheyAre(t *testing.T) {
	const plain = `{"kind":"update","time":"2026-01-01T00:00:00Z","env_steps":1,"decisions":1,"updates":1,"episodes":1}` + "\n"
	n := 0
	for e, err := range Read(strings.NewReader(plain)) {
		if err != nil || e.Counters.Updates != 1 {
			t.Errorf("%+v, %v", e, err)
		}
		n++
	}
	if n != 1 {
		t.Errorf("%d events", n)
	}
}

// TestEventsAreCountedWithoutStarts.
func TestEventsAreCountedWithoutStarts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.jsonl")
	if n, err := CountUpTo(vfs.OS(), path, Counters{}); n != 0 || err != nil {
		t.Fatalf("no file: %d, %v", n, err)
	}
	record(t, path, Counters{}, Event{Kind: KindRun}, update(1, nil), update(2, nil), update(3, nil))
	sink, _, err := OpenJSONL(vfs.OS(), path, update(2, nil).Counters)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []Event{{Kind: KindRun, Counters: update(2, nil).Counters}, update(3, nil)} {
		if err := sink.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	if n := sink.Events(); n != 3 {
		t.Errorf("%d events in the open file", n)
	}
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := CountUpTo(vfs.OS(), path, update(2, nil).Counters); n != 2 || err != nil {
		t.Errorf("%d events up to the second update, %v", n, err)
	}
}

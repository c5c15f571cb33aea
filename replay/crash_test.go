package replay

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/orrery-rl/orrery/internal/format/npz"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/internal/vfs/vfstest"
)

func openOn(t testing.TB, fsys vfs.FS) *Store {
	t.Helper()
	s, err := Open(t.Context(), fsys, filepath.Join("run", "episodes"), schema, Config{MemoryBudget: 1 << 20}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestPowerCutAtEveryChangeKeepsAcknowledgedEpisodes appends and truncates on a
// disk that loses power before every change. What Append returned must be
// found, what it had not may be, and no file may be damaged.
func TestPowerCutAtEveryChangeKeepsAcknowledgedEpisodes(t *testing.T) {
	mem, coin := vfstest.NewMem(), rand.New(rand.NewPCG(3, 4))
	least, most, cuts := 0, 0, 0
	disk := vfstest.Intercept(mem, func(op vfstest.Op) error {
		if !op.Changes() {
			return nil
		}
		cuts++
		for try := range 10 {
			keep := func() bool { return coin.IntN(2) == 0 }
			if try == 0 {
				keep = nil
			}
			after := mem.CrashClone(keep)
			s := openOn(t, after)
			if n := s.Episodes(); n < least || n > most || len(s.Skipped()) > 0 {
				t.Fatalf("power cut %d, before %v: %d episodes, want %d to %d; damaged: %v", cuts, op, n, least, most, s.Skipped())
			}
			if id, err := s.Append(t.Context(), counter(0, 4, 1)); err != nil || id < least || id > most {
				t.Fatalf("the next process appends %d: %v", id, err)
			}
		}
		return nil
	})
	s := openOn(t, disk)
	for i := range 3 {
		most = i + 1
		fill(t, s, 4+i)
		least = i + 1
	}
	least = 1
	if err := s.TruncateTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	most = 2
	fill(t, s, 9)
	if cuts < 25 {
		t.Errorf("only %d changes were seen", cuts)
	}
}

// TestFullDiskKeepsTheStoreUsable makes every change of an append fail once;
// the next append succeeds.
func TestFullDiskKeepsTheStoreUsable(t *testing.T) {
	for at := 1; ; at++ {
		mem := vfstest.NewMem()
		fill(t, openOn(t, mem), 5)
		fail := func(vfstest.Op) error { return nil }
		s := openOn(t, vfstest.Intercept(mem, func(op vfstest.Op) error { return fail(op) }))
		fail = vfstest.FailAt(at, syscall.ENOSPC)
		_, err := s.Append(t.Context(), counter(1, 6, 1))
		if err == nil {
			if at < 8 {
				t.Fatalf("an append has only %d changes", at-1)
			}
			return
		}
		if !errors.Is(err, syscall.ENOSPC) || s.Episodes() != 1 {
			t.Fatalf("change %d: %v, %d episodes", at, err, s.Episodes())
		}
		if id, err := s.Append(t.Context(), counter(1, 7, 1)); err != nil || id != 1 {
			t.Fatalf("change %d: the next append gives %d, %v", at, id, err)
		}
		if again := openOn(t, mem); again.Records() != 6+8 || len(again.Skipped()) > 0 {
			t.Fatalf("change %d: reopened with %d records, skipped %v", at, again.Records(), again.Skipped())
		}
	}
}

func TestTruncateThatFailsDropsWhatIsGone(t *testing.T) {
	mem := vfstest.NewMem()
	fail := func(vfstest.Op) error { return nil }
	s := openOn(t, vfstest.Intercept(mem, func(op vfstest.Op) error { return fail(op) }))
	fill(t, s, 4, 5, 6)
	fail = vfstest.FailAt(2, syscall.EIO)
	if err := s.TruncateTo(t.Context(), 0); !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	if again := openOn(t, mem); s.Episodes() != 2 || again.Episodes() != 2 || s.Records() != again.Records() {
		t.Errorf("%d episodes in memory, %d on disk", s.Episodes(), again.Episodes())
	}
	if err := s.TruncateTo(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	if id, err := s.Append(t.Context(), counter(0, 4, 1)); err != nil || id != 7 {
		t.Errorf("after truncating to 7 the next id is %d, %v", id, err)
	}
	if err := s.TruncateTo(t.Context(), -1); err == nil {
		t.Error("truncated to -1")
	}
}

// TestDiskThatFailsToReadIsAnError: skipping would lose an episode for good.
func TestDiskThatFailsToReadIsAnError(t *testing.T) {
	mem := vfstest.NewMem()
	fill(t, openOn(t, mem), 5)
	broken := vfstest.Intercept(mem, func(op vfstest.Op) error {
		if op.Kind == vfstest.Open {
			return syscall.EIO
		}
		return nil
	})
	_, err := Open(t.Context(), broken, filepath.Join("run", "episodes"), schema, Config{}, nil)
	if !errors.Is(err, syscall.EIO) || errors.Is(err, ErrCorrupt) {
		t.Errorf("error %v", err)
	}
}

// TestEpisodeLostWhileRunningIsReplaced damages and removes files that only
// the disk holds.
func TestEpisodeLostWhileRunningIsReplaced(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 0)
	fill(t, s, 9, 9, 9, 9)
	if err := errors.Join(os.WriteFile(filepath.Join(dir, episodeName(0)), []byte("x"), 0o600), os.Remove(filepath.Join(dir, episodeName(1)))); err != nil {
		t.Fatal(err)
	}
	sm, b := sampler(t, s, small), Batch{}
	for range 20 {
		if err := sm.Sample(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		if slices.Min(b.EpisodeIDs) < 2 {
			t.Fatalf("sampled the lost episodes of %v", b.EpisodeIDs)
		}
	}
	if s.Episodes() != 2 || s.Records() != 20 || len(s.Skipped()) != 2 {
		t.Errorf("%d episodes, %d records, skipped %v", s.Episodes(), s.Records(), s.Skipped())
	}
	if again := open(t, dir, 0); again.Episodes() != 2 || len(again.Skipped()) != 1 {
		t.Errorf("reopened: %d episodes, skipped %v", again.Episodes(), again.Skipped())
	}
}

// TestTruncatedEpisodesAreNotReadAgain: a sampler that still knows an episode
// which is gone gets neither it nor the one that has its number now.
func TestTruncatedEpisodesAreNotReadAgain(t *testing.T) {
	s := open(t, t.TempDir(), 0)
	fill(t, s, 9, 9)
	stale, err := s.view()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.TruncateTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for _, again := range []string{"missing", "another"} {
		if again == "another" {
			fill(t, s, 9, 9)
		}
		before := s.Memory()
		if _, err := s.imagesOf(stale[1]); !errors.Is(err, errLost) {
			t.Errorf("%s: %v", again, err)
		}
		if stale[1].images != nil || s.Memory() != before || len(s.Skipped()) > 0 {
			t.Errorf("%s: %d bytes in memory, %d before; skipped %v", again, s.Memory(), before, s.Skipped())
		}
	}
	if s.Episodes() != 3 {
		t.Errorf("%d episodes, want 3", s.Episodes())
	}
}

// TestStrayFilesDoNoHarm puts things into the directory that are no episodes.
func TestStrayFilesDoNoHarm(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 1<<20)
	fill(t, s, 5)
	names := []string{"9223372036854775807.npz", "1000000000.npz", "0001.npz", "-00001.npz", "notes"}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, episodeName(3)), 0o700); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir, 1<<20)
	if again.Episodes() != 1 || len(again.Skipped()) != 1 || !strings.HasSuffix(again.Skipped()[0], episodeName(3)) {
		t.Errorf("%d episodes, skipped %v", again.Episodes(), again.Skipped())
	}
	if id, err := again.Append(t.Context(), counter(0, 4, 1)); err != nil || id != 4 {
		t.Errorf("next id %d, %v", id, err)
	}
	if err := os.WriteFile(filepath.Join(dir, episodeName(maxID)), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	full := open(t, dir, 1<<20)
	if _, err := full.Append(t.Context(), counter(0, 4, 1)); err == nil || !strings.Contains(err.Error(), episodeName(maxID)) {
		t.Errorf("after the last possible file: %v", err)
	}
	if err := full.TruncateTo(t.Context(), 5); err != nil {
		t.Errorf("truncating past a stray file: %v", err)
	}
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s is gone: %v", name, err)
		}
	}
}

// TestMemoryStaysFlat holds 400 episodes of 48 kB under a budget of ten.
func TestMemoryStaysFlat(t *testing.T) {
	big := Schema{Height: 32, Width: 32, Channels: 3, ActionSize: 1}
	const records, budget = 16, 10 * 16 * 32 * 32 * 3
	dir := t.TempDir()
	s, err := Open(t.Context(), vfs.OS(), dir, big, Config{MemoryBudget: budget}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 400 {
		e := &Episode{Images: make([]byte, records*big.ImageSize()), Actions: make([]float32, records), Rewards: make([]float32, records), Continues: make([]float32, records)}
		if _, err := s.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if s, err = Open(t.Context(), vfs.OS(), dir, big, Config{MemoryBudget: budget}, nil); err != nil {
		t.Fatal(err)
	}
	sm, err := NewSampler(s, rng.New(1, "memory"), SamplerConfig{BatchSize: 8, ChunkLength: 4, BitDepth: 5})
	if err != nil {
		t.Fatal(err)
	}
	var b Batch
	for range 30 {
		if err := sm.Sample(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		if s.Memory() > budget || s.Memory() < budget/2 {
			t.Fatalf("%d bytes of images in memory, the budget is %d", s.Memory(), budget)
		}
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if all := uint64(400 * records * big.ImageSize()); m.HeapAlloc > all/2 {
		t.Errorf("the heap has %d bytes, all images %d, the budget is %d", m.HeapAlloc, all, budget)
	}
	runtime.KeepAlive(s)
}

// TestReadersBesideAWriter is for the race detector.
func TestReadersBesideAWriter(t *testing.T) {
	s := open(t, t.TempDir(), 300) // a few episodes' images
	fill(t, s, 9, 9, 9)
	var wg sync.WaitGroup
	errs := make(chan error, 100)
	for i := range 3 {
		wg.Go(func() {
			sm, err := NewSampler(s, rng.New(uint64(i), "reader"), small)
			for b := (Batch{}); err == nil && s.Records() < 300; {
				err = sm.Sample(t.Context(), &b)
			}
			errs <- err
		})
	}
	for s.Records() < 300 {
		fill(t, s, 9)
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := sampler(t, s, small).Sample(t.Context(), &Batch{}); !errors.Is(err, ErrClosed) {
		t.Errorf("sampling after Close: %v", err)
	}
	if _, err := s.Append(t.Context(), counter(0, 4, 1)); !errors.Is(err, ErrClosed) {
		t.Errorf("appending after Close: %v", err)
	}
	if err := s.TruncateTo(t.Context(), 0); !errors.Is(err, ErrClosed) {
		t.Errorf("truncating after Close: %v", err)
	}
}

func TestMismatchesAreExplained(t *testing.T) {
	good := counter(0, 4, 1)
	for name, c := range map[string]struct {
		arrays []npz.Array
		want   string
	}{
		"type":    {[]npz.Array{{Name: "image", Dims: []int{5, 2, 3, 1}, Data: make([]float32, 30)}}, `array "image" has the type "<f4", want "|u1"`},
		"shape":   {[]npz.Array{{Name: "image", Dims: []int{5, 3, 2, 1}, Data: make([]byte, 30)}}, `array "image" has shape [5 3 2 1], each record of the task has [2 3 1]`},
		"missing": {[]npz.Array{{Name: "pixels", Dims: []int{5}, Data: make([]byte, 5)}}, `it has no array "image"`},
		"scalar":  {[]npz.Array{{Name: "image", Data: make([]byte, 1)}}, `shape []`},
		"records": {[]npz.Array{
			{Name: "image", Dims: []int{5, 2, 3, 1}, Data: good.Images}, {Name: "action", Dims: []int{4, 1}, Data: good.Actions[:4]},
			{Name: "reward", Dims: []int{5}, Data: good.Rewards}, {Name: "continue", Dims: []int{5}, Data: good.Continues}, {Name: "vector", Dims: []int{5, 1}, Data: good.Vectors},
		}, `array "action" has 4 values`},
	} {
		var buf bytes.Buffer
		if err := npz.Write(&buf, c.arrays); err != nil {
			t.Fatal(err)
		}
		_, err := readEpisode(bytes.NewReader(buf.Bytes()), int64(buf.Len()), schema)
		if !errors.Is(err, ErrCorrupt) || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := counter(0, 4, 1)
	bad.Continues[3] = 2
	if err := bad.check(schema); err == nil || !strings.Contains(err.Error(), "2 at 3") {
		t.Errorf("a continue of 2: %v", err)
	}
}

// FuzzReadEpisode: any bytes are an episode that passes every check, or damage.
func FuzzReadEpisode(f *testing.F) {
	var buf bytes.Buffer
	if err := counter(1, 4, 1).write(&buf, schema); err != nil {
		f.Fatal(err)
	}
	f.Add(buf.Bytes())
	f.Add(buf.Bytes()[:buf.Len()/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := readEpisode(bytes.NewReader(data), int64(len(data)), schema)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%v does not match ErrCorrupt", err)
			}
			return
		}
		if err := e.check(schema); err != nil {
			t.Fatalf("accepted: %v", err)
		}
	})
}

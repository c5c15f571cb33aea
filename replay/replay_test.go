package replay

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/internal/vfs"
)

var schema = Schema{Height: 2, Width: 3, Channels: 1, ActionSize: 1, VectorSize: 1}

var small = SamplerConfig{BatchSize: 4, ChunkLength: 5, BitDepth: 5}

// reward is what an action earns in the counter environment.
func reward(action float32) float32 { return 10*action + 1 }

// counter is an episode of a world that counts: the image of record i shows i
// times the action repeat, and each reward is a function of the action that
// earned it. number marks the episode's vectors.
func counter(number, decisions, repeat int) *Episode {
	e := &Episode{}
	for i := range decisions + 1 {
		action, r := float32(0), float32(0)
		if i > 0 {
			action = float32(i%7) / 8
			r = reward(action)
		}
		e.Images = append(e.Images, bytes.Repeat([]byte{byte(i * repeat)}, schema.ImageSize())...)
		e.Actions, e.Rewards = append(e.Actions, action), append(e.Rewards, r)
		e.Continues, e.Vectors = append(e.Continues, 1), append(e.Vectors, float32(number))
	}
	return e
}

func open(t testing.TB, dir string, budget int64) *Store {
	t.Helper()
	s, err := Open(context.Background(), vfs.OS(), dir, schema, Config{MemoryBudget: budget}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func fill(t testing.TB, s *Store, lengths ...int) {
	t.Helper()
	for _, n := range lengths {
		if _, err := s.Append(context.Background(), counter(s.Episodes(), n, 2)); err != nil {
			t.Fatal(err)
		}
	}
}

func sampler(t testing.TB, s *Store, cfg SamplerConfig) *Sampler {
	t.Helper()
	sm, err := NewSampler(s, rng.New(1, "test"), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return sm
}

// TestEveryRecordHoldsItsOwnAction checks the alignment of every sampled chunk:
// record i's reward is that of record i's action, and its image is the one
// after i decisions.
func TestEveryRecordHoldsItsOwnAction(t *testing.T) {
	s := open(t, t.TempDir(), 1<<20)
	fill(t, s, 12, 30, 9)
	sm := sampler(t, s, SamplerConfig{BatchSize: 50, ChunkLength: 8, BitDepth: 8})
	var b Batch
	for range 20 {
		if err := sm.Sample(context.Background(), &b); err != nil {
			t.Fatal(err)
		}
		size := schema.ImageSize()
		for i := range b.B {
			for k := range b.L {
				at, record := i*b.L+k, b.Offsets[i]+k
				if int(b.Vectors[at]) != b.EpisodeIDs[i] {
					t.Fatalf("chunk %d of episode %d reaches into episode %v", i, b.EpisodeIDs[i], b.Vectors[at])
				}
				if record > 0 && b.Rewards[at] != reward(b.Actions[at]) {
					t.Fatalf("record %d: reward %v does not belong to action %v", record, b.Rewards[at], b.Actions[at])
				}
				if record == 0 && (b.Rewards[at] != 0 || b.Actions[at] != 0) {
					t.Fatal("record 0 has an action or a reward")
				}
				var pixel [1]byte
				if err := Quantise(pixel[:], b.Images[at*size:][:1], 8); err != nil || pixel[0] != byte(2*record) {
					t.Fatalf("record %d shows %d, want %d (%v)", record, pixel[0], 2*record, err)
				}
			}
		}
	}
}

// TestOffsetsAreUniformAndInclusive tests the distribution of starts over two
// episodes, 5 and 11 starts, by chi-square: 15 degrees of freedom, 1e-4 quantile
// 44.3.
func TestOffsetsAreUniformAndInclusive(t *testing.T) {
	s := open(t, t.TempDir(), 1<<20)
	fill(t, s, 9, 3, 15) // 10, 4 and 16 records; chunks of 6
	sm := sampler(t, s, SamplerConfig{BatchSize: 100, ChunkLength: 6, BitDepth: 5})
	counts := map[[2]int]float64{}
	var b Batch
	const draws = 160
	for range draws {
		if err := sm.Sample(context.Background(), &b); err != nil {
			t.Fatal(err)
		}
		for i := range b.B {
			counts[[2]int{b.EpisodeIDs[i], b.Offsets[i]}]++
		}
	}
	want, chi := float64(draws*100)/16, 0.0
	for _, n := range counts {
		chi += (n - want) * (n - want) / want
	}
	if len(counts) != 16 || counts[[2]int{0, 4}] == 0 || counts[[2]int{2, 10}] == 0 || chi > 44.3 {
		t.Fatalf("%d starts, chi-square %.1f: %v", len(counts), chi, counts)
	}
}

// TestBatchesOfOtherSizesAreRefused: their memory may belong to somebody who would
// not see another.
func TestBatchesOfOtherSizesAreRefused(t *testing.T) {
	s := open(t, t.TempDir(), 1<<20)
	fill(t, s, 9)
	sm := sampler(t, s, small)
	b := Batch{Rewards: make([]float32, 7)}
	if err := sm.Sample(t.Context(), &b); !errors.Is(err, ErrBatch) || !strings.Contains(err.Error(), "Rewards has 7 elements, the sampler fills 20") {
		t.Errorf("%v", err)
	}
	if len(b.Rewards) != 7 {
		t.Errorf("the memory was replaced by %d elements", len(b.Rewards))
	}
	own := make([]float32, 20)
	b.Rewards = own
	if err := sm.Sample(t.Context(), &b); err != nil || &b.Rewards[0] != &own[0] {
		t.Errorf("memory of the right size was not used (%v)", err)
	}
}

func TestTooShortEpisodesAreAClearError(t *testing.T) {
	s := open(t, t.TempDir(), 1<<20)
	fill(t, s, 3, 5)
	err := sampler(t, s, SamplerConfig{BatchSize: 1, ChunkLength: 7, BitDepth: 5}).Sample(context.Background(), &Batch{})
	if !errors.Is(err, ErrTooShort) || !strings.Contains(err.Error(), "of 7 records: the longest of 2 has 6") {
		t.Fatal(err)
	}
}

// TestBatchesDependOnStreamAndContentAlone samples from memory, from disk and
// after reopening, with equal streams.
func TestBatchesDependOnStreamAndContentAlone(t *testing.T) {
	dir := t.TempDir()
	whole := open(t, dir, 1<<30)
	fill(t, whole, 20, 21, 22, 23)
	var want []Batch
	draw := func(s *Store) (out []Batch) {
		sm := sampler(t, s, SamplerConfig{BatchSize: 8, ChunkLength: 5, BitDepth: 5})
		for range 6 {
			var b Batch
			if err := sm.Sample(context.Background(), &b); err != nil {
				t.Fatal(err)
			}
			out = append(out, b)
		}
		return out
	}
	want = draw(whole)
	starved := open(t, dir, 1)
	for i, got := range draw(starved) {
		if !slices.Equal(got.Images, want[i].Images) || !slices.Equal(got.Actions, want[i].Actions) || !slices.Equal(got.Offsets, want[i].Offsets) {
			t.Fatalf("batch %d differs", i)
		}
	}
	if most := int64(24 * schema.ImageSize()); starved.Memory() > most {
		t.Fatalf("%d bytes in memory, want at most one episode's %d", starved.Memory(), most)
	}
}

func TestFreshNoiseForEveryUse(t *testing.T) {
	s := open(t, t.TempDir(), 1<<20)
	fill(t, s, 4)
	sm := sampler(t, s, SamplerConfig{BatchSize: 1, ChunkLength: 5, BitDepth: 5})
	var a, b Batch
	for _, batch := range []*Batch{&a, &b} {
		if err := sm.Sample(context.Background(), batch); err != nil {
			t.Fatal(err)
		}
	}
	if slices.Equal(a.Images, b.Images) {
		t.Fatal("the same chunk has the same noise twice")
	}
}

func TestSamplingDoesNotAllocate(t *testing.T) {
	s := open(t, t.TempDir(), 1<<20)
	fill(t, s, 20)
	sm := sampler(t, s, SamplerConfig{BatchSize: 4, ChunkLength: 5, BitDepth: 5})
	var b Batch
	sample := func() {
		if err := sm.Sample(context.Background(), &b); err != nil {
			t.Fatal(err)
		}
	}
	sample()
	if n := testing.AllocsPerRun(20, sample); n > 0 {
		t.Fatalf("%v allocations for a batch", n)
	}
}

func TestTruncateToForgetsTheTail(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 1<<20)
	fill(t, s, 5, 6, 7)
	if err := s.TruncateTo(context.Background(), 1); err != nil {
		t.Fatal(err)
	}
	if s.Episodes() != 1 || s.Records() != 6 {
		t.Fatalf("%d episodes, %d records", s.Episodes(), s.Records())
	}
	if id, err := s.Append(context.Background(), counter(9, 4, 1)); err != nil || id != 1 {
		t.Fatalf("next id %d, %v", id, err)
	}
	if again := open(t, dir, 1<<20); again.Episodes() != 2 || again.Records() != 11 {
		t.Fatalf("reopened: %d episodes, %d records", again.Episodes(), again.Records())
	}
}

// TestBadFilesAreSkippedByName damages files in every way and expects the rest
// to be served.
func TestBadFilesAreSkippedByName(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 1<<20)
	fill(t, s, 5, 6, 7, 8, 9)
	path := func(i int) string { return filepath.Join(dir, episodeName(i)) }
	read := func(i int) []byte {
		data, err := os.ReadFile(path(i))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	write := func(name string, data []byte) {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(path(1), read(1)[:len(read(1))/2])
	write(path(2), nil)
	flipped := read(3)
	flipped[bytes.Index(flipped, []byte("\x93NUMPY"))+128+5] ^= 0x10 // in the first array's data
	write(path(3), flipped)
	other := &Episode{Images: make([]byte, 3*8), Actions: make([]float32, 3), Rewards: make([]float32, 3), Continues: make([]float32, 3), Vectors: make([]float32, 3)}
	var buf bytes.Buffer
	if err := other.write(&buf, Schema{Height: 4, Width: 2, Channels: 1, ActionSize: 1, VectorSize: 1}); err != nil {
		t.Fatal(err)
	}
	write(path(5), buf.Bytes())
	write(filepath.Join(dir, "000009.npz.tmp-1"), []byte("unfinished"))
	write(filepath.Join(dir, "notes.txt"), []byte("not ours"))

	var log bytes.Buffer
	again, err := Open(context.Background(), vfs.OS(), dir, schema, Config{MemoryBudget: 1 << 20}, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if again.Episodes() != 2 || len(again.Skipped()) != 4 {
		t.Fatalf("%d episodes, skipped %v", again.Episodes(), again.Skipped())
	}
	for _, i := range []int{1, 2, 3, 5} {
		if !slices.Contains(again.Skipped(), path(i)) || !strings.Contains(log.String(), episodeName(i)) {
			t.Errorf("%s is not named", episodeName(i))
		}
	}
	if !strings.Contains(log.String(), "[4 2 1]") && !strings.Contains(log.String(), "shape") {
		t.Errorf("the mismatch does not say the shape: %s", log.String())
	}
	if _, err := os.Stat(filepath.Join(dir, "000009.npz.tmp-1")); !os.IsNotExist(err) {
		t.Error("the unfinished file is still there")
	}
	if id, err := again.Append(context.Background(), counter(0, 4, 1)); err != nil || id != 6 {
		t.Fatalf("the next id is %d (%v): a skipped file must not be overwritten", id, err)
	}
}

func TestAppendRefusesWhatCannotBeLearnedFrom(t *testing.T) {
	s := open(t, t.TempDir(), 1<<20)
	for name, spoil := range map[string]func(*Episode){
		"short image":  func(e *Episode) { e.Images = e.Images[1:] },
		"NaN reward":   func(e *Episode) { e.Rewards[2] = float32(math.NaN()) },
		"Inf action":   func(e *Episode) { e.Actions[1] = float32(math.Inf(1)) },
		"first action": func(e *Episode) { e.Actions[0] = 1 },
		"first reward": func(e *Episode) { e.Rewards[0] = 1 },
		"no decision":  func(e *Episode) { *e = *counter(0, 0, 1) },
	} {
		e := counter(0, 4, 1)
		spoil(e)
		if _, err := s.Append(context.Background(), e); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if s.Episodes() != 0 {
		t.Error("a refused episode was stored")
	}
}

// failing makes the k-th change of the disk fail.
type failing struct {
	vfs.FS
	left int
}

var errDisk = errors.New("no space left on device")

func (f *failing) change(do func() error) error {
	if f.left--; f.left < 0 {
		return errDisk
	}
	return do()
}

func (f *failing) Create(path string) (file vfs.File, err error) {
	err = f.change(func() (err error) { file, err = f.FS.Create(path); return err })
	return file, err
}

func (f *failing) Rename(from, to string) error {
	return f.change(func() error { return f.FS.Rename(from, to) })
}

func (f *failing) SyncDir(path string) error {
	return f.change(func() error { return f.FS.SyncDir(path) })
}

// TestFailedAppendLeavesTheStoreWhole fails each change of the disk in turn:
// what is there afterwards is the store before or after, never a broken file.
// TestAppendRefusesWhatReadingWould: an episode beyond the limit of a file.
func TestAppendRefusesWhatReadingWould(t *testing.T) {
	large := Schema{Height: 1 << 10, Width: 1 << 10, Channels: 1, ActionSize: 1}
	s, err := Open(context.Background(), vfs.OS(), t.TempDir(), large, Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const n = maxEpisode >> 20 // records whose images alone are as much as is read
	ep := &Episode{Images: make([]byte, n<<20), Actions: make([]float32, n), Rewards: make([]float32, n), Continues: make([]float32, n)}
	if _, err := s.Append(context.Background(), ep); err == nil || !strings.Contains(err.Error(), "a file may hold 1073741824") {
		t.Errorf("%v", err)
	}
	if names, err := s.listIDs(); err != nil || len(names) > 0 {
		t.Errorf("it was written: %v %v", names, err)
	}
}

// TestMissingNamesWhatIsNotThere: neither what is there nor what is damaged.
func TestMissingNamesWhatIsNotThere(t *testing.T) {
	dir := t.TempDir()
	fill(t, open(t, dir, 1<<20), 3, 3, 3, 3)
	if err := errors.Join(os.Remove(filepath.Join(dir, episodeName(1))), os.WriteFile(filepath.Join(dir, episodeName(2)), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, 1<<20)
	if got, want := s.Missing(6), []string{s.path(1), s.path(4), s.path(5)}; !slices.Equal(got, want) {
		t.Errorf("missing %v, want %v", got, want)
	}
	if got := s.Missing(1); got != nil {
		t.Errorf("missing of the first alone: %v", got)
	}
}

func TestFailedAppendLeavesTheStoreWhole(t *testing.T) {
	for k := range 3 {
		dir := t.TempDir()
		disk := &failing{FS: vfs.OS(), left: math.MaxInt}
		s, err := Open(context.Background(), disk, dir, schema, Config{MemoryBudget: 1 << 20}, nil)
		if err != nil {
			t.Fatal(err)
		}
		fill(t, s, 5)
		disk.left = k
		if _, err := s.Append(context.Background(), counter(1, 6, 1)); !errors.Is(err, errDisk) {
			t.Fatalf("change %d: %v", k, err)
		}
		again := open(t, dir, 1<<20)
		if len(again.Skipped()) > 0 || again.Episodes() < 1 || again.Episodes() > 2 {
			t.Fatalf("change %d: %d episodes, skipped %v", k, again.Episodes(), again.Skipped())
		}
	}
}

// TestDequantise checks the table of the definition, y = floor(x/8)/32 + u - 0.5,
// and the noise: range, variance (1/32)^2/12 = 8.138e-5.
func TestDequantise(t *testing.T) {
	stream := rng.New(3, "bits")
	dst := make([]float32, 1000)
	for x, low := range map[byte]float32{0: -0.5, 7: -0.5, 8: -0.46875, 15: -0.46875, 127: -0.03125, 128: 0, 255: 0.46875} {
		if err := Dequantise(dst, bytes.Repeat([]byte{x}, len(dst)), 5, stream); err != nil {
			t.Fatal(err)
		}
		for _, y := range dst {
			if y < low || y >= low+1.0/32 {
				t.Fatalf("byte %d became %v, outside [%v, %v)", x, y, low, low+1.0/32)
			}
		}
	}
	big := make([]float32, 200000)
	if err := Dequantise(big, make([]byte, len(big)), 5, stream); err != nil {
		t.Fatal(err)
	}
	mean, variance := 0.0, 0.0
	for _, y := range big {
		mean += float64(y) / float64(len(big))
	}
	for _, y := range big {
		variance += (float64(y) - mean) * (float64(y) - mean) / float64(len(big))
	}
	if math.Abs(variance/8.138e-5-1) > 0.02 || math.Abs(mean-(-0.5+1.0/64)) > 1e-4 {
		t.Fatalf("mean %v, variance %v", mean, variance)
	}
}

// TestPerfectDecoderHasUnitError: a decoder that predicts bin centres has a
// squared error of 12288 (1/32)^2 / 12 = 1 for a 64x64x3 image of 5 bits.
func TestPerfectDecoderHasUnitError(t *testing.T) {
	stream := rng.New(4, "bits")
	src, y := make([]byte, 12288), make([]float32, 12288)
	total := 0.0
	const images = 40
	for range images {
		for i := range src {
			src[i] = byte(stream.Uint64())
		}
		if err := Dequantise(y, src, 5, stream); err != nil {
			t.Fatal(err)
		}
		for i, x := range src {
			d := float64(y[i]) - (float64(x/8)/32 + 1.0/64 - 0.5)
			total += d * d
		}
	}
	if total /= images; math.Abs(total-1) > 0.02 {
		t.Fatalf("squared error %v", total)
	}
}

func TestRoundTripIsIdempotentForEveryByte(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	y, back := make([]float32, 256), make([]byte, 256)
	for bits := 1; bits <= 8; bits++ {
		stream := rng.New(uint64(bits), "bits")
		for range 1000 {
			if err := errors.Join(Dequantise(y, all, bits, stream), Quantise(back, y, bits)); err != nil {
				t.Fatal(err)
			}
			for x, got := range back {
				if want := byte(x >> (8 - bits) << (8 - bits)); got != want {
					t.Fatalf("%d bits: byte %d came back as %d, want %d", bits, x, got, want)
				}
			}
		}
	}
}

// TestCentre compares with the mean of the samples of a bin.
func TestCentre(t *testing.T) {
	src := make([]byte, 256)
	for i := range src {
		src[i] = byte(i)
	}
	for depth := 1; depth <= 8; depth++ {
		got := make([]float32, len(src))
		if err := Centre(got, src, depth); err != nil {
			t.Fatal(err)
		}
		back := make([]byte, len(src))
		if err := Quantise(back, got, depth); err != nil {
			t.Fatal(err)
		}
		width := math.Ldexp(1, -depth)
		for i, y := range got {
			if want := float64(back[i])/256 + width/2 - 0.5; float64(y) != want || back[i] != src[i]>>(8-depth)<<(8-depth) {
				t.Fatalf("%d bits: byte %d is %v, want %v", depth, i, y, want)
			}
		}
	}
	if Centre(make([]float32, 1), nil, 5) == nil || Centre(nil, nil, 9) == nil {
		t.Error("accepted a wrong length or depth")
	}
}

func TestDequantiseAnyLength(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(t, "src")
		bits := rapid.IntRange(1, 8).Draw(t, "bits")
		dst := make([]float32, len(src))
		if err := Dequantise(dst, src, bits, rng.New(1, "x")); err != nil {
			t.Fatal(err)
		}
		for i, y := range dst {
			low := float32(src[i]>>(8-bits))/float32(int(1)<<bits) - 0.5
			if y < low || y >= low+1/float32(int(1)<<bits) {
				t.Fatalf("byte %d became %v", src[i], y)
			}
		}
	})
	if Dequantise(nil, nil, 9, nil) == nil || Dequantise(make([]float32, 1), nil, 5, nil) == nil {
		t.Fatal("nonsense accepted")
	}
}

func BenchmarkDequantise(b *testing.B) {
	src, dst, stream := make([]byte, 64*64*3*32), make([]float32, 64*64*3*32), rng.New(1, "bench")
	for b.Loop() {
		if err := Dequantise(dst, src, 5, stream); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/float64(len(src)), "ns/pixel")
}

func BenchmarkSample(b *testing.B) {
	large := Schema{Height: 64, Width: 64, Channels: 3, ActionSize: 1}
	s, err := Open(b.Context(), vfs.OS(), b.TempDir(), large, Config{MemoryBudget: 1 << 30}, nil)
	if err != nil {
		b.Fatal(err)
	}
	const n = 20
	e := &Episode{Images: make([]byte, n*large.ImageSize()), Actions: make([]float32, n), Rewards: make([]float32, n), Continues: make([]float32, n)}
	if _, err := s.Append(b.Context(), e); err != nil {
		b.Fatal(err)
	}
	sm, batch := sampler(b, s, SamplerConfig{BatchSize: 50, ChunkLength: 1, BitDepth: 5}), Batch{}
	b.ReportAllocs()
	for b.Loop() {
		if err := sm.Sample(b.Context(), &batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(batch.Images)), "ns/pixel")
}

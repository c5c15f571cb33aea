package live

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/internal/vfs/vfstest"
	"github.com/orrery-rl/orrery/metrics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func drawCounters(t *rapid.T) metrics.Counters {
	n := rapid.Int64Min(0)
	return metrics.Counters{EnvSteps: n.Draw(t, "env_steps"), Decisions: n.Draw(t, "decisions"), Updates: n.Draw(t, "updates"), Episodes: n.Draw(t, "episodes")}
}

func drawSize(t *rapid.T) Size {
	side := rapid.IntRange(1, 5)
	return Size{Height: side.Draw(t, "height"), Width: side.Draw(t, "width"), Channels: rapid.SampledFrom([]int{1, 3}).Draw(t, "channels")}
}

func drawFloats(t *rapid.T, n int, name string) []float32 {
	if n == 0 {
		return nil
	}
	v := rapid.OneOf(rapid.Float32(), rapid.SampledFrom([]float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))}))
	return rapid.SliceOfN(v, n, n).Draw(t, name)
}

func drawFrames(t *rapid.T, n int, size Size, name string) [][]byte {
	frame := rapid.SliceOfN(rapid.Byte(), size.Bytes(), size.Bytes())
	return rapid.SliceOfN(frame, n, n).Draw(t, name)
}

func drawDecision(t *rapid.T) Decision {
	d := Decision{Counters: drawCounters(t), Number: rapid.Int64Min(0).Draw(t, "number")}
	if rapid.Bool().Draw(t, "sees images") {
		d.Size = drawSize(t)
		d.Image = drawFrames(t, 1, d.Size, "image")[0]
	}
	a := rapid.IntRange(1, 4).Draw(t, "action size")
	d.Action = drawFloats(t, a, "action")
	d.Scores = drawFloats(t, rapid.IntRange(0, 20).Draw(t, "candidates"), "scores")
	for range rapid.IntRange(0, 4).Draw(t, "horizon") {
		d.Mean = append(d.Mean, drawFloats(t, a, "mean"))
		d.Std = append(d.Std, drawFloats(t, a, "std"))
	}
	if rapid.Bool().Draw(t, "discrete") {
		d.Std = nil
	}
	d.Reward, d.Predicted = drawFloats(t, 1, "reward")[0], drawFloats(t, 1, "predicted")[0]
	return d
}

func drawEpisode(t *rapid.T) Episode {
	n := rapid.IntRange(1, 6).Draw(t, "frames")
	size := drawSize(t)
	e := Episode{
		Counters: drawCounters(t), Number: rapid.Int64Min(0).Draw(t, "number"), First: rapid.Int64Min(0).Draw(t, "first"),
		Size: size, Context: rapid.IntRange(0, n).Draw(t, "context"),
		Real: drawFrames(t, n, size, "real"), Rewards: drawFloats(t, n, "rewards"),
	}
	if rapid.Bool().Draw(t, "has a model") {
		e.Reconstruction, e.Dream = drawFrames(t, n, size, "reconstruction"), drawFrames(t, n, size, "dream")
		e.Predicted = drawFloats(t, n, "predicted")
	}
	return e
}

func TestWhatIsShownIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fsys := vfstest.NewMem()
		dir := NewDir(fsys, "run", Config{})
		d, e := drawDecision(t), drawEpisode(t)
		dir.ShowDecision(d)
		dir.ShowEpisode(e)
		if err := dir.Close(); err != nil {
			t.Fatal(err)
		}
		gotD, err := ReadDecision(fsys, "run")
		if err != nil {
			t.Fatal(err)
		}
		gotE, err := ReadEpisode(fsys, "run")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]any{&d, &e}, []any{gotD, gotE}, cmpopts.EquateNaNs()); diff != "" {
			t.Error(diff)
		}
	})
}

// clock is moved by hand.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func TestDirTakesNoMoreThanItsRate(t *testing.T) {
	c := &clock{at: time.Unix(1, 0)}
	s := slot{every: time.Second, now: c.now}
	taken := 0
	for range 100 {
		if s.wants() {
			s.put([]byte{1})
			s.get()
			taken++
		}
		c.at = c.at.Add(100 * time.Millisecond)
	}
	if taken != 10 {
		t.Errorf("took %d in ten seconds at one a second", taken)
	}
}

func TestDirPassesOverWhatComesWhileTheDiskIsSlow(t *testing.T) {
	release := make(chan struct{})
	entered := make(chan struct{}, 10)
	fsys := vfstest.Intercept(vfstest.NewMem(), func(op vfstest.Op) error {
		if op.Kind == vfstest.Create {
			entered <- struct{}{}
			<-release
		}
		return nil
	})
	c := &clock{at: time.Unix(1, 0)}
	dir := NewDir(fsys, "run", Config{Decisions: time.Second, Now: c.now})
	dir.ShowDecision(Decision{Number: 1})
	<-entered
	c.at = c.at.Add(time.Second)
	for n := range int64(100) {
		dir.ShowDecision(Decision{Number: 2 + n}) // the first waits, the others are passed over
	}
	if dir.WantsDecision() {
		t.Error("wants a decision while one waits")
	}
	close(release)
	if err := dir.Close(); err != nil {
		t.Fatal(err)
	}
	if d, err := ReadDecision(fsys, "run"); err != nil || d.Number != 2 {
		t.Errorf("read %v, %v; want decision 2", d, err)
	}
}

func TestDirKeepsNothingOfWhatItIsShown(t *testing.T) {
	fsys := vfstest.NewMem()
	dir := NewDir(fsys, "run", Config{})
	action := []float32{1, 2}
	dir.ShowDecision(Decision{Action: action})
	action[0] = 9
	if err := dir.Close(); err != nil {
		t.Fatal(err)
	}
	d, err := ReadDecision(fsys, "run")
	if err != nil || d.Action[0] != 1 {
		t.Errorf("read %v, %v", d, err)
	}
}

func TestFailuresAreLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	full := errors.New("disk full")
	fsys := vfstest.Intercept(vfstest.NewMem(), func(op vfstest.Op) error {
		if op.Kind == vfstest.Create {
			return full
		}
		return nil
	})
	dir := NewDir(fsys, "run", Config{Log: slog.New(slog.NewTextHandler(&log, nil))})
	dir.ShowDecision(Decision{})
	dir.ShowEpisode(Episode{}) // invalid, too
	if err := dir.Close(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "live view"); n != 1 {
		t.Errorf("%d lines in the log:\n%s", n, log.String())
	}
	if _, err := ReadDecision(fsys, "run"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading gives %v", err)
	}
}

func TestReplacingLeavesNoTemporaryFile(t *testing.T) {
	run := t.TempDir()
	for n := range int64(3) {
		dir := NewDir(vfs.OS(), run, Config{})
		dir.ShowDecision(Decision{Number: n})
		if err := dir.Close(); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := vfs.OS().ReadDir(filepath.Join(run, DirName))
	if err != nil || len(entries) != 1 {
		t.Errorf("the directory holds %v, %v", entries, err)
	}
	if d, err := ReadDecision(vfs.OS(), run); err != nil || d.Number != 2 {
		t.Errorf("read %v, %v", d, err)
	}
}

func TestWhatCannotBeShownIsRefused(t *testing.T) {
	size := Size{2, 2, 1}
	frame := []byte{1, 2, 3, 4}
	good := Episode{Size: size, Real: [][]byte{frame, frame}, Rewards: []float32{0, 1}, Context: 1}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	episodes := map[string]func(*Episode){
		"no images":            func(e *Episode) { e.Size, e.Real = Size{}, nil },
		"two channels":         func(e *Episode) { e.Size.Channels = 2 },
		"a short frame":        func(e *Episode) { e.Real = [][]byte{frame, frame[:3]} },
		"too few dreams":       func(e *Episode) { e.Dream = [][]byte{frame} },
		"a context beyond":     func(e *Episode) { e.Context = 3 },
		"too few rewards":      func(e *Episode) { e.Rewards = e.Rewards[:1] },
		"too few predictions":  func(e *Episode) { e.Predicted = []float32{1} },
		"a negative number":    func(e *Episode) { e.Number = -1 },
		"a frame of megabytes": func(e *Episode) { e.Size = Size{1 << 11, 1 << 11, 1} },
	}
	for name, change := range episodes {
		e := good
		change(&e)
		if err := e.Validate(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	decisions := map[string]Decision{
		"an image of another size": {Size: size, Image: frame[:2]},
		"a ragged mean":            {Mean: [][]float32{{1, 2}, {1}}},
		"another std":              {Mean: [][]float32{{1}}, Std: [][]float32{{1}, {1}}},
		"rows without components":  {Mean: [][]float32{{}}},
		"too many scores":          {Scores: make([]float32, MaxScores+1)},
		"a negative number":        {Number: -1},
	}
	for name, d := range decisions {
		if err := d.Validate(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryDamagedByteIsNoticed(t *testing.T) {
	data, err := encodeDecision(&Decision{Size: Size{1, 1, 3}, Image: []byte{1, 2, 3}, Action: []float32{1}, Scores: []float32{1, 2}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		bad := bytes.Clone(data)
		bad[i] ^= 0x41
		if _, err := decodeDecision(bad); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("byte %d: %v", i, err)
		}
		if _, err := decodeDecision(data[:i]); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
	if _, err := decodeEpisode(data); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a decision read as an episode: %v", err)
	}
}

// seal makes a file of a header and a body, with a correct checksum.
func seal(header string, body []byte) []byte {
	out := binary.LittleEndian.AppendUint32([]byte(magic), uint32(len(header)))
	out = append(append(out, header...), body...)
	return binary.LittleEndian.AppendUint32(out, crc32.Checksum(out, castagnoli))
}

func TestHeadersThatLieAreRefused(t *testing.T) {
	for _, h := range []string{
		`{"kind":"decision","scores":65536,"rewards":1,"predicted":1}`,
		`{"kind":"decision","scores":-1,"rewards":2,"predicted":1}`,
		`{"kind":"decision","mean":[65536,65536],"rewards":1,"predicted":1}`,
		`{"kind":"decision","mean":[9223372036854775807,2],"rewards":1,"predicted":1}`,
		`{"kind":"decision","real":2,"rewards":1,"predicted":1}`,
		`{"kind":"decision","number":-4,"rewards":1,"predicted":1}`,
		`{"kind":"decision","size":{"height":1000000,"width":1000000,"channels":3},"rewards":1,"predicted":1}`,
		`{"kind":"decision"}`, `{"kind":"other"}`, `[]`, ``,
	} {
		if _, err := decodeDecision(seal(h, make([]byte, 8))); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", h, err)
		}
	}
	if _, err := decodeDecision(seal(`{"kind":"decision","rewards":1,"predicted":1}`, make([]byte, 8))); err != nil {
		t.Errorf("the smallest decision: %v", err)
	}
}

func TestLargeFilesCostNoMemory(t *testing.T) {
	fsys := vfstest.NewMem()
	if err := fsys.MkdirAll(filepath.Join("run", DirName)); err != nil {
		t.Fatal(err)
	}
	f, err := fsys.Create(EpisodePath("run"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(make([]byte, MaxBytes+1)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadEpisode(fsys, "run"); !errors.Is(err, vfs.ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}

// FuzzDecode demands an error or something that can be shown again.
func FuzzDecode(f *testing.F) {
	d, _ := encodeDecision(&Decision{Size: Size{1, 2, 3}, Image: make([]byte, 6), Action: []float32{1}, Scores: []float32{1, 2}, Mean: [][]float32{{1}}, Std: [][]float32{{2}}})
	e, _ := encodeEpisode(&Episode{Size: Size{1, 1, 1}, Real: [][]byte{{1}, {2}}, Dream: [][]byte{{1}, {2}}, Rewards: []float32{1, 2}, Context: 1})
	f.Add(d[len(magic)+4 : len(d)-4])
	f.Add(e[len(magic)+4 : len(e)-4])
	f.Fuzz(func(t *testing.T, text []byte) {
		end := bytes.LastIndexByte(text, '}') + 1
		for _, data := range [][]byte{text, seal(string(text[:end]), text[end:]), seal(string(text), nil)} {
			if d, err := decodeDecision(data); err == nil {
				if _, err := encodeDecision(d); err != nil {
					t.Error(err)
				}
			} else if !errors.Is(err, ErrCorrupt) {
				t.Error(err)
			}
			if e, err := decodeEpisode(data); err == nil {
				if _, err := encodeEpisode(e); err != nil {
					t.Error(err)
				}
			} else if !errors.Is(err, ErrCorrupt) {
				t.Error(err)
			}
		}
	})
}

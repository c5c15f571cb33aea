package tensorboard

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/internal/vfs/vfstest"
	"github.com/orrery-rl/orrery/metrics"
)

// TestFirstRecordIsTensorFlows compares with the bytes that every event file of
// TensorFlow begins with, its time aside.
func TestFirstRecordIsTensorFlows(t *testing.T) {
	got := hex.EncodeToString(appendRecord(nil, versionEvent(time.Unix(0, 0))))
	want := "1800000000000000" + "a37f4b22" + // length and its checksum
		"09" + "0000000000000000" + "1a0d" + hex.EncodeToString([]byte("brain.Event:2"))
	if !strings.HasPrefix(got, want) || len(got) != len(want)+8 {
		t.Errorf("record %s, want %s and four bytes", got, want)
	}
}

// TestChecksumIsMaskedCRC32C: 0xe3069283 is CRC-32C's check value in RFC 3720.
func TestChecksumIsMaskedCRC32C(t *testing.T) {
	crc := uint32(0xe3069283)
	if got, want := masked([]byte("123456789")), (crc>>15|crc<<17)+0xa282ead8; got != want {
		t.Errorf("checksum %08x, want %08x", got, want)
	}
}

// field is one decoded field of a message.
type field struct {
	number uint64
	varint uint64
	bytes  []byte
}

// fields decodes a message strictly.
func fields(t testing.TB, m []byte) (out []field) {
	t.Helper()
	uvarint := func() uint64 {
		v, n := binary.Uvarint(m)
		if n <= 0 {
			t.Fatalf("bad varint in % x", m)
		}
		m = m[n:]
		return v
	}
	for len(m) > 0 {
		key := uvarint()
		f := field{number: key >> 3}
		switch key & 7 {
		case wireVarint:
			f.varint = uvarint()
		case wireFixed64:
			f.varint, m = binary.LittleEndian.Uint64(m), m[8:]
		case wireBytes:
			n := uvarint()
			f.bytes, m = m[:n], m[n:]
		default:
			t.Fatalf("wire type %d", key&7)
		}
		out = append(out, f)
	}
	return out
}

// first is the first field of a number, which must be there.
func first(t testing.TB, m []byte, number uint64) field {
	t.Helper()
	for _, f := range fields(t, m) {
		if f.number == number {
			return f
		}
	}
	t.Fatalf("no field %d in % x", number, m)
	return field{}
}

// shown is one value of a file as TensorBoard would understand it.
type shown struct {
	step int64
	tag  string
	v    float64 // of scalars
	text [][]byte
	meta bool
}

// decode checks the framing of a file and returns its values and the steps of
// its session starts.
func decode(t testing.TB, data []byte) (values []shown, starts []int64) {
	t.Helper()
	for len(data) > 0 {
		n := binary.LittleEndian.Uint64(data)
		if got := binary.LittleEndian.Uint32(data[8:]); got != masked(data[:8]) {
			t.Fatal("checksum of a length")
		}
		body := data[12:][:n]
		if got := binary.LittleEndian.Uint32(data[12+n:]); got != masked(body) {
			t.Fatal("checksum of a record")
		}
		data = data[16+n:]
		var step int64
		for _, f := range fields(t, body) {
			switch f.number {
			case 2:
				step = int64(f.varint)
			case 7:
				starts = append(starts, step)
			case 5:
				for _, v := range fields(t, f.bytes) {
					values = append(values, decodeValue(t, step, v.bytes))
				}
			}
		}
	}
	return values, starts
}

func decodeValue(t testing.TB, step int64, m []byte) shown {
	t.Helper()
	s := shown{step: step, tag: string(first(t, m, 1).bytes)}
	for _, f := range fields(t, m) {
		s.meta = s.meta || f.number == 9
	}
	tensor := first(t, m, 8).bytes
	if first(t, tensor, 1).varint == typeFloat {
		s.v = float64(math.Float32frombits(binary.LittleEndian.Uint32(first(t, tensor, 5).bytes)))
		return s
	}
	for _, f := range fields(t, tensor) {
		if f.number == 8 {
			s.text = append(s.text, f.bytes)
		}
	}
	return s
}

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func at(kind string, episodes, updates int64, values map[string]float64) metrics.Event {
	return metrics.Event{
		Kind: kind, Time: start.Add(time.Duration(episodes+updates) * time.Second), Values: values,
		Counters: metrics.Counters{EnvSteps: 1000 * episodes, Decisions: 125 * episodes, Updates: updates, Episodes: episodes},
	}
}

func began(c metrics.Counters) metrics.Event {
	return metrics.Event{Kind: metrics.KindRun, Time: start, Counters: c, Text: map[string]string{"backend": "cpu | avx"}}
}

// process is a process that works on a run: its truth and the sink.
func process(t testing.TB, fsys vfs.FS, upTo metrics.Counters, pictures func(metrics.Event) ([]Picture, error)) (*metrics.Recorder, *Sink) {
	t.Helper()
	truth := truth(t, fsys, upTo)
	sink, err := New(config(fsys, pictures))
	if err != nil {
		t.Fatal(err)
	}
	return metrics.NewRecorder(truth, nil, sink), sink
}

func truth(t testing.TB, fsys vfs.FS, upTo metrics.Counters) metrics.Sink {
	t.Helper()
	if err := fsys.MkdirAll("run"); err != nil {
		t.Fatal(err)
	}
	truth, _, err := metrics.OpenJSONL(fsys, filepath.Join("run", "metrics.jsonl"), upTo)
	if err != nil {
		t.Fatal(err)
	}
	return truth
}

func config(fsys vfs.FS, pictures func(metrics.Event) ([]Picture, error)) Config {
	return Config{FS: fsys, Source: filepath.Join("run", "metrics.jsonl"), Dir: filepath.Join("run", "tensorboard"), Pictures: pictures, Notes: map[string]string{"config": "seed: 1"}}
}

func record(t testing.TB, r *metrics.Recorder, events ...metrics.Event) {
	t.Helper()
	for _, e := range events {
		if err := r.Record(e); err != nil {
			t.Fatal(err)
		}
	}
}

// onlyFile is the one file of the directory.
func onlyFile(t testing.TB, fsys vfs.FS) (string, []byte) {
	t.Helper()
	names, _, err := list(fsys, filepath.Join("run", "tensorboard"))
	if err != nil || len(names) != 1 {
		t.Fatalf("files %q (%v), want one", names, err)
	}
	data, err := vfs.ReadFile(fsys, filepath.Join("run", "tensorboard", names[0]), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return names[0], data
}

func closed(t testing.TB, r *metrics.Recorder) {
	t.Helper()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestScalarsAreKeyedByEnvSteps(t *testing.T) {
	fsys := vfstest.NewMem()
	r, _ := process(t, fsys, metrics.Counters{}, nil)
	record(t, r, began(metrics.Counters{}), at(metrics.KindEpisode, 1, 0, map[string]float64{"return/train:reward": 12.5}),
		at(metrics.KindUpdate, 1, 10, map[string]float64{"loss/kl:nats": math.Inf(1)}), at(metrics.KindEpisode, 2, 10, map[string]float64{"return/train:reward": 20}))
	closed(t, r)
	_, data := onlyFile(t, fsys)
	values, starts := decode(t, data)
	if diff := cmp.Diff([]int64{0}, starts); diff != "" {
		t.Errorf("session starts: %s", diff)
	}
	var got []string
	for _, v := range values {
		if v.text == nil {
			got = append(got, fmt.Sprintf("%d %s %v %v", v.step, v.tag, v.v, v.meta))
		}
	}
	want := []string{
		"1000 return/train:reward 12.5 true", "1000 counter/decisions:decisions 125 true", "1000 counter/updates:updates 0 true", "1000 counter/episodes:episodes 1 true",
		"1000 loss/kl:nats +Inf true",
		"2000 return/train:reward 20 false", "2000 counter/decisions:decisions 250 false", "2000 counter/updates:updates 10 false", "2000 counter/episodes:episodes 2 false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("scalars (-want +got):\n%s", diff)
	}
	if !bytes.Contains(data, []byte("Training episodes collected")) || !bytes.Contains(data, []byte("Healthy: ")) {
		t.Error("metrics are not described")
	}
	if !bytes.Contains(data, []byte(`| backend | cpu \| avx |`)) || !bytes.Contains(data, []byte("seed: 1")) {
		t.Error("the notes of the run are missing")
	}
}

// TestResumedRunIsShownOnce: what the killed process wrote beyond its snapshot
// does not appear twice, and the projection equals one made afterwards.
func TestResumedRunIsShownOnce(t *testing.T) {
	fsys := vfstest.NewMem()
	update := func(n int64) metrics.Event {
		return at(metrics.KindUpdate, 1, n, map[string]float64{"loss/kl:nats": float64(n)})
	}
	r, _ := process(t, fsys, metrics.Counters{}, nil)
	record(t, r, began(metrics.Counters{}), at(metrics.KindEpisode, 1, 0, nil), update(10), update(20), at(metrics.KindEpisode, 2, 20, nil))
	first, _ := onlyFile(t, fsys) // and the process is killed
	r, _ = process(t, fsys, update(10).Counters, nil)
	record(t, r, began(update(10).Counters), update(20), at(metrics.KindEpisode, 2, 20, nil))
	closed(t, r)
	second, data := onlyFile(t, fsys)
	if second <= first {
		t.Errorf("the new file %s does not come after %s", second, first)
	}
	values, _ := decode(t, data)
	var kl []float64
	for _, v := range values {
		if v.tag == "loss/kl:nats" {
			kl = append(kl, v.v)
		}
	}
	if diff := cmp.Diff([]float64{10, 20}, kl); diff != "" {
		t.Errorf("updates (-want +got):\n%s", diff)
	}
	done, err := Convert(config(fsys, nil))
	if err != nil || done.Events != 6 {
		t.Fatalf("%+v, %v", done, err)
	}
	if _, again := onlyFile(t, fsys); !bytes.Equal(data, again) {
		t.Error("the file written live and the one written afterwards differ")
	}
}

// TestLiveFileEqualsTheConverted for any history, with processes that are killed
// at any event.
func TestLiveFileEqualsTheConverted(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fsys := vfstest.NewMem()
		var upTo metrics.Counters
		r, _ := process(t, fsys, upTo, nil)
		record(t, r, began(upTo))
		history := []metrics.Counters{upTo}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.IntRange(0, 3).Draw(rt, "what") {
			case 0:
				upTo = history[rapid.IntRange(0, len(history)-1).Draw(rt, "back to")]
				r, _ = process(t, fsys, upTo, nil)
				record(t, r, began(upTo))
				history = append(history[:0], upTo)
			case 1:
				upTo.Episodes, upTo.EnvSteps = upTo.Episodes+1, upTo.EnvSteps+1000
				record(t, r, metrics.Event{Kind: metrics.KindEpisode, Time: start, Counters: upTo})
				history = append(history, upTo)
			default:
				upTo.Updates += 10
				record(t, r, metrics.Event{Kind: metrics.KindUpdate, Time: start, Counters: upTo, Values: map[string]float64{"loss/kl:nats": float64(upTo.Updates)}})
				history = append(history, upTo)
			}
		}
		closed(t, r)
		_, live := onlyFile(t, fsys)
		if _, err := Convert(config(fsys, nil)); err != nil {
			t.Fatal(err)
		}
		if _, after := onlyFile(t, fsys); !bytes.Equal(live, after) {
			rt.Fatal("the live file differs from the converted one")
		}
	})
}

// TestSinkThatLagsShowsEventsOnce: a sink in the background finds more in the
// source than it has been given.
func TestSinkThatLagsShowsEventsOnce(t *testing.T) {
	fsys := vfstest.NewMem()
	events := []metrics.Event{began(metrics.Counters{})}
	for n := range int64(5) {
		events = append(events, metrics.Event{Kind: metrics.KindUpdate, Time: start.Add(time.Duration(n)), Counters: metrics.Counters{Updates: 10 * n},
			Values: map[string]float64{"loss/kl:nats": float64(n)}})
	}
	ahead := metrics.NewRecorder(truth(t, fsys, metrics.Counters{}), nil)
	record(t, ahead, events...)
	closed(t, ahead)
	s, err := New(config(fsys, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if err := s.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, live := onlyFile(t, fsys)
	if _, err := Convert(config(fsys, nil)); err != nil {
		t.Fatal(err)
	}
	if _, after := onlyFile(t, fsys); !bytes.Equal(live, after) {
		t.Error("the file of a sink that lags differs from the converted one")
	}
}

// TestFailedWriteIsRepaired: the next event finds a new, whole file.
func TestFailedWriteIsRepaired(t *testing.T) {
	mem := vfstest.NewMem()
	broken := errors.New("disk full")
	armed := false
	fsys := vfstest.Intercept(mem, func(op vfstest.Op) error {
		if armed && op.Kind == vfstest.Write && strings.Contains(op.Path, "tfevents") {
			armed = false
			return broken
		}
		return nil
	})
	r, sink := process(t, fsys, metrics.Counters{}, nil)
	record(t, r, began(metrics.Counters{}))
	armed = true
	record(t, r, at(metrics.KindEpisode, 1, 0, nil))
	if sink.file != nil {
		t.Error("the sink goes on with a torn file")
	}
	record(t, r, at(metrics.KindEpisode, 2, 0, nil))
	closed(t, r)
	_, live := onlyFile(t, mem)
	values, _ := decode(t, live)
	if last := values[len(values)-1]; last.step != 2000 {
		t.Errorf("the last step is %d, want 2000", last.step)
	}
	if _, err := Convert(config(mem, nil)); err != nil {
		t.Fatal(err)
	}
	if _, after := onlyFile(t, mem); !bytes.Equal(live, after) {
		t.Error("the repaired file is not whole")
	}
}

// TestFailureThatLastsCostsLittle: a full disk is not asked at every event for
// room for the whole history, and the file is whole once there is some.
func TestFailureThatLastsCostsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := vfstest.NewMem()
		full, tries := false, 0
		fsys := vfstest.Intercept(mem, func(op vfstest.Op) error {
			if !full || op.Kind != vfstest.Write || !strings.Contains(op.Path, "tfevents") {
				return nil
			}
			tries++
			return errors.New("disk full")
		})
		r, _ := process(t, fsys, metrics.Counters{}, nil)
		record(t, r, began(metrics.Counters{}))
		n := int64(0)
		hour := func() {
			t.Helper()
			for range 360 {
				time.Sleep(10 * time.Second)
				n++
				record(t, r, at(metrics.KindUpdate, 0, n, nil))
			}
		}
		whole := func(when string) {
			t.Helper()
			_, live := onlyFile(t, mem)
			if _, err := Convert(config(mem, nil)); err != nil {
				t.Fatal(err)
			}
			if _, after := onlyFile(t, mem); !bytes.Equal(live, after) {
				t.Errorf("%s, the file is not whole", when)
			}
		}
		full = true
		hour()
		if tries < 10 || tries > 30 {
			t.Errorf("%d tries in an hour with 360 events", tries)
		}
		full = false
		hour()
		whole("after an hour with room")
		full = true
		hour()
		full = false
		closed(t, r)
		whole("at the end")
	})
}

// TestFailureAtTheEndIsTold: the last attempt is made by Close.
func TestFailureAtTheEndIsTold(t *testing.T) {
	full := false
	fsys := vfstest.Intercept(vfstest.NewMem(), func(op vfstest.Op) error {
		if full && op.Kind == vfstest.Write && strings.Contains(op.Path, "tfevents") {
			return errors.New("disk full")
		}
		return nil
	})
	_, sink := process(t, fsys, metrics.Counters{}, nil)
	truth := truth(t, fsys, metrics.Counters{})
	if err := truth.Write(began(metrics.Counters{})); err != nil {
		t.Fatal(err)
	}
	full = true
	for range 5 {
		if err := sink.Write(began(metrics.Counters{})); err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Errorf("an event that is not written: %v", err)
		}
	}
	if err := sink.Close(); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("the end: %v", err)
	}
}

func TestPicturesAreShownAndTheirFailureLosesNothingElse(t *testing.T) {
	fsys := vfstest.NewMem()
	r, _ := process(t, fsys, metrics.Counters{}, func(e metrics.Event) ([]Picture, error) {
		switch e.Counters.Episodes {
		case 1:
			return []Picture{{Tag: "episode/strip", About: "frames", Image: image.NewRGBA(image.Rect(0, 0, 8, 4))}}, nil
		case 2:
			return nil, errors.New("no such episode")
		}
		return nil, nil
	})
	record(t, r, began(metrics.Counters{}), at(metrics.KindEpisode, 1, 0, nil), at(metrics.KindEpisode, 2, 0, map[string]float64{"return/train:reward": 7}))
	closed(t, r)
	_, data := onlyFile(t, fsys)
	values, _ := decode(t, data)
	pictures, returns := 0, 0
	for _, v := range values {
		if v.tag == "return/train:reward" {
			returns++
		}
		if v.tag != "episode/strip" {
			continue
		}
		pictures++
		img, err := png.Decode(bytes.NewReader(v.text[2]))
		if err != nil || string(v.text[0]) != "8" || string(v.text[1]) != "4" || img.Bounds().Dx() != 8 {
			t.Errorf("picture %q x %q: %v", v.text[0], v.text[1], err)
		}
	}
	if pictures != 1 || returns != 1 {
		t.Errorf("%d pictures and %d returns, want one of each", pictures, returns)
	}
}

func TestConvertCountsDamagedLinesAndRefusesNothing(t *testing.T) {
	fsys := vfstest.NewMem()
	r, _ := process(t, fsys, metrics.Counters{}, nil)
	record(t, r, began(metrics.Counters{}))
	closed(t, r)
	f, err := fsys.Append(filepath.Join("run", "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("nonsense\n")); err != nil {
		t.Fatal(err)
	}
	if done, err := Convert(config(fsys, nil)); err != nil || done.Events != 1 || done.Damaged != 1 {
		t.Errorf("%+v, %v; want one event and one damaged line", done, err)
	}
	c := config(fsys, nil)
	c.Source, c.Dir = "absent.jsonl", "absent"
	if _, err := Convert(c); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v of a missing source, want fs.ErrNotExist", err)
	}
	if _, err := fsys.Stat("absent"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing source leaves a directory (%v)", err)
	}
	if err := vfs.WriteFileDurable(fsys, filepath.Join("run", "empty.jsonl"), func(io.Writer) error { return nil }); err != nil {
		t.Fatal(err)
	}
	_, before := onlyFile(t, fsys)
	c = config(fsys, nil)
	c.Source = filepath.Join("run", "empty.jsonl")
	if _, err := Convert(c); !errors.Is(err, ErrNoEvents) {
		t.Errorf("error %v, want ErrNoEvents", err)
	}
	if _, after := onlyFile(t, fsys); !bytes.Equal(after, before) {
		t.Error("a source without events replaces what was there")
	}
}

// TestOfflineRunsAreKeyedByUpdates, since they take no steps in an environment.
func TestOfflineRunsAreKeyedByUpdates(t *testing.T) {
	fsys := vfstest.NewMem()
	r, _ := process(t, fsys, metrics.Counters{}, nil)
	record(t, r, metrics.Event{Kind: metrics.KindRun, Time: start, Text: map[string]string{"mode": "offline"}},
		metrics.Event{Kind: metrics.KindUpdate, Time: start, Counters: metrics.Counters{Updates: 30}, Values: map[string]float64{"loss/kl:nats": 3}})
	closed(t, r)
	_, data := onlyFile(t, fsys)
	values, _ := decode(t, data)
	if last := values[len(values)-1]; last.step != 30 || last.tag != "loss/kl:nats" {
		t.Errorf("%+v, want loss/kl:nats at step 30", last)
	}
}

package learn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/format/npz"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/plan"
	"github.com/orrery-rl/orrery/replay"
	"github.com/orrery-rl/orrery/worldmodel"
)

// storeFor is the episodes of an environment in a directory.
func storeFor(t testing.TB, dir string, e env.Env) *replay.Store {
	t.Helper()
	s := e.Spec()
	store, err := replay.Open(context.Background(), vfs.OS(), dir, replay.Schema{
		Height: s.Image.Height, Width: s.Image.Width, Channels: s.Image.Channels, ActionSize: s.Action.Size, VectorSize: s.VectorSize,
	}, replay.Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// recorded are n random episodes of toy-dot in a directory of their own.
func recorded(t testing.TB, n int) string {
	t.Helper()
	dir, e := t.TempDir(), newToy(t)
	store := storeFor(t, dir, e)
	defer store.Close()
	for i := range n {
		out, err := single(context.Background(), e, uint64(i), 0, drawn(uniform(e.Spec().Action, rng.New(uint64(i), "a"))))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Append(context.Background(), out.episode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func openData(t testing.TB, dirs ...string) *Data {
	t.Helper()
	d, err := OpenData(context.Background(), vfs.OS(), dirs, DataConfig{ChunkLength: 6, HoldOut: 3, Memory: 1 << 20}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// offline is a tiny run in dir.
func offline(t testing.TB, dir string, d *Data) OfflineParts {
	t.Helper()
	p := parts(t, dir, newToy(t))
	p.Schedule.Offline = OfflineConfig{Episodes: []string{"x"}, Updates: 12, HoldOut: 3, ValidateEvery: 5, EvalEvery: 4, SaveEvery: 3}
	return OfflineParts{
		FS: p.FS, Dir: dir, Data: d, NewEnv: p.NewEnv, Backend: p.Backend, Model: p.Model, Optimiser: p.Optimiser, Plan: p.Plan,
		BitDepth: 5, Schedule: p.Schedule, Seed: 7, Config: p.Config,
	}
}

func trainOffline(t testing.TB, ctx context.Context, p OfflineParts) error {
	t.Helper()
	o, err := OpenOffline(context.WithoutCancel(ctx), p)
	if err != nil {
		t.Fatal(err)
	}
	err = o.Train(ctx)
	if closeErr := o.Close(); closeErr != nil {
		t.Fatal(closeErr)
	}
	return err
}

// leftBy is everything that must not depend on interruptions.
func leftBy(t testing.TB, dir string) (snapshot any, events []metrics.Event) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, episodesDir), 0o755); err != nil { // contents lists it
		t.Fatal(err)
	}
	s, episodes, events := contents(t, dir)
	if len(episodes) > 0 {
		t.Errorf("%d episodes were copied", len(episodes))
	}
	return s, events
}

func TestOfflineSchedule(t *testing.T) {
	data, dir := recorded(t, 7), t.TempDir()
	before, rest := files(t, data), filepath.Join(dir, BadBatchName(5)+".tmp-123")
	if err := os.WriteFile(rest, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := trainOffline(t, context.Background(), offline(t, dir, openData(t, data))); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(rest); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the rest of an interrupted write is still there (%v)", err)
	}
	if !maps.Equal(files(t, data), before) {
		t.Error("the episodes, or what is beside them, have changed")
	}
	_, events := leftBy(t, dir)
	var got []string
	for _, e := range events {
		got = append(got, fmt.Sprint(e.Kind[:3], e.Counters.Updates))
		if e.Counters != (metrics.Counters{Updates: e.Counters.Updates}) {
			t.Errorf("counters %+v: nothing is collected", e.Counters)
		}
		for name := range e.Values {
			if _, ok := metrics.Lookup(name); !ok {
				t.Errorf("%s is not in the catalogue", name)
			}
		}
	}
	if want := "upd3 eva4 val5 upd6 eva8 upd9 val10 upd12 val12 eva12"; strings.Join(got, " ") != want {
		t.Errorf("events %v, want %s", got, want)
	}
	last := events[len(events)-2].Values
	for _, name := range []string{"validation/total:nats", "validation/image:nats", "validation/kl:nats"} {
		if v, ok := last[name]; !ok || !finite(v) || v <= 0 {
			t.Errorf("%s is %v, %v", name, v, ok)
		}
	}
	w, err := LoadWeights(context.Background(), vfs.OS(), dir)
	if err != nil || w.Counters.Updates != 12 || w.Dims != newModel(t, newToy(t)).Dims() {
		t.Errorf("%+v, %v", w, err)
	}
}

// files are all files below a directory with their contents and times.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = info.ModTime().String() + string(data)
	}
	return out
}

// TestInterruptedOfflineRunsEndIdentically cancels after one update, two, …, in
// evaluations too, and resumes until the run is complete.
func TestInterruptedOfflineRunsEndIdentically(t *testing.T) {
	data, whole := recorded(t, 7), t.TempDir()
	d := openData(t, data)
	if err := trainOffline(t, context.Background(), offline(t, whole, d)); err != nil {
		t.Fatal(err)
	}
	wantSnapshot, wantEvents := leftBy(t, whole)
	for _, every := range []int{2, 12} {
		dir, stops := t.TempDir(), 0
		for ; ; stops++ {
			ctx, cancel := context.WithCancel(context.Background())
			p, left := offline(t, dir, d), new(atomic.Int64)
			left.Store(int64(every * (10 + stops)))
			p.NewEnv = func() (env.Env, error) { return &interrupting{newToy(t), left, cancel}, nil }
			seen := 0
			p.Listeners = []metrics.Sink{sinkFunc(func(metrics.Event) {
				if seen++; seen > every {
					cancel()
				}
			})}
			err := trainOffline(t, ctx, p)
			cancel()
			if err == nil {
				break
			}
			if !errors.Is(err, ErrInterrupted) {
				t.Fatal(err)
			}
			if stops > 100 {
				t.Fatal("no progress")
			}
		}
		if stops == 0 {
			t.Error("the run was never interrupted: the test proves nothing")
		}
		gotSnapshot, gotEvents := leftBy(t, dir)
		if !reflect.DeepEqual(gotSnapshot, wantSnapshot) {
			t.Errorf("every %d: the snapshots differ", every)
		}
		if !reflect.DeepEqual(gotEvents, wantEvents) {
			t.Errorf("every %d: the events differ:\n%v\nwant\n%v", every, gotEvents, wantEvents)
		}
	}
}

type sinkFunc func(metrics.Event)

func (f sinkFunc) Write(e metrics.Event) error { f(e); return nil }
func (f sinkFunc) Close() error                { return nil }

// TestOfflineRunsGoOnOnlyWithTheirEpisodes, and only offline.
func TestOfflineRunsGoOnOnlyWithTheirEpisodes(t *testing.T) {
	data, dir := recorded(t, 7), t.TempDir()
	if err := trainOffline(t, context.Background(), offline(t, dir, openData(t, data))); err != nil {
		t.Fatal(err)
	}
	for want, d := range map[string]*Data{
		"learns from other episodes: 5 of 255 records and 2 held out, not 4 of 204 and 2": openData(t, recorded(t, 6)),
		"or other values in them": openData(t, recorded(t, 7), recorded(t, 1)),
	} {
		_, err := OpenOffline(context.Background(), offline(t, dir, d))
		if !errors.Is(err, ErrParts) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
	if _, err := Open(context.Background(), parts(t, dir, newToy(t))); !errors.Is(err, ErrParts) || !strings.Contains(err.Error(), "--offline") {
		t.Errorf("as a run that collects: %v", err)
	}
	online := t.TempDir()
	if _, err := train(t, context.Background(), parts(t, online, newToy(t))); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenOffline(context.Background(), offline(t, online, openData(t, data))); !errors.Is(err, ErrParts) || !strings.Contains(err.Error(), "collects its own episodes") {
		t.Errorf("a run that collects, offline: %v", err)
	}
	// A copy elsewhere under other names is as good.
	moved := t.TempDir()
	for name := range files(t, data) {
		bytes, err := os.ReadFile(filepath.Join(data, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(moved, "copy-"+name), bytes, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := offline(t, dir, openData(t, moved))
	p.Schedule.Offline.Updates = 14
	if err := trainOffline(t, context.Background(), p); err != nil {
		t.Fatal(err)
	}
}

// TestOfflineWithoutAnEnvironment: it learns, starts from weights, keeps parts
// frozen.
func TestOfflineWithoutAnEnvironment(t *testing.T) {
	d := openData(t, recorded(t, 4))
	m := newModel(t, newToy(t))
	start := m.InitParams(rng.New(99, "init"))
	p := offline(t, t.TempDir(), d)
	p.NewEnv, p.From, p.Schedule.Freeze = nil, NewWeights(m, start, nil), []string{"reward"}
	if err := trainOffline(t, context.Background(), p); err != nil {
		t.Fatal(err)
	}
	w, err := LoadWeights(context.Background(), vfs.OS(), p.Dir)
	if err != nil {
		t.Fatal(err)
	}
	values, err := w.Values(m)
	if err != nil {
		t.Fatal(err)
	}
	for i, spec := range m.ParamSpecs() {
		if same := slices.Equal(values[i], start[i]); same != strings.HasPrefix(spec.Name, "reward/") && !strings.HasPrefix(spec.Name, "rssm/prior") {
			t.Errorf("%s is as it started: %v", spec.Name, same)
		}
	}
	_, events := leftBy(t, p.Dir)
	for _, e := range events {
		if e.Kind == metrics.KindEvaluation {
			t.Error("it was evaluated")
		}
	}
}

// TestEpisodesThatCannotBeLearnedFromAreNamed with the array and what it should
// be.
func TestEpisodesThatCannotBeLearnedFromAreNamed(t *testing.T) {
	write := func(dir, name string, arrays ...npz.Array) {
		t.Helper()
		var buf bytes.Buffer
		if err := npz.Write(&buf, arrays); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), buf.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	array := func(name string, value float32, dims ...int) npz.Array {
		n := 1
		for _, d := range dims {
			n *= d
		}
		data := make([]float32, n)
		data[n-1] = value
		return npz.Array{Name: name, Dims: dims, Data: data}
	}
	episode := func(records, side, actions int, value float32) []npz.Array {
		return []npz.Array{
			{Name: "image", Dims: []int{records, side, side, 3}, Data: make([]byte, records*side*side*3)},
			array("action", value, records, actions), array("reward", 0, records), array("continue", 1, records),
			array("vector", 0, records, 4),
		}
	}
	for want, spoil := range map[string]func(dir string){
		`extra.npz: replay: damaged episode: array "image" has shape [20 8 8 3], each record of the task has [16 16 3]`: func(dir string) { write(dir, "extra.npz", episode(20, 8, 2, 0)...) },
		`array "action" has shape [20 5], each record of the task has [2]`:                                              func(dir string) { write(dir, "extra.npz", episode(20, 16, 5, 0)...) },
		`extra.npz: replay: damaged episode: array "action" holds 1.5 at 39; agents act in [-1, 1]`:                     func(dir string) { write(dir, "extra.npz", episode(20, 16, 2, 1.5)...) },
		`it has no array "continue"`:  func(dir string) { write(dir, "extra.npz", episode(20, 16, 2, 0)[:3]...) },
		"an episode needs the arrays": func(dir string) { write(dir, "000000.npz", array("frames", 0, 3)) },
		"extra.npz: replay: damaged":  func(dir string) { _ = os.WriteFile(filepath.Join(dir, "extra.npz"), []byte("x"), 0o600) },
	} {
		dir := recorded(t, 2)
		spoil(dir)
		_, err := OpenData(context.Background(), vfs.OS(), []string{dir}, DataConfig{ChunkLength: 6, HoldOut: 10}, nil)
		if !errors.Is(err, ErrParts) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
	dir := recorded(t, 2)
	for want, dirs := range map[string][]string{
		"holds no episodes": {t.TempDir()},
		"given twice":       {dir, dir + "/."},
		"no such file":      {filepath.Join(dir, "missing")},
		"the longest of 2 has 51; set learn.chunk_length to at most 51": {dir},
		"no directory": {},
	} {
		_, err := OpenData(context.Background(), vfs.OS(), dirs, DataConfig{ChunkLength: 52}, nil)
		if !errors.Is(err, ErrParts) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
}

// TestShortEpisodesAreCounted, and those held out chosen by order.
func TestShortEpisodesAreCounted(t *testing.T) {
	dir := recorded(t, 7)
	e := newToy(t)
	out, err := single(context.Background(), e, 1, 4, drawn(uniform(e.Spec().Action, rng.New(1, "a"))))
	if err != nil {
		t.Fatal(err)
	}
	more, err := replay.Open(context.Background(), vfs.OS(), dir, openData(t, dir).Schema, replay.Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := more.Append(context.Background(), out.episode); err != nil {
			t.Fatal(err)
		}
	}
	var log bytes.Buffer
	d, err := OpenData(context.Background(), vfs.OS(), []string{dir}, DataConfig{ChunkLength: 6, HoldOut: 3, Memory: 1 << 20}, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	held, records := d.Held()
	if d.Short != 2 || d.Train.Episodes() != 5 || held != 2 || records != 2*51 || !strings.Contains(log.String(), "episodes=2 of=9") {
		t.Errorf("%d short, %d train, %d held out of %d records: %s", d.Short, d.Train.Episodes(), held, records, &log)
	}
	if train, heldOut := split([]string{"a", "b", "c", "d", "e", "f", "g"}, 3); !slices.Equal(train, []string{"a", "b", "d", "e", "g"}) || !slices.Equal(heldOut, []string{"c", "f"}) {
		t.Errorf("%v, %v", train, heldOut)
	}
	if train, heldOut := split([]string{"a", "b"}, -1); len(train) != 2 || heldOut != nil {
		t.Errorf("%v, %v", train, heldOut)
	}
}

// TestRunDirectoriesStandForTheirEpisodes, also where the batch of a bad update
// was kept.
func TestRunDirectoriesStandForTheirEpisodes(t *testing.T) {
	dir := t.TempDir()
	if _, err := train(t, context.Background(), parts(t, dir, newToy(t))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, BadBatchName(3)), []byte("no episode"), 0o644); err != nil {
		t.Fatal(err)
	}
	if a, b := openData(t, dir), openData(t, filepath.Join(dir, episodesDir)); a.SHA256 != b.SHA256 || a.Train.Episodes() != 4 {
		t.Errorf("%d episodes, %s, %s", a.Train.Episodes(), a.SHA256, b.SHA256)
	}
}

// TestBrokenEnvironmentsCostTheEvaluationOnly.
func TestBrokenEnvironmentsCostTheEvaluationOnly(t *testing.T) {
	p := offline(t, t.TempDir(), openData(t, recorded(t, 4)))
	p.NewEnv = func() (env.Env, error) { return broken{newToy(t)}, nil }
	var log bytes.Buffer
	p.Log = slog.New(slog.NewTextHandler(&log, nil))
	if err := trainOffline(t, context.Background(), p); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "broke in an evaluation"); n != 3*maxBroken {
		t.Errorf("%d warnings, want %d:\n%s", n, 3*maxBroken, &log)
	}
}

// TestInterruptsThatBreakTheEnvironmentSaveTheRun: Ctrl-C reaches a simulator in a
// process of its own, too, which then is gone.
func TestInterruptsThatBreakTheEnvironmentSaveTheRun(t *testing.T) {
	dir := t.TempDir()
	p := offline(t, dir, openData(t, recorded(t, 4)))
	p.Schedule.Offline.SaveEvery = 100
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p.NewEnv = func() (env.Env, error) { return dying{broken{newToy(t)}, cancel}, nil }
	if err := trainOffline(t, ctx, p); !errors.Is(err, ErrInterrupted) {
		t.Errorf("%v", err)
	}
	if w, err := LoadWeights(context.Background(), vfs.OS(), dir); err != nil || w.Counters.Updates != 4 {
		t.Errorf("saved after %+v, %v", w, err)
	}
}

// dying breaks at the moment of an interrupt.
type dying struct {
	broken
	interrupt func()
}

func (d dying) Step(ctx context.Context, action []float32) (env.Transition, error) {
	d.interrupt()
	return d.broken.Step(ctx, action)
}

type broken struct{ env.Env }

func (b broken) Step(context.Context, []float32) (env.Transition, error) {
	return env.Transition{}, fmt.Errorf("%w: gone", env.ErrBroken)
}

func TestOfflineConfigIsValidated(t *testing.T) {
	err := OfflineConfig{Updates: -1, HoldOut: 1, SaveEvery: -2}.Validate()
	for _, want := range []string{"updates is -1", "hold_out is 1", "save_every is -2"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing from %v", want, err)
		}
	}
	c := DefaultConfig()
	if got, want := c.OfflineSchedule(), (OfflineConfig{Updates: 99500, HoldOut: 10, ValidateEvery: 500, EvalEvery: 2500, SaveEvery: 200}); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestDamagedOfflineRunsEndIdentically: the newest snapshot, or the last events,
// are damaged, and the run goes back to the snapshot before.
func TestDamagedOfflineRunsEndIdentically(t *testing.T) {
	d := openData(t, recorded(t, 7))
	whole := t.TempDir()
	if err := trainOffline(t, context.Background(), offline(t, whole, d)); err != nil {
		t.Fatal(err)
	}
	wantSnapshot, wantEvents := leftBy(t, whole)
	for name, damage := range map[string]func(dir string){
		"snapshot": func(dir string) { shorten(t, newestFile(t, filepath.Join(dir, snapshotsDir)), 3) },
		"events":   func(dir string) { shorten(t, filepath.Join(dir, MetricsName), 20) },
	} {
		dir := t.TempDir()
		p := offline(t, dir, d)
		p.Schedule.Offline.Updates = 10
		if err := trainOffline(t, context.Background(), p); err != nil {
			t.Fatal(err)
		}
		damage(dir)
		var log bytes.Buffer
		p = offline(t, dir, d)
		p.Log = slog.New(slog.NewTextHandler(&log, nil))
		if err := trainOffline(t, context.Background(), p); err != nil {
			t.Fatal(err)
		}
		gotSnapshot, gotEvents := leftBy(t, dir)
		if !reflect.DeepEqual(gotSnapshot, wantSnapshot) || !reflect.DeepEqual(gotEvents, wantEvents) {
			t.Errorf("%s: the run ends differently:\n%v\nwant\n%v", name, gotEvents, wantEvents)
		}
		if !strings.Contains(log.String(), "damaged") {
			t.Errorf("%s: nothing was said: %s", name, &log)
		}
	}
}

// TestOfflinePlannersAreChecked before anything is learned: evaluations come late.
func TestOfflinePlannersAreChecked(t *testing.T) {
	d := openData(t, recorded(t, 2))
	p := offline(t, t.TempDir(), d)
	dims := d.Dims()
	dims.ActionSize, d.Schema.ActionSize = 1, 1
	var err error
	if p.Model, err = worldmodel.New(p.Model.Config(), dims); err != nil {
		t.Fatal(err)
	}
	p.Plan.Method = plan.Categorical
	if _, err := OpenOffline(context.Background(), p); !errors.Is(err, ErrParts) || !strings.Contains(err.Error(), "of which there is 1") {
		t.Errorf("%v", err)
	}
}

// TestDirectoriesGivenTwiceAreRecognised under whatever name: episodes held out
// would be learned from.
func TestDirectoriesGivenTwiceAreRecognised(t *testing.T) {
	data := recorded(t, 3)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(data, link); err != nil {
		t.Skipf("no symbolic links here: %v; CI runs on Linux, which has them", err)
	}
	t.Chdir(filepath.Dir(data))
	for _, other := range []string{data, data + "/", link, filepath.Base(data), filepath.Join(data, "..", filepath.Base(data))} {
		_, err := OpenData(context.Background(), vfs.OS(), []string{data, other}, DataConfig{ChunkLength: 4, HoldOut: 2, Memory: 1 << 20}, nil)
		if !errors.Is(err, ErrParts) || !strings.Contains(err.Error(), "given twice") {
			t.Errorf("%s: %v", other, err)
		}
	}
}

// TestDamageOfTheSnapshotBeforeIsTold: the newest counts events that are gone, and
// the one before it cannot stand in.
func TestDamageOfTheSnapshotBeforeIsTold(t *testing.T) {
	dir := t.TempDir()
	p := offline(t, dir, openData(t, recorded(t, 7)))
	if err := trainOffline(t, context.Background(), p); err != nil {
		t.Fatal(err)
	}
	before := filepath.Join(dir, snapshotsDir, slices.Min(slices.Collect(maps.Keys(files(t, filepath.Join(dir, snapshotsDir))))))
	shorten(t, before, 3)
	shorten(t, filepath.Join(dir, MetricsName), 20)
	var log bytes.Buffer
	p.Log = slog.New(slog.NewTextHandler(&log, nil))
	o, err := OpenOffline(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if text := log.String(); o.Counters().Updates != 12 || !strings.Contains(text, "passed over") || !strings.Contains(text, filepath.Base(before)) || !strings.Contains(text, "events are missing") {
		t.Errorf("after %d updates: %s", o.Counters().Updates, text)
	}
}

func newestFile(t *testing.T, dir string) string {
	t.Helper()
	return filepath.Join(dir, slices.Max(slices.Collect(maps.Keys(files(t, dir)))))
}

// shorten cuts n bytes off the end of a file.
func shorten(t *testing.T, path string, n int64) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, info.Size()-n); err != nil {
		t.Fatal(err)
	}
}

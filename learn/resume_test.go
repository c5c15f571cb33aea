package learn

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/internal/vfs/vfstest"
	"github.com/orrery-rl/orrery/metrics"
)

// contents are everything a run leaves that must not depend on interruptions:
// the newest snapshot, the episodes, and what was measured, except times.
func contents(t testing.TB, dir string) (snapshot *checkpoint.Snapshot, episodes map[string]string, events []metrics.Event) {
	t.Helper()
	snapshot, _, err := checkpoint.LoadLatest(context.Background(), vfs.OS(), filepath.Join(dir, snapshotsDir))
	if err != nil {
		t.Fatal(err)
	}
	episodes = map[string]string{}
	files, err := os.ReadDir(filepath.Join(dir, episodesDir))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, episodesDir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		episodes[f.Name()] = string(data)
	}
	for e, err := range metrics.ReadFile(vfs.OS(), filepath.Join(dir, MetricsName)) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind != metrics.KindRun { // which tells of interruptions
			events = append(events, timeless(e))
		}
	}
	snapshot.Created = time.Time{}
	return snapshot, episodes, events
}

// timeless is the event without what differs from process to process.
func timeless(e metrics.Event) metrics.Event {
	e.Time = time.Time{}
	for name := range e.Values {
		if m, _ := metrics.Lookup(name); slices.Contains([]string{"seconds", "per_second", "bytes"}, m.Unit()) {
			delete(e.Values, name)
		}
	}
	return e
}

func sameTensors(t testing.TB, what string, got, want []checkpoint.Tensor) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: the tensors differ", what)
	}
}

// sameRun demands that two runs left the same.
func sameRun(t testing.TB, got, want string) {
	t.Helper()
	gs, ge, gm := contents(t, got)
	ws, we, wm := contents(t, want)
	if !reflect.DeepEqual(gs, ws) {
		t.Errorf("the snapshots differ: %+v %s, want %+v %s; parameters alike: %v, moments alike: %v", gs.Counters, gs.Extra, ws.Counters, ws.Extra,
			reflect.DeepEqual(gs.Params, ws.Params), reflect.DeepEqual(gs.AdamM, ws.AdamM) && reflect.DeepEqual(gs.AdamV, ws.AdamV))
	}
	if !reflect.DeepEqual(ge, we) {
		t.Errorf("the episodes differ (%d, want %d)", len(ge), len(we))
	}
	for i := range min(len(gm), len(wm)) {
		if !reflect.DeepEqual(gm[i], wm[i]) {
			t.Fatalf("event %d is %+v, want %+v", i, gm[i], wm[i])
		}
	}
	if len(gm) != len(wm) {
		t.Fatalf("%d events, want %d", len(gm), len(wm))
	}
}

// TestInterruptedRunsEndIdentically cancels a run at many moments, in the middle
// of updates, episodes and evaluations, and resumes it until it is complete.
func TestInterruptedRunsEndIdentically(t *testing.T) {
	whole := t.TempDir()
	if _, err := train(t, context.Background(), parts(t, whole, newToy(t))); err != nil {
		t.Fatal(err)
	}
	for _, every := range []int{23, 61, 150, 330} {
		dir := t.TempDir()
		for tries := 0; ; tries++ {
			ctx, cancel := context.WithCancel(context.Background())
			var left atomic.Int64
			left.Store(int64(every))
			interrupting := func() env.Env { return &interrupting{newToy(t), &left, cancel} }
			p := parts(t, dir, interrupting())
			p.NewEnv = func() (env.Env, error) { return interrupting(), nil }
			_, err := train(t, ctx, p)
			cancel()
			if err == nil {
				break
			}
			if !errors.Is(err, ErrInterrupted) {
				t.Fatal(err)
			}
			if tries > 200 {
				t.Fatal("no progress")
			}
			// The longer it takes the longer it may run, so that it ends.
			every += 7
		}
		sameRun(t, dir, whole)
	}
}

// interrupting cancels a context after some steps, counted over all environments
// that share left.
type interrupting struct {
	env.Env
	left   *atomic.Int64
	cancel func()
}

func (e *interrupting) Step(ctx context.Context, action []float32) (env.Transition, error) {
	if e.left.Add(-1) == 0 {
		e.cancel()
	}
	return e.Env.Step(ctx, action)
}

// TestLostTailIsCollectedAgain removes what a kill between an episode and its
// snapshot would leave, and resumes.
func TestLostTailIsCollectedAgain(t *testing.T) {
	whole, dir := t.TempDir(), t.TempDir()
	if _, err := train(t, context.Background(), parts(t, whole, newToy(t))); err != nil {
		t.Fatal(err)
	}
	p := parts(t, dir, newToy(t))
	p.Schedule.Episodes = 5
	if _, err := train(t, context.Background(), p); err != nil {
		t.Fatal(err)
	}
	// The newest snapshot is damaged: the run falls back to the one before,
	// whose future is still on disk.
	names, err := filepath.Glob(filepath.Join(dir, snapshotsDir, "*"))
	if err != nil || len(names) != 2 {
		t.Fatalf("%v, %v", names, err)
	}
	slices.Sort(names)
	data, err := os.ReadFile(names[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(names[1], data[:len(data)-3], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := train(t, context.Background(), parts(t, dir, newToy(t))); err != nil {
		t.Fatal(err)
	}
	sameRun(t, dir, whole)
}

// TestKilledBetweenEvaluationAndSnapshot: an evaluation that no snapshot knows of
// is made again, and told once.
func TestKilledBetweenEvaluationAndSnapshot(t *testing.T) {
	whole, dir := t.TempDir(), t.TempDir()
	odd := func(dir string) Parts {
		p := parts(t, dir, newToy(t))
		p.Schedule.Episodes = 5 // the last evaluation is not due by itself
		return p
	}
	if _, err := train(t, context.Background(), odd(whole)); err != nil {
		t.Fatal(err)
	}
	p, evaluated := odd(dir), &lastEvaluation{}
	p.Listeners = []metrics.Sink{evaluated}
	p.FS = vfstest.Intercept(vfs.OS(), func(op vfstest.Op) error {
		if evaluated.after == 5 && op.Changes() && strings.Contains(op.Path, snapshotsDir) {
			return syscall.EIO
		}
		return nil
	})
	if _, err := train(t, context.Background(), p); !errors.Is(err, syscall.EIO) {
		t.Fatalf("the snapshot was written: %v", err)
	}
	if _, err := train(t, context.Background(), odd(dir)); err != nil {
		t.Fatal(err)
	}
	sameRun(t, dir, whole)
}

// lastEvaluation is a listener that knows after how many episodes the last
// evaluation was.
type lastEvaluation struct{ after int64 }

func (l *lastEvaluation) Write(e metrics.Event) error {
	if e.Kind == metrics.KindEvaluation {
		l.after = e.Counters.Episodes
	}
	return nil
}

func (l *lastEvaluation) Close() error { return nil }

// TestMissingSnapshotsDoNotCostTheEpisodes removes the snapshots of a run.
func TestMissingSnapshotsDoNotCostTheEpisodes(t *testing.T) {
	dir := t.TempDir()
	if _, err := train(t, context.Background(), parts(t, dir, newToy(t))); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, snapshotsDir)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), parts(t, dir, newToy(t))); !errors.Is(err, ErrNoSnapshot) {
		t.Fatalf("%v", err)
	}
	files, err := os.ReadDir(filepath.Join(dir, episodesDir))
	if err != nil || len(files) != 6 {
		t.Fatalf("%d episodes are left (%v)", len(files), err)
	}
}

// TestMissingEpisodesAreNamed removes an episode that the snapshot counts.
func TestMissingEpisodesAreNamed(t *testing.T) {
	dir := t.TempDir()
	if _, err := train(t, context.Background(), parts(t, dir, newToy(t))); err != nil {
		t.Fatal(err)
	}
	lost := filepath.Join(dir, episodesDir, "000002.npz")
	if err := os.Rename(lost, lost+".away"); err != nil {
		t.Fatal(err)
	}
	_, err := Open(context.Background(), parts(t, dir, newToy(t)))
	if !errors.Is(err, ErrNoEpisodes) || !strings.Contains(err.Error(), lost) || !strings.Contains(err.Error(), "restore the files") {
		t.Fatalf("%v", err)
	}
	if err := os.Rename(lost+".away", lost); err != nil {
		t.Fatal(err)
	}
	if _, err := train(t, context.Background(), parts(t, dir, newToy(t))); err != nil {
		t.Fatalf("restored: %v", err)
	}
}

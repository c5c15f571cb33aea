package learn

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/backend/cpu"
	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/toy"
	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/internal/optim"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/plan"
	"github.com/orrery-rl/orrery/worldmodel"
)

const imageSize = 16

func newBackend(t testing.TB) compute.Backend {
	t.Helper()
	b, err := cpu.New(cpu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Finalize)
	return b
}

func newToy(t testing.TB) env.Env {
	t.Helper()
	return toyEnv(t, "toy-dot", imageSize)
}

func toyEnv(t testing.TB, name string, size int) env.Env {
	t.Helper()
	r := env.NewRegistry()
	if err := toy.Register(r); err != nil {
		t.Fatal(err)
	}
	e, err := r.New(name, env.Options{Height: size, Width: size})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func newModel(t testing.TB, e env.Env) *worldmodel.Model {
	t.Helper()
	cfg, err := worldmodel.PresetConfig("tiny")
	if err != nil {
		t.Fatal(err)
	}
	s := e.Spec()
	m, err := worldmodel.New(cfg, worldmodel.Dims{Height: s.Image.Height, Width: s.Image.Width, Channels: s.Image.Channels, ActionSize: s.Action.Size})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// parts is a tiny run in dir.
func parts(t testing.TB, dir string, e env.Env) Parts {
	t.Helper()
	search, err := plan.PresetConfig("tiny")
	if err != nil {
		t.Fatal(err)
	}
	return Parts{
		FS: vfs.OS(), Dir: dir, Env: e, NewEnv: func() (env.Env, error) { return newToy(t), nil },
		Backend: newBackend(t), Model: newModel(t, e), Optimiser: optim.DefaultConfig(), Plan: search, BitDepth: 5,
		Schedule: Config{
			Episodes: 6, SeedEpisodes: 2, UpdatesPerCollect: 4, BatchSize: 3, ChunkLength: 6,
			ActionNoise: 0.3, EvalEvery: 2, EvalEpisodes: 2, LogEvery: 2,
		},
		ReplayMemory: 1 << 20, Seed: 7, Config: []byte(`{"preset":"tiny"}`),
	}
}

// train opens a run and trains it; Train's error is returned.
func train(t testing.TB, ctx context.Context, p Parts) (metrics.Counters, error) {
	t.Helper()
	r, err := Open(context.WithoutCancel(ctx), p)
	if err != nil {
		t.Fatal(err)
	}
	err = r.Train(ctx)
	counters := r.Counters()
	if closeErr := r.Close(); closeErr != nil {
		t.Fatal(closeErr)
	}
	return counters, err
}

// contents are everything a run leaves that must not depend on interruptions:
// weights, moments, counters, episodes, and the values of all events.
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
		if e.Kind == metrics.KindEpisode || e.Kind == metrics.KindEvaluation {
			events = append(events, e)
		}
	}
	return snapshot, episodes, events
}

func sameTensors(t testing.TB, what string, got, want []checkpoint.Tensor) {
	t.Helper()
	for i := range want {
		for k := range want[i].Data {
			if math.Float32bits(got[i].Data[k]) != math.Float32bits(want[i].Data[k]) {
				t.Fatalf("%s %s: element %d is %v, want %v", what, want[i].Name, k, got[i].Data[k], want[i].Data[k])
			}
		}
	}
}

// sameRun demands that two runs left the same bytes.
func sameRun(t testing.TB, got, want string) {
	t.Helper()
	gs, ge, gm := contents(t, got)
	ws, we, wm := contents(t, want)
	if gs.Counters != ws.Counters {
		t.Fatalf("counters %+v, want %+v", gs.Counters, ws.Counters)
	}
	sameTensors(t, "parameter", gs.Params, ws.Params)
	sameTensors(t, "first moment", gs.AdamM, ws.AdamM)
	sameTensors(t, "second moment", gs.AdamV, ws.AdamV)
	if len(ge) != len(we) {
		t.Fatalf("%d episodes, want %d", len(ge), len(we))
	}
	for name := range we {
		if ge[name] != we[name] {
			t.Fatalf("episode %s differs", name)
		}
	}
	if len(gm) != len(wm) {
		t.Fatalf("%d events, want %d", len(gm), len(wm))
	}
	for i := range wm {
		for _, name := range []string{"return/train:reward", "return/eval:reward", "action/abs:1"} {
			if gm[i].Values[name] != wm[i].Values[name] || gm[i].Counters != wm[i].Counters {
				t.Fatalf("event %d: %v %v, want %v %v", i, gm[i].Counters, gm[i].Values[name], wm[i].Counters, wm[i].Values[name])
			}
		}
	}
}

func TestCountersAndSchedule(t *testing.T) {
	dir := t.TempDir()
	counters, err := train(t, context.Background(), parts(t, dir, newToy(t)))
	if err != nil {
		t.Fatal(err)
	}
	// Two seed episodes, then four times four updates and an episode.
	decisions := int64(6 * toy.DotMaxEnvSteps)
	if want := (metrics.Counters{EnvSteps: decisions, Decisions: decisions, Updates: 16, Episodes: 6}); counters != want {
		t.Fatalf("%+v, want %+v", counters, want)
	}
	_, episodes, events := contents(t, dir)
	if len(episodes) != 6 {
		t.Fatalf("%d episodes on disk", len(episodes))
	}
	var kinds []string
	for _, e := range events {
		kinds = append(kinds, e.Kind[:2])
		if e.Kind == metrics.KindEpisode && e.Counters.Updates != 4*max(0, e.Counters.Episodes-2) {
			t.Errorf("episode %d was stored after %d updates: updates come before collection", e.Counters.Episodes, e.Counters.Updates)
		}
	}
	if got := strings.Join(kinds, " "); got != "ep ep ep ep ev ep ep ev" {
		t.Errorf("events %s", got)
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
			left := every
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
	left   *int
	cancel func()
}

func (e *interrupting) Step(ctx context.Context, action []float32) (env.Transition, error) {
	if *e.left--; *e.left == 0 {
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
	gs, _, _ := contents(t, dir)
	ws, _, _ := contents(t, whole)
	sameTensors(t, "parameter", gs.Params, ws.Params)
}

// TestStoredActionsAreThoseExecuted records what the environment was given.
func TestStoredActionsAreThoseExecuted(t *testing.T) {
	e := &recording{Env: newToy(t)}
	dir := t.TempDir()
	if _, err := train(t, context.Background(), parts(t, dir, e)); err != nil {
		t.Fatal(err)
	}
	p := parts(t, dir, newToy(t))
	r, err := Open(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	size := e.Spec().Action.Size
	if r.replay.Records() != 6*(toy.DotMaxEnvSteps+1) {
		t.Fatalf("%d records", r.replay.Records())
	}
	out, err := rollout(context.Background(), e, 3, 0, uniform(e.Spec().Action, rng.New(1, "x")))
	if err != nil {
		t.Fatal(err)
	}
	given := e.actions[len(e.actions)-int(out.decisions):]
	for i, a := range given {
		if !slices.Equal(out.episode.Actions[(i+1)*size:][:size], a) {
			t.Fatalf("decision %d executed %v, record %d has %v", i, a, i+1, out.episode.Actions[(i+1)*size:][:size])
		}
	}
	sum := 0.0
	for _, v := range out.episode.Rewards {
		sum += float64(v)
	}
	if out.episode.Rewards[0] != 0 || math.Abs(sum-out.ret) > 1e-3 {
		t.Fatalf("rewards sum to %v, the return is %v", sum, out.ret)
	}
	for _, a := range e.actions {
		for _, v := range a {
			if v < -1 || v > 1 {
				t.Fatalf("executed %v", a)
			}
		}
	}
}

type recording struct {
	env.Env
	actions [][]float32
}

func (e *recording) Step(ctx context.Context, action []float32) (env.Transition, error) {
	e.actions = append(e.actions, slices.Clone(action))
	return e.Env.Step(ctx, action)
}

// TestNonFiniteUpdateNamesTheTensor feeds a reward whose square overflows.
func TestNonFiniteUpdateNamesTheTensor(t *testing.T) {
	dir := t.TempDir()
	p := parts(t, dir, newToy(t))
	p.Schedule.Episodes = 4
	if _, err := train(t, context.Background(), p); err != nil {
		t.Fatal(err)
	}
	before, _, _ := contents(t, dir)
	p = parts(t, dir, &huge{newToy(t)})
	_, err := train(t, context.Background(), p)
	if !errors.Is(err, ErrNonFinite) || !strings.Contains(err.Error(), "loss reward") {
		t.Fatalf("%v", err)
	}
	after, _, _ := contents(t, dir)
	if after.Counters.Updates > before.Counters.Updates+4 {
		t.Fatalf("a snapshot after %d updates survived", after.Counters.Updates)
	}
	for _, tensor := range after.Params {
		for _, v := range tensor.Data {
			if !finite(float64(v)) {
				t.Fatalf("%s in the snapshot is damaged", tensor.Name)
			}
		}
	}
}

type huge struct{ env.Env }

func (e *huge) Step(ctx context.Context, action []float32) (env.Transition, error) {
	tr, err := e.Env.Step(ctx, action)
	tr.Reward = 1e30
	return tr, err
}

// TestEvaluationsOfABatchEqualSingleOnes: an episode's return does not depend on
// the others of its batch, and equal seeds give equal returns.
func TestEvaluationsOfABatchEqualSingleOnes(t *testing.T) {
	b, e := newBackend(t), newToy(t)
	m := newModel(t, e)
	search, err := plan.PresetConfig("tiny")
	if err != nil {
		t.Fatal(err)
	}
	var params []compute.Buffer
	for i, values := range m.InitParams(rng.New(1, "init")) {
		buf, err := gx.Upload(b, values, m.ParamSpecs()[i].Dims...)
		if err != nil {
			t.Fatal(err)
		}
		params = append(params, buf)
	}
	evaluate := func(seeds ...uint64) []float64 {
		a, err := agent.New(b, m, agent.Config{Plan: search, BitDepth: 5}, len(seeds))
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		a.SetParams(params)
		var envs []env.Env
		for range seeds {
			envs = append(envs, newToy(t))
		}
		ev, err := Evaluate(context.Background(), a, envs, seeds)
		if err != nil {
			t.Fatal(err)
		}
		return ev.Returns
	}
	batch := evaluate(11, 12, 13)
	if batch[0] == batch[1] || batch[1] == batch[2] {
		t.Fatalf("returns %v: the episodes start alike", batch)
	}
	for i, seed := range []uint64{11, 12, 13} {
		// Sums in another order may round differently, and choose differently.
		if one := evaluate(seed); math.Abs(one[0]-batch[i]) > 1e-3*math.Abs(one[0])+1e-3 {
			t.Errorf("seed %d alone returns %v, in a batch %v", seed, one[0], batch[i])
		}
	}
}

func TestScheduleIsValidated(t *testing.T) {
	err := Config{}.Validate()
	for _, want := range []string{"seed_episodes is 0", "updates_per_collect is 0", "chunk_length is 0"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing from %v", want, err)
		}
	}
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
}

// TestLossFallsOnAFixedBatch overfits one batch: the image error falls.
func TestLossFallsOnAFixedBatch(t *testing.T) {
	e := newToy(t)
	b, m := newBackend(t), newModel(t, e)
	l, err := NewLearner(b, m, optim.DefaultConfig(), 4, 8)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	params := m.InitParams(rng.New(1, "init"))
	if err := l.SetState(params, zeros(params), zeros(params)); err != nil {
		t.Fatal(err)
	}
	out, err := rollout(context.Background(), e, 1, 32, uniform(e.Spec().Action, rng.New(1, "a")))
	if err != nil {
		t.Fatal(err)
	}
	batch := l.Batch()
	for i, v := range out.episode.Images[:len(batch.Images)] {
		batch.Images[i] = float32(v)/256 - 0.5
	}
	copy(batch.Actions, out.episode.Actions)
	copy(batch.Rewards, out.episode.Rewards)
	var first, last Stats
	for i := range 150 {
		rng.New(uint64(i), "noise").FillNormal(l.Noise())
		if last, err = l.Update(context.Background(), int64(i+1)); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = last
		}
	}
	if last.Losses[1] > first.Losses[1]/3 {
		t.Fatalf("image loss %v after 150 updates, %v at first", last.Losses[1], first.Losses[1])
	}
}

// TestMetricsAreInTheCatalogue demands a description for everything a run
// emits.
func TestMetricsAreInTheCatalogue(t *testing.T) {
	dir := t.TempDir()
	if _, err := train(t, context.Background(), parts(t, dir, newToy(t))); err != nil {
		t.Fatal(err)
	}
	for e, err := range metrics.ReadFile(vfs.OS(), filepath.Join(dir, MetricsName)) {
		if err != nil {
			t.Fatal(err)
		}
		for name := range e.Values {
			if _, ok := metrics.Lookup(name); !ok {
				t.Errorf("%s event: %s is not in the catalogue", e.Kind, name)
			}
		}
	}
}

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

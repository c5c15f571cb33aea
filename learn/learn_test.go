package learn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/gomlx/compute"

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/backend/cpu"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/toy"
	"github.com/orrery-rl/orrery/internal/format/npz"
	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/internal/optim"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/internal/vfs/vfstest"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/plan"
	"github.com/orrery-rl/orrery/worldmodel"
)

const imageSize = 16

func newBackend(t testing.TB) compute.Backend {
	t.Helper()
	b, err := cpu.New(cpu.Config{Precision: "f32"})
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

// newLearner is a learner at the beginning of a run, which is closed when the test
// ends.
func newLearner(t testing.TB, b compute.Backend, m *worldmodel.Model, opt optim.Config, chunks, length int, frozen ...string) *Learner {
	t.Helper()
	l, err := NewLearner(b, m, opt, chunks, length, frozen...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	params := m.InitParams(rng.New(1, "init"))
	if err := l.SetState(params, zeros(params), zeros(params)); err != nil {
		t.Fatal(err)
	}
	return l
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
			ActionNoise: 0.3, Envs: 1, EvalEvery: 2, EvalEpisodes: 2, LogEvery: 3,
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
	if got := strings.Join(kinds, " "); got != "ep ep up ep up ep ev up up ep up ep ev" {
		t.Errorf("events %s", got)
	}
}

// TestStoredActionsAreThoseExecuted compares the episodes of a run, those of the
// planner with its noise included, with what the environment was given and gave.
func TestStoredActionsAreThoseExecuted(t *testing.T) {
	e := &recording{Env: newToy(t)}
	dir := t.TempDir()
	if _, err := train(t, context.Background(), parts(t, dir, e)); err != nil {
		t.Fatal(err)
	}
	if len(e.played) != 6 {
		t.Fatalf("%d episodes were played", len(e.played))
	}
	size := e.Spec().Action.Size
	for i, played := range e.played {
		actions, rewards := stored(t, dir, i)
		if want := slices.Concat(make([]float32, size), played.actions); !slices.Equal(actions, want) {
			t.Errorf("episode %d stores the actions %v, executed were %v", i, actions, want)
		}
		if want := slices.Concat([]float32{0}, played.rewards); !slices.Equal(rewards, want) {
			t.Errorf("episode %d stores the rewards %v, received were %v", i, rewards, want)
		}
	}
}

// stored reads the actions and rewards of an episode of a run.
func stored(t *testing.T, dir string, episode int) (actions, rewards []float32) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, episodesDir, fmt.Sprintf("%06d.npz", episode)))
	if err != nil {
		t.Fatal(err)
	}
	arrays, err := npz.Read(bytes.NewReader(data), int64(len(data)), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range arrays {
		switch a.Name {
		case "action":
			actions = a.Data.([]float32)
		case "reward":
			rewards = a.Data.([]float32)
		}
	}
	return actions, rewards
}

// recording is an environment that notes what it is given and what it gives.
type recording struct {
	env.Env
	played []played
}

type played struct{ actions, rewards []float32 }

func (e *recording) Reset(ctx context.Context, seed uint64) (env.Observation, error) {
	e.played = append(e.played, played{})
	return e.Env.Reset(ctx, seed)
}

func (e *recording) Step(ctx context.Context, action []float32) (env.Transition, error) {
	tr, err := e.Env.Step(ctx, action)
	now := &e.played[len(e.played)-1]
	now.actions, now.rewards = append(now.actions, action...), append(now.rewards, float32(tr.Reward))
	return tr, err
}

// TestNonFiniteUpdateNamesTheTensor feeds a reward whose square overflows. The
// error names the loss and a file, which holds that reward.
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
	after, _, events := contents(t, dir)
	last := events[len(events)-1]
	if last.Kind != metrics.KindUpdate || finite(last.Values["loss/reward:nats"]) || !finite(last.Values["loss/kl:nats"]) {
		t.Errorf("the last event does not tell of it: %+v", last)
	}
	path := filepath.Join(dir, BadBatchName(last.Counters.Updates))
	if !strings.Contains(err.Error(), path) {
		t.Errorf("%v does not name %s", err, path)
	}
	badBatch(t, path, p)
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

// TestBadBatchOnAFullDisk: what failed is still told.
func TestBadBatchOnAFullDisk(t *testing.T) {
	p := parts(t, t.TempDir(), &huge{newToy(t)})
	p.FS = vfstest.Intercept(vfs.OS(), func(op vfstest.Op) error {
		if op.Changes() && strings.Contains(op.Path, "bad-batch") {
			return syscall.ENOSPC
		}
		return nil
	})
	_, err := train(t, context.Background(), p)
	if !errors.Is(err, ErrNonFinite) || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "loss reward") {
		t.Errorf("%v", err)
	}
}

// badBatch demands a whole batch, with an absurd reward.
func badBatch(t *testing.T, path string, p Parts) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	arrays, err := npz.Read(bytes.NewReader(data), int64(len(data)), 1<<24)
	if err != nil {
		t.Fatal(err)
	}
	b, l := p.Schedule.BatchSize, p.Schedule.ChunkLength
	want := map[string][]int{
		"images": {b, l, imageSize, imageSize, 3}, "actions": {b, l, 2}, "rewards": {b, l},
		"noise": {b, l, p.Model.Config().StochSize},
	}
	for _, a := range arrays {
		if dims, known := want[a.Name]; known && !slices.Equal(a.Dims, dims) {
			t.Errorf("%s is %v, want %v", a.Name, a.Dims, dims)
		}
		delete(want, a.Name)
		if a.Name == "rewards" && !slices.Contains(a.Data.([]float32), 1e30) {
			t.Error("the reward that did it is not in the batch")
		}
	}
	if len(want) > 0 {
		t.Errorf("missing are %v", want)
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
	l := newLearner(t, b, m, optim.DefaultConfig(), 4, 8)
	out, err := single(context.Background(), e, 1, 32, drawn(uniform(e.Spec().Action, rng.New(1, "a"))))
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

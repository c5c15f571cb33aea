package learn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/replay"
)

// several is a run that collects in n environments, each of which wrap makes out
// of toy-dot.
func several(t testing.TB, dir string, n int, wrap func(env.Env) env.Env) Parts {
	t.Helper()
	p := parts(t, dir, wrap(newToy(t)))
	p.NewEnv = func() (env.Env, error) { return wrap(newToy(t)), nil }
	p.Schedule.Envs, p.Schedule.Episodes = n, 7
	return p
}

func plain(e env.Env) env.Env { return e }

// oneAfterTheOther is Algorithm 1 written out: its episodes are played by hand,
// one at a time, by an agent for one environment. n is how many follow n times
// the updates.
func oneAfterTheOther(t *testing.T, p Parts, n int) (r *Run) {
	t.Helper()
	ctx := context.Background()
	n64 := int64(n)
	r, err := Open(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	a, err := agent.New(p.Backend, p.Model, agent.Config{Plan: p.Plan, BitDepth: p.BitDepth, ActionNoise: p.Schedule.ActionNoise}, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	for i := range int64(p.Schedule.SeedEpisodes) {
		stream := r.stream("random", i)
		byHand(t, r, i, func(env.Observation) []float32 {
			action := make([]float32, p.Env.Spec().Action.Size)
			for k := range action {
				action[k] = -1 + 2*stream.Float32()
			}
			return action
		})
	}
	for i := int64(p.Schedule.SeedEpisodes); i < int64(p.Schedule.Episodes); {
		some := min(n64, int64(p.Schedule.Episodes)-i)
		for range some * int64(p.Schedule.UpdatesPerCollect) {
			if err := r.update(ctx); err != nil {
				t.Fatal(err)
			}
		}
		a.SetParams(r.learner.Params())
		for ; some > 0; some, i = some-1, i+1 {
			if err := a.Begin([]*rng.Stream{r.stream("act", i)}); err != nil {
				t.Fatal(err)
			}
			byHand(t, r, i, func(obs env.Observation) []float32 {
				actions, err := a.Act(ctx, []env.Observation{obs})
				if err != nil {
					t.Fatal(err)
				}
				return actions[0]
			})
		}
	}
	return r
}

// byHand plays and stores an episode.
func byHand(t *testing.T, r *Run, number int64, act func(env.Observation) []float32) {
	t.Helper()
	ctx := context.Background()
	obs, err := r.Env.Reset(ctx, r.stream("reset", number).Uint64())
	if err != nil {
		t.Fatal(err)
	}
	ep := &replay.Episode{
		Images: obs.Image, Vectors: obs.Vector, Actions: make([]float32, r.Env.Spec().Action.Size),
		Rewards: []float32{0}, Continues: []float32{1},
	}
	for ended := false; !ended; {
		action := act(obs)
		tr, err := r.Env.Step(ctx, action)
		if err != nil {
			t.Fatal(err)
		}
		ep.Images, ep.Vectors = append(ep.Images, tr.Image...), append(ep.Vectors, tr.Vector...)
		ep.Actions, ep.Rewards = append(ep.Actions, action...), append(ep.Rewards, float32(tr.Reward))
		goesOn := float32(1)
		if tr.Terminated {
			goesOn = 0
		}
		ep.Continues = append(ep.Continues, goesOn)
		obs, ended = tr.Observation, tr.Ended()
	}
	if _, err := r.replay.Append(ctx, ep); err != nil {
		t.Fatal(err)
	}
}

// TestLoopIsAlgorithmOne: a run learns and collects, bit for bit, what the
// algorithm written out does, with one environment and with two, each of which
// has a crew of its own.
func TestLoopIsAlgorithmOne(t *testing.T) {
	for _, n := range []int{1, 2} {
		own, hand := t.TempDir(), t.TempDir()
		if _, err := train(t, context.Background(), several(t, own, n, plain)); err != nil {
			t.Fatal(err)
		}
		r := oneAfterTheOther(t, several(t, hand, n, plain), n)
		params, _, _, err := r.learner.State()
		if err != nil {
			t.Fatal(err)
		}
		snapshot, episodes, _ := contents(t, own)
		sameTensors(t, fmt.Sprintf("%d environments", n), snapshot.Params, named(r.Model, params))
		files, err := filepath.Glob(filepath.Join(hand, episodesDir, "*"))
		if err != nil || len(files) != 7 || len(episodes) != 7 {
			t.Fatalf("%d environments: %d episodes, by hand %d (%v)", n, len(episodes), len(files), err)
		}
		for _, f := range files {
			if data, err := os.ReadFile(f); err != nil || string(data) != episodes[filepath.Base(f)] {
				t.Errorf("%d environments: %s differs (%v)", n, filepath.Base(f), err)
			}
		}
	}
}

// uneven is an environment whose episodes end after some decisions that follow
// from the seed, and whose calls take times of their own.
type uneven struct {
	env.Env
	delay func() time.Duration
	left  int
}

func (e *uneven) Reset(ctx context.Context, seed uint64) (env.Observation, error) {
	e.left = 8 + int(seed%20)
	time.Sleep(e.delay())
	return e.Env.Reset(ctx, seed)
}

func (e *uneven) Step(ctx context.Context, action []float32) (env.Transition, error) {
	time.Sleep(e.delay())
	tr, err := e.Env.Step(ctx, action)
	if e.left--; e.left == 0 {
		tr.Terminated = true
	}
	return tr, err
}

func sleepy(e env.Env) env.Env {
	return &uneven{Env: e, delay: func() time.Duration { return rand.N(300 * time.Microsecond) }}
}

func prompt(e env.Env) env.Env { return &uneven{Env: e, delay: func() time.Duration { return 0 }} }

// TestSpeedOfEnvironmentsChangesNothing: five environments in two crews, with
// episodes of unequal length and a last batch that is smaller.
func TestSpeedOfEnvironmentsChangesNothing(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	for dir, wrap := range map[string]func(env.Env) env.Env{first: prompt, second: sleepy} {
		p := several(t, dir, 5, wrap)
		p.Schedule.Episodes = 9
		if _, err := train(t, context.Background(), p); err != nil {
			t.Fatal(err)
		}
	}
	sameRun(t, second, first)
}

// TestCountersAndScheduleOfSeveralEnvironments: n times the updates, then n
// episodes, fewer in the end; counters are exact for each.
func TestCountersAndScheduleOfSeveralEnvironments(t *testing.T) {
	dir := t.TempDir()
	counters, err := train(t, context.Background(), several(t, dir, 3, prompt))
	if err != nil {
		t.Fatal(err)
	}
	_, episodes, events := contents(t, dir)
	var story []string
	var steps int64
	for _, e := range events {
		switch e.Kind {
		case metrics.KindEpisode:
			number := int(e.Counters.Episodes) - 1
			_, rewards := stored(t, dir, number)
			steps += int64(len(rewards) - 1)
			if e.Counters.EnvSteps != steps || e.Counters.Decisions != steps || e.Values["episode/length:decisions"] != float64(len(rewards)-1) {
				t.Errorf("episode %d of %d records, %d decisions in all: %+v", number, len(rewards), steps, e)
			}
			if e.Values["replay/episodes:episodes"] != float64(number+1) {
				t.Errorf("episode %d: %v in the replay", number, e.Values["replay/episodes:episodes"])
			}
			story = append(story, fmt.Sprintf("%s after %d", e.Text["policy"], e.Counters.Updates))
		case metrics.KindEvaluation:
			story = append(story, fmt.Sprintf("evaluation of %d", e.Counters.Episodes))
		}
	}
	want := []string{
		"random after 0", "random after 0",
		"planner after 12", "planner after 12", "planner after 12", "evaluation of 5",
		"planner after 20", "planner after 20", "evaluation of 7",
	}
	if !slices.Equal(story, want) {
		t.Errorf("%q, want %q", story, want)
	}
	if counters.Episodes != 7 || counters.Updates != 20 || counters.EnvSteps != steps || len(episodes) != 7 {
		t.Errorf("%+v after %d steps, %d episodes", counters, steps, len(episodes))
	}
}

// TestInterruptedBatchesEndIdentically cancels a run with three environments at
// many moments and resumes it until it is complete.
func TestInterruptedBatchesEndIdentically(t *testing.T) {
	whole := t.TempDir()
	if _, err := train(t, context.Background(), several(t, whole, 3, prompt)); err != nil {
		t.Fatal(err)
	}
	for _, every := range []int64{31, 97, 170} {
		dir := t.TempDir()
		for tries := 0; ; tries++ {
			ctx, cancel := context.WithCancel(context.Background())
			var left atomic.Int64
			left.Store(every)
			_, err := train(t, ctx, several(t, dir, 3, func(e env.Env) env.Env { return &interrupting{prompt(e), &left, cancel} }))
			cancel()
			if err == nil {
				break
			}
			if !errors.Is(err, ErrInterrupted) || tries > 200 {
				t.Fatalf("try %d: %v", tries, err)
			}
			every += 7 // so that it ends
		}
		sameRun(t, dir, whole)
	}
}

// TestBrokenEnvironmentCostsOneEpisode: of three that act at once, one breaks.
// The others go on, its episode is played again, and nothing remains of it.
func TestBrokenEnvironmentCostsOneEpisode(t *testing.T) {
	whole, broken := t.TempDir(), t.TempDir()
	if _, err := train(t, context.Background(), several(t, whole, 3, plain)); err != nil {
		t.Fatal(err)
	}
	var made []*fragile
	var log bytes.Buffer
	p := several(t, broken, 3, func(e env.Env) env.Env {
		f := &fragile{Env: e, breaks: func(int, uint64) bool { return false }}
		made = append(made, f)
		return f
	})
	p.Log = slog.New(slog.NewTextHandler(&log, nil))
	r, err := Open(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	// The second environment breaks in its second reset, the first of the planner.
	made[1].breaks = func(reset int, _ uint64) bool { return reset == 2 }
	if err := r.Train(context.Background()); err != nil {
		t.Fatal(err)
	}
	if made[1].blasted != 1 || strings.Count(log.String(), "level=WARN") != 1 {
		t.Fatalf("%d breaks:\n%s", made[1].blasted, &log)
	}
	if made[0].resets != 3 { // an episode in each of three batches
		t.Errorf("the first environment was reset %d times, want 3", made[0].resets)
	}
	sameRun(t, broken, whole)
}

// TestOtherErrorsEndTheBatch: what is not a broken environment ends the run, in
// whichever environment it happens.
func TestOtherErrorsEndTheBatch(t *testing.T) {
	for _, at := range []int{0, 1, 2} {
		made := 0
		p := several(t, t.TempDir(), 3, func(e env.Env) env.Env {
			if made++; made-1 == at {
				return failingStep{e}
			}
			return e
		})
		p.Schedule.SeedEpisodes, p.Schedule.Episodes = 3, 6
		if _, err := train(t, context.Background(), p); !errors.Is(err, errSpilled) {
			t.Errorf("environment %d: %v", at, err)
		}
	}
}

func TestEvaluationsAreDueInBatches(t *testing.T) {
	// Two seed episodes, an evaluation every 4: after the batches that reach 4, 8, ...
	var due []int64
	r := &Run{cfg: Config{SeedEpisodes: 2, EvalEvery: 4, Envs: 3}}
	for n := int64(0); n <= 21; n += 3 {
		r.counters.Episodes = 2 + n
		if r.evaluationDue() {
			due = append(due, n)
			r.evaluated = r.counters.Episodes
		}
		if r.evaluationDue() {
			t.Errorf("due twice after %d", n)
		}
	}
	if want := []int64{6, 9, 12, 18, 21}; !slices.Equal(due, want) {
		t.Errorf("due after %v, want %v", due, want)
	}
}

func TestNumberOfEnvironmentsIsValidated(t *testing.T) {
	for _, n := range []int{0, -1, 65} {
		c := DefaultConfig()
		c.Envs = n
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("envs is %d; it must lie in [1, 64]", n)) {
			t.Errorf("%v", err)
		}
	}
}

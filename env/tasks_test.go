package env_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/envtest"
	"github.com/orrery-rl/orrery/env/toy"
)

// newTasks joins toy-dot (two components) and toy-counter (one).
func newTasks(t testing.TB, names ...string) (env.Env, error) {
	t.Helper()
	r := env.NewRegistry()
	if err := toy.Register(r); err != nil {
		t.Fatal(err)
	}
	var envs []env.Env
	for _, name := range names {
		e, err := r.New(name, env.Options{Height: 16, Width: 16})
		if err != nil {
			t.Fatal(err)
		}
		envs = append(envs, env.NormaliseActions(e))
	}
	return env.Tasks(envs...)
}

func TestTasksKeepTheContract(t *testing.T) {
	e, err := newTasks(t, "toy-dot", "toy-dot") // episodes of one length, as a spec promises
	if err != nil {
		t.Fatal(err)
	}
	if err := envtest.Check(context.Background(), e); err != nil {
		t.Error(err)
	}
}

// Episodes take turns, each task sees its own part of the action, and the whole
// has the largest action and the shortest episode.
func TestTasksTakeTurns(t *testing.T) {
	e, err := newTasks(t, "toy-dot", "toy-counter")
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	s := e.Spec()
	if s.Action.Size != 2 || s.Name != "toy-dot,toy-counter" || len(s.Tasks) != 2 || s.VectorSize != 0 {
		t.Errorf("spec %+v", s)
	}
	dot, counter := alone(t, "toy-dot"), alone(t, "toy-counter")
	if want := min(dot.Spec().Decisions(), counter.Spec().Decisions()); s.Decisions() != want {
		t.Errorf("%d decisions, want %d", s.Decisions(), want)
	}
	ctx := context.Background()
	for episode := range int64(4) {
		seed := env.TaskSeed(1<<63+12345*uint64(episode), episode, 2)
		task := []env.Env{dot, counter}[episode%2]
		got, err := e.Reset(ctx, seed)
		if err != nil {
			t.Fatal(err)
		}
		want, err := task.Reset(ctx, seed)
		if err != nil {
			t.Fatal(err)
		}
		if string(got.Image) != string(want.Image) {
			t.Errorf("episode %d does not begin like %s", episode, task.Spec().Name)
		}
		action := []float32{0.5, -0.25}
		a, err := e.Step(ctx, action)
		if err != nil {
			t.Fatal(err)
		}
		b, err := task.Step(ctx, action[:task.Spec().Action.Size])
		if err != nil {
			t.Fatal(err)
		}
		if string(a.Image) != string(b.Image) || a.Reward != b.Reward {
			t.Errorf("episode %d: step differs from that of %s", episode, task.Spec().Name)
		}
	}
}

func alone(t *testing.T, name string) env.Env {
	t.Helper()
	e, err := newTasks(t, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func TestTasksRefuseWhatCannotBeJoined(t *testing.T) {
	r := env.NewRegistry()
	if err := toy.Register(r); err != nil {
		t.Fatal(err)
	}
	small, err := r.New("toy-dot", env.Options{Height: 8, Width: 8})
	if err != nil {
		t.Fatal(err)
	}
	large, err := r.New("toy-dot", env.Options{Height: 16, Width: 16})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := env.Tasks(small, large); !errors.Is(err, env.ErrSpec) || !strings.Contains(err.Error(), "one size") {
		t.Errorf("images of two sizes: %v", err)
	}
	if _, err := env.Tasks(); !errors.Is(err, env.ErrSpec) {
		t.Errorf("no tasks: %v", err)
	}
}

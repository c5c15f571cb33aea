//go:build mujoco

package mujoco

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/envtest"
	"github.com/orrery-rl/orrery/internal/rng"
)

// The traps of calling MuJoCo, each with what happens to those who step into it.

func openTask(t *testing.T, name string, o env.Options) env.Env {
	t.Helper()
	e, err := registered(t).New(name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// openBare is a task without the wrappers of env.Standard.
func openBare(t *testing.T, name string) *suiteEnv {
	t.Helper()
	task, options, _ := strings.Cut(name, ":")
	c, err := parseChoices(options)
	if err != nil {
		t.Fatal(err)
	}
	e, err := openSuite(taskOf(task), "dmc/"+name, c, env.Options{Height: 64, Width: 64})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func TestTasksKeepTheContract(t *testing.T) {
	for _, task := range Tasks() {
		t.Run(task.Name, func(t *testing.T) {
			e, err := registered(t).New("dmc/"+task.Name+":render=go", env.Options{Height: 32, Width: 32, ActionRepeat: 20})
			if err != nil {
				t.Fatal(err)
			}
			if err := envtest.Check(context.Background(), e); err != nil {
				t.Error(err)
			}
		})
	}
}

// MuJoCo resets a state that diverges and goes on; the episode would continue in
// another place.
func TestDivergenceBreaksTheEpisode(t *testing.T) {
	ctx := context.Background()
	for _, name := range []string{"walker-walk:render=go", "acrobot-swingup:render=go"} {
		for _, bad := range []float64{math.NaN(), math.Inf(-1), 1e30} {
			e := openBare(t, name)
			action := make([]float32, e.Spec().Action.Size)
			if _, err := e.Reset(ctx, 1); err != nil {
				t.Fatal(err)
			}
			if _, err := e.StepRepeated(ctx, action, 3); err != nil {
				t.Fatal(err)
			}
			e.sim.data.Qvel()[0] = bad
			_, err := e.StepRepeated(ctx, action, 2)
			if !errors.Is(err, env.ErrBroken) {
				t.Fatalf("%s with velocity %g: %v, want ErrBroken", name, bad, err)
			}
			for _, part := range []string{"dmc/" + name, "env step 4", "diverged"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
			if _, err := e.Reset(ctx, 2); err != nil {
				t.Errorf("reset after it: %v", err)
			}
			if _, err := e.Step(ctx, action); err != nil {
				t.Errorf("step after it: %v", err)
			}
		}
	}
}

// play returns everything that an episode of fixed actions shows.
func play(e env.Env, seed uint64, decisions int) ([]env.Transition, error) {
	ctx, draw := context.Background(), rng.New(seed, "actions")
	first, err := e.Reset(ctx, seed)
	all := []env.Transition{{Observation: first}}
	for range decisions {
		if err != nil {
			break
		}
		action := make([]float32, e.Spec().Action.Size)
		for i := range action {
			action[i] = 2*draw.Float32() - 1
		}
		var tr env.Transition
		tr, err = e.Step(ctx, action)
		all = append(all, tr)
	}
	return all, err
}

func equalTransitions(a, b []env.Transition) bool {
	return slices.EqualFunc(a, b, func(a, b env.Transition) bool {
		return slices.Equal(a.Image, b.Image) && slices.Equal(a.Vector, b.Vector) && a.Reward == b.Reward
	})
}

// Some tasks write into their model: two of them must not share one.
func TestEpisodesOfOneModelDoNotDisturbEachOther(t *testing.T) {
	names := []string{"dmc/reacher-easy", "dmc/reacher-hard", "dmc/finger-spin", "dmc/finger-turn-hard", "dmc/finger-spin", "dmc/point-mass-easy", "dmc/point-mass-hard"}
	var alone [][]env.Transition
	for i, name := range names {
		all, err := play(openTask(t, name, env.Options{}), uint64(i), 4)
		if err != nil {
			t.Fatal(err)
		}
		alone = append(alone, all)
	}
	var together []env.Env
	for _, name := range names {
		together = append(together, openTask(t, name, env.Options{}))
	}
	for i, e := range together {
		for j, other := range together { // which edit their models
			if j != i {
				if _, err := other.Reset(context.Background(), uint64(100*i+j)); err != nil {
					t.Fatal(err)
				}
			}
		}
		all, err := play(e, uint64(i), 4)
		if err != nil {
			t.Fatal(err)
		}
		if !equalTransitions(all, alone[i]) {
			t.Errorf("%s shows something else beside others than alone", names[i])
		}
	}
}

// A picture drawn on a thread without a context keeps what was there before,
// without an error; models must not be compiled at the same time.
func TestEnvironmentsWorkFromManyGoroutines(t *testing.T) {
	const copies = 4
	names := []string{"dmc/cartpole-swingup", "dmc/ball-in-cup-catch"}
	var want [][]env.Transition
	for _, name := range names {
		all, err := play(openTask(t, name, env.Options{}), 3, 6)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, all)
	}
	r := registered(t)
	errs := make(chan error, copies*len(names))
	var wait sync.WaitGroup
	for i := range copies * len(names) {
		wait.Go(func() {
			name, expected := names[i%len(names)], want[i%len(names)]
			e, err := r.New(name, env.Options{})
			if err != nil {
				errs <- err
				return
			}
			all, err := play(e, 3, 6)
			if err := errors.Join(err, e.Close()); err != nil {
				errs <- err
			} else if !equalTransitions(all, expected) {
				errs <- fmt.Errorf("copy %d of %s shows something else than one alone", i, name)
			}
		})
	}
	wait.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
}

// One environment may wander between goroutines, and so between threads.
func TestAnEnvironmentMayMoveToAnotherGoroutine(t *testing.T) {
	want, err := play(openTask(t, "dmc/walker-walk", env.Options{}), 5, 6)
	if err != nil {
		t.Fatal(err)
	}
	e := openTask(t, "dmc/walker-walk", env.Options{})
	moving := movingEnv{e}
	got, err := play(moving, 5, 6)
	if err != nil {
		t.Fatal(err)
	}
	if !equalTransitions(got, want) {
		t.Error("calls from different goroutines show something else than calls from one")
	}
}

// movingEnv makes every call from a goroutine of its own.
type movingEnv struct{ env.Env }

func (m movingEnv) Reset(ctx context.Context, seed uint64) (o env.Observation, err error) {
	var wait sync.WaitGroup
	wait.Go(func() { o, err = m.Env.Reset(ctx, seed) })
	wait.Wait()
	return o, err
}

func (m movingEnv) Step(ctx context.Context, action []float32) (tr env.Transition, err error) {
	var wait sync.WaitGroup
	wait.Go(func() { tr, err = m.Env.Step(ctx, action) })
	wait.Wait()
	return tr, err
}

// With the wrong order of calls an observation dates from before the last
// integration.
func TestObservationsAreOfTheNewState(t *testing.T) {
	for _, task := range Tasks() {
		s, r := bareTask(t, task.Name)
		draw := rng.New(1, "order")
		if err := s.reset(func() error { return r.start(draw) }); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			for i := range s.data.Ctrl() {
				s.data.Ctrl()[i] = between(draw, -1, 1)
			}
			if err := s.step(); err != nil {
				t.Fatal(err)
			}
		}
		got, reward := r.observe(nil), r.reward()
		if err := s.data.Step1(); err != nil {
			t.Fatal(err)
		}
		if again := r.observe(nil); !slices.Equal(got, again) || reward != r.reward() {
			t.Errorf("%s: observed %v, reward %g; the state gives %v, %g", task.Name, got, reward, again, r.reward())
		}
	}
}

// Actuators clamp controls; rewards see them as they were.
func TestRewardsSeeRawControls(t *testing.T) {
	s, r := bareTask(t, "point-mass-easy")
	if err := s.reset(func() error { clear(s.data.Qpos()); return nil }); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ ctrl, want float64 }{{0, 1}, {0.5, 0.8 + 0.2*0.75}, {1, 0.8}, {3, 0.8}} {
		s.data.Ctrl()[0], s.data.Ctrl()[1] = c.ctrl, -c.ctrl
		if got := r.reward(); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("with control %g the reward is %g, want %g", c.ctrl, got, c.want)
		}
	}
}

func TestAnEpisodeHas1000EnvStepsAndIsTruncated(t *testing.T) {
	e := openTask(t, "dmc/pendulum-swingup:render=go", env.Options{ActionRepeat: 300})
	ctx := context.Background()
	if _, err := e.Reset(ctx, 1); err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		tr, err := e.Step(ctx, []float32{0})
		if err != nil {
			t.Fatal(err)
		}
		want := []int{300, 300, 300, 100}[i]
		if tr.EnvSteps != want || tr.Terminated || tr.Truncated != (i == 3) {
			t.Errorf("decision %d: %d env steps, terminated %v, truncated %v", i, tr.EnvSteps, tr.Terminated, tr.Truncated)
		}
	}
	// dm_control would reset here and ignore the action.
	if _, err := e.Step(ctx, []float32{0}); !errors.Is(err, env.ErrEnded) {
		t.Errorf("step after the end: %v, want ErrEnded", err)
	}
}

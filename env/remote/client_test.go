package remote

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/envtest"
)

// as is the configuration of this test binary in a role.
func as(role string) Config {
	return Config{Command: []string{os.Args[0]}, Env: []string{roleVariable + "=" + role}}
}

func open(t testing.TB, cfg Config, opts env.Options) env.Env {
	t.Helper()
	e, err := Open(context.Background(), cfg, opts)
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

// thirdStep plays three steps and returns what the last one did.
func thirdStep(ctx context.Context, t *testing.T, e env.Env) (env.Transition, error) {
	t.Helper()
	if _, err := e.Reset(ctx, 1); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := e.Step(ctx, []float32{0}); err != nil {
			t.Fatal(err)
		}
	}
	return e.Step(ctx, []float32{1})
}

func TestContract(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  Config
		opts env.Options
	}{
		{"as it is", as("good"), env.Options{}},
		{"repeated", as("good"), env.Options{ActionRepeat: 3, BitDepth: 5}},
		{"scaled", Config{Command: as("").Command, Env: as("good").Env, Height: 8, Width: 8}, env.Options{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := envtest.Check(context.Background(), open(t, c.cfg, c.opts)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestWhatTheChildSaysArrives compares with the child's own rules.
func TestWhatTheChildSaysArrives(t *testing.T) {
	e := open(t, as("good"), env.Options{ActionRepeat: 7})
	want := env.Spec{
		Name: "walk", Image: env.ImageSpec{Height: 4, Width: 6, Channels: 3}, VectorSize: 2, VectorNames: []string{"x", "steps"},
		Action: env.ActionSpec{Size: 1, Low: []float32{-2}, High: []float32{2}}, ActionRepeat: 7, MaxEnvSteps: walkLimit,
	}
	if got := e.Spec(); got.Name != want.Name || got.Image != want.Image || got.VectorNames[1] != "steps" ||
		got.ActionRepeat != 7 || got.MaxEnvSteps != walkLimit || got.Action.High[0] != 2 {
		t.Errorf("spec %+v, want %+v", got, want)
	}
	ctx := context.Background()
	if _, err := e.Reset(ctx, 3); err != nil {
		t.Fatal(err)
	}
	var last env.Transition
	for _, steps := range []int{7, 7, 6} { // 20 in all
		var err error
		if last, err = e.Step(ctx, []float32{0.25}); err != nil {
			t.Fatal(err)
		}
		if last.EnvSteps != steps || last.Reward != 0.25*float64(steps) {
			t.Errorf("%d env steps with reward %v, want %d and %v", last.EnvSteps, last.Reward, steps, 0.25*float64(steps))
		}
	}
	if !last.Truncated || last.Terminated || last.Vector[1] != walkLimit {
		t.Errorf("the last transition is %+v", last)
	}
}

// TestBrokenChildren: every kind of failure is an ErrChild that says what
// happened, the episode is over, and the next Reset works.
func TestBrokenChildren(t *testing.T) {
	for role, says := range map[string]string{
		"dies":         "segmentation fault, probably",
		"hangs":        "no answer to \"step\" within",
		"garbage":      "does the program print",
		"huge header":  "claims 4294967295 bytes of header",
		"huge payload": "and 4294967295 of payload",
		"bad json":     "header: invalid character",
		"half a frame": "it ended (exit status 0)",
		"other size":   "a state of 9 bytes, want 72",
		"wrong steps":  "it took 5 steps of 1",
		"not a number": "vector value 1 is NaN",
	} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			cfg := as(role)
			if role == "hangs" {
				cfg.StepTimeout = 500 * time.Millisecond
			}
			e := open(t, cfg, env.Options{})
			_, err := thirdStep(context.Background(), t, e)
			if !errors.Is(err, ErrChild) || !errors.Is(err, env.ErrBroken) || !strings.Contains(err.Error(), says) {
				t.Fatalf("error %v, want ErrChild with %q", err, says)
			}
			if _, err := e.Step(context.Background(), []float32{0}); !errors.Is(err, env.ErrNotReset) {
				t.Errorf("a step after it: %v, want ErrNotReset", err)
			}
			if _, err := thirdStep(context.Background(), t, e); !errors.Is(err, ErrChild) {
				t.Errorf("second episode: %v, want three steps and ErrChild", err)
			}
		})
	}
}

func TestRefusedAtTheStart(t *testing.T) {
	for role, says := range map[string]string{
		"mute":            "no answer to \"hello\" within",
		"newer":           "version 2 of the protocol, want 1",
		"early death":     "no module named physics",
		"printer":         "does the program print",
		"no bounds":       "1 lower and 0 upper bounds",
		"complains":       "it reports: no such task",
		"image too large": "want [height, width, channels]",
	} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			cfg := as(role)
			if role == "mute" {
				cfg.StartTimeout = 200 * time.Millisecond
			}
			_, err := Open(context.Background(), cfg, env.Options{})
			if !errors.Is(err, ErrChild) || !strings.Contains(err.Error(), says) {
				t.Errorf("error %v, want ErrChild with %q", err, says)
			}
		})
	}
	for name, cfg := range map[string]Config{"nothing to run": {}, "half a size": {Command: []string{"x"}, Height: 3}} {
		if _, err := Open(context.Background(), cfg, env.Options{}); !errors.Is(err, env.ErrOptions) {
			t.Errorf("%s: %v, want ErrOptions", name, err)
		}
	}
	if _, err := Open(context.Background(), Config{Command: []string{"/no/such/program"}}, env.Options{}); !errors.Is(err, ErrChild) {
		t.Errorf("no such program: %v, want ErrChild", err)
	}
}

// TestContextEndsACall: a cancelled context ends a hanging step at once, and is
// not mistaken for a broken child.
func TestContextEndsACall(t *testing.T) {
	e := open(t, as("hangs"), env.Options{})
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := thirdStep(ctx, t, e)
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrChild) {
		t.Errorf("error %v, want the context's alone", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	if _, err := e.Reset(context.Background(), 1); err != nil {
		t.Errorf("reset after it: %v", err)
	}
}

// TestSlowChildIsNotBroken: an answer within the timeout is waited for.
func TestSlowChildIsNotBroken(t *testing.T) {
	if _, err := thirdStep(context.Background(), t, open(t, as("slow"), env.Options{})); err != nil {
		t.Error(err)
	}
}

// TestFloodOfStandardError neither blocks the child nor fills the log.
func TestFloodOfStandardError(t *testing.T) {
	var log bytes.Buffer
	cfg := as("flood")
	cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	e := open(t, cfg, env.Options{})
	if _, err := thirdStep(context.Background(), t, e); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	text := log.String()
	if lines := strings.Count(text, "\n"); lines < 100 || lines > 3*maxLines {
		t.Errorf("%d lines logged, want some hundred", lines)
	}
	if !strings.Contains(text, "line 3 of a very talkative simulator") {
		t.Errorf("the log begins %q", text[:min(len(text), 300)])
	}
}

package env

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"math"
	"strings"
	"testing"
)

// clock is an environment whose image and vector are the number of env steps;
// its reward is 1 a step, and it terminates at end if that is positive.
type clock struct {
	steps, end  int
	observed    int // observations built
	closed      int
	resetErr    error
	wrongVector bool
}

func (c *clock) Spec() Spec {
	return Spec{
		Name: "clock", Image: ImageSpec{1, 1, 1}, VectorSize: 1, VectorNames: []string{"steps"},
		Action: ActionSpec{Size: 1, Low: []float32{-1}, High: []float32{1}}, ActionRepeat: 1,
	}
}

func (c *clock) observe() Observation {
	c.observed++
	o := Observation{Image: []byte{byte(c.steps)}, Vector: []float32{float32(c.steps)}}
	if c.wrongVector {
		o.Vector = nil
	}
	return o
}

func (c *clock) Reset(context.Context, uint64) (Observation, error) {
	c.steps = 0
	return c.observe(), c.resetErr
}

func (c *clock) Step(_ context.Context, action []float32) (Transition, error) {
	c.steps++
	return Transition{Observation: c.observe(), Reward: float64(action[0]), Terminated: c.steps == c.end, EnvSteps: 1}, nil
}

func (c *clock) Close() error { c.closed++; return nil }

// fastClock can skip observations.
type fastClock struct{ clock }

func (c *fastClock) StepRepeated(_ context.Context, action []float32, n int) (Transition, error) {
	t := Transition{}
	for range n {
		c.steps++
		t.EnvSteps++
		t.Reward += float64(action[0])
		if c.steps == c.end {
			t.Terminated = true
			break
		}
	}
	t.Observation = c.observe()
	return t, nil
}

func mustStep(t *testing.T, e Env) Transition {
	t.Helper()
	out, err := e.Step(context.Background(), []float32{0.5})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func mustReset(t *testing.T, e Env) {
	t.Helper()
	if _, err := e.Reset(context.Background(), 1); err != nil {
		t.Fatal(err)
	}
}

func mustStandard(t *testing.T, bare Env, opts Options, limit int) Env {
	t.Helper()
	e, err := Standard(bare, opts, limit)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestActionRepeatSumsRewardsAndShowsTheLastObservation(t *testing.T) {
	for _, bare := range []Env{&clock{}, &fastClock{}} {
		e := mustStandard(t, bare, Options{ActionRepeat: 4}, 0)
		mustReset(t, e)
		out := mustStep(t, e)
		if out.Reward != 2 || out.EnvSteps != 4 || out.Vector[0] != 4 || out.Image[0] != 4 {
			t.Errorf("%T: %+v, want reward 2, 4 env steps and the observation after 4", bare, out)
		}
		if got := e.Spec().ActionRepeat; got != 4 {
			t.Errorf("%T: spec says ActionRepeat %d, want 4", bare, got)
		}
	}
}

func TestActionRepeatObservesOncePerDecisionWhereItCan(t *testing.T) {
	bare := &fastClock{}
	e := mustStandard(t, bare, Options{ActionRepeat: 8}, 1000)
	mustReset(t, e)
	for range 125 {
		mustStep(t, e)
	}
	if bare.observed != 126 {
		t.Errorf("%d observations were built for a reset and 125 decisions", bare.observed)
	}
}

func TestActionRepeatStopsAtTheEnd(t *testing.T) {
	for _, bare := range []Env{&clock{end: 6}, &fastClock{clock{end: 6}}} {
		e := mustStandard(t, bare, Options{ActionRepeat: 4}, 0)
		mustReset(t, e)
		mustStep(t, e)
		if out := mustStep(t, e); out.EnvSteps != 2 || out.Reward != 1 || !out.Terminated {
			t.Errorf("%T: %+v, want 2 env steps, reward 1, terminated", bare, out)
		}
	}
}

func TestTimeLimitTruncatesAfterExactlyItsEnvSteps(t *testing.T) {
	for _, bare := range []Env{&clock{}, &fastClock{}} {
		e := mustStandard(t, bare, Options{ActionRepeat: 6}, 20)
		if got := e.Spec().Decisions(); got != 4 {
			t.Errorf("%T: spec has %d decisions, want 4", bare, got)
		}
		for range 2 { // the count starts anew with each episode
			mustReset(t, e)
			steps := 0
			for {
				out := mustStep(t, e)
				steps += out.EnvSteps
				if out.Ended() {
					if steps != 20 || out.EnvSteps != 2 || !out.Truncated || out.Terminated {
						t.Errorf("%T: ended after %d env steps with %+v", bare, steps, out)
					}
					break
				}
			}
		}
	}
}

func TestTerminationOnTheLastStepIsNotTruncation(t *testing.T) {
	e := mustStandard(t, &clock{end: 3}, Options{}, 3)
	mustReset(t, e)
	mustStep(t, e)
	mustStep(t, e)
	if out := mustStep(t, e); !out.Terminated || out.Truncated {
		t.Errorf("terminated %v, truncated %v; want true, false", out.Terminated, out.Truncated)
	}
}

func TestTimeLimitAroundARepeatCountsEnvSteps(t *testing.T) {
	repeated, err := ActionRepeat(&clock{}, 4)
	if err != nil {
		t.Fatal(err)
	}
	e, err := TimeLimit(repeated, 10)
	if err != nil {
		t.Fatal(err)
	}
	mustReset(t, e)
	for i, want := range []bool{false, false, true} {
		if out := mustStep(t, e); out.EnvSteps != 4 || out.Truncated != want {
			t.Errorf("decision %d: %d env steps, truncated %v; want 4, %v", i, out.EnvSteps, out.Truncated, want)
		}
	}
	if _, err := e.Step(context.Background(), []float32{0}); !errors.Is(err, ErrEnded) {
		t.Errorf("step after the limit: %v, want ErrEnded", err)
	}
}

func TestBitDepthKeepsTheUpperBits(t *testing.T) {
	for bits := 1; bits <= 8; bits++ {
		bare := &clock{}
		e, err := BitDepth(bare, bits)
		if err != nil {
			t.Fatal(err)
		}
		for x := range 256 {
			bare.steps = x - 1
			want := byte(x) >> (8 - bits) << (8 - bits)
			if got := mustStep(t, e).Image[0]; got != want {
				t.Fatalf("%d bits: %d became %d, want %d", bits, x, got, want)
			}
		}
	}
}

func TestWrappersRefuseBadNumbers(t *testing.T) {
	for name, err := range map[string]error{
		"repeat 0":  second(ActionRepeat(&clock{}, 0)),
		"limit 0":   second(TimeLimit(&clock{}, 0)),
		"bits 0":    second(BitDepth(&clock{}, 0)),
		"bits 9":    second(BitDepth(&clock{}, 9)),
		"limit -1":  second(Standard(&clock{}, Options{}, -1)),
		"repeat -1": second(Standard(&clock{}, Options{ActionRepeat: -1}, 0)),
	} {
		if !errors.Is(err, ErrOptions) {
			t.Errorf("%s: %v, want ErrOptions", name, err)
		}
	}
}

func second(_ Env, err error) error { return err }

func TestStandardClosesWhatItCannotWrap(t *testing.T) {
	bare := &clock{}
	if _, err := Standard(bare, Options{BitDepth: 12}, 0); err == nil || bare.closed != 1 {
		t.Errorf("error %v, closed %d times; want an error and one close", err, bare.closed)
	}
}

func TestGuardKeepsTheOrderOfCalls(t *testing.T) {
	bare := &clock{end: 1}
	e := mustStandard(t, bare, Options{}, 0)
	ctx, action := context.Background(), []float32{0}
	step := func() error { _, err := e.Step(ctx, action); return err }
	reset := func() error { _, err := e.Reset(ctx, 0); return err }
	for i, c := range []struct {
		call func() error
		want error
	}{
		{step, ErrNotReset}, {reset, nil}, {step, nil}, {step, ErrEnded}, {step, ErrEnded},
		{reset, nil}, {step, nil}, {e.Close, nil}, {e.Close, nil}, {reset, ErrClosed}, {step, ErrClosed},
	} {
		if err := c.call(); !errors.Is(err, c.want) {
			t.Errorf("call %d: %v, want %v", i, err, c.want)
		}
	}
	if bare.closed != 1 {
		t.Errorf("the inner environment was closed %d times", bare.closed)
	}
}

func TestGuardRefusesActionsAndStaysUsable(t *testing.T) {
	e := mustStandard(t, &clock{}, Options{}, 0)
	mustReset(t, e)
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for _, action := range [][]float32{nil, {0, 0}, {nan}, {inf}, {1.0001}, {-1.0001}} {
		if _, err := e.Step(context.Background(), action); !errors.Is(err, ErrAction) {
			t.Errorf("action %v: %v, want ErrAction", action, err)
		}
	}
	if out := mustStep(t, e); out.Vector[0] != 1 {
		t.Errorf("refused actions moved the environment to %g", out.Vector[0])
	}
}

func TestGuardReportsWhatContradictsTheSpec(t *testing.T) {
	bare := &clock{}
	e := mustStandard(t, bare, Options{}, 0)
	mustReset(t, e)
	bare.wrongVector = true
	ctx := context.Background()
	if _, err := e.Step(ctx, []float32{0}); !errors.Is(err, ErrSpec) {
		t.Errorf("short vector: %v, want ErrSpec", err)
	}
	if _, err := e.Step(ctx, []float32{0}); !errors.Is(err, ErrNotReset) {
		t.Errorf("step after a failure: %v, want ErrNotReset", err)
	}
	bare.wrongVector, bare.resetErr = false, errors.New("cable loose")
	if _, err := e.Reset(ctx, 0); !errors.Is(err, bare.resetErr) || !strings.Contains(err.Error(), "clock") {
		t.Errorf("failed reset: %v, want the cause and the name", err)
	}
}

func TestSpecValidateReportsEverything(t *testing.T) {
	err := Spec{VectorSize: -1, MaxEnvSteps: -1, Image: ImageSpec{Height: 3}, Action: ActionSpec{Size: 1, Low: []float32{1}, High: []float32{1}}}.Validate()
	if !errors.Is(err, ErrSpec) {
		t.Fatal(err)
	}
	for _, part := range []string{"Name", "ActionRepeat", "MaxEnvSteps", "Image", "VectorSize", "VectorNames", "bounds"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not mention %s", err, part)
		}
	}
	if err := (&clock{}).Spec().Validate(); err != nil {
		t.Errorf("a valid spec: %v", err)
	}
}

func TestRegistryFindsListsAndSuggests(t *testing.T) {
	r := NewRegistry()
	var got Options
	for _, name := range []string{"cartpole-swingup", "cartpole-balance", "toy-dot"} {
		err := r.Register(Entry{Name: name, DefaultActionRepeat: 8, New: func(o Options) (Env, error) { got = o; return &clock{}, nil }})
		if err != nil {
			t.Fatal(err)
		}
	}
	if names := fmt.Sprint(r.Names()); names != "[cartpole-balance cartpole-swingup toy-dot]" {
		t.Errorf("names are %s", names)
	}
	if _, err := r.New("toy-dot", Options{Width: 32}); err != nil || got != (Options{Height: 64, Width: 32, ActionRepeat: 8, BitDepth: 8}) {
		t.Errorf("options arrived as %+v, %v", got, err)
	}
	for asked, want := range map[string]string{"cartpole_swingup": `"cartpole-swingup"`, "toy-dto": `"toy-dot"`, "x": "known are"} {
		_, err := r.New(asked, Options{})
		if !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want ErrUnknown mentioning %s", asked, err, want)
		}
	}
	if err := r.Register(Entry{Name: "toy-dot", New: func(Options) (Env, error) { return nil, nil }}); err == nil {
		t.Error("a name was registered twice")
	}
	if err := r.Register(Entry{Name: "nothing"}); err == nil {
		t.Error("an entry without New was registered")
	}
	if _, err := r.New("toy-dot", Options{Height: MaxImageSize + 1}); !errors.Is(err, ErrOptions) {
		t.Errorf("a huge image: %v, want ErrOptions", err)
	}
}

func TestEpisodeSeedsAreDistinctAndFixed(t *testing.T) {
	seen := map[uint64]string{}
	for _, purpose := range []string{"train", "evaluate"} {
		for run := range uint64(10) {
			for episode := range 100 {
				seed := EpisodeSeed(run, purpose, episode)
				what := fmt.Sprint(purpose, run, episode)
				if other, taken := seen[seed]; taken {
					t.Fatalf("%s and %s share a seed", what, other)
				}
				seen[seed] = what
			}
		}
	}
	// Pinned: changing it would change what a resumed run sees.
	if got := EpisodeSeed(1, "train", 2); got != pinnedSeed {
		t.Errorf("seed is %#x, was %#x", got, pinnedSeed)
	}
}

func TestPictureShowsGreyAndRGB(t *testing.T) {
	img, err := ImageSpec{1, 2, 3}.Picture([]byte{1, 2, 3, 4, 5, 6})
	if err != nil {
		t.Fatal(err)
	}
	if got := img.At(1, 0); got != (color.NRGBA{4, 5, 6, 255}) {
		t.Errorf("pixel 1, 0 is %v", got)
	}
	grey, err := ImageSpec{2, 1, 1}.Picture([]byte{7, 8})
	if err != nil {
		t.Fatal(err)
	}
	if got := grey.At(0, 1); got != (color.Gray{8}) {
		t.Errorf("grey pixel 0, 1 is %v", got)
	}
	if _, err := (ImageSpec{1, 1, 4}).Picture(make([]byte, 4)); err == nil {
		t.Error("four channels were accepted")
	}
	if _, err := (ImageSpec{1, 1, 3}).Picture(make([]byte, 4)); err == nil {
		t.Error("a wrong length was accepted")
	}
}

// pinnedSeed was computed with Python's hashlib from the definition.
const pinnedSeed = 0x1b45018896e9997

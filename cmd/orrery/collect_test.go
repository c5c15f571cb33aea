package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/toy"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/replay"
)

// episodesIn are the episodes of a directory by name, as bytes.
func episodesIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	names, err := filepath.Glob(filepath.Join(dir, "*.npz"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(name)] = string(data)
	}
	return out
}

// actionsOf are the actions of the first episode of a directory, record 0
// excluded.
func actionsOf(t *testing.T, dir string) []float32 {
	t.Helper()
	path := filepath.Join(dir, "000000.npz")
	schema, _, err := replay.Describe(vfs.OS(), path)
	if err != nil {
		t.Fatal(err)
	}
	ep, err := replay.ReadFile(vfs.OS(), path, schema)
	if err != nil {
		t.Fatal(err)
	}
	return ep.Actions[schema.ActionSize:]
}

// TestCollectAddsAndRepeats: nothing is overwritten, and the seed decides.
func TestCollectAddsAndRepeats(t *testing.T) {
	base := t.TempDir()
	collect := func(dir string, more ...string) string {
		return must(t, append([]string{"collect", "--env", "toy-dot", "--image-size", "16", "--out", filepath.Join(base, dir)}, more...)...)
	}
	out := collect("a", "-n", "3")
	if !strings.Contains(out, "episode 000002 (3/3)  decisions 50  env_steps 50  return") || !strings.Contains(out, "ETA") || !strings.Contains(out, "3 episodes in ") {
		t.Errorf("%s", out)
	}
	first := episodesIn(t, filepath.Join(base, "a"))
	if out := collect("a", "-n", "2"); !strings.Contains(out, ", 2 of them new") {
		t.Errorf("%s", out)
	}
	all := episodesIn(t, filepath.Join(base, "a"))
	for name := range first {
		if all[name] != first[name] {
			t.Errorf("%s has changed", name)
		}
	}
	if collect("b", "-n", "5", "--quiet"); !maps.Equal(episodesIn(t, filepath.Join(base, "b")), all) || len(all) != 5 {
		t.Errorf("%d episodes: another collection of the same seed differs", len(all))
	}
	if collect("c", "-n", "5", "--seed", "1", "-q"); episodesIn(t, filepath.Join(base, "c"))["000000.npz"] == all["000000.npz"] {
		t.Error("the seed makes no difference")
	}
	must(t, "train", "--preset", "tiny", "--offline", filepath.Join(base, "a")+","+filepath.Join(base, "c"), "--env", "toy-dot", "--run", filepath.Join(base, "run"), "--updates", "3", "-q")
}

// TestCollectWithATrainedAgent: its environment, and noise if asked for.
func TestCollectWithATrainedAgent(t *testing.T) {
	base := t.TempDir()
	run, file := filepath.Join(base, "run"), filepath.Join(base, "w.safetensors")
	must(t, tiny(run, "--episodes", "3", "--quiet")...)
	must(t, "export", run, "-o", file)
	collect := func(dir string, more ...string) map[string]string {
		dir = filepath.Join(base, dir)
		must(t, append([]string{"collect", "--out", dir, "-n", "1", "-q"}, more...)...)
		return episodesIn(t, dir)
	}
	a, b := collect("a", "--policy", run), collect("b", "--policy", file)
	noisy := collect("c", "--policy", run, "--noise", "0.3")
	if !maps.Equal(a, b) || len(a) != 1 {
		t.Error("a run and its weights act differently")
	}
	if maps.Equal(a, noisy) {
		t.Error("noise makes no difference")
	}
}

func TestCollectMistakes(t *testing.T) {
	base := t.TempDir()
	run, out := filepath.Join(base, "run"), filepath.Join(base, "out")
	discrete := filepath.Join(base, "discrete")
	must(t, tiny(run, "--episodes", "2", "--quiet")...)
	must(t, tiny(discrete, "--episodes", "2", "--quiet", "--set", "plan.planner=categorical")...)
	must(t, "collect", "--env", "toy-dot", "--image-size", "16", "-n", "1", "--out", filepath.Join(base, "small"), "-q")
	for want, args := range map[string][]string{
		"--out is missing":           {"--env", "toy-dot"},
		"--episodes is 0":            {"--out", out, "-n", "0"},
		"--noise is for trained":     {"--out", out, "--noise", "0.3"},
		"--noise is -1":              {"--out", out, "--policy", run, "--noise", "-1"},
		"--fps is -3":                {"--out", out, "--policy", "human", "--fps", "-3"},
		"--fps is how fast a person": {"--out", out, "--policy", run, "--fps", "20"},
		"it is the probability":      {"--out", out, "--policy", discrete, "--noise", "1.5"},
		"no such run or file":        {"--out", out, "--policy", "randm"},
		"did you mean":               {"--out", out, "--env", "toy-dto"},
		"was trained with":           {"--out", out, "--policy", run, "--image-size", "32"},
		"belongs to the run":         {"--out", filepath.Join(run, "episodes"), "--env", "toy-dot"},
		"the model is for":           {"--out", out, "--policy", run, "--env", "cartpole-swingup"},
		"are no episodes of toy-dot": {"--out", filepath.Join(base, "small"), "--env", "toy-dot"},
		"terminal for both input":    {"--out", out, "--policy", "human", "--env", "toy-dot"},
		"or choose --policy random":  {"--out", out, "--policy", "human", "--env", "toy-dot"},
	} {
		code, said, errs := orrery(t, append([]string{"collect"}, args...)...)
		if code != exitUsage || !strings.Contains(errs, want) || said != "" {
			t.Errorf("%v: exit code %d, want %q in %s, and nothing but it (%s)", args, code, want, errs, said)
		}
		if files, _ := filepath.Glob(filepath.Join(out, "*.npz")); len(files) > 0 {
			t.Fatalf("%v: it has written %v", args, files)
		}
	}
}

// byHand collects with keys as if they were pressed, turn by turn.
func byHand(t *testing.T, keys string, args ...string) (out, screen string, err error) {
	t.Helper()
	var text, errs, frames bytes.Buffer
	restored := false
	a := &app{out: &text, err: &errs, envs: env.NewRegistry()}
	if err := toy.Register(a.envs); err != nil {
		t.Fatal(err)
	}
	a.interactive = func() error { return nil }
	a.terminal = func() (*terminal, error) {
		return &terminal{in: strings.NewReader(keys), out: &frames, size: func() (int, int) { return 60, 30 }, restore: func() error { restored = true; return nil }}, nil
	}
	cmd := newCollect(a)
	cmd.SetArgs(append([]string{"--policy", "human", "--fps", "0", "--image-size", "16"}, args...))
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err = cmd.ExecuteContext(context.Background())
	if !restored {
		t.Error("the terminal was not given back")
	}
	return text.String(), frames.String(), err
}

// wide has more components of actions than a keyboard has keys for.
type wide struct{ env.Env }

func (w wide) Spec() env.Spec {
	s := w.Env.Spec()
	s.Action.Size = 50
	return s
}

// TestActionsWithoutKeysAreRefusedAtOnce: before the terminal is taken over, and
// anything is written.
func TestActionsWithoutKeysAreRefusedAtOnce(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out, err: io.Discard, envs: env.NewRegistry(), interactive: func() error { return nil }}
	a.terminal = func() (*terminal, error) { t.Error("the terminal is taken over"); return nil, errNoTerminal }
	if err := toy.Register(a.envs); err != nil {
		t.Fatal(err)
	}
	if err := a.envs.Register(env.Entry{Name: "wide", New: func(o env.Options) (env.Env, error) {
		e, err := a.envs.New("toy-dot", o)
		return wide{e}, err
	}}); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "mine")
	cmd := newCollect(a)
	cmd.SetArgs([]string{"--policy", "human", "--env", "wide", "--image-size", "16", "--out", dir})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	if err := cmd.ExecuteContext(t.Context()); !errors.Is(err, errUsage) || !strings.Contains(err.Error(), "actions of 50 components") || out.Len() > 0 {
		t.Errorf("%v, and it says %q", err, &out)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a directory was made")
	}
}

// TestCollectByHand: keys become the actions that are stored, whole episodes are
// kept, and a dropped one is played again.
func TestCollectByHand(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mine")
	episode := strings.Repeat("adsw ", 10) // toy-dot ends after 50 decisions
	out, screen, err := byHand(t, "aaax"+episode+"ddq", "--env", "toy-dot", "--out", dir, "-n", "3")
	if err != nil || !strings.Contains(out, "1 of them new") || !strings.Contains(out, "episode 000000  decisions 50  return") {
		t.Errorf("%v: %s", err, out)
	}
	want := slices.Repeat([]float32{-1, 0, 1, 0, 0, -1, 0, 1, 0, 0}, 10)
	if got := actionsOf(t, dir); !slices.Equal(got, want) {
		t.Errorf("the stored actions are %v", got)
	}
	for _, want := range []string{"toy-dot   episode 1 of 3   decision 0 of 50", "episode 2 of 3   decision 2 of 50", "▀", "component 1: -1, +1", "\x1b[?1049l"} {
		if !strings.Contains(screen, want) {
			t.Errorf("the screen never shows %q", want)
		}
	}
	if strings.Contains(screen, "3 of 3") {
		t.Error("an episode too many")
	}
}

// TestCollectChoicesByHand: digits choose discrete actions.
func TestCollectChoicesByHand(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "grid")
	out, screen, err := byHand(t, strings.Repeat("15", toy.GridMaxEnvSteps/2), "--env", "toy-grid", "--discrete", "--out", dir, "-n", "1")
	if err != nil || !strings.Contains(out, "1 of them new") || !strings.Contains(screen, "1 to 5   action") {
		t.Errorf("%v: %s", err, out)
	}
	if got := actionsOf(t, dir)[:10]; !slices.Equal(got, []float32{1, 0, 0, 0, 0, 0, 0, 0, 0, 1}) {
		t.Errorf("%v", got)
	}
	if _, _, err := byHand(t, "", "--env", "toy-grid", "--discrete", "--out", dir, "-n", "1"); err != nil {
		t.Errorf("the end of the input: %v", err)
	}
}

// TestInterruptedCollectionsKeepWholeEpisodes.
func TestInterruptedCollectionsKeepWholeEpisodes(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, errs bytes.Buffer
	dir := filepath.Join(t.TempDir(), "data")
	if code := run(ctx, []string{"collect", "--env", "toy-dot", "--out", dir}, &out, &errs); code != exitInterrupted || len(episodesIn(t, dir)) != 0 {
		t.Errorf("exit code %d: %s%s", code, &out, &errs)
	}
	if _, err := openTerminal(os.Stdin, &out); !errors.Is(err, errNoTerminal) {
		t.Errorf("%v", err)
	}
}

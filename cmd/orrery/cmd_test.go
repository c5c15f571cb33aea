package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image/gif"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/metrics"
)

// asCommand makes the test binary behave as the program, so that tests can
// start, interrupt and kill real processes.
const asCommand = "ORRERY_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// orrery runs the command line in this process.
func orrery(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(context.Background(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// must fails the test unless the command succeeds.
func must(t *testing.T, args ...string) string {
	t.Helper()
	code, out, errs := orrery(t, args...)
	if code != exitOK {
		t.Fatalf("orrery %s: exit code %d\n%s%s", strings.Join(args, " "), code, out, errs)
	}
	return out
}

// tiny is a run of a few hundred milliseconds.
func tiny(dir string, more ...string) []string {
	return append([]string{"train", "--preset", "tiny", "--env", "toy-dot", "--run", dir}, more...)
}

func TestTrainEvalDreamPlot(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	out := must(t, tiny(dir)...)
	for _, want := range []string{"episode 6/6", "evaluation after", "env ", "orrery eval " + dir} {
		if !strings.Contains(out, want) {
			t.Errorf("train does not print %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "\r") {
		t.Error("control characters without a terminal")
	}
	var report evalReport
	if err := json.Unmarshal([]byte(must(t, "eval", dir, "--episodes", "3", "--json")), &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Returns) != 3 || report.Counters.Episodes != 6 || report.Counters.Updates != 20 || len(report.WeightsSHA256) != 64 {
		t.Errorf("%+v", report)
	}
	if report.Returns[0] == report.Returns[1] {
		t.Errorf("returns %v: the episodes start alike", report.Returns)
	}
	for n, want := range map[string]string{"4": "(95 % interval", "3": "(too few episodes for an interval), median", "1": "(too few episodes for an interval)\n"} {
		if text := must(t, "eval", dir, "--episodes", n); !strings.Contains(text, want) {
			t.Errorf("eval of %s episodes prints %s", n, text)
		}
	}
	file := filepath.Join(t.TempDir(), "dream.gif")
	must(t, "dream", dir, "--length", "20", "--scale", "2", "-o", file)
	if frames := decodeGIF(t, file); frames != 20 {
		t.Errorf("%d frames", frames)
	}
	file = filepath.Join(t.TempDir(), "curve.svg")
	must(t, "plot", dir, "-o", file)
	picture := filepath.Join(t.TempDir(), "losses.png")
	must(t, "plot", dir, dir, "--group", "--metric", "loss", "--x", "updates", "-o", picture)
	if f, err := os.Open(picture); err != nil {
		t.Error(err)
	} else if img, err := png.Decode(f); err != nil || f.Close() != nil || img.Bounds().Dx() != 1440 {
		t.Errorf("the picture: %v", err)
	}
	if list := must(t, "plot", dir, "--list"); !strings.Contains(list, "loss/kl:nats\n") {
		t.Errorf("--list prints %s", list)
	}
	both := filepath.Join(t.TempDir(), "both.svg")
	must(t, "plot", dir, dir, "-o", both)
	if text, err := os.ReadFile(both); err != nil || strings.Count(string(text), ">"+filepath.Base(dir)+"<") != 2 {
		t.Errorf("a plot of two runs does not name both (%v)", err)
	}
	if data, err := os.ReadFile(file); err != nil || !bytes.Contains(data, []byte("toy-dot")) {
		t.Errorf("the plot: %v", err)
	}
}

func decodeGIF(t *testing.T, path string) int {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g, err := gif.DecodeAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return len(g.Image)
}

func TestFinishedRunGoesOnAndContradictionsAreRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	must(t, tiny(dir, "--episodes", "3")...)
	if out := must(t, tiny(dir, "--episodes", "4")...); !strings.Contains(out, "going on after 3 episodes") {
		t.Errorf("%s", out)
	}
	code, _, errs := orrery(t, tiny(dir, "--set", "model.deter_size=24")...)
	if code != exitUsage || !strings.Contains(errs, "model.deter_size 16 -> 24") || !strings.Contains(errs, "--run DIR") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

func TestMistakesExitWithTwoAndSayWhat(t *testing.T) {
	dir := t.TempDir()
	for want, args := range map[string][]string{
		"unknown command":       {"tarin"},
		"--episods":             {"train", "--episods", "3"},
		"did you mean":          {"train", "--env", "cartpole-swingpu", "--run", dir},
		"batch_size is 0":       {"train", "--set", "learn.batch_size=0"},
		"no preset \"huge\"":    {"train", "--preset", "huge"},
		"name=value":            {"train", "--set", "x"},
		"holds no run":          {"eval", dir},
		"--episodes is 0":       {"eval", dir, "--episodes", "0"},
		"a RUN directory":       {"eval"},
		"there is no such file": {"eval", filepath.Join(dir, "nope")},
		"--dash=6018":           {"train", "--dash", "6018"},
		"not 1 argument, \"x\"": {"train", "x"},
		"not 2 arguments":       {"train", "x", "y"},
		"--context":             {"dream", dir, "--context", "0"},
		"unknown environment":   {"env", "show", "nothing-like-it"},
		"unknown path":          {"train", "--preset", "tiny", "--cpu-path", "sse9", "--run", dir},
		"backend \"gpu\"":       {"train", "--preset", "tiny", "--backend", "gpu", "--run", dir},
		"must lie in [8, 1024]": {"train", "--set", "env.image_size=2"},
		"no such file":          {"train", "--config", filepath.Join(dir, "missing.yaml")},
		"episodes is -5":        {"train", "--episodes", "-5"},
		"episodes is 0":         {"train", "--episodes", "0"},
		"has no value":          {"train", "--set", "learn.batch_size="},
		"needs a RUN":           {"plot"},
		".svg or .png":          {"plot", dir, "-o", "curve.pdf"},
		"--x steps":             {"plot", dir, "--x", "steps"},
		"--band both":           {"plot", dir, "--band", "both"},
		"NAME=VALUE":            {"plot", dir, "--reference", "821"},
		"--band std":            {"plot", dir, "--band", "std"},
	} {
		code, _, errs := orrery(t, args...)
		if code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("orrery %s: exit code %d, want %d, and %q in:\n%s", strings.Join(args, " "), code, exitUsage, want, errs)
		}
	}
}

// TestPlotRefusesFlagsThatWouldChangeNothing: nobody has to find out from the
// picture that a flag was not for it.
func TestPlotRefusesFlagsThatWouldChangeNothing(t *testing.T) {
	kept, out := filepath.Join("..", "..", "results", "cartpole-swingup-small"), filepath.Join(t.TempDir(), "curve.svg")
	toy := filepath.Join(t.TempDir(), "toy")
	must(t, tiny(toy, "--episodes", "3", "--quiet")...)
	for want, args := range map[string][]string{
		"--reference is drawn with returns": {kept, "--metric", "loss/kl", "--reference", "random=40"},
		"--reference is drawn":              {kept, "--metric", "return/eval_std", "--reference", "random=40"},
		"--paper is drawn with returns":     {kept, "--metric", "loss", "--paper"},
		"no return for toy-dot":             {toy, "--paper"},
		"--log is for other metrics":        {kept, "--log"},
	} {
		code, _, errs := orrery(t, append([]string{"plot", "-o", out}, args...)...)
		if code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("%v: exit code %d, want %q in %s", args, code, want, errs)
		}
		if _, err := os.Stat(out); err == nil {
			t.Fatalf("%v: a picture was written", args)
		}
	}
	must(t, "plot", kept, "--metric", "return/eval", "--metric", "loss", "--reference", "random=40", "--paper", "--log", "-o", out)
	if text := readText(t, out); !strings.Contains(text, "random") || !strings.Contains(text, "paper, after 1000 episodes: 821") {
		t.Error("the lines are missing")
	}
}

func TestPrintedConfigurationIsAccepted(t *testing.T) {
	printed := must(t, "train", "--preset", "tiny", "--seed", "5", "--set", "plan.horizon=4", "--print-config")
	file := filepath.Join(t.TempDir(), "my.yaml")
	if err := os.WriteFile(file, []byte(printed), 0o600); err != nil {
		t.Fatal(err)
	}
	if again := must(t, "train", "--config", file, "--print-config"); again != printed {
		t.Errorf("printed again:\n%s\nwant\n%s", again, printed)
	}
}

// TestPresetsNamedAnywhereAreTaken: the file's preset gives way to --set's, and
// that to the flag.
func TestPresetsNamedAnywhereAreTaken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "my.yaml")
	if err := os.WriteFile(file, []byte("preset: tiny\nseed: 5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"tiny":  {"--config", file},
		"paper": {"--config", file, "--set", "preset=paper"},
		"small": {"--config", file, "--set", "preset=paper", "--preset", "small"},
	} {
		got := must(t, append([]string{"train", "--print-config"}, args...)...)
		if want := must(t, "train", "--print-config", "--preset", name, "--seed", "5"); got != want {
			t.Errorf("%v gives\n%s\nwant\n%s", args, got, want)
		}
	}
}

func TestEnvCommands(t *testing.T) {
	if out := must(t, "env", "list"); !strings.Contains(out, "cartpole-swingup") || !strings.Contains(out, "toy-dot") {
		t.Errorf("%s", out)
	}
	if out := must(t, "env", "check", "cartpole-balance"); !strings.Contains(out, "keeps the contract") {
		t.Errorf("%s", out)
	}
	base := filepath.Join(t.TempDir(), "pole")
	must(t, "env", "show", "cartpole-swingup", "--size", "48", "--decisions", "5", "-o", base)
	f, err := os.Open(base + ".png")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if img, err := png.Decode(f); err != nil || img.Bounds().Dx() != 48 {
		t.Errorf("png: %v", err)
	}
	if n := decodeGIF(t, base+".gif"); n != 6 {
		t.Errorf("%d frames, want 6", n)
	}
}

func TestVersionAndHelp(t *testing.T) {
	if out := must(t, "version"); !strings.Contains(out, "cpu path") {
		t.Errorf("%s", out)
	}
	for _, args := range [][]string{{"--help"}, {"train", "--help"}, {"collect", "--help"}, {"doctor", "--help"}, {"eval", "--help"}, {"dream", "--help"}, {"env", "show", "--help"}} {
		if out := must(t, args...); !strings.Contains(out, "Examples:") {
			t.Errorf("orrery %s has no examples", strings.Join(args, " "))
		}
	}
}

// command is the program as a process of its own.
func command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	return cmd
}

// TestKilledRunsEndIdentically kills training processes with SIGKILL at random
// moments until one completes, and compares all that it leaves with a run left
// alone.
func TestKilledRunsEndIdentically(t *testing.T) {
	whole, killed := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "killed")
	args := func(dir string) []string { return tiny(dir, "--episodes", "14", "--quiet") }
	start := time.Now()
	if out, err := command(args(whole)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	took := time.Since(start)
	random := rand.New(rand.NewPCG(1, 2))
	kills := 0
	for {
		cmd := command(args(killed)...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// A process has too little time at first, and more with every kill.
		patience := time.Duration(random.Int64N(int64(took)/2)) + time.Duration(kills)*took/20
		alarm := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		if alarm.Stop(); err == nil {
			break
		}
		if cmd.ProcessState.ExitCode() >= 0 {
			t.Fatalf("the run failed by itself: %v", err)
		}
		kills++
	}
	sameRun(t, killed, whole)
	if kills == 0 {
		t.Fatal("no process was killed: the test proves nothing")
	}
}

// TestRefusedRunsLeaveNoConfiguration: what could not start does not stand in the
// way of what can.
func TestRefusedRunsLeaveNoConfiguration(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	args := []string{"train", "--preset", "tiny", "--env", "toy-choice", "--run", dir, "--quiet"}
	code, _, errs := orrery(t, args...)
	if code != exitUsage || !strings.Contains(errs, "learn.chunk_length is 8") || !strings.Contains(errs, "at most 2") {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	if _, err := os.Stat(filepath.Join(dir, configName)); err == nil {
		t.Error("the refused configuration was stored")
	}
	must(t, append(args, "--set", "learn.chunk_length=2", "--episodes", "3")...)
}

// sameRun demands that two runs left the same snapshot, episodes and events.
func sameRun(t *testing.T, got, want string) {
	t.Helper()
	gs, ws := newest(t, got), newest(t, want)
	if !reflect.DeepEqual(gs, ws) {
		t.Errorf("the snapshots differ: %+v %s, want %+v %s; parameters alike: %v", gs.Counters, gs.Extra, ws.Counters, ws.Extra, reflect.DeepEqual(gs.Params, ws.Params))
	}
	for i := range gs.ReplayEpisodes {
		name := filepath.Join("episodes", fmt.Sprintf("%06d.npz", i))
		a, errA := os.ReadFile(filepath.Join(got, name))
		b, errB := os.ReadFile(filepath.Join(want, name))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs (%v, %v)", name, errA, errB)
		}
	}
	ge, we := measured(t, got), measured(t, want)
	if len(ge) != len(we) {
		t.Fatalf("%d events, want %d", len(ge), len(we))
	}
	for i := range we {
		if !reflect.DeepEqual(ge[i], we[i]) {
			t.Fatalf("event %d is %+v, want %+v", i, ge[i], we[i])
		}
	}
}

func newest(t *testing.T, dir string) *checkpoint.Snapshot {
	t.Helper()
	s, _, err := checkpoint.LoadLatest(context.Background(), vfs.OS(), filepath.Join(dir, "snapshots"))
	if err != nil {
		t.Fatal(err)
	}
	s.Created = time.Time{}
	return s
}

// measured are the events of a run without times and those of its processes.
func measured(t *testing.T, dir string) []metrics.Event {
	t.Helper()
	var events []metrics.Event
	for e, err := range metrics.ReadFile(vfs.OS(), filepath.Join(dir, learn.MetricsName)) {
		if err != nil {
			t.Fatal(err)
		}
		e.Time = time.Time{}
		for name := range e.Values {
			if m, _ := metrics.Lookup(name); slices.Contains([]string{"seconds", "per_second", "bytes"}, m.Unit()) {
				delete(e.Values, name)
			}
		}
		if e.Kind != metrics.KindRun {
			events = append(events, e)
		}
	}
	return events
}

// TestEvaluationsDoNotDependOnTheirNumber: more episodes than are played at the
// same time begin with the same ones, and fewer than four have no
// interval.
func TestEvaluationsDoNotDependOnTheirNumber(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	must(t, tiny(dir, "--episodes", "3", "--quiet")...)
	report := func(n string) (r evalReport) {
		text := must(t, "eval", dir, "-n", n, "--json", "--precision", "f32")
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatal(err)
		}
		if few := strings.Contains(text, "\"interval_95\": null"); few != (n != "12") {
			t.Errorf("-n %s prints %s", n, text)
		}
		return r
	}
	many, few, one := report("12"), report("3"), report("1")
	if len(many.Returns) != 12 || many.Returns[10] == many.Returns[0] {
		t.Fatalf("%v", many.Returns)
	}
	for i, want := range append(few.Returns, one.Returns...) {
		// Sums in another order may round differently, and choose differently.
		if got := many.Returns[i%3]; math.Abs(got-want) > 1e-3*(1+math.Abs(want)) {
			t.Errorf("episode %d returns %v of 12, %v alone", i%3, got, want)
		}
	}
}

func TestTwoProcessesCannotShareARun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	first := command(tiny(dir, "--episodes", "10000", "--quiet")...)
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Process.Kill(); _ = first.Wait() }()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(dir, configName)); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the first process does not start")
		}
	}
	code, _, errs := orrery(t, tiny(dir, "--episodes", "10000")...)
	if code != exitFailure || !strings.Contains(errs, "lock") {
		t.Fatalf("exit code %d: %s", code, errs)
	}
}

// A profile lies under what is set, and over the preset.
func TestProfileSelectsAnObjective(t *testing.T) {
	text := must(t, "train", "--print-config", "--profile", "google", "--set", "model.free_nats=1")
	for _, want := range []string{"reward_scale: 20", "vector_scale: 2\n", "free_nats: 1\n", "overshooting: google", "depth: 16"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing from\n%s", want, text)
		}
	}
	var out, errs bytes.Buffer
	if code := run(context.Background(), []string{"train", "--print-config", "--profile", "gogle"}, &out, &errs); code != exitUsage || !strings.Contains(errs.String(), "kaixhin") {
		t.Errorf("unknown profile: exit code %d, %s", code, errs.String())
	}
}

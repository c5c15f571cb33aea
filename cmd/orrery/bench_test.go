package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/orrery-rl/orrery/backend/cpu"
	"github.com/orrery-rl/orrery/internal/bench"
)

// quick makes a benchmark of graphs take milliseconds.
func quick(args ...string) []string {
	return append(append([]string{"bench"}, args...), "--preset", "tiny", "--machine", "0")
}

// parse runs a command with --json and decodes what it prints.
func parse(t *testing.T, into any, args ...string) {
	t.Helper()
	if err := json.Unmarshal([]byte(must(t, append(args, "--json")...)), into); err != nil {
		t.Fatal(err)
	}
}

func TestBenchUpdate(t *testing.T) {
	var r updateBench
	start := time.Now()
	parse(t, &r, quick("update", "--count", "3", "--batch", "2", "--length", "5", "--against", "go", "--against-size", "2x3")...)
	took := time.Since(start).Seconds()
	u := r.Update
	if u.BatchSize != 2 || u.ChunkLength != 5 || u.Parameters != 9796 || u.Total.Count != 3 {
		t.Errorf("%+v", u)
	}
	if u.Work.FLOPs < 1e6 || u.Work.Read == 0 || u.Work.Steps < 100 || u.FLOPS <= 0 || u.Process.PeakMemory < 1<<20 {
		t.Errorf("%+v", u)
	}
	if sum := u.Sample.Min + u.Noise.Min + u.Graph.Min + u.Rest.Min; u.Graph.Min <= 0 || sum > u.Total.Max || u.Total.Min > u.Total.Median {
		t.Errorf("parts of at least %g s in updates of at most %g s", sum, u.Total.Max)
	}
	if u.FirstUpdate < u.Build || u.FirstUpdate > took {
		t.Errorf("first update after %g s of %g s, built in %g s", u.FirstUpdate, took, u.Build)
	}
	if a := r.Against; a == nil || a.Ours.ChunkLength != 3 || a.Theirs.Work.FLOPs != 0 || a.Speedup <= 0 {
		t.Errorf("comparison %+v", a)
	}
}

func TestBenchPlan(t *testing.T) {
	var r planBench
	parse(t, &r, quick("plan", "--count", "2", "--envs", "3", "--candidates", "16", "--iterations", "2", "--horizon", "4")...)
	p := r.Plan
	if p.Envs != 3 || p.Candidates != 16 || p.Iterations != 2 || p.Horizon != 4 || p.Search.Min <= 0 || p.Work.FLOPs == 0 {
		t.Errorf("%+v", p)
	}
	if steps := p.ModelSteps * p.Search.Median; steps < 383 || steps > 385 {
		t.Errorf("%g imagined decisions in a plan, want 3*16*2*4", steps)
	}
}

// TestBenchOfVectors measures a model that sees vectors, whose data have other
// shapes.
func TestBenchOfVectors(t *testing.T) {
	var u updateBench
	parse(t, &u, quick("update", "--count", "1", "--set", "model.observe=vector")...)
	var p planBench
	parse(t, &p, quick("plan", "--count", "1", "--set", "model.observe=both")...)
	if u.Update.Work.FLOPs == 0 || u.Update.Parameters == 9796 || p.Plan.Work.FLOPs == 0 {
		t.Errorf("%+v, %+v", u.Update, p.Plan)
	}
}

func TestBenchEnvAndReplay(t *testing.T) {
	var e bench.EnvReport
	parse(t, &e, "bench", "env", "cartpole-balance", "--duration", "20ms", "--size", "32")
	if e.Name != "cartpole-balance" || e.Size != 32 || e.EveryStep.ActionRepeat != 1 || e.Default.ActionRepeat != 8 {
		t.Errorf("%+v", e)
	}
	if e.StepSeconds <= 0 || e.FrameSeconds <= 0 || e.Bare.Steps <= e.EveryStep.Steps {
		t.Errorf("%+v", e)
	}
	var r bench.ReplayReport
	parse(t, &r, "bench", "replay", "--episodes", "3", "--records", "9", "--batch", "2", "--length", "4", "--size", "8", "--count", "2", "--dir", t.TempDir())
	if r.Append.Count != 3 || r.Memory.Batch.Count != 2 || r.Disk.Batches <= 0 || r.Dequantise.ImageRate <= 0 {
		t.Errorf("%+v", r)
	}
	if want := int64(9 * (8*8*3 + 12)); r.EpisodeBytes != want {
		t.Errorf("episodes of %d bytes, want %d", r.EpisodeBytes, want)
	}
}

func TestBenchGraph(t *testing.T) {
	out := must(t, quick("graph", "update")...)
	if !strings.Contains(out, "conv [32 16 16 3] * [4 4 3 4] + cluster") || strings.Contains(out, "GFLOP/s") {
		t.Errorf("unmeasured groups:\n%s", out)
	}
	if out := must(t, quick("graph", "plan", "--all")...); !strings.Contains(out, "then cluster [") {
		t.Errorf("all steps:\n%s", out)
	}
	var all, groups graphBench
	parse(t, &all, quick("graph", "update", "--all", "--profile", "2")...)
	parse(t, &groups, quick("graph", "update", "--profile", "2")...)
	count, flops := 0, int64(0)
	for i, s := range groups.Steps {
		count, flops = count+s.Count, flops+s.FLOPs
		if i > 0 && s.Seconds > groups.Steps[i-1].Seconds {
			t.Errorf("group %d takes longer than the one before", i)
		}
	}
	if count != len(all.Steps) || flops != all.Work.FLOPs || all.Seconds <= 0 {
		t.Errorf("%d steps and %d FLOPs in groups, %d and %d in all, %g s", count, flops, len(all.Steps), all.Work.FLOPs, all.Seconds)
	}
}

func TestBenchScale(t *testing.T) {
	for over, values := range map[string]string{"batch": "2,4", "image": "8,16", "threads": "1,2", "envs": "1,2"} {
		var r scaleBench
		parse(t, &r, quick("scale", "--over", over, "--values", values, "--count", "1")...)
		if len(r.Points) != 2 {
			t.Fatalf("%s: %d points", over, len(r.Points))
		}
		small, large := r.Points[0].columns().work, r.Points[1].columns().work
		if grows := large.FLOPs > small.FLOPs; small.FLOPs == 0 || grows != (over != "threads") {
			t.Errorf("%s %s: %d and %d FLOPs", over, values, small.FLOPs, large.FLOPs)
		}
	}
	if out := must(t, quick("scale", "--over", "candidates", "--values", "20", "--count", "1")...); !strings.Contains(out, "candidates  whole") {
		t.Errorf("%s", out)
	}
}

func TestBenchMeasuresTheMachine(t *testing.T) {
	out := must(t, "bench", "update", "--preset", "tiny", "--machine", "5ms", "--count", "1", "--threads", "2", "--precision", "f32")
	for _, want := range []string{"peak f32", "GFLOP/s", "of the peak of", "median of 1", "first update done"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestBenchMistakes(t *testing.T) {
	for want, args := range map[string][]string{
		"--count is 0":               quick("update", "--count", "0"),
		"--against-size":             quick("update", "--against", "go", "--against-size", "2by4"),
		"backend \"gpu\"":            quick("update", "--against", "gpu", "--count", "1"),
		"choose update or plan":      quick("graph", "filter"),
		"only the cpu backend":       quick("graph", "update", "--backend", "go"),
		"--over is \"depth\"":        quick("scale", "--over", "depth"),
		"did you mean":               {"bench", "env", "cartpole-swingpu"},
		"--records is 3":             {"bench", "replay", "--records", "3"},
		"--envs is 0":                quick("plan", "--envs", "0"),
		"must not exceed candidates": quick("plan", "--set", "plan.elites=65"),
	} {
		if code, _, errs := orrery(t, args...); code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("orrery %s: exit code %d, want %q in:\n%s", strings.Join(args, " "), code, want, errs)
		}
	}
}

// TestForcedPath checks that $ORRERY_CPU chooses the kernels, that --cpu-path
// goes before it, and that unknown ones are refused by name.
func TestForcedPath(t *testing.T) {
	kernels := func(args ...string) string {
		var r updateBench
		parse(t, &r, append(quick("update", "--count", "1"), args...)...)
		return r.Machine.Path
	}
	for _, path := range cpu.Paths() {
		t.Setenv("ORRERY_CPU", path)
		if got := kernels(); got != path {
			t.Errorf("ORRERY_CPU=%s runs %s", path, got)
		}
	}
	if got := kernels("--cpu-path", "generic"); got != "generic" {
		t.Errorf("--cpu-path generic runs %s", got)
	}
	t.Setenv("ORRERY_CPU", "sse9")
	code, _, errs := orrery(t, quick("update")...)
	if code != exitUsage || !strings.Contains(errs, `ORRERY_CPU`) || !strings.Contains(errs, `"sse9"`) || !strings.Contains(errs, "generic, ") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

func TestBenchStopsWhenInterrupted(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	for _, args := range [][]string{
		quick("update", "--count", "1000000"), quick("plan", "--count", "1000000"), {"bench", "env", "--duration", "1h"},
		{"bench", "replay", "--count", "1000000", "--size", "8"}, {"bench", "plan", "--preset", "tiny", "--machine", "1h"},
	} {
		var out, errs bytes.Buffer
		ctx, cancel := context.WithCancel(context.Background())
		alarm := time.AfterFunc(50*time.Millisecond, cancel)
		if code := run(ctx, args, &out, &errs); code != exitInterrupted || out.Len() > 0 {
			t.Errorf("%v: exit code %d, printed %q, %s", args, code, &out, &errs)
		}
		alarm.Stop()
		cancel()
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

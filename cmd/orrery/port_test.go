package main

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// kaixhinFile unpacks a checkpoint that Kaixhin/PlaNet wrote, of a model with
// two actions.
func kaixhinFile(t *testing.T) string {
	t.Helper()
	f, err := os.Open("../../internal/parity/testdata/kaixhin/models_1.pth.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "models_1.pth")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func evaluated(t *testing.T, path string) evalReport {
	t.Helper()
	var report evalReport
	if err := json.Unmarshal([]byte(must(t, "eval", path, "-n", "1", "--json")), &report); err != nil {
		t.Fatal(err)
	}
	return report
}

func TestImportedCheckpointActs(t *testing.T) {
	source, dir := kaixhinFile(t), t.TempDir()
	file, run := filepath.Join(dir, "planet.safetensors"), filepath.Join(dir, "run")
	if out := must(t, "import", source, "-o", file, "--env", "toy-dot"); !strings.Contains(out, "4290196 parameters, deter 16, stoch 4, action 2") {
		t.Errorf("import prints %s", out)
	}
	must(t, "import", source, "-o", run, "--env", "toy-dot")
	fromFile := evaluated(t, file)
	if fromFile.Env != "toy-dot" || len(fromFile.Returns) != 1 {
		t.Errorf("%+v", fromFile)
	}
	weights, _, err := loadWeights(t.Context(), run)
	if err != nil || weights.Dims.ActionSize != 2 {
		t.Errorf("the run's weights: %+v, %v", weights, err)
	}
	exported := filepath.Join(dir, "half.safetensors")
	must(t, "export", run, "-o", exported, "--half")
	if full, half := fileSize(t, file), fileSize(t, exported); half > full/2+20_000 {
		t.Errorf("the half file has %d bytes, the other %d", half, full)
	}
	must(t, "dream", exported, "--random", "--length", "8", "--scale", "1", "-o", filepath.Join(dir, "dream.gif"))
}

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func TestExportedRunActsAlike(t *testing.T) {
	run, file := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "w.safetensors")
	must(t, tiny(run, "--episodes", "3")...)
	must(t, "export", run, "-o", file)
	a, b := evaluated(t, run), evaluated(t, file)
	if a.WeightsSHA256 != b.WeightsSHA256 || a.Returns[0] != b.Returns[0] || a.Counters != b.Counters {
		t.Errorf("run %+v, file %+v", a, b)
	}
}

func TestImportRefuses(t *testing.T) {
	source, dir := kaixhinFile(t), t.TempDir()
	taken := filepath.Join(dir, "taken")
	must(t, "import", source, "-o", taken, "--env", "toy-dot")
	noEnv := filepath.Join(dir, "w.safetensors")
	must(t, "import", source, "-o", noEnv)
	legacy := filepath.Join(dir, "legacy.pth")
	if err := os.WriteFile(legacy, []byte("\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"--out is missing":         {"import", source},
		"a run needs --env":        {"import", source, "-o", filepath.Join(dir, "new")},
		"holds a run already":      {"import", source, "-o", taken, "--env", "toy-dot"},
		"the model is for":         {"import", source, "-o", noEnv, "--env", "cartpole-swingup"},
		"map_location='cpu'":       {"import", legacy, "-o", noEnv},
		"no such file":             {"import", source + ".gz", "-o", noEnv},
		"import them again":        {"eval", noEnv},
		"must end in .safetensors": {"export", taken, "-o", "weights.bin"},
		"env.bit_depth is 9":       {"import", source, "-o", noEnv, "--bit-depth", "9"},
	} {
		code, _, errs := orrery(t, args...)
		if code == exitOK || !strings.Contains(errs, want) {
			t.Errorf("orrery %s: exit code %d, want %q in:\n%s", strings.Join(args, " "), code, want, errs)
		}
	}
}

// TestScoreOfAnImportedCheckpoint compares with what Kaixhin/PlaNet's own code
// computes of the same weights and episode: see internal/parity/testdata/kaixhin.
func TestScoreOfAnImportedCheckpoint(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "planet.safetensors")
	must(t, "import", kaixhinFile(t), "-o", file)
	data, err := os.ReadFile("../../internal/parity/testdata/kaixhin/episode.npz")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "000000.npz"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	var report scoreReport
	args := []string{"score", "--checkpoint", file, "--episodes", dir, "--profile", "kaixhin", "--deterministic"}
	if err := json.Unmarshal([]byte(must(t, append(args, "--json")...)), &report); err != nil {
		t.Fatal(err)
	}
	// The means of observation_loss, reward_loss, kl and kl_loss; ours are halves
	// of squared errors.
	for name, want := range map[string]float64{"image": 791.502577 / 2, "reward": 4.69444983 / 2, "kl": 1.17085003, "kl_clipped": 3.10285581, "total": 791.502577 + 4.69444983 + 3.10285581} {
		if got := report.Losses[name]; !(math.Abs(got-want) < 1e-5*want) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if report.Records != 9 || report.Profile != "kaixhin" || report.OpenLoop.Pieces["1"] != 1 || report.Episodes[0].Name != "000000.npz" {
		t.Errorf("%+v", report)
	}
	if text := must(t, args...); !strings.Contains(text, "1 episodes, 9 records") || !strings.Contains(text, "without looking") {
		t.Errorf("score prints %s", text)
	}
}

func TestScoreRefuses(t *testing.T) {
	run, empty := filepath.Join(t.TempDir(), "run"), t.TempDir()
	must(t, tiny(run, "--episodes", "3")...)
	episodes := filepath.Join(run, "episodes")
	must(t, "score", "--checkpoint", run, "--episodes", episodes)
	for want, args := range map[string][]string{
		"needs --checkpoint and --episodes": {"score", "--checkpoint", run},
		"holds no episodes":                 {"score", "--checkpoint", run, "--episodes", empty},
		"no objective profile":              {"score", "--checkpoint", run, "--episodes", episodes, "--profile", "best"},
		"chunks of 1 records":               {"score", "--checkpoint", run, "--episodes", episodes, "--length", "1"},
		"no such file":                      {"score", "--checkpoint", empty + "/none", "--episodes", episodes},
	} {
		code, _, errs := orrery(t, args...)
		if code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("orrery %s: exit code %d, want %q in:\n%s", strings.Join(args, " "), code, want, errs)
		}
	}
}

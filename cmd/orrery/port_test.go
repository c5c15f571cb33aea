package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/internal/format/npz"
	"github.com/orrery-rl/orrery/worldmodel"
)

// kaixhinFile unpacks a checkpoint that Kaixhin/PlaNet wrote, of a model with
// two actions.
func kaixhinFile(t *testing.T) string {
	t.Helper()
	f, err := os.Open(kaixhinData + "models_1.pth.gz")
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
		"it as it is":              {"import", noEnv, "-o", filepath.Join(dir, "again.safetensors")},
		"sizes.pth: no such":       {"import", filepath.Join(dir, "sizes.pth")},
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

// TestMisfitsAreToldInWords: eval --env with another environment says what
// differs.
func TestMisfitsAreToldInWords(t *testing.T) {
	have := worldmodel.Dims{Height: 16, Width: 16, Channels: 3, ActionSize: 2, VectorSize: 6}
	want := worldmodel.Dims{Height: 16, Width: 20, Channels: 3, ActionSize: 1, VectorSize: 6}
	if got := unlike(have, want, "the model is for"); got != "takes actions of size 2, the model is for 1; it shows images of 16x16x3, the model is for 16x20x3" {
		t.Error(got)
	}
	if got := unlike(have, worldmodel.Dims{Height: 16, Width: 16, Channels: 3, ActionSize: 2, VectorSize: 4}, "the episodes"); got != "has vectors of 6 values, the episodes 4" {
		t.Error(got)
	}
}

const kaixhinData = "../../internal/parity/testdata/kaixhin/"

// kaixhinMeans are the means of what Kaixhin/PlaNet's own modules compute of the
// checkpoint and the episode.
func kaixhinMeans(t *testing.T) (mean func(name string, from, to int) float64, records int) {
	t.Helper()
	data, err := os.ReadFile(kaixhinData + "expected.npz")
	if err != nil {
		t.Fatal(err)
	}
	f, err := npz.Open(bytes.NewReader(data), int64(len(data)), 1<<24)
	if err != nil {
		t.Fatal(err)
	}
	values := func(name string) []float32 {
		a, err := f.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		return a.Data.([]float32)
	}
	return func(name string, from, to int) float64 {
		sum := 0.0
		for _, v := range values(name)[from:to] {
			sum += float64(v)
		}
		return sum / float64(to-from)
	}, len(values("kl"))
}

// TestScoreOfAnImportedCheckpoint compares with what Kaixhin/PlaNet's own code
// computes of the same weights and episode: see internal/parity/testdata/kaixhin.
func TestScoreOfAnImportedCheckpoint(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "planet.safetensors")
	must(t, "import", kaixhinFile(t), "-o", file)
	data, err := os.ReadFile(kaixhinData + "episode.npz")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "000000.npz"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	var report scoreReport
	args := []string{"score", "--checkpoint", file, "--episodes", dir, "--profile", "kaixhin", "--deterministic", "--precision", "f32"}
	if err := json.Unmarshal([]byte(must(t, append(args, "--json")...)), &report); err != nil {
		t.Fatal(err)
	}
	mean, records := kaixhinMeans(t)
	image, reward, kl := mean("observation_loss", 0, records), mean("reward_loss", 0, records), mean("kl_loss", 0, records)
	// Ours are halves of squared errors.
	for name, want := range map[string]float64{
		"image": image / 2, "reward": reward / 2, "kl": mean("kl", 0, records), "kl_clipped": kl, "total": image + reward + kl,
	} {
		if got := report.Losses[name]; !(math.Abs(got-want) < 1e-5*want) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	for _, horizon := range []int{1, 5, 10} {
		want := mean("open_loop_loss", horizon-1, horizon) / 2
		if got := report.OpenLoop.Image[strconv.Itoa(horizon)]; !(math.Abs(got-want) < 1e-5*want) {
			t.Errorf("the image after %d records is off by %v, want %v", horizon, got, want)
		}
	}
	if report.Records != records || report.Profile != "kaixhin" || report.OpenLoop.Pieces["1"] != 1 || report.Episodes[0].Name != "000000.npz" {
		t.Errorf("%+v", report)
	}
	if text := must(t, args...); !strings.Contains(text, fmt.Sprintf("1 episodes, %d records", records)) || !strings.Contains(text, "without looking") {
		t.Errorf("score prints %s", text)
	}
}

// TestScoreOfAnImportedVectorModel: a model that sees vectors is scored on episodes
// without images, with the weights of its program. What it computes is compared in
// internal/parity.
func TestScoreOfAnImportedVectorModel(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "planet.safetensors")
	must(t, "import", kaixhinData+"symbolic_1.pth", "-o", file)
	const records = 4
	episode := []npz.Array{
		{Name: "vector", Dims: []int{records, 5}, Data: slices.Repeat([]float32{0.5, -1}, records*5/2)},
		{Name: "action", Dims: []int{records, 2}, Data: slices.Concat([]float32{0, 0}, slices.Repeat([]float32{0.5, -1}, records-1))},
		{Name: "reward", Dims: []int{records}, Data: []float32{0, 1, 2, 3}},
		{Name: "continue", Dims: []int{records}, Data: slices.Repeat([]float32{1}, records)},
	}
	var written bytes.Buffer
	if err := errors.Join(npz.Write(&written, episode), os.WriteFile(filepath.Join(dir, "000000.npz"), written.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, profile := range [][]string{nil, {"--profile", "kaixhin"}, {"--profile", "cross32768"}} {
		var report scoreReport
		args := append([]string{"score", "--checkpoint", file, "--episodes", dir, "--deterministic", "--json"}, profile...)
		if err := json.Unmarshal([]byte(must(t, args...)), &report); err != nil {
			t.Fatal(err)
		}
		l, twice := report.Losses, 2.
		if len(profile) > 0 && profile[1] == "cross32768" {
			twice = 1
		}
		want := twice*l["vector"] + twice*l["reward"] + l["kl_clipped"]
		if report.Records != records || l["vector"] <= 0 || l["reward"] <= 0 || !(math.Abs(l["total"]-want) < 1e-5*want) {
			t.Errorf("%v: %d records, losses %v", profile, report.Records, l)
		}
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

// TestExportWritesONNX: the graphs of a run, of a file of weights and of an
// imported checkpoint; twice the same bytes. What they compute is tested where they
// are made.
func TestExportWritesONNX(t *testing.T) {
	dir := t.TempDir()
	run, file, imported := filepath.Join(dir, "run"), filepath.Join(dir, "w.safetensors"), filepath.Join(dir, "planet.safetensors")
	must(t, tiny(run, "--episodes", "3")...)
	must(t, "export", run, "-o", file)
	must(t, "import", kaixhinFile(t), "-o", imported)
	written := func(source, name string) []byte {
		to := filepath.Join(dir, "new", name)
		if out := must(t, "export", source, "--onnx", to); strings.Count(out, ".onnx\n") != 3 {
			t.Errorf("export prints %s", out)
		}
		var all []byte
		for _, graph := range []string{"filter", "imagine", "decode"} {
			data, err := os.ReadFile(filepath.Join(to, graph+".onnx"))
			if err != nil || !bytes.Contains(data, []byte("weights_sha256")) || !bytes.Contains(data, []byte("next_")) && graph != "decode" {
				t.Errorf("%s of %s: %d bytes, %v", graph, source, len(data), err)
			}
			all = append(all, data...)
		}
		return all
	}
	if !bytes.Equal(written(run, "a"), written(file, "b")) {
		t.Error("a run and its weights give other graphs")
	}
	if n := len(written(imported, "c")); n < 4*4290196 {
		t.Errorf("%d bytes of 4290196 parameters", n)
	}
	for _, more := range [][]string{{"--half"}, {"-o", file}} {
		if code, _, errs := orrery(t, append([]string{"export", run, "--onnx", dir}, more...)...); code != exitUsage || !strings.Contains(errs, "leave --out") {
			t.Errorf("%v: exit code %d: %s", more, code, errs)
		}
	}
}

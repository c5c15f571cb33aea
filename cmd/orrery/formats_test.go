package main

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/worldmodel"
)

func formatsDoc(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// TestFormatsNameEveryParameter builds models of every kind and looks their
// parameters up in docs/formats.md, and the other way round.
func TestFormatsNameEveryParameter(t *testing.T) {
	used := map[string]bool{}
	for _, transition := range []worldmodel.Transition{worldmodel.RSSM, worldmodel.SSM, worldmodel.Deterministic, worldmodel.DRNN} {
		for _, gru := range []worldmodel.GRUForm{worldmodel.ResetBefore, worldmodel.ResetAfter} {
			cfg, err := worldmodel.PresetConfig("paper")
			if err != nil {
				t.Fatal(err)
			}
			cfg.Transition, cfg.GRU, cfg.Observe, cfg.ContinueHead, cfg.Diagnostic = transition, gru, worldmodel.ObserveBoth, true, true
			m, err := worldmodel.New(cfg, worldmodel.Dims{Height: 64, Width: 64, Channels: 3, ActionSize: 6, VectorSize: 5})
			if err != nil {
				t.Fatal(err)
			}
			for _, spec := range m.ParamSpecs() {
				used[spec.Name] = true
			}
		}
	}
	numbered := regexp.MustCompile(`(layer|deconv|conv)\d+/`)
	doc := formatsDoc(t)
	patterns := map[string]bool{}
	for name := range used {
		pattern := numbered.ReplaceAllString(name, "$1#/")
		patterns[pattern], patterns[name] = true, true
		if !strings.Contains(doc, "`"+pattern+"`") {
			t.Errorf("docs/formats.md does not name %s", pattern)
		}
	}
	for _, match := range regexp.MustCompile("`([a-z_]+/[a-z_0-9#/]*(?:kernel|bias))`").FindAllStringSubmatch(doc, -1) {
		if !patterns[match[1]] {
			t.Errorf("docs/formats.md names %s, which no model has", match[1])
		}
	}
}

// pythonWithNumPy finds an interpreter, or skips the test.
func pythonWithNumPy(t *testing.T) string {
	t.Helper()
	for _, python := range []string{os.Getenv("ORRERY_PYTHON"), "python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import numpy").Run() == nil {
			return python
		}
	}
	t.Skip("there is no Python with NumPy; CI installs it and names it in $ORRERY_PYTHON")
	return ""
}

// TestPythonReadsWeights runs the program in docs/formats.md on exported files.
func TestPythonReadsWeights(t *testing.T) {
	python := pythonWithNumPy(t)
	_, rest, _ := strings.Cut(formatsDoc(t), "```python\n")
	program, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("docs/formats.md has no Python program")
	}
	dir := t.TempDir()
	run := filepath.Join(dir, "run")
	must(t, tiny(run, "--episodes", "3")...)
	for file, flags := range map[string][]string{"full.safetensors": nil, "half.safetensors": {"--half"}} {
		path := filepath.Join(dir, file)
		must(t, append([]string{"export", run, "-o", path}, flags...)...)
		out, err := exec.Command(python, "-c", program, path).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		comparePython(t, path, string(out))
	}
}

// comparePython checks the lines "params/NAME DTYPE SHAPE SUM" that the program
// prints.
func comparePython(t *testing.T, path, printed string) {
	t.Helper()
	weights, run, err := loadWeights(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := worldmodel.New(run.Model, weights.Dims)
	if err != nil {
		t.Fatal(err)
	}
	values, err := weights.Values(m)
	if err != nil {
		t.Fatal(err)
	}
	for i, spec := range m.ParamSpecs() {
		sum, size := 0.0, 1.0
		for _, v := range values[i] {
			sum += float64(v)
			size += math.Abs(float64(v))
		}
		dims := strings.Join(strings.Fields(fmt.Sprint(spec.Dims)), ", ")
		line := regexp.MustCompile(`(?m)^params/` + regexp.QuoteMeta(spec.Name) + ` float(?:32|16) (\[[\d, ]*\]) (\S+)$`).FindStringSubmatch(printed)
		if line == nil || line[1] != dims {
			t.Errorf("%s: %s of shape %s is not in:\n%s", path, spec.Name, dims, printed)
			continue
		}
		if got, err := strconv.ParseFloat(line[2], 64); err != nil || math.Abs(got-sum) > 1e-9*size {
			t.Errorf("%s: the sum of %s is %s, want %v", path, spec.Name, line[2], sum)
		}
	}
	if n := strings.Count(printed, "\n"); n != len(values) {
		t.Errorf("%s: %d tensors, want %d", path, n, len(values))
	}
}

package learn

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/metrics"
)

func loaded(t testing.TB, path string) *Weights {
	t.Helper()
	w, err := LoadWeights(t.Context(), vfs.OS(), path)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestWeightsComeFromRunsSnapshotsAndFiles loads the same weights in every way.
func TestWeightsComeFromRunsSnapshotsAndFiles(t *testing.T) {
	dir := t.TempDir()
	p := parts(t, dir, newToy(t))
	p.Schedule.Episodes, p.Schedule.EvalEvery = 3, 0
	if _, err := train(t, context.Background(), p); err != nil {
		t.Fatal(err)
	}
	want := loaded(t, dir)
	files, err := filepath.Glob(filepath.Join(dir, snapshotsDir, "*.safetensors"))
	if err != nil || len(files) == 0 {
		t.Fatalf("snapshots %v, %v", files, err)
	}
	copied, exported := filepath.Join(dir, "copy.bin"), filepath.Join(dir, "exported.safetensors")
	data, err := os.ReadFile(slices.Max(files))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := want.Save(vfs.OS(), exported, false); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{copied, exported} {
		got := loaded(t, path)
		if got.Counters != want.Counters || got.Dims != p.Model.Dims() || !bytes.Equal(got.Config, p.Config) {
			t.Errorf("%s: %+v %+v %s", path, got.Counters, got.Dims, got.Config)
		}
		sameTensors(t, path, got.tensors, want.tensors)
	}
}

func TestHalfWeightsAreClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "half.safetensors")
	m := newModel(t, newToy(t))
	values := m.InitParams(rng.New(1, "test"))
	if err := NewWeights(m, values, nil).Save(vfs.OS(), path, true); err != nil {
		t.Fatal(err)
	}
	got, err := loaded(t, path).Values(m)
	if err != nil {
		t.Fatal(err)
	}
	for i := range values {
		for k, v := range values[i] {
			// Half a unit in the last place, or of the smallest number.
			if bound := 0x1p-11*max(v, -v) + 0x1p-25; got[i][k] > v+bound || got[i][k] < v-bound {
				t.Fatalf("%v became %v", v, got[i][k])
			}
		}
	}
}

// TestRunBeginsFromWeights starts a run from given weights: before the first
// update they are its own, and with a learning rate of almost nothing they stay.
func TestRunBeginsFromWeights(t *testing.T) {
	dir := t.TempDir()
	p := parts(t, dir, newToy(t))
	p.Optimiser.LearningRate = 1e-30
	values := p.Model.InitParams(rng.New(99, "elsewhere"))
	for _, x := range values {
		for i := range x {
			x[i] += 1e-3 // adding 1e-30 to it changes nothing
		}
	}
	if err := NewWeights(p.Model, values, p.Config).Begin(t.Context(), vfs.OS(), dir, p.Seed); err != nil {
		t.Fatal(err)
	}
	p.Schedule.Episodes, p.Schedule.EvalEvery = 3, 0
	counters, err := train(t, context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	if counters.Updates != 4 || counters.Episodes != 3 {
		t.Errorf("%+v", counters)
	}
	sameTensors(t, "parameter", loaded(t, dir).tensors, named(p.Model, values))
}

func TestMissingWeightsAreNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nothing")
	if _, err := LoadWeights(t.Context(), vfs.OS(), path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
	w := &Weights{Counters: metrics.Counters{Updates: 1}}
	if err := w.setDims("file", nil); err == nil || !strings.Contains(err.Error(), "sizes of images") {
		t.Errorf("%v", err)
	}
}

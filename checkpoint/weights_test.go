package checkpoint_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/internal/format/safetensors"
	"github.com/orrery-rl/orrery/internal/vfs"
)

func weights() *checkpoint.Weights {
	return &checkpoint.Weights{
		Params: moment(7).Params, Config: json.RawMessage(`{"deter_size":200}`), Counters: moment(7).Counters, Created: moment(7).Created,
		Extra: map[string]json.RawMessage{"dims": json.RawMessage(`{"height":64}`)},
	}
}

func TestWeightsAreLoadedAsSaved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := checkpoint.SaveWeights(vfs.OS(), path, weights()); err != nil {
		t.Fatal(err)
	}
	got, err := checkpoint.LoadWeights(vfs.OS(), path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(weights(), got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("weights (-saved +loaded):\n%s", diff)
	}
}

func TestWeightsAreStampedWhenSaved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.safetensors")
	w := weights()
	w.Created = time.Time{}
	if err := checkpoint.SaveWeights(vfs.OS(), path, w); err != nil {
		t.Fatal(err)
	}
	got, err := checkpoint.LoadWeights(vfs.OS(), path)
	if err != nil || got.Created.IsZero() {
		t.Errorf("created %v, error %v; want a time", got.Created, err)
	}
}

// Any tool that reads safetensors finds the parameters under params/.
func TestWeightsAreSafetensors(t *testing.T) {
	var buf bytes.Buffer
	if err := checkpoint.WriteWeights(&buf, weights()); err != nil {
		t.Fatal(err)
	}
	file, err := safetensors.Read(buf.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if file.Tensors[0].Name != "params/rssm/gru/kernel" || file.Metadata["format"] != "orrery-weights" {
		t.Errorf("first tensor %q, format %q", file.Tensors[0].Name, file.Metadata["format"])
	}
}

func TestSnapshotAndWeightsAreNotConfused(t *testing.T) {
	dir := t.TempDir()
	save(t, vfs.OS(), dir, moment(100))
	_, err := checkpoint.LoadWeights(vfs.OS(), filepath.Join(dir, "000000000100-000000001.safetensors"))
	if !errors.Is(err, checkpoint.ErrCorrupt) || !strings.Contains(err.Error(), "orrery-snapshot") {
		t.Errorf("error %v does not say that it is a snapshot", err)
	}
}

func TestModelsAreLoadedFromSnapshotsToo(t *testing.T) {
	dir := t.TempDir()
	save(t, vfs.OS(), dir, moment(100))
	path := filepath.Join(dir, "weights.safetensors")
	if err := checkpoint.SaveWeights(vfs.OS(), path, weights()); err != nil {
		t.Fatal(err)
	}
	for path, updates := range map[string]int64{filepath.Join(dir, "000000000100-000000001.safetensors"): 100, path: 7} {
		got, err := checkpoint.LoadModel(vfs.OS(), path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(moment(updates).Params, got.Params); diff != "" || got.Counters.Updates != updates {
			t.Errorf("%s: counters %+v, parameters (-saved +loaded):\n%s", path, got.Counters, diff)
		}
	}
}

func TestHalfWeightsAreRoundedAndHalfAsLarge(t *testing.T) {
	w := &checkpoint.Weights{Half: true, Params: []checkpoint.Tensor{
		{Name: "b", Dims: []int{2}, Data: []float32{1 + 0x1p-11, 0.1}}, {Name: "a", Dims: []int{1}, Data: []float32{-2}},
	}}
	var buf bytes.Buffer
	if err := checkpoint.WriteWeights(&buf, w); err != nil {
		t.Fatal(err)
	}
	file, err := safetensors.Open(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range file.Entries {
		if e.DType != safetensors.F16 {
			t.Errorf("%s is stored as %s", e.Name, e.DType)
		}
	}
	got, err := checkpoint.ReadWeights(&buf)
	if err != nil {
		t.Fatal(err)
	}
	want := []checkpoint.Tensor{{Name: "b", Dims: []int{2}, Data: []float32{1, 0.099975586}}, {Name: "a", Dims: []int{1}, Data: []float32{-2}}}
	if diff := cmp.Diff(want, got.Params); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
	w.Params[0].Data[1] = 1e6
	if err := checkpoint.WriteWeights(&buf, w); err == nil || !strings.Contains(err.Error(), `"params/b": value 1, 1e+06`) {
		t.Errorf("a value beyond the range: %v", err)
	}
}

func TestForeignFileIsCorrupt(t *testing.T) {
	var buf bytes.Buffer
	if err := safetensors.Write(&buf, nil, map[string]string{"format": "pt"}); err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{nil, []byte("not at all"), buf.Bytes()} {
		if _, err := checkpoint.ReadWeights(bytes.NewReader(data)); !errors.Is(err, checkpoint.ErrCorrupt) {
			t.Errorf("%q: error %v, want ErrCorrupt", data, err)
		}
	}
}

func TestMatchOrdersTensors(t *testing.T) {
	want := []checkpoint.Spec{{Name: "step"}, {Name: "encoder/bias", Dims: []int{2}}, {Name: "empty", Dims: []int{0, 4}}, {Name: "rssm/gru/kernel", Dims: []int{2, 3}}}
	got, err := checkpoint.Match(weights().Params, want)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range want {
		if got[i].Name != w.Name {
			t.Errorf("tensor %d is %q, want %q", i, got[i].Name, w.Name)
		}
	}
}

func TestMatchNamesEveryMismatch(t *testing.T) {
	_, err := checkpoint.Match(weights().Params, []checkpoint.Spec{
		{Name: "step"}, {Name: "encoder/bias", Dims: []int{3}}, {Name: "decoder/bias", Dims: []int{5}}, {Name: "empty", Dims: []int{0, 4}},
	})
	if !errors.Is(err, checkpoint.ErrMismatch) {
		t.Fatalf("error %v, want ErrMismatch", err)
	}
	for _, want := range []string{
		`"encoder/bias" has the shape [2], the model expects [3]`,
		`"decoder/bias" is missing, the model expects [5]`,
		`"rssm/gru/kernel" of shape [2 3] is not part of the model`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %s:\n%v", want, err)
		}
	}
}

func FuzzReadWeights(f *testing.F) {
	var buf bytes.Buffer
	if err := checkpoint.WriteWeights(&buf, weights()); err != nil {
		f.Fatal(err)
	}
	f.Add(buf.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		w, err := checkpoint.ReadWeights(bytes.NewReader(data))
		if err != nil {
			if !errors.Is(err, checkpoint.ErrCorrupt) && !errors.Is(err, checkpoint.ErrVersion) {
				t.Errorf("error %v is neither ErrCorrupt nor ErrVersion", err)
			}
			return
		}
		if err := checkpoint.WriteWeights(&bytes.Buffer{}, w); err != nil {
			t.Errorf("what was read cannot be written: %v", err)
		}
	})
}

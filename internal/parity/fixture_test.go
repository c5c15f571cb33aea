package parity

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"github.com/orrery-rl/orrery/backend/cpu"
	"github.com/orrery-rl/orrery/internal/format/npz"
)

// tensor is an array of a fixture as float32 values, row-major.
type tensor struct {
	dims   []int
	values []float32
}

// fixture holds the arrays of a file by name.
type fixture map[string]tensor

// loadFixture reads testdata/<path>.
func loadFixture(t testing.TB, path ...string) fixture {
	t.Helper()
	f, err := os.Open(filepath.Join(append([]string{"testdata"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	arrays, err := npz.Read(f, info.Size(), 16<<20)
	if err != nil {
		t.Fatalf("%s: %v", f.Name(), err)
	}
	out := fixture{}
	for _, a := range arrays {
		out[a.Name] = tensor{a.Dims, floats(t, a)}
	}
	return out
}

func floats(t testing.TB, a npz.Array) []float32 {
	t.Helper()
	switch x := a.Data.(type) {
	case []float32:
		return x
	case []uint8:
		out := make([]float32, len(x))
		for i, v := range x {
			out[i] = float32(v)
		}
		return out
	}
	t.Fatalf("array %q holds %T; fixtures are of float32 and bytes", a.Name, a.Data)
	return nil
}

// get returns an array that must be there.
func (f fixture) get(t testing.TB, name string) tensor {
	t.Helper()
	x, ok := f[name]
	if !ok {
		t.Fatalf("the fixture has no array %q", name)
	}
	return x
}

// under lists the rest of the names that begin with prefix, sorted.
func (f fixture) under(prefix string) []string {
	var names []string
	for name := range f {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			names = append(names, rest)
		}
	}
	slices.Sort(names)
	return names
}

// images are the pixels as the model sees them: (byte + 1/2)/256 - 1/2, exactly.
func (f fixture) images(t testing.TB) tensor {
	t.Helper()
	pixels := f.get(t, "pixels")
	out := tensor{pixels.dims, make([]float32, len(pixels.values))}
	for i, v := range pixels.values {
		out.values[i] = (v+0.5)/256 - 0.5
	}
	return out
}

// tested is a backend and how far a tensor may be from PyTorch's: the largest
// difference of a tensor's values, divided by the largest of its values.
type tested struct {
	compute.Backend
	tolerance float64
}

// onEveryBackend runs a test on each path of the CPU backend that this machine
// has, and on GoMLX's own backend, which adds up long sums one term after another
// in float32 and so loses a little more.
func onEveryBackend(t *testing.T, test func(t *testing.T, b tested)) {
	t.Helper()
	onEveryPath(t, test)
	t.Run("gomlx", func(t *testing.T) { test(t, tested{reference(t), 1e-4}) })
}

// onEveryPath leaves GoMLX's backend out, which takes seconds for models of the
// paper's width.
func onEveryPath(t *testing.T, test func(t *testing.T, b tested)) {
	t.Helper()
	for _, path := range cpu.Paths() {
		t.Run("cpu-"+path, func(t *testing.T) { test(t, tested{backend(t, path), 5e-5}) })
	}
}

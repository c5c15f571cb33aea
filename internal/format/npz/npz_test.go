package npz

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
)

func sample() []Array {
	return []Array{
		{Name: "image", Dims: []int{2, 1, 3}, Uint8: []byte{1, 2, 3, 4, 5, 255}},
		{Name: "reward", Dims: []int{2}, Float32: []float32{0, -1.5}},
		{Name: "scalar", Float32: []float32{7}},
		{Name: "none", Dims: []int{0, 5}, Float32: []float32{}},
	}
}

func encode(t testing.TB, arrays []Array) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := Write(&buf, arrays); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func read(data []byte) ([]Array, error) {
	return Read(bytes.NewReader(data), int64(len(data)), 1<<20)
}

func TestRoundTrip(t *testing.T) {
	got, err := read(encode(t, sample()))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, sample()) {
		t.Fatalf("%+v, want %+v", got, sample())
	}
}

// TestHeaderIsNumPys pins the bytes that numpy.save 1.26 writes before the data
// of numpy.array([0, -1.5], dtype="<f4").
func TestHeaderIsNumPys(t *testing.T) {
	z, err := zip.NewReader(bytes.NewReader(encode(t, sample())), int64(len(encode(t, sample()))))
	if err != nil {
		t.Fatal(err)
	}
	rc, err := z.Open("reward.npy")
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if _, err := buf.ReadFrom(rc); err != nil {
		t.Fatal(err)
	}
	text := "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
	want := append([]byte("\x93NUMPY\x01\x00v\x00"+text), bytes.Repeat([]byte{' '}, 128-10-len(text)-1)...)
	want = append(want, '\n', 0, 0, 0, 0, 0, 0, 0xc0, 0xbf)
	if !bytes.Equal(buf.Bytes(), want) {
		t.Fatalf("%q, want %q", buf.Bytes(), want)
	}
}

// TestNumPyReadsIt asks NumPy itself where it is installed; TestHeaderIsNumPys
// holds everywhere.
func TestNumPyReadsIt(t *testing.T) {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import numpy").Run() != nil {
			continue
		}
		path := filepath.Join(t.TempDir(), "a.npz")
		if err := os.WriteFile(path, encode(t, sample()), 0o600); err != nil {
			t.Fatal(err)
		}
		script := "import numpy,sys; a=numpy.load(sys.argv[1]); assert a['image'].shape==(2,1,3) and a['image'][1,0,2]==255 and a['reward'][1]==-1.5 and a['scalar'].shape==() and a['none'].shape==(0,5)"
		if out, err := exec.Command(python, "-c", script, path).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return
	}
}

func npy(headerText string, data []byte) []byte {
	out := binary.LittleEndian.AppendUint16([]byte(magic), uint16(len(headerText)))
	return append(append(out, headerText...), data...)
}

func archive(t *testing.T, name string, content []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	w, err := z.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestHostileFiles(t *testing.T) {
	whole := encode(t, sample())
	for name, data := range map[string][]byte{
		"empty":          nil,
		"truncated":      whole[:len(whole)/2],
		"not npy":        archive(t, "x.npy", []byte("hello, world")),
		"other name":     archive(t, "x.txt", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }", []byte{1})),
		"pickle":         archive(t, "x.npy", npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", []byte{1})),
		"fortran":        archive(t, "x.npy", npy("{'descr': '|u1', 'fortran_order': True, 'shape': (1,), }", []byte{1})),
		"claims more":    archive(t, "x.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1073741824,), }", []byte{1})),
		"overflow":       archive(t, "x.npy", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", nil)),
		"long header":    archive(t, "x.npy", append([]byte(magic), 255, 255)),
		"over the limit": archive(t, "x.npy", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2000000,), }", make([]byte, 2000000))),
	} {
		if _, err := read(data); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	flipped := bytes.Clone(whole)
	flipped[len("PK..")+200] ^= 1
	if got, err := read(flipped); err == nil && reflect.DeepEqual(got, sample()) == false {
		t.Error("a flipped bit changed an array without an error")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(encode(f, sample()))
	f.Fuzz(func(t *testing.T, data []byte) {
		arrays, err := read(data)
		if err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatalf("%v does not match ErrCorrupt", err)
		}
		for _, a := range arrays {
			if size, ok := elements(a.Dims); !ok || size != a.size() {
				t.Fatalf("%q: %d values for %v", a.Name, a.size(), a.Dims)
			}
		}
	})
}

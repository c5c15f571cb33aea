package torchfile

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orrery-rl/orrery/internal/format/pickle"
)

// sample is a file written by PyTorch; see testdata/tensors.py.
func sample(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/tensors.pt")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func open(t testing.TB, data []byte) *File {
	t.Helper()
	f, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func get(t testing.TB, f *File, name string) any {
	t.Helper()
	v, ok := f.Root.(*pickle.Dict).Get(name)
	if !ok {
		t.Fatalf("%q is missing", name)
	}
	return v
}

func TestReadsWhatPyTorchWrites(t *testing.T) {
	f := open(t, sample(t))
	var base, transposed []float32
	for i := range 24 {
		base = append(base, float32(i))
		transposed = append(transposed, float32(i/6+i%6*4)) // [c, a, b] of base[a, b, c]
	}
	for name, want := range map[string]Tensor{
		"plain":      {[]int{2, 3, 4}, base},
		"transposed": {[]int{4, 2, 3}, transposed},
		"slice":      {[]int{2, 2, 2}, []float32{4, 6, 8, 10, 16, 18, 20, 22}},
		"scalar":     {[]int{}, []float32{0.5}},
		"empty":      {[]int{0, 3}, nil},
		"parameter":  {[]int{2}, []float32{1.5, -2}},
		"half":       {[]int{2}, []float32{1, 65504}},
		"brain":      {[]int{2}, []float32{1, -3}},
		"double":     {[]int{1}, []float32{0.1}},
	} {
		got, err := f.Tensor(get(t, f, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if dims, ok := f.Dims(get(t, f, name)); !ok || !slices.Equal(dims, want.Dims) {
			t.Errorf("%s: shape %v", name, dims)
		}
	}
	size, err := integers(func() any { v, _ := get(t, f, "ordered").(*pickle.Dict).Get("size"); return v }())
	if err != nil || !slices.Equal(size, []int{2, 3, 4}) {
		t.Errorf("torch.Size is %v, %v", size, err)
	}
}

func TestRefusesTensors(t *testing.T) {
	f := open(t, sample(t))
	for name, words := range map[string]string{"long": "torch.LongStorage does not hold", "expanded": "does not fit its storage", "ordered": "is no tensor"} {
		if _, err := f.Tensor(get(t, f, name)); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, ok := f.Dims(f.Root); ok {
		t.Error("a dictionary has a shape")
	}
}

// archive writes a zip file of stored entries.
func archive(t testing.TB, method uint16, entries map[string]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err == nil {
			_, err = io.WriteString(w, entries[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// tensorText is the pickle of a float32 tensor of storage 0; shape and strides
// are the instructions of two tuples.
func tensorText(offset, dims, strides string) string {
	return "\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x04tQ" + offset + dims + strides + "\x89NtR."
}

func TestRefusesFiles(t *testing.T) {
	good := tensorText("K\x00", "K\x04\x85", "K\x01\x85")
	for name, c := range map[string]struct {
		data  []byte
		words string
	}{
		"empty":         {nil, "not a valid zip"},
		"legacy":        {[]byte("\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."), "torch.load(old, map_location='cpu')"},
		"no pickle":     {archive(t, zip.Store, map[string]string{"a/data/0": "1234"}), "0 entries data.pkl"},
		"two pickles":   {archive(t, zip.Store, map[string]string{"a/data.pkl": good, "b/data.pkl": good}), "2 entries data.pkl"},
		"compressed":    {archive(t, zip.Deflate, map[string]string{"a/data.pkl": good}), "is compressed"},
		"big-endian":    {archive(t, zip.Store, map[string]string{"a/byteorder": "big", "a/data.pkl": good}), `byte order is "big"`},
		"TorchScript":   {archive(t, zip.Store, map[string]string{"a/constants.pkl": "", "a/data.pkl": good}), "TorchScript"},
		"runs commands": {archive(t, zip.Store, map[string]string{"a/data.pkl": "\x80\x02cos\nsystem\nU\x02ls\x85R."}), `"os.system"`},
	} {
		_, err := Open(bytes.NewReader(c.data), int64(len(c.data)))
		if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v", name, err)
		}
		if errors.Is(err, ErrLegacy) != (name == "legacy") {
			t.Errorf("%s: ErrLegacy is wrong for %v", name, err)
		}
	}
}

func TestViewsStayInsideTheirStorage(t *testing.T) {
	const long = "\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x40" // 2^62
	for name, c := range map[string]struct {
		offset, dims, strides string
		ok                    bool
	}{
		"all":              {"K\x00", "K\x04\x85", "K\x01\x85", true},
		"last":             {"K\x03", "K\x01\x85", "K\x01\x85", true},
		"beyond":           {"K\x01", "K\x04\x85", "K\x01\x85", false},
		"stride beyond":    {"K\x00", "K\x02\x85", "K\x04\x85", false},
		"repeats":          {"K\x00", "K\x05\x85", "K\x00\x85", false},
		"huge":             {"K\x00", long + long + "\x86", "K\x00K\x00\x86", false},
		"huge stride":      {"K\x00", "K\x02K\x02\x86", long + long + "\x86", false},
		"negative stride":  {"K\x03", "K\x02\x85", "J\xff\xff\xff\xff\x85", false},
		"negative shape":   {"K\x00", "J\xff\xff\xff\xff\x85", "K\x01\x85", false},
		"negative offset":  {"J\xff\xff\xff\xff", "K\x01\x85", "K\x01\x85", false},
		"more dimensions":  {"K\x00", "K\x02K\x02\x86", "K\x01\x85", false},
		"shape of strings": {"K\x00", "U\x011\x85", "K\x01\x85", false},
	} {
		f := open(t, archive(t, zip.Store, map[string]string{"a/data.pkl": tensorText(c.offset, c.dims, c.strides), "a/data/0": strings.Repeat("\x00\x00\x80\x3f", 4)}))
		if _, err := f.Tensor(f.Root); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDamageIsFound flips bits of a storage, which the checksum covers.
func TestDamageIsFound(t *testing.T) {
	data := archive(t, zip.Store, map[string]string{"a/data.pkl": tensorText("K\x00", "K\x04\x85", "K\x01\x85"), "a/data/0": strings.Repeat("\x00\x00\x80\x3f", 4)})
	at := bytes.Index(data, []byte{0, 0, 0x80, 0x3f})
	data[at] ^= 1
	f := open(t, data)
	if _, err := f.Tensor(f.Root); !errors.Is(err, zip.ErrChecksum) || !errors.Is(err, ErrCorrupt) {
		t.Errorf("%v", err)
	}
}

var errDisk = errors.New("input/output error")

// failing is a disk that fails from the n-th read on.
type failing struct {
	r     io.ReaderAt
	reads int
}

func (f *failing) ReadAt(p []byte, off int64) (int, error) {
	if f.reads--; f.reads < 0 {
		return 0, errDisk
	}
	return f.r.ReadAt(p, off)
}

func TestFailureToReadIsNotDamage(t *testing.T) {
	data := sample(t)
	for reads := range math.MaxInt {
		_, err := Open(&failing{bytes.NewReader(data), reads}, int64(len(data)))
		if err == nil {
			if reads < 3 {
				t.Errorf("opened with %d reads", reads)
			}
			return
		}
		if !errors.Is(err, errDisk) || errors.Is(err, ErrCorrupt) {
			t.Fatalf("after %d reads: %v", reads, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(archive(f, zip.Store, map[string]string{
		"a/byteorder": "little", "a/data/0": strings.Repeat("1234", 4),
		"a/data.pkl": tensorText("K\x00", "K\x02K\x02\x86", "K\x02K\x01\x86"),
	}))
	f.Add(sample(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%v does not match ErrCorrupt", err)
			}
			return
		}
		values := []any{file.Root}
		if d, ok := file.Root.(*pickle.Dict); ok {
			for _, key := range d.Keys() {
				v, _ := d.Get(key)
				values = append(values, v)
			}
		}
		for _, v := range values {
			got, err := file.Tensor(v)
			if err == nil && len(got.Data) > len(data) {
				t.Fatalf("%d numbers from %d bytes", len(got.Data), len(data))
			}
		}
	})
}

// FuzzPickle puts any program into a valid archive.
func FuzzPickle(f *testing.F) {
	f.Add([]byte(tensorText("K\x00", "K\x02K\x02\x86", "K\x02K\x01\x86")))
	f.Fuzz(func(t *testing.T, program []byte) {
		data := archive(t, zip.Store, map[string]string{"a/data.pkl": string(program), "a/data/0": strings.Repeat("1234", 4)})
		file, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		got, err := file.Tensor(file.Root)
		if err == nil && len(got.Data) > 16 {
			t.Fatalf("%d numbers from a storage of 16 bytes", len(got.Data))
		}
	})
}

package npz

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// sample has every type and the shapes that are easy to get wrong.
func sample() []Array {
	return []Array{
		{Name: "image", Dims: []int{2, 1, 3}, Data: []byte{1, 2, 3, 4, 5, 255}},
		{Name: "reward", Dims: []int{2}, Data: []float32{0, -1.5}},
		{Name: "double", Dims: []int{1, 2}, Data: []float64{math.Pi, math.Inf(-1)}},
		{Name: "int", Dims: []int{2}, Data: []int32{-1, math.MaxInt32}},
		{Name: "long", Dims: []int{1}, Data: []int64{math.MinInt64}},
		{Name: "done", Dims: []int{3}, Data: []bool{true, false, true}},
		{Name: "scalar", Data: []float32{7}},
		{Name: "none", Dims: []int{0, 5}, Data: []float32{}},
	}
}

type writer func(io.Writer, []Array) error

func encode(t testing.TB, write writer, arrays []Array) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := write(&buf, arrays); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func read(data []byte) ([]Array, error) {
	return Read(bytes.NewReader(data), int64(len(data)), 1<<20)
}

func TestRoundTrip(t *testing.T) {
	for name, write := range map[string]writer{"stored": Write, "compressed": WriteCompressed} {
		got, err := read(encode(t, write, sample()))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(sample(), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAnyArrayRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dims := rapid.SliceOfN(rapid.IntRange(0, 5), 0, 4).Draw(t, "dims")
		n, _ := elements(dims)
		want := Array{Name: rapid.StringMatching(`[a-z/]{1,8}`).Draw(t, "name"), Dims: dims, Data: rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "data")}
		var buf bytes.Buffer
		if err := WriteCompressed(&buf, []Array{want}); err != nil {
			t.Fatal(err)
		}
		got, err := read(buf.Bytes())
		if err != nil || len(got) != 1 || got[0].Name != want.Name || len(got[0].Dims) != len(dims) || !bytes.Equal(got[0].Data.([]byte), want.Data.([]byte)) {
			t.Fatalf("%+v, %v", got, err)
		}
	})
}

func TestHeadersComeWithoutData(t *testing.T) {
	data := encode(t, Write, sample())
	f, err := Open(bytes.NewReader(data), int64(len(data)), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	var want []Header
	for _, a := range sample() {
		dtype, _, err := describe(a.Data)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, Header{a.Name, dtype, a.Dims})
	}
	if diff := cmp.Diff(want, f.Headers()); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if a, err := f.Read("int"); err != nil || !cmp.Equal(a, sample()[3]) {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := f.Read("nothing"); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), `"nothing"`) {
		t.Errorf("an array that is not there: %v", err)
	}
}

// TestBytesAreNumPys pins the bytes that numpy.save 1.26 writes for
// numpy.array([0, -1.5], dtype="<f4").
func TestBytesAreNumPys(t *testing.T) {
	data := encode(t, Write, sample())
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	rc, err := z.Open("reward.npy")
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(rc)
	if err != nil {
		t.Fatal(err)
	}
	text := "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
	want := append([]byte("\x93NUMPY\x01\x00v\x00"+text), bytes.Repeat([]byte{' '}, 128-10-len(text)-1)...)
	want = append(want, '\n', 0, 0, 0, 0, 0, 0, 0xc0, 0xbf)
	if !bytes.Equal(got, want) {
		t.Fatalf("%q, want %q", got, want)
	}
}

// TestNumPyReadsIt asks NumPy itself where it is installed; TestBytesAreNumPys
// holds everywhere.
func TestNumPyReadsIt(t *testing.T) {
	const script = `import numpy, sys
a = numpy.load(sys.argv[1], allow_pickle=False)
assert a['image'].shape == (2, 1, 3) and a['image'][1, 0, 2] == 255
assert a['reward'][1] == -1.5 and a['double'][0, 0] == numpy.pi and a['int'][1] == 2**31-1
assert a['long'][0] == -2**63 and list(a['done']) == [True, False, True]
assert a['scalar'].shape == () and a['none'].shape == (0, 5)
numpy.savez_compressed(sys.argv[2], **a)
`
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import numpy").Run() != nil {
			continue
		}
		from, to := filepath.Join(t.TempDir(), "a.npz"), filepath.Join(t.TempDir(), "b.npz")
		if err := os.WriteFile(from, encode(t, Write, sample()), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(python, "-c", script, from, to).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		data, err := os.ReadFile(to)
		if err != nil {
			t.Fatal(err)
		}
		got, err := read(data)
		if diff := cmp.Diff(sample(), got); err != nil || diff != "" {
			t.Fatalf("from NumPy: %v\n%s", err, diff)
		}
		return
	}
}

func TestWriteRefuses(t *testing.T) {
	for name, arrays := range map[string][]Array{
		"shape":     {{Name: "x", Dims: []int{2}, Data: []byte{1}}},
		"negative":  {{Name: "x", Dims: []int{-1}, Data: []byte{}}},
		"type":      {{Name: "x", Dims: []int{1}, Data: []string{"a"}}},
		"twice":     {{Name: "x", Data: []byte{1}}, {Name: "x", Data: []byte{1}}},
		"many dims": {{Name: "x", Dims: make([]int, 5000), Data: []byte{}}},
	} {
		if err := Write(io.Discard, arrays); err == nil || !strings.Contains(err.Error(), `"x"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// npy is an .npy array with a header of one's own.
func npy(headerText string, data []byte) []byte {
	out := binary.LittleEndian.AppendUint16([]byte(magic), uint16(len(headerText)))
	return append(append(out, headerText...), data...)
}

func archive(t testing.TB, content []byte, names ...string) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, name := range names {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func header(dtype, order, shape string) string {
	return "{'descr': '" + dtype + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }"
}

// hostile are files that must be refused, by what the refusal says.
func hostile(t testing.TB) map[string][]byte {
	one := func(dtype, order, shape string, data ...byte) []byte {
		return archive(t, npy(header(dtype, order, shape), data), "x.npy")
	}
	whole := encode(t, Write, sample())
	flipped := bytes.Clone(whole)
	flipped[bytes.Index(flipped, []byte(magic))+128] ^= 1
	return map[string][]byte{
		"not a valid zip":       nil,
		"zip":                   whole[:len(whole)/2],
		"checksum":              flipped,
		"version 1.0":           archive(t, []byte("hello, world"), "x.npy"),
		"not an .npy array":     archive(t, npy(header("|u1", "False", "(1,)"), []byte{1}), "x.txt"),
		"taken":                 archive(t, npy(header("|u1", "False", "(1,)"), []byte{1}), "x.npy", "x.npy"),
		"unsupported type":      one("|O", "False", "(1,)", 1),
		"column-major":          one("|u1", "True", "(1,)", 1),
		"does not fit":          one("<f4", "False", "(1073741824,)", 1),
		"4611686018427387904":   one("|u1", "False", "(4611686018427387904, 4)"),
		"value out of range":    one("|u1", "False", "(99999999999999999999,)"),
		"unsupported header":    one("|u1", "False", "(-1,)"),
		"not a truth value":     one("|b1", "False", "(1,)", 2),
		"header claims 65535":   archive(t, append([]byte(magic), 255, 255), "x.npy"),
		"header: EOF":           archive(t, append([]byte(magic), 255, 0), "x.npy"),
		"the limit of 1048576":  archive(t, npy(header("|u1", "False", "(2000000,)"), make([]byte, 2000000)), "x.npy"),
		"header: unexpected E":  archive(t, []byte(magic[:4]), "x.npy"),
		"unsupported header \"": archive(t, npy("__import__('os').abort()", nil), "x.npy"),
	}
}

func TestHostileFilesAreRefused(t *testing.T) {
	for cause, data := range hostile(t) {
		_, err := read(data)
		if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), cause) {
			t.Errorf("%s: %v", cause, err)
		}
	}
}

// TestClaimsCostNoMemory opens an archive whose directory claims 200 MB, all
// consistent, and holds a few bytes.
func TestClaimsCostNoMemory(t *testing.T) {
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	content := npy(header("|u1", "False", "(200000000,)"), []byte{1, 2, 3})
	w, err := z.CreateRaw(&zip.FileHeader{
		Name: "x.npy", Method: zip.Deflate, CompressedSize64: uint64(len(content) + 5),
		UncompressedSize64: uint64(len(content)) - 3 + 200000000,
	})
	if err != nil {
		t.Fatal(err)
	}
	// One stored block of Deflate, the last one.
	block := binary.LittleEndian.AppendUint16([]byte{1}, uint16(len(content)))
	block = binary.LittleEndian.AppendUint16(block, ^uint16(len(content)))
	if _, err := w.Write(append(block, content...)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = Read(bytes.NewReader(buf.Bytes()), int64(buf.Len()), 1<<30)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, ErrCorrupt) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
	if spent := after.TotalAlloc - before.TotalAlloc; spent > 1<<20 {
		t.Errorf("a file of %d bytes cost %d bytes of memory", buf.Len(), spent)
	}
}

// failing cannot be read beyond an offset.
type failing struct {
	*bytes.Reader
	from int64
}

var errDisk = errors.New("input/output error")

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off >= f.from && off < f.from+4 {
		return 0, errDisk
	}
	return f.Reader.ReadAt(p, off)
}

// TestFailureToReadIsNotDamage: who skips damaged files must not skip one that
// the disk did not deliver this time.
func TestFailureToReadIsNotDamage(t *testing.T) {
	data := encode(t, Write, sample())
	failed := 0
	for at := range int64(len(data)) {
		got, err := Read(failing{bytes.NewReader(data), at}, int64(len(data)), 1<<20)
		if err == nil && !cmp.Equal(sample(), got) {
			t.Fatalf("byte %d: a failure changed the arrays", at)
		}
		if err != nil {
			failed++
			if errors.Is(err, ErrCorrupt) || !errors.Is(err, errDisk) {
				t.Fatalf("byte %d: %v", at, err)
			}
		}
	}
	if failed == 0 {
		t.Error("no read failed")
	}
}

// TestEveryFlippedBitIsNoticedOrHarmless flips each bit of a file.
func TestEveryFlippedBitIsNoticedOrHarmless(t *testing.T) {
	arrays := sample()[:2]
	data := encode(t, Write, arrays)
	for i := range 8 * len(data) {
		data[i/8] ^= 1 << (i % 8)
		got, err := read(data)
		data[i/8] ^= 1 << (i % 8)
		if err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatalf("bit %d: %v does not match ErrCorrupt", i, err)
		}
		for _, a := range got {
			// A name is not covered by a checksum; values are.
			if want, _, _ := describe(a.Data); want == "|u1" && !cmp.Equal(a.Data, arrays[0].Data) || want == "<f4" && !cmp.Equal(a.Data, arrays[1].Data) {
				t.Fatalf("bit %d: values changed unnoticed: %+v", i, got)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(encode(f, Write, sample()))
	f.Add(encode(f, WriteCompressed, sample()))
	for _, data := range hostile(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		arrays, err := read(data)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%v does not match ErrCorrupt", err)
			}
			return
		}
		again, err := read(encode(t, Write, arrays))
		if err != nil || len(again) != len(arrays) {
			t.Fatalf("written again: %v", err)
		}
		for i, a := range arrays {
			_, n, err := describe(a.Data)
			if size, ok := elements(a.Dims); err != nil || !ok || size != n {
				t.Fatalf("%q: %d values for %v, %v", a.Name, n, a.Dims, err)
			}
			if _, n, _ := describe(again[i].Data); n != a.len() {
				t.Fatalf("%q changed its size", a.Name)
			}
		}
	})
}

func (a Array) len() int {
	_, n, _ := describe(a.Data)
	return n
}

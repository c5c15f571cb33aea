package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func rawSample() []Raw {
	return []Raw{
		{"bytes", U8, []int{3}, []byte{1, 2, 3}},
		{"half", F16, []int{2}, []byte{0, 0x3c, 0, 0xc0}}, // 1, -2
		{"brain", BF16, []int{1, 1}, []byte{0x80, 0x3f}},  // 1
		{"long", I64, nil, []byte{255, 255, 255, 255, 255, 255, 255, 255}},
		{"single", F32, []int{1}, []byte{0, 0, 0x80, 0x3f}},
	}
}

func encodeRaw(t testing.TB, tensors []Raw) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := WriteRaw(&buf, tensors, map[string]string{"k": "v"}); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestRawRoundTrip(t *testing.T) {
	data := encodeRaw(t, rawSample())
	x, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, e := range x.Entries {
		order = append(order, e.Name)
		if e.begin%int64(e.DType.Size()) != 0 {
			t.Errorf("%s is not aligned at %d", e.Name, e.begin)
		}
	}
	if diff := cmp.Diff([]string{"long", "single", "brain", "half", "bytes"}, order); diff != "" || x.Metadata["k"] != "v" {
		t.Errorf("metadata %v, order (-want +got):\n%s", x.Metadata, diff)
	}
	for _, want := range rawSample() {
		got, err := x.Read(want.Name)
		if err != nil || got.DType != want.DType || !slices.Equal(got.Dims, want.Dims) || !bytes.Equal(got.Data, want.Data) {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
	if _, err := x.Read("nothing"); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a tensor that is not there: %v", err)
	}
	backwards := rawSample()
	slices.Reverse(backwards)
	if !bytes.Equal(data, encodeRaw(t, backwards)) {
		t.Error("the order of the tensors changes the file")
	}
}

func TestReadConvertsHalves(t *testing.T) {
	data := encodeRaw(t, rawSample()[1:3])
	f, err := Read(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Tensor{{"brain", []int{1, 1}, []float32{1}}, {"half", []int{2}, []float32{1, -2}}}, f.Tensors); diff != "" {
		t.Error(diff)
	}
	if _, err := Read(encodeRaw(t, rawSample())); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), `"long"`) {
		t.Errorf("integers as float32: %v", err)
	}
}

// TestEveryHalfRoundTrips goes through all 65536 values of both types; a NaN
// stays one.
func TestEveryHalfRoundTrips(t *testing.T) {
	all := make([]byte, 0, 2<<16)
	for h := range 1 << 16 {
		all = binary.LittleEndian.AppendUint16(all, uint16(h))
	}
	for _, d := range []DType{F16, BF16} {
		values, err := d.Float32(all)
		if err != nil {
			t.Fatal(err)
		}
		back, err := d.Encode(values)
		if err != nil {
			t.Fatal(err)
		}
		again, err := d.Float32(back)
		if err != nil {
			t.Fatal(err)
		}
		for h, v := range values {
			if v != v && again[h] != again[h] {
				continue
			}
			if !bytes.Equal(all[2*h:2*h+2], back[2*h:2*h+2]) {
				t.Fatalf("%s %#04x is %v and became %x", d, h, v, back[2*h:2*h+2])
			}
		}
	}
}

// TestHalvesRound checks values from the definition of binary16 and of
// bfloat16, ties to even among them.
func TestHalvesRound(t *testing.T) {
	for _, c := range []struct {
		dtype DType
		from  float32
		want  float32
	}{
		{F16, 65504, 65504}, {F16, 65519.99, 65504}, {F16, 65520, float32(math.Inf(1))}, {F16, -1e9, float32(math.Inf(-1))},
		{F16, 1 + 0x1p-11, 1}, {F16, 1 + 0x3p-11, 1 + 0x1p-9}, {F16, 1 + 0x1p-11 + 0x1p-20, 1 + 0x1p-10}, {F16, 2 - 0x1p-12, 2},
		{F16, 0x1p-14, 0x1p-14}, {F16, 0x1p-24, 0x1p-24}, {F16, 0x1p-25, 0}, {F16, 0x1.8p-25, 0x1p-24}, {F16, 0x1p-14 - 0x1p-26, 0x1p-14},
		{BF16, 1 + 0x1p-8, 1}, {BF16, 1 + 0x3p-8, 1 + 0x1p-6}, {BF16, 1 + 0x1p-8 + 0x1p-20, 1 + 0x1p-7}, {BF16, math.MaxFloat32, float32(math.Inf(1))},
		{F32, 0.1, 0.1},
	} {
		data, err := c.dtype.Encode([]float32{c.from})
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.dtype.Float32(data)
		if err != nil || got[0] != c.want {
			t.Errorf("%s: %v became %v, want %v (%v)", c.dtype, c.from, got, c.want, err)
		}
	}
	if _, err := I64.Encode(nil); err == nil {
		t.Error("encoded floats as I64")
	}
	if _, err := F32.Float32(make([]byte, 3)); err == nil {
		t.Error("decoded three bytes")
	}
	if _, err := DType("F8").Float32(nil); err == nil {
		t.Error("decoded an unknown type")
	}
}

func TestWriteRawRefuses(t *testing.T) {
	for name, tensors := range map[string][]Raw{
		"size":     {{"x", F32, []int{1}, make([]byte, 3)}},
		"type":     {{"x", "F8", []int{1}, make([]byte, 1)}},
		"negative": {{"x", U8, []int{-1}, nil}},
		"twice":    {{"x", U8, []int{1}, make([]byte, 1)}, {"x", F32, []int{1}, make([]byte, 4)}},
		"reserved": {{metadataKey, U8, []int{1}, make([]byte, 1)}},
	} {
		if err := WriteRaw(io.Discard, tensors, nil); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestHeaderMustBeOneObject(t *testing.T) {
	const x = `"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`
	for name, text := range map[string]string{
		"twice": "{" + x + "," + x + "}", "array": "[]", "two objects": "{" + x + "}{}", "open": "{" + x,
		"tab after": "{" + x + "}\t", "metadata": `{"__metadata__":{"k":1}}`, "empty": "",
	} {
		data := append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
		if _, err := Open(bytes.NewReader(data), int64(len(data))); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// broken cannot be read.
type broken struct{}

var errDisk = errors.New("input/output error")

func (broken) ReadAt([]byte, int64) (int, error) { return 0, errDisk }

func TestFailureToReadIsNotDamage(t *testing.T) {
	if _, err := Open(broken{}, 100); !errors.Is(err, errDisk) || errors.Is(err, ErrCorrupt) {
		t.Errorf("a disk that fails: %v", err)
	}
	data := encodeRaw(t, rawSample())
	if _, err := Open(bytes.NewReader(data[:20]), int64(len(data))); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a file that shrank: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(encodeRaw(f, rawSample()))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%v does not match ErrCorrupt", err)
			}
			return
		}
		total := int64(8) + int64(binary.LittleEndian.Uint64(data))
		for _, e := range x.Entries {
			raw, err := x.Read(e.Name)
			n, ok := elements(raw.Dims)
			if err != nil || !ok || n*raw.DType.Size() != len(raw.Data) {
				t.Fatalf("%+v: %d bytes, %v", e, len(raw.Data), err)
			}
			total += int64(len(raw.Data))
		}
		if total != int64(len(data)) {
			t.Fatalf("the tensors hold %d of %d bytes", total, len(data))
		}
	})
}

package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func encode(t testing.TB, tensors []Tensor, meta map[string]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := Write(&buf, tensors, meta); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func sample() []Tensor {
	return []Tensor{{"b", []int{2, 3}, []float32{1, 2, 3, 4, 5, 6}}, {"a", nil, []float32{-7}}, {"empty", []int{0, 4}, []float32{}}}
}

func TestRoundTrip(t *testing.T) {
	data := encode(t, sample(), map[string]string{"k": "v"})
	f, err := Read(data)
	if err != nil {
		t.Fatal(err)
	}
	if f.Metadata["k"] != "v" || len(f.Tensors) != 3 {
		t.Fatalf("%+v", f)
	}
	for _, want := range sample() {
		found := false
		for _, got := range f.Tensors {
			if got.Name == want.Name {
				found = true
				if len(got.Dims) != len(want.Dims) || !reflect.DeepEqual(got.Data, want.Data) {
					t.Errorf("%+v, want %+v", got, want)
				}
			}
		}
		if !found {
			t.Errorf("%s is missing", want.Name)
		}
	}
	if !bytes.Equal(data, encode(t, sample(), map[string]string{"k": "v"})) {
		t.Error("two encodings of one input differ")
	}
}

// TestLayout pins the bytes of the format's description: length, header padded
// with spaces to a multiple of eight, data.
func TestLayout(t *testing.T) {
	data := encode(t, []Tensor{{"x", []int{1}, []float32{1}}}, nil)
	header := `{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`
	padded := header + strings.Repeat(" ", (8-len(header)%8)%8)
	want := binary.LittleEndian.AppendUint64(nil, uint64(len(padded)))
	want = append(append(want, padded...), 0, 0, 0x80, 0x3f)
	if !bytes.Equal(data, want) {
		t.Fatalf("%q, want %q", data, want)
	}
}

func TestHostileFiles(t *testing.T) {
	file := func(header string, body int) []byte {
		out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
		return append(append(out, header...), make([]byte, body)...)
	}
	for name, data := range map[string][]byte{
		"empty":          nil,
		"huge header":    {255, 255, 255, 255, 255, 255, 255, 127, '{'},
		"not json":       file("{", 0),
		"beyond the end": file(`{"x":{"dtype":"F32","shape":[1000000000],"data_offsets":[0,4000000000]}}`, 16),
		"overflow":       file(`{"x":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}`, 0),
		"negative":       file(`{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,-4]}}`, 16),
		"overlap":        file(`{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"y":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8),
		"gap":            file(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8),
		"left over":      file(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 8),
		"other type":     file(`{"x":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}`, 8),
		"shape and size": file(`{"x":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, 8),
	} {
		if _, err := Read(data); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(encode(f, sample(), map[string]string{"k": "v"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Read(data)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%v does not match ErrCorrupt", err)
			}
			return
		}
		again, err := Read(encode(t, file.Tensors, file.Metadata))
		if err != nil || len(again.Tensors) != len(file.Tensors) {
			t.Fatalf("written again: %v", err)
		}
	})
}

// TestFieldsMustNotComeTwice inside the description of a tensor or in the
// metadata either: readers would disagree about which one counts.
func TestFieldsMustNotComeTwice(t *testing.T) {
	for _, header := range []string{
		`{"x":{"dtype":"F32","shape":[1],"shape":[0],"data_offsets":[0,0]}}`,
		`{"__metadata__":{"format":"a","format":"b"}}`,
	} {
		data := append([]byte{byte(len(header)), 0, 0, 0, 0, 0, 0, 0}, header...)
		if _, err := Read(data); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "twice") {
			t.Errorf("%s: %v", header, err)
		}
	}
}

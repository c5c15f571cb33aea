// Package safetensors reads and writes the safetensors format: a length, a JSON
// header with names, types, shapes and offsets, and the raw little-endian data.
// Only float32 tensors are supported, which is all that this project stores.
//
// Files are untrusted: no length in them is believed before it is compared with
// the size of the file, and reading allocates no more than a few times that.
package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
)

// ErrCorrupt is matched by every error about the contents of a file.
var ErrCorrupt = errors.New("safetensors: damaged file")

// maxHeader bounds the JSON header, as the reference implementation does.
const maxHeader = 100 << 20

// metadataKey holds strings instead of a tensor.
const metadataKey = "__metadata__"

// Tensor is a float32 array in row-major order.
type Tensor struct {
	Name string
	Dims []int
	Data []float32
}

// File is a decoded file. Tensors are in the order of their data.
type File struct {
	Metadata map[string]string
	Tensors  []Tensor
}

// entry is a tensor's place in the header.
type entry struct {
	DType   string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets [2]int `json:"data_offsets"`
}

// Write encodes tensors, in the given order, and metadata. Equal input gives
// equal bytes.
func Write(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	header := map[string]any{}
	if len(metadata) > 0 {
		header[metadataKey] = metadata
	}
	end := 0
	for _, t := range tensors {
		if size, ok := elements(t.Dims); !ok || size != len(t.Data) {
			return fmt.Errorf("safetensors: %q has %d values for the shape %v", t.Name, len(t.Data), t.Dims)
		}
		if _, taken := header[t.Name]; taken || t.Name == metadataKey {
			return fmt.Errorf("safetensors: the name %q is used twice or reserved", t.Name)
		}
		begin := end
		end += 4 * len(t.Data)
		header[t.Name] = entry{"F32", append([]int{}, t.Dims...), [2]int{begin, end}}
	}
	text, err := json.Marshal(header) // sorts the keys
	if err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	text = append(text, bytes.Repeat([]byte{' '}, (8-len(text)%8)%8)...)
	if _, err := w.Write(append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)); err != nil {
		return err
	}
	return writeData(w, tensors)
}

func writeData(w io.Writer, tensors []Tensor) error {
	const chunk = 1 << 14
	buf := make([]byte, 0, 4*chunk)
	for _, t := range tensors {
		for part := range slices.Chunk(t.Data, chunk) {
			buf = buf[:0]
			for _, v := range part {
				buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
			}
			if _, err := w.Write(buf); err != nil {
				return err
			}
		}
	}
	return nil
}

// Read decodes a whole file. The tensors' data are copies.
func Read(data []byte) (*File, error) {
	if len(data) < 8 {
		return nil, fmt.Errorf("%w: %d bytes are too few for the length of the header", ErrCorrupt, len(data))
	}
	length := binary.LittleEndian.Uint64(data)
	if length > maxHeader || length > uint64(len(data)-8) {
		return nil, fmt.Errorf("%w: the header claims %d bytes, the file has %d", ErrCorrupt, length, len(data))
	}
	text, body := data[8:8+length], data[8+length:]
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, fmt.Errorf("%w: header: %w", ErrCorrupt, err)
	}
	f := &File{}
	if meta, ok := raw[metadataKey]; ok {
		if err := json.Unmarshal(meta, &f.Metadata); err != nil {
			return nil, fmt.Errorf("%w: metadata: %w", ErrCorrupt, err)
		}
		delete(raw, metadataKey)
	}
	entries, err := parseEntries(raw)
	if err != nil {
		return nil, err
	}
	return f, f.fill(entries, body)
}

func parseEntries(raw map[string]json.RawMessage) (map[string]entry, error) {
	entries := make(map[string]entry, len(raw))
	for name, text := range raw {
		var e entry
		if err := json.Unmarshal(text, &e); err != nil {
			return nil, fmt.Errorf("%w: tensor %q: %w", ErrCorrupt, name, err)
		}
		entries[name] = e
	}
	return entries, nil
}

// fill decodes the data. Tensors must follow one another without gap or
// overlap and use the whole body.
func (f *File) fill(entries map[string]entry, body []byte) error {
	names := slices.SortedFunc(maps.Keys(entries), func(a, b string) int {
		ea, eb := entries[a].Offsets, entries[b].Offsets
		if ea[0] != eb[0] {
			return ea[0] - eb[0]
		}
		return ea[1] - eb[1]
	})
	at := 0
	for _, name := range names {
		e := entries[name]
		size, ok := elements(e.Shape)
		switch begin, end := e.Offsets[0], e.Offsets[1]; {
		case e.DType != "F32":
			return fmt.Errorf("%w: tensor %q has the type %q, only F32 is supported", ErrCorrupt, name, e.DType)
		case begin != at || end < begin || end > len(body):
			return fmt.Errorf("%w: tensor %q lies at [%d, %d), expected it to begin at %d of %d bytes", ErrCorrupt, name, begin, end, at, len(body))
		case !ok || size != (end-begin)/4 || (end-begin)%4 != 0:
			return fmt.Errorf("%w: tensor %q of shape %v does not fit its %d bytes", ErrCorrupt, name, e.Shape, end-begin)
		}
		f.Tensors = append(f.Tensors, Tensor{name, e.Shape, floats(body[at:e.Offsets[1]])})
		at = e.Offsets[1]
	}
	if at != len(body) {
		return fmt.Errorf("%w: %d bytes belong to no tensor", ErrCorrupt, len(body)-at)
	}
	return nil
}

func floats(data []byte) []float32 {
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return out
}

// elements is the product of dims, or false if a dimension is negative or the
// product does not fit.
func elements(dims []int) (int, bool) {
	n := 1
	for _, d := range dims {
		if d < 0 || d > 0 && n > math.MaxInt/8/d {
			return 0, false
		}
		n *= d
	}
	return n, true
}

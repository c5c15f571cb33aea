// Package safetensors reads and writes the safetensors format: a length, a JSON
// header with names, types, shapes and offsets, and the raw little-endian data.
//
// [Write] and [Read] handle whole files of float32 tensors; [WriteRaw] and
// [Open] any of the types in [DType], one tensor at a time.
//
// Files are untrusted: no length in them is believed before it is compared with
// the size of the file, and reading allocates no more than a few times that.
package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// ErrCorrupt is matched by every error about the contents of a file, but not by
// failures to read it.
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

// Write encodes tensors, in the given order, and metadata. Equal input gives
// equal bytes.
func Write(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	items := make([]item, len(tensors))
	for i, t := range tensors {
		items[i] = item{t.Name, F32, t.Dims, 4 * len(t.Data), func(w io.Writer) error { return writeFloats(w, t.Data) }}
	}
	return write(w, items, metadata)
}

func writeFloats(w io.Writer, data []float32) error {
	const chunk = 1 << 14
	buf := make([]byte, 0, 4*chunk)
	for part := range slices.Chunk(data, chunk) {
		buf = buf[:0]
		for _, v := range part {
			buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
	}
	return nil
}

// Read decodes a whole file, whose tensors must be floating-point numbers. The
// tensors' data are copies.
func Read(data []byte) (*File, error) {
	index, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	f := &File{Metadata: index.Metadata}
	for _, e := range index.Entries {
		// The bytes are in memory already.
		values, err := e.DType.Float32(data[e.begin:e.end])
		if err != nil {
			return nil, fmt.Errorf("%w: tensor %q: %w", ErrCorrupt, e.Name, err)
		}
		f.Tensors = append(f.Tensors, Tensor{e.Name, e.Dims, values})
	}
	return f, nil
}

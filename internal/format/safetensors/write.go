package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// Raw is a tensor of any type as it is stored: little-endian, row-major.
type Raw struct {
	Name  string
	DType DType
	Dims  []int
	Data  []byte
}

// WriteRaw encodes tensors and metadata. The data are in the order of falling
// element size, which aligns them, then of the tensors' names: the same tensors
// give the same bytes in whatever order they come.
func WriteRaw(w io.Writer, tensors []Raw, metadata map[string]string) error {
	items := make([]item, len(tensors))
	for i, t := range tensors {
		items[i] = item{t.Name, t.DType, t.Dims, len(t.Data), func(w io.Writer) error {
			_, err := w.Write(t.Data)
			return err
		}}
	}
	slices.SortStableFunc(items, func(a, b item) int {
		return cmp.Or(cmp.Compare(b.dtype.Size(), a.dtype.Size()), cmp.Compare(a.name, b.name))
	})
	return write(w, items, metadata)
}

// item is a tensor to be written.
type item struct {
	name  string
	dtype DType
	dims  []int
	size  int // bytes
	write func(io.Writer) error
}

func (t item) check() error {
	if n, ok := elements(t.dims); !ok || t.dtype.Size() == 0 || n*t.dtype.Size() != t.size {
		return fmt.Errorf("safetensors: %q has %d bytes for the type %q and the shape %v", t.name, t.size, t.dtype, t.dims)
	}
	return nil
}

func write(w io.Writer, items []item, metadata map[string]string) error {
	text, err := header(items, metadata)
	if err != nil {
		return err
	}
	if _, err := w.Write(append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)); err != nil {
		return err
	}
	for _, t := range items {
		if err := t.write(w); err != nil {
			return err
		}
	}
	return nil
}

// header returns the JSON text, padded with spaces so that the data begin at a
// multiple of eight.
func header(items []item, metadata map[string]string) ([]byte, error) {
	fields, end := map[string]any{}, 0
	if len(metadata) > 0 {
		fields[metadataKey] = metadata
	}
	for _, t := range items {
		if err := t.check(); err != nil {
			return nil, err
		}
		if _, taken := fields[t.name]; taken || t.name == metadataKey {
			return nil, fmt.Errorf("safetensors: the name %q is used twice or reserved", t.name)
		}
		begin := end
		end += t.size
		fields[t.name] = field{t.dtype, append([]int{}, t.dims...), [2]int64{int64(begin), int64(end)}}
	}
	text, err := json.Marshal(fields) // sorts the keys
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	text = append(text, bytes.Repeat([]byte{' '}, (8-len(text)%8)%8)...)
	if len(text) > maxHeader {
		return nil, fmt.Errorf("safetensors: the header has %d bytes, the limit is %d", len(text), maxHeader)
	}
	return text, nil
}

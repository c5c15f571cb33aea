package npz

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// File is an opened archive whose headers are checked and whose data are read
// on demand. It is not safe for concurrent use.
type File struct {
	source  *source
	entries []entry
}

// entry is an array in the archive.
type entry struct {
	Header
	zip   *zip.File
	start int // length of everything before the data
	size  int // length of the data
}

// Open reads the headers of an archive of size bytes. limit bounds what all
// arrays together may hold, in bytes; an archive that claims more is refused.
// It allocates no more than a small multiple of size.
func Open(r io.ReaderAt, size, limit int64) (*File, error) {
	f := &File{source: &source{r: r}}
	z, err := zip.NewReader(f.source, size)
	if err != nil {
		return nil, f.corrupt(nil, err)
	}
	total, seen := uint64(0), map[string]bool{}
	for _, file := range z.File {
		// The second bound keeps the sum of hostile sizes from wrapping.
		if total += file.UncompressedSize64; file.UncompressedSize64 > uint64(limit) || total > uint64(limit) {
			return nil, f.corrupt(file, fmt.Errorf("the arrays claim more than the limit of %d bytes", limit))
		}
		e, err := openEntry(file, size)
		if err == nil && seen[e.Name] {
			err = errors.New("the name is taken by another array")
		}
		if err != nil {
			return nil, f.corrupt(file, err)
		}
		seen[e.Name] = true
		f.entries = append(f.entries, e)
	}
	return f, nil
}

// openEntry reads the header of an array in a file of size bytes and compares
// all lengths.
func openEntry(file *zip.File, size int64) (e entry, err error) {
	name, ok := strings.CutSuffix(file.Name, ".npy")
	if !ok {
		return e, errors.New("it is not an .npy array")
	}
	if file.CompressedSize64 > uint64(size) || file.Method == zip.Store && file.CompressedSize64 != file.UncompressedSize64 {
		return e, fmt.Errorf("it claims %d bytes, %d in the file of %d", file.UncompressedSize64, file.CompressedSize64, size)
	}
	r, err := file.Open()
	if err != nil {
		return e, err
	}
	defer r.Close()
	e.zip = file
	if e.Header, e.start, err = readHeader(r); err != nil {
		return e, err
	}
	e.Name = name
	n, ok := elements(e.Dims)
	if e.size = n * dtypes[e.DType]; !ok || uint64(e.start)+uint64(e.size) != file.UncompressedSize64 {
		return e, fmt.Errorf("%q of shape %v does not fit %d bytes", e.DType, e.Dims, file.UncompressedSize64)
	}
	return e, nil
}

// Headers describes the arrays in their order in the file.
func (f *File) Headers() []Header {
	out := make([]Header, len(f.entries))
	for i, e := range f.entries {
		out[i] = e.Header
	}
	return out
}

// Read decodes the array of that name and verifies its checksum. The memory it
// takes is at most proportional to what the file really holds of it.
func (f *File) Read(name string) (Array, error) {
	i := slices.IndexFunc(f.entries, func(e entry) bool { return e.Name == name })
	if i < 0 {
		return Array{}, &CorruptError{Err: fmt.Errorf("it has no array %q", name)}
	}
	e := f.entries[i]
	data, err := e.bytes()
	if err != nil {
		return Array{}, f.corrupt(e.zip, err)
	}
	values, err := decode(e.DType, data)
	if err != nil {
		return Array{}, f.corrupt(e.zip, err)
	}
	return Array{Name: e.Name, Dims: e.Dims, Data: values}, nil
}

// Read decodes all arrays of an archive of size bytes, in their order. See Open
// for limit.
func Read(r io.ReaderAt, size, limit int64) ([]Array, error) {
	f, err := Open(r, size, limit)
	if err != nil {
		return nil, err
	}
	arrays := make([]Array, len(f.entries))
	for i, e := range f.entries {
		if arrays[i], err = f.Read(e.Name); err != nil {
			return nil, err
		}
	}
	return arrays, nil
}

// trusted is how many bytes a byte of compressed data is believed to become
// before they are seen; Deflate can reach 1032.
const trusted = 16

// bytes returns the data of an array.
func (e entry) bytes() ([]byte, error) {
	r, err := e.zip.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if _, err := io.CopyN(io.Discard, r, int64(e.start)); err != nil {
		return nil, err
	}
	data := make([]byte, 0, min(uint64(e.size), trusted*e.zip.CompressedSize64))
	for len(data) < e.size {
		if len(data) == cap(data) {
			data = slices.Grow(data, min(len(data)+1<<12, e.size-len(data)))
		}
		n, err := io.ReadFull(r, data[len(data):min(cap(data), e.size)])
		if data = data[:len(data)+n]; err != nil {
			return nil, err
		}
	}
	// The checksum is compared at the end.
	if n, err := io.CopyN(io.Discard, r, 1); n != 0 || err != io.EOF {
		return nil, errors.Join(errors.New("its end is not where it should be"), err)
	}
	return slices.Clip(data), nil
}

// decode interprets data, whose length fits the type. It keeps data if they
// are bytes.
func decode(dtype string, data []byte) (any, error) {
	switch n := len(data) / dtypes[dtype]; dtype {
	case "|u1":
		return data, nil
	case "|b1":
		if i := slices.IndexFunc(data, func(b byte) bool { return b > 1 }); i >= 0 {
			return nil, fmt.Errorf("value %d is %d, not a truth value", i, data[i])
		}
		return values(data, make([]bool, n))
	case "<i4":
		return values(data, make([]int32, n))
	case "<i8":
		return values(data, make([]int64, n))
	case "<f4":
		return values(data, make([]float32, n))
	default: // "<f8"; Open has seen to it
		return values(data, make([]float64, n))
	}
}

func values[T any](data []byte, out []T) ([]T, error) {
	return out, binary.Read(bytes.NewReader(data), binary.LittleEndian, out)
}

// corrupt blames the contents of a file for err, unless it could not be read.
func (f *File) corrupt(file *zip.File, err error) error {
	if f.source.err != nil {
		return fmt.Errorf("npz: %w", f.source.err)
	}
	out := &CorruptError{Err: err}
	if file != nil {
		out.Entry = file.Name
		if at, err := file.DataOffset(); err == nil {
			out.Offset = at
		}
	}
	return out
}

// source remembers a failure to read, as opposed to the end of the file.
type source struct {
	r   io.ReaderAt
	err error
}

func (s *source) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, io.ErrUnexpectedEOF // a hostile archive asks for it
	}
	n, err := s.r.ReadAt(p, off)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

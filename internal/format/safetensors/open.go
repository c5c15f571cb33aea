package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// field is a tensor's place in the header. Offsets count from the header's end.
type field struct {
	DType   DType    `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// Entry describes a tensor of a file.
type Entry struct {
	Name  string
	DType DType
	Dims  []int

	begin, end int64 // in the file
}

// Index is an opened file whose header is checked and whose tensors are read on
// demand. It is safe for concurrent use if its reader is.
type Index struct {
	Metadata map[string]string
	// Entries are the tensors in the order of their data.
	Entries []Entry

	r io.ReaderAt
}

// Open reads the header of a file of size bytes and checks that the tensors
// follow one another without gap or overlap and use the whole file.
func Open(r io.ReaderAt, size int64) (*Index, error) {
	text, err := readHeader(r, size)
	if err != nil {
		return nil, err
	}
	x := &Index{r: r}
	err = eachField(text, func(name string, decode func(any) error) error {
		var object json.RawMessage
		if err := decode(&object); err != nil {
			return err
		}
		if err := unique(object); err != nil {
			return err
		}
		if name == metadataKey {
			return json.Unmarshal(object, &x.Metadata)
		}
		var f field
		if err := json.Unmarshal(object, &f); err != nil {
			return err
		}
		x.Entries = append(x.Entries, Entry{name, f.DType, f.Shape, f.Offsets[0], f.Offsets[1]})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%w: header: %w", ErrCorrupt, err)
	}
	return x, x.place(int64(8+len(text)), size)
}

func readHeader(r io.ReaderAt, size int64) ([]byte, error) {
	if size < 8 {
		return nil, fmt.Errorf("%w: %d bytes are too few for the length of the header", ErrCorrupt, size)
	}
	var prefix [8]byte
	if err := readFull(r, prefix[:], 0); err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint64(prefix[:])
	if length > maxHeader || length > uint64(size-8) {
		return nil, fmt.Errorf("%w: the header claims %d bytes, the file has %d and the limit is %d", ErrCorrupt, length, size, maxHeader)
	}
	text := make([]byte, length)
	return text, readFull(r, text, 8)
}

// readFull fills p from off. A file that is shorter than it was said to be is
// damaged; other failures are not the file's.
func readFull(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	switch {
	case n == len(p):
		return nil
	case err == io.EOF:
		return fmt.Errorf("%w: it ends at byte %d: %w", ErrCorrupt, off+int64(n), io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("safetensors: %w", err)
}

// eachField calls f for every field of a JSON object. A field that comes twice
// is an error: readers would disagree about which one counts.
func eachField(text []byte, f func(name string, decode func(any) error) error) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.Join(errors.New("it is not a JSON object"), err)
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		name, ok := t.(string)
		if !ok || seen[name] {
			return fmt.Errorf("the field %v comes twice or is no name", t)
		}
		seen[name] = true
		if err := f(name, d.Decode); err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
	}
	if _, err := d.Token(); err != nil { // the closing brace
		return err
	}
	if rest := bytes.TrimRight(text[d.InputOffset():], " "); len(rest) > 0 {
		return fmt.Errorf("%d bytes follow the JSON object", len(rest))
	}
	return nil
}

// unique reports a field that comes twice in an object.
func unique(object []byte) error {
	return eachField(object, func(_ string, decode func(any) error) error {
		var value json.RawMessage
		return decode(&value)
	})
}

// place sorts the entries by their data, checks all lengths and makes the
// offsets those in the file, whose data begin at start.
func (x *Index) place(start, size int64) error {
	slices.SortFunc(x.Entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end), cmp.Compare(a.Name, b.Name))
	})
	at := int64(0)
	for i := range x.Entries {
		e := &x.Entries[i]
		n, ok := elements(e.Dims)
		switch {
		case e.DType.Size() == 0:
			return fmt.Errorf("%w: tensor %q has the unsupported type %q", ErrCorrupt, e.Name, e.DType)
		case e.begin != at || e.end < e.begin || e.end > size-start:
			return fmt.Errorf("%w: tensor %q lies at [%d, %d), expected it to begin at %d of %d bytes", ErrCorrupt, e.Name, e.begin, e.end, at, size-start)
		case !ok || int64(n)*int64(e.DType.Size()) != e.end-e.begin:
			return fmt.Errorf("%w: tensor %q of type %s and shape %v does not fit its %d bytes", ErrCorrupt, e.Name, e.DType, e.Dims, e.end-e.begin)
		}
		at = e.end
		e.begin, e.end = e.begin+start, e.end+start
	}
	if at != size-start {
		return fmt.Errorf("%w: %d bytes belong to no tensor", ErrCorrupt, size-start-at)
	}
	return nil
}

// Read reads one tensor of the file.
func (x *Index) Read(name string) (Raw, error) {
	i := slices.IndexFunc(x.Entries, func(e Entry) bool { return e.Name == name })
	if i < 0 {
		return Raw{}, fmt.Errorf("%w: it has no tensor %q", ErrCorrupt, name)
	}
	e := x.Entries[i]
	out := Raw{e.Name, e.DType, e.Dims, make([]byte, e.end-e.begin)}
	if err := readFull(x.r, out.Data, e.begin); err != nil {
		return Raw{}, fmt.Errorf("tensor %q: %w", name, err)
	}
	return out, nil
}

// elements is the product of dims, or false if a dimension is negative or the
// product times eight bytes does not fit into an int.
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

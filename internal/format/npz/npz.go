// Package npz reads and writes NumPy's .npz archives: a zip file with one .npy
// array in each entry. Arrays are float32 or uint8, in row-major order.
//
// Files are untrusted: no length in them is believed before it is compared with
// what the file really holds.
package npz

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ErrCorrupt is matched by every error about the contents of a file.
var ErrCorrupt = errors.New("npz: damaged file")

// Array is one array of an archive: exactly one of Float32 and Uint8 is set,
// and its length is the product of Dims.
type Array struct {
	Name    string
	Dims    []int
	Float32 []float32
	Uint8   []byte
}

// magic begins every .npy file of version 1.0.
const magic = "\x93NUMPY\x01\x00"

// Write encodes the arrays, in order, without compression.
func Write(w io.Writer, arrays []Array) error {
	z := zip.NewWriter(w)
	for _, a := range arrays {
		if size, ok := elements(a.Dims); !ok || size != a.size() {
			return fmt.Errorf("npz: %q has %d values for the shape %v", a.Name, a.size(), a.Dims)
		}
		entry, err := z.CreateHeader(&zip.FileHeader{Name: a.Name + ".npy", Method: zip.Store})
		if err != nil {
			return err
		}
		if err := a.write(entry); err != nil {
			return err
		}
	}
	return z.Close()
}

func (a Array) size() int { return len(a.Float32) + len(a.Uint8) }

func (a Array) write(w io.Writer) error {
	descr := "|u1"
	if a.Float32 != nil {
		descr = "<f4"
	}
	dims := make([]string, len(a.Dims))
	for i, d := range a.Dims {
		dims[i] = strconv.Itoa(d)
	}
	shape := strings.Join(dims, ", ")
	if len(dims) == 1 {
		shape += ","
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape)
	// The data begins at a multiple of 64, as NumPy writes it.
	text += strings.Repeat(" ", 63-(len(magic)+2+len(text))%64) + "\n"
	head := binary.LittleEndian.AppendUint16([]byte(magic), uint16(len(text)))
	if _, err := w.Write(append(head, text...)); err != nil {
		return err
	}
	if a.Float32 == nil {
		_, err := w.Write(a.Uint8)
		return err
	}
	buf := make([]byte, 0, 1<<16)
	for part := range slices.Chunk(a.Float32, 1<<14) {
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

// Read decodes the arrays of an archive of size bytes. limit bounds what all
// arrays together may hold, in bytes; an archive that claims more is refused
// before anything is decoded.
func Read(r io.ReaderAt, size, limit int64) ([]Array, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	total := uint64(0)
	for _, f := range z.File {
		// The second bound keeps the sum of hostile sizes from wrapping.
		if total += f.UncompressedSize64; f.UncompressedSize64 > uint64(limit) || total > uint64(limit) {
			return nil, fmt.Errorf("%w: it claims more than the limit of %d bytes", ErrCorrupt, limit)
		}
	}
	var arrays []Array
	for _, f := range z.File {
		a, err := readEntry(f)
		if err != nil {
			return nil, fmt.Errorf("%w: %q: %w", ErrCorrupt, f.Name, err)
		}
		arrays = append(arrays, a)
	}
	return arrays, nil
}

func readEntry(f *zip.File) (Array, error) {
	name, ok := strings.CutSuffix(f.Name, ".npy")
	if !ok {
		return Array{}, errors.New("it is not an .npy file")
	}
	rc, err := f.Open()
	if err != nil {
		return Array{}, err
	}
	defer rc.Close()
	// A buffer grows with what really is there, not with what is claimed.
	var buf bytes.Buffer
	if _, err := io.Copy(&buf, io.LimitReader(rc, int64(f.UncompressedSize64)+1)); err != nil {
		return Array{}, err
	}
	a, err := decode(buf.Bytes())
	a.Name = name
	return a, err
}

// header matches what NumPy and Write put into an .npy header.
var header = regexp.MustCompile(`^\{\s*'descr':\s*'([^']*)',\s*'fortran_order':\s*(True|False),\s*'shape':\s*\(([\d, ]*)\),?\s*\}\s*$`)

func decode(data []byte) (Array, error) {
	if len(data) < len(magic)+2 || string(data[:len(magic)]) != magic {
		return Array{}, errors.New("it is not an .npy array of version 1.0")
	}
	length := int(binary.LittleEndian.Uint16(data[len(magic):]))
	data = data[len(magic)+2:]
	if length > len(data) {
		return Array{}, fmt.Errorf("the header claims %d bytes of %d", length, len(data))
	}
	m := header.FindSubmatch(data[:length])
	if m == nil || string(m[2]) == "True" {
		return Array{}, fmt.Errorf("unsupported header %.80q", data[:length])
	}
	a := Array{}
	for _, d := range strings.Split(string(m[3]), ",") {
		if d = strings.TrimSpace(d); d == "" {
			continue
		}
		v, err := strconv.Atoi(d)
		if err != nil {
			return Array{}, err
		}
		a.Dims = append(a.Dims, v)
	}
	return a, a.fill(string(m[1]), data[length:])
}

func (a *Array) fill(descr string, data []byte) error {
	size, ok := elements(a.Dims)
	width := map[string]int{"|u1": 1, "<f4": 4}[descr]
	if width == 0 {
		return fmt.Errorf("unsupported type %q", descr)
	}
	if !ok || size > len(data)/width || size*width != len(data) {
		return fmt.Errorf("the shape %v does not fit %d bytes of data", a.Dims, len(data))
	}
	if width == 1 {
		a.Uint8 = data
		return nil
	}
	a.Float32 = make([]float32, size)
	for i := range a.Float32 {
		a.Float32[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return nil
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

package npz

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// magic begins every .npy array of version 1.0. Two bytes with the length of
// the header's text follow, then the text, then the data.
const magic = "\x93NUMPY\x01\x00"

// maxHeader bounds the text of a header, as numpy.load does.
const maxHeader = 10000

// encode returns everything before the data. The data begin at a multiple of
// 64, as NumPy writes them.
func (h Header) encode() ([]byte, error) {
	dims := make([]string, len(h.Dims))
	for i, d := range h.Dims {
		dims[i] = strconv.Itoa(d)
	}
	shape := strings.Join(dims, ", ")
	if len(dims) == 1 {
		shape += ","
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", h.DType, shape)
	text += strings.Repeat(" ", 63-(len(magic)+2+len(text))%64) + "\n"
	if len(text) > maxHeader {
		return nil, fmt.Errorf("%d dimensions are too many", len(h.Dims))
	}
	head := binary.LittleEndian.AppendUint16([]byte(magic), uint16(len(text)))
	return append(head, text...), nil
}

// headerText matches what NumPy and encode put into a header. It is strict:
// NumPy evaluates the text as Python, which this package does not.
var headerText = regexp.MustCompile(`^\{\s*'descr':\s*'([^']*)',\s*'fortran_order':\s*(True|False),\s*'shape':\s*\(([\d, ]*)\),?\s*\}\s*$`)

// readHeader reads everything before the data and returns how long it is.
func readHeader(r io.Reader) (h Header, length int, err error) {
	var start [len(magic) + 2]byte
	if _, err := io.ReadFull(r, start[:]); err != nil {
		return h, 0, fmt.Errorf("header: %w", err)
	}
	if string(start[:len(magic)]) != magic {
		return h, 0, errors.New("it is not an .npy array of version 1.0")
	}
	size := int(binary.LittleEndian.Uint16(start[len(magic):]))
	if size > maxHeader {
		return h, 0, fmt.Errorf("the header claims %d bytes, the limit is %d", size, maxHeader)
	}
	text := make([]byte, size)
	if _, err := io.ReadFull(r, text); err != nil {
		return h, 0, fmt.Errorf("header: %w", err)
	}
	h, err = parseHeader(text)
	return h, len(start) + size, err
}

func parseHeader(text []byte) (h Header, err error) {
	m := headerText.FindSubmatch(text)
	if m == nil {
		return h, fmt.Errorf("unsupported header %.80q", text)
	}
	if string(m[2]) == "True" {
		return h, errors.New("column-major order is not supported; save numpy.ascontiguousarray of it")
	}
	h.DType = string(m[1])
	if dtypes[h.DType] == 0 {
		return h, fmt.Errorf("unsupported type %q", h.DType)
	}
	for d := range strings.SplitSeq(string(m[3]), ",") {
		if d = strings.TrimSpace(d); d == "" {
			continue
		}
		v, err := strconv.Atoi(d)
		if err != nil {
			return h, fmt.Errorf("shape (%s): %w", m[3], err)
		}
		h.Dims = append(h.Dims, v)
	}
	return h, nil
}

// Package npz reads and writes NumPy's .npz archives: a zip file with one .npy
// array of format version 1.0 in each entry, which numpy.load opens. Arrays are
// little-endian and in row-major order.
//
// Files are untrusted. No length in them is believed before it is compared with
// what the file really holds, and only plain numbers are read: never objects,
// which in NumPy's format are programs.
package npz

import (
	"errors"
	"fmt"
	"math"
)

// ErrCorrupt is matched by every error about the contents of a file, but not by
// failures to read it.
var ErrCorrupt = errors.New("npz: damaged file")

// CorruptError says where a file is damaged. It matches [ErrCorrupt].
type CorruptError struct {
	// Entry is the name of the damaged entry, empty for the archive itself.
	Entry string
	// Offset is where the entry's data begin in the file, in bytes.
	Offset int64
	// Err is the cause.
	Err error
}

// Error names the entry, where it begins, and the cause.
func (e *CorruptError) Error() string {
	if e.Entry == "" {
		return fmt.Sprintf("%v: %v", ErrCorrupt, e.Err)
	}
	return fmt.Sprintf("%v: %q at byte %d: %v", ErrCorrupt, e.Entry, e.Offset, e.Err)
}

// Unwrap returns ErrCorrupt and the cause.
func (e *CorruptError) Unwrap() []error { return []error{ErrCorrupt, e.Err} }

// Header describes an array.
type Header struct {
	Name string
	// DType is NumPy's name of the type: one of "|u1", "|b1", "<i4", "<i8",
	// "<f4" and "<f8".
	DType string
	// Dims is the shape; a scalar has none.
	Dims []int
}

// Array is one array of an archive.
type Array struct {
	Name string
	Dims []int
	// Data holds the values in row-major order, as many as the product of Dims:
	// a []uint8, []bool, []int32, []int64, []float32 or []float64.
	Data any
}

// dtypes maps NumPy's names to the size of a value in bytes.
var dtypes = map[string]int{"|u1": 1, "|b1": 1, "<i4": 4, "<i8": 8, "<f4": 4, "<f8": 8}

// describe returns NumPy's name of the data's type and the number of values.
func describe(data any) (dtype string, n int, err error) {
	switch x := data.(type) {
	case []uint8:
		return "|u1", len(x), nil
	case []bool:
		return "|b1", len(x), nil
	case []int32:
		return "<i4", len(x), nil
	case []int64:
		return "<i8", len(x), nil
	case []float32:
		return "<f4", len(x), nil
	case []float64:
		return "<f8", len(x), nil
	}
	return "", 0, fmt.Errorf("data of type %T cannot be stored", data)
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

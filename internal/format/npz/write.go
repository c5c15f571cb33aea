package npz

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
)

// Write encodes the arrays, in order, without compression, like numpy.savez.
// Equal arrays give equal bytes.
func Write(w io.Writer, arrays []Array) error { return write(w, arrays, zip.Store) }

// WriteCompressed is Write with compression, like numpy.savez_compressed.
func WriteCompressed(w io.Writer, arrays []Array) error { return write(w, arrays, zip.Deflate) }

func write(w io.Writer, arrays []Array, method uint16) error {
	z := zip.NewWriter(w)
	seen := map[string]bool{}
	for _, a := range arrays {
		if seen[a.Name] {
			return fmt.Errorf("npz: two arrays have the name %q", a.Name)
		}
		seen[a.Name] = true
		if err := a.write(z, method); err != nil {
			return fmt.Errorf("npz: array %q: %w", a.Name, err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("npz: %w", err)
	}
	return nil
}

func (a Array) write(z *zip.Writer, method uint16) error {
	dtype, n, err := describe(a.Data)
	if err != nil {
		return err
	}
	if size, ok := elements(a.Dims); !ok || size != n {
		return fmt.Errorf("it has %d values for the shape %v", n, a.Dims)
	}
	head, err := Header{DType: dtype, Dims: a.Dims}.encode()
	if err != nil {
		return err
	}
	entry, err := z.CreateHeader(&zip.FileHeader{Name: a.Name + ".npy", Method: method})
	if err != nil {
		return err
	}
	if _, err := entry.Write(head); err != nil {
		return err
	}
	if bytes, ok := a.Data.([]uint8); ok {
		_, err = entry.Write(bytes)
		return err
	}
	return binary.Write(entry, binary.LittleEndian, a.Data)
}

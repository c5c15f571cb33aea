package gx

import (
	"errors"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/gotype"
	"github.com/gomlx/compute/shapes"
)

// ErrBuffer is wrapped by errors about the element type or size of host data
// that does not fit a buffer.
var ErrBuffer = errors.New("gx: data does not fit the buffer")

// Upload copies data into a new buffer of shape dims on the backend's first
// device. No dims means a scalar. The element type is data's; dims must
// multiply to len(data). The buffer may be donated to a program.
func Upload[T gotype.Supported](backend compute.Backend, data []T, dims ...int) (compute.Buffer, error) {
	shape, err := makeShape[T](dims)
	if err != nil {
		return nil, err
	}
	if shape.Size() != len(data) {
		return nil, fmt.Errorf("%w: %d values for shape %s", ErrBuffer, len(data), shape)
	}
	buf, err := backend.BufferFromFlatData(0, data, shape)
	if err != nil {
		return nil, fmt.Errorf("gx: upload %s: %w", shape, err)
	}
	return buf, nil
}

// NewShared returns a new buffer of shape dims together with the slice that is
// its storage, so that a producer can write a program's input in place. The
// contents are undefined. The slice must not be written while a program that
// reads the buffer runs, and the buffer must not be donated. It fails on
// backends without shared buffers; use [Upload] there.
func NewShared[T gotype.Supported](backend compute.Backend, dims ...int) (compute.Buffer, []T, error) {
	shape, err := makeShape[T](dims)
	if err != nil {
		return nil, nil, err
	}
	if !backend.HasSharedBuffers() {
		return nil, nil, fmt.Errorf("gx: backend %q has no shared buffers; upload a copy instead", backend.Name())
	}
	buf, flat, err := backend.NewSharedBuffer(0, shape)
	if err != nil {
		return nil, nil, fmt.Errorf("gx: shared buffer %s: %w", shape, err)
	}
	data, ok := flat.([]T)
	if !ok {
		return nil, nil, fmt.Errorf("gx: shared buffer %s holds %T", shape, flat)
	}
	return buf, data, nil
}

// Download returns a copy of a float32 buffer's contents in row-major order.
func Download(buf compute.Buffer) ([]float32, error) {
	shape, err := buf.Shape()
	if err != nil {
		return nil, fmt.Errorf("gx: download: %w", err)
	}
	dst := make([]float32, shape.Size())
	if err := DownloadInto(buf, dst); err != nil {
		return nil, err
	}
	return dst, nil
}

// DownloadInto copies a buffer's contents into dst in row-major order. dst must
// have the buffer's element type and exactly its number of elements.
func DownloadInto[T gotype.Supported](buf compute.Buffer, dst []T) error {
	shape, err := buf.Shape()
	if err != nil {
		return fmt.Errorf("gx: download: %w", err)
	}
	if shape.DType != dtypes.FromGenericsType[T]() || shape.Size() != len(dst) {
		return fmt.Errorf("%w: cannot download %s into %d values of type %T", ErrBuffer, shape, len(dst), *new(T))
	}
	if len(dst) == 0 {
		return nil
	}
	if view, err := View[T](buf); err == nil {
		copy(dst, view)
		return nil
	}
	if err := buf.ToFlatData(dst); err != nil {
		return fmt.Errorf("gx: download %s: %w", shape, err)
	}
	return nil
}

// View returns the storage of a buffer without copying. The slice is valid
// until the buffer is finalized or donated. It fails on backends without shared
// buffers and when the element type is not T.
func View[T gotype.Supported](buf compute.Buffer) ([]T, error) {
	if !buf.Backend().HasSharedBuffers() {
		return nil, fmt.Errorf("gx: backend %q has no shared buffers; download a copy instead", buf.Backend().Name())
	}
	flat, err := buf.Data()
	if err != nil {
		return nil, fmt.Errorf("gx: view: %w", err)
	}
	data, ok := flat.([]T)
	if !ok {
		return nil, fmt.Errorf("%w: buffer holds %T, not %T", ErrBuffer, flat, data)
	}
	return data, nil
}

// Finalize releases buffers the caller owns; nil entries are skipped. All
// buffers are released even when one fails; the errors are joined.
func Finalize(buffers ...compute.Buffer) error {
	var errs []error
	for _, buf := range buffers {
		if buf != nil {
			errs = append(errs, buf.Finalize())
		}
	}
	return errors.Join(errs...)
}

// makeShape checks dims before GoMLX, which panics on negative sizes, sees them.
func makeShape[T gotype.Supported](dims []int) (shapes.Shape, error) {
	for _, d := range dims {
		if d < 0 {
			return shapes.Shape{}, fmt.Errorf("%w: negative dimension in %v", ErrBuffer, dims)
		}
	}
	return shapes.Make(dtypes.FromGenericsType[T](), dims...), nil
}

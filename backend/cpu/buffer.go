package cpu

import (
	"errors"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
)

// ErrDonated is returned by the methods of a buffer that was donated to an
// execution, except Finalize, which has nothing left to do.
var ErrDonated = errors.New("cpu: the buffer was donated")

// Buffer is a tensor in memory: a buffer of the reference backend, whose slice
// our kernels use directly, so that both read it without a copy.
type Buffer struct {
	compute.Buffer
	backend *Backend
}

// Backend returns the backend that owns the buffer.
func (b *Buffer) Backend() compute.Backend { return b.backend }

// CopyToDevice copies the buffer.
func (b *Buffer) CopyToDevice(device compute.DeviceNum) (compute.Buffer, error) {
	return b.backend.wrap(b.Buffer.CopyToDevice(device))
}

// take returns the reference's buffer and leaves b without one.
func (b *Buffer) take() compute.Buffer {
	inner := b.Buffer
	b.Buffer = donated{}
	return inner
}

// spent reports whether take was called.
func (b *Buffer) spent() bool { return b.Buffer == donated{} }

// donated is what a Buffer holds after it was donated.
type donated struct{}

func (donated) Backend() compute.Backend              { return nil }
func (donated) Finalize() error                       { return nil }
func (donated) Shape() (shapes.Shape, error)          { return shapes.Shape{}, ErrDonated }
func (donated) DeviceNum() (compute.DeviceNum, error) { return 0, ErrDonated }
func (donated) ToFlatData(any) error                  { return ErrDonated }
func (donated) Data() (any, error)                    { return nil, ErrDonated }
func (donated) CopyToDevice(compute.DeviceNum) (compute.Buffer, error) {
	return nil, ErrDonated
}

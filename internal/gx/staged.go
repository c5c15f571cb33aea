package gx

import (
	"errors"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes/gotype"
)

// Staged is an input that the host fills before each run of a program. Where the
// backend has shared buffers the program reads Data in place; elsewhere, on a
// GPU, Buffer copies it to the device.
type Staged[T gotype.Supported] struct {
	// Data is what the next run reads, row-major. It must not be written while a
	// program that reads it runs.
	Data []T

	backend compute.Backend
	dims    []int
	buf     compute.Buffer // nil until the first copy
	shared  bool
}

// NewStaged returns an input of shape dims; the contents are undefined. Close
// releases it.
func NewStaged[T gotype.Supported](backend compute.Backend, dims ...int) (s *Staged[T], err error) {
	s = &Staged[T]{backend: backend, dims: dims, shared: backend.HasSharedBuffers()}
	if s.shared {
		s.buf, s.Data, err = NewShared[T](backend, dims...)
		return s, err
	}
	shape, err := makeShape[T](dims)
	if err != nil {
		return nil, err
	}
	s.Data = make([]T, shape.Size())
	return s, nil
}

// Buffer holds what Data holds now. It is valid until the next call of Buffer
// or Close, and must not be donated.
func (s *Staged[T]) Buffer() (compute.Buffer, error) {
	if s.shared {
		return s.buf, nil
	}
	next, err := Upload(s.backend, s.Data, s.dims...)
	if err != nil {
		return nil, err
	}
	old := s.buf
	s.buf = next
	return next, Finalize(old)
}

// Buffers are those of several inputs, in order.
func Buffers[T gotype.Supported](staged ...*Staged[T]) ([]compute.Buffer, error) {
	out := make([]compute.Buffer, len(staged))
	for i, s := range staged {
		var err error
		if out[i], err = s.Buffer(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Close releases the buffer. It may be called twice, and on nil.
func (s *Staged[T]) Close() error {
	if s == nil {
		return nil
	}
	buf := s.buf
	s.buf = nil
	return Finalize(buf)
}

// CloseAll closes several inputs, even when one fails; the errors are joined.
func CloseAll[T gotype.Supported](staged ...*Staged[T]) error {
	var errs []error
	for _, s := range staged {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

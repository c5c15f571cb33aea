package torchfile

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/orrery-rl/orrery/internal/format/pickle"
	"github.com/orrery-rl/orrery/internal/format/safetensors"
)

// The functions that torch.save names for what it saves.
const (
	rebuildTensor    pickle.Class = "torch._utils._rebuild_tensor_v2"
	rebuildParameter pickle.Class = "torch._utils._rebuild_parameter"
	sizeClass        pickle.Class = "torch.Size"
)

// storageClasses lists the classes of storages; only floating-point ones can be
// read.
func storageClasses() []pickle.Class {
	return []pickle.Class{
		"torch.FloatStorage", "torch.DoubleStorage", "torch.HalfStorage", "torch.BFloat16Storage",
		"torch.LongStorage", "torch.IntStorage", "torch.ShortStorage", "torch.CharStorage", "torch.ByteStorage", "torch.BoolStorage",
	}
}

// classes lists what a pickle may refer to.
func classes() []string {
	names := []string{string(rebuildTensor), string(rebuildParameter), string(sizeClass)}
	for _, c := range storageClasses() {
		names = append(names, string(c))
	}
	return names
}

// maxRank bounds the dimensions of a tensor.
const maxRank = 16

// Tensor is an array of numbers in row-major order.
type Tensor struct {
	Dims []int
	Data []float32
}

// view says where the elements of a tensor lie in a storage, in elements.
type view struct {
	class         pickle.Class
	key           string
	offset        int
	dims, strides []int
}

// Dims returns the shape of a tensor in Root without reading it, or false if v
// is no tensor.
func (f *File) Dims(v any) (dims []int, ok bool) {
	w, err := viewOf(v)
	return w.dims, err == nil
}

// Tensor reads a tensor that Root contains. Numbers of 64 bits are rounded to
// float32; integers are refused.
func (f *File) Tensor(v any) (Tensor, error) {
	w, err := viewOf(v)
	if err != nil {
		return Tensor{}, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	data, err := f.storage(w)
	if err != nil {
		return Tensor{}, f.blame(err)
	}
	out, err := w.gather(data)
	if err != nil {
		return Tensor{}, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return Tensor{Dims: w.dims, Data: out}, nil
}

// storage reads all numbers of the storage behind a view.
func (f *File) storage(w view) ([]float32, error) {
	file := f.storages[w.key]
	if file == nil {
		return nil, fmt.Errorf("the data of storage %.80q are missing", w.key)
	}
	raw, err := f.read(file, math.MaxInt)
	if err != nil {
		return nil, err
	}
	data, err := floats(w.class, raw)
	if err != nil {
		return nil, fmt.Errorf("storage %.80q: %w", w.key, err)
	}
	return data, nil
}

func floats(class pickle.Class, raw []byte) ([]float32, error) {
	switch class {
	case "torch.FloatStorage":
		return safetensors.F32.Float32(raw)
	case "torch.HalfStorage":
		return safetensors.F16.Float32(raw)
	case "torch.BFloat16Storage":
		return safetensors.BF16.Float32(raw)
	case "torch.DoubleStorage":
		if len(raw)%8 != 0 {
			return nil, fmt.Errorf("%d bytes are no whole number of float64", len(raw))
		}
		out := make([]float32, len(raw)/8)
		for i := range out {
			out[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:])))
		}
		return out, nil
	}
	return nil, fmt.Errorf("%s does not hold floating-point numbers", class)
}

// gather copies the elements of a view in row-major order. A view may not have
// more elements than its storage, so that a file cannot claim memory with
// strides of zero.
func (w view) gather(data []float32) ([]float32, error) {
	n, last, ok := w.extent()
	if !ok || n > len(data) || n > 0 && last >= len(data) {
		return nil, fmt.Errorf("a tensor of shape %v with strides %v at %d does not fit its storage of %d", w.dims, w.strides, w.offset, len(data))
	}
	if n == 0 {
		return nil, nil
	}
	out := make([]float32, 0, n)
	index := make([]int, len(w.dims))
	for at := w.offset; len(out) < n; at = w.next(index, at) {
		out = append(out, data[at])
	}
	return out, nil
}

// next moves the index to the following element, in row-major order, and
// returns that element's place in the storage.
func (w view) next(index []int, at int) int {
	for d := len(index) - 1; d >= 0; d-- {
		if index[d]++; index[d] < w.dims[d] {
			return at + w.strides[d]
		}
		at -= (index[d] - 1) * w.strides[d]
		index[d] = 0
	}
	return at
}

// extent returns the number of elements and the place of the last one, or false
// if a number is negative or too large.
func (w view) extent() (n, last int, ok bool) {
	const limit = math.MaxInt32
	n, last = 1, w.offset
	for i, d := range w.dims {
		stride := w.strides[i]
		if d < 0 || stride < 0 || last < 0 || d > 0 && (n > limit/d || stride > limit/d) {
			return 0, 0, false
		}
		n *= d
		last += max(d-1, 0) * stride
	}
	return n, last, last >= 0
}

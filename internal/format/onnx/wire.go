package onnx

import (
	"encoding/binary"
	"math"
)

// message is an encoded protocol buffer: fields, each a number and wire type
// followed by a value. The order of fields is free; ours is by number, so that a
// model is always the same bytes.
type message []byte

// The wire types.
const (
	varint  = 0
	counted = 2
	fixed32 = 5
)

func (m *message) tag(field, wire uint64) { *m = binary.AppendUvarint(*m, field<<3|wire) }

// int appends an integer field.
func (m *message) int(field uint64, v int64) {
	m.tag(field, varint)
	*m = binary.AppendUvarint(*m, uint64(v))
}

// float appends a float32 field.
func (m *message) float(field uint64, v float32) {
	m.tag(field, fixed32)
	*m = binary.LittleEndian.AppendUint32(*m, math.Float32bits(v))
}

// text appends a string field, which repeated fields need even when it is empty.
func (m *message) text(field uint64, s string) {
	m.tag(field, counted)
	*m = append(binary.AppendUvarint(*m, uint64(len(s))), s...)
}

// message appends a message, or the values of a packed list.
func (m *message) message(field uint64, v message) {
	m.tag(field, counted)
	*m = append(binary.AppendUvarint(*m, uint64(len(v))), v...)
}

// ints appends a packed list of integers.
func (m *message) ints(field uint64, list []int64) {
	var packed message
	for _, v := range list {
		packed = binary.AppendUvarint(packed, uint64(v))
	}
	m.message(field, packed)
}

func (a *Attribute) encode() message {
	var out message
	out.text(1, a.Name)
	switch v := a.Value.(type) {
	case float32:
		out.float(2, v)
		out.int(20, 1)
	case int64:
		out.int(3, v)
		out.int(20, 2)
	case []int64:
		out.ints(8, v)
		out.int(20, 7)
	default:
		panic("onnx: attribute " + a.Name + " is neither an int64, a float32 nor a list of int64")
	}
	return out
}

func (t *Tensor) encode() message {
	var out, raw message
	dims := make([]int64, len(t.Dims))
	for i, d := range t.Dims {
		dims[i] = int64(d)
	}
	out.ints(1, dims)
	switch data := t.Data.(type) {
	case []float32:
		out.int(2, int64(Float))
		raw = make(message, 0, 4*len(data))
		for _, v := range data {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
		}
	case []int64:
		out.int(2, int64(Int64))
		for _, v := range data {
			raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
		}
	default:
		panic("onnx: tensor " + t.Name + " holds neither float32 nor int64")
	}
	out.text(8, t.Name)
	out.message(9, raw)
	return out
}

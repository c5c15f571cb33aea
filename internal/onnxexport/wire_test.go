package onnxexport

import (
	"encoding/binary"
	"math"
	"testing"
)

// field is a field of a protocol buffer.
type field struct {
	number   int
	number64 uint64 // of integers and fixed32
	bytes    []byte
}

// fields takes a message apart.
func fields(t *testing.T, m []byte) (out []field) {
	t.Helper()
	take := func() uint64 {
		v, n := binary.Uvarint(m)
		if n <= 0 {
			t.Fatal("a number is cut off")
		}
		m = m[n:]
		return v
	}
	for len(m) > 0 {
		tag := take()
		f := field{number: int(tag >> 3)}
		switch tag & 7 {
		case 0:
			f.number64 = take()
		case 2:
			size := take()
			f.bytes, m = m[:size], m[size:]
		case 5:
			f.number64, m = uint64(binary.LittleEndian.Uint32(m)), m[4:]
		default:
			t.Fatalf("field %d has the wire type %d", f.number, tag&7)
		}
		out = append(out, f)
	}
	return out
}

// numbers are packed integers.
func numbers(packed []byte) (out []int) {
	for len(packed) > 0 {
		v, n := binary.Uvarint(packed)
		out, packed = append(out, int(int64(v))), packed[n:]
	}
	return out
}

// parsed is a graph as a runtime reads it.
type parsed struct {
	nodes           []parsedNode
	values          map[string]array
	inputs, outputs []parsedValue
}

type parsedNode struct {
	op              string
	inputs, outputs []string
	ints            map[string][]int
}

type parsedValue struct {
	name string
	kind int
	dims []string
}

func parse(t *testing.T, model []byte) parsed {
	t.Helper()
	p := parsed{values: map[string]array{}}
	for _, f := range fields(t, model) {
		if f.number != 7 {
			continue
		}
		for _, f := range fields(t, f.bytes) {
			switch f.number {
			case 1:
				p.nodes = append(p.nodes, parseNode(t, f.bytes))
			case 5:
				name, a := parseTensor(t, f.bytes)
				p.values[name] = a
			case 11:
				p.inputs = append(p.inputs, parseValue(t, f.bytes))
			case 12:
				p.outputs = append(p.outputs, parseValue(t, f.bytes))
			}
		}
	}
	return p
}

func parseNode(t *testing.T, m []byte) parsedNode {
	n := parsedNode{ints: map[string][]int{}}
	for _, f := range fields(t, m) {
		switch f.number {
		case 1:
			n.inputs = append(n.inputs, string(f.bytes))
		case 2:
			n.outputs = append(n.outputs, string(f.bytes))
		case 4:
			n.op = string(f.bytes)
		case 5:
			var name string
			var list []int
			for _, f := range fields(t, f.bytes) {
				switch f.number {
				case 1:
					name = string(f.bytes)
				case 3:
					list = []int{int(f.number64)}
				case 8:
					list = numbers(f.bytes)
				}
			}
			n.ints[name] = list
		}
	}
	return n
}

func parseTensor(t *testing.T, m []byte) (name string, a array) {
	kind := 0
	var raw []byte
	for _, f := range fields(t, m) {
		switch f.number {
		case 1:
			a.dims = numbers(f.bytes)
		case 2:
			kind = int(f.number64)
		case 8:
			name = string(f.bytes)
		case 9:
			raw = f.bytes
		}
	}
	for len(raw) > 0 {
		if kind == 7 {
			a.values, raw = append(a.values, float64(int64(binary.LittleEndian.Uint64(raw)))), raw[8:]
		} else {
			a.values, raw = append(a.values, float64(math.Float32frombits(binary.LittleEndian.Uint32(raw)))), raw[4:]
		}
	}
	return name, a
}

func parseValue(t *testing.T, m []byte) (v parsedValue) {
	for _, f := range fields(t, m) {
		switch f.number {
		case 1:
			v.name = string(f.bytes)
		case 2:
			for _, f := range fields(t, fields(t, f.bytes)[0].bytes) {
				switch f.number {
				case 1:
					v.kind = int(f.number64)
				case 2:
					for _, dim := range fields(t, f.bytes) {
						v.dims = append(v.dims, dimension(fields(t, dim.bytes)[0]))
					}
				}
			}
		}
	}
	return v
}

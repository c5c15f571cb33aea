// Package onnx writes models in ONNX, the exchange format that onnxruntime and
// others run (https://onnx.ai, onnx.proto3): graphs of operators with their
// weights, as one protocol buffer. It knows the part of the format that feed
// forward networks need, and checks nothing: a graph that no runtime accepts is
// written like any other.
package onnx

import (
	"io"
	"slices"
)

// Type is the element type of a tensor, numbered as in the format.
type Type int32

// The element types.
const (
	Float Type = 1
	Uint8 Type = 2
	Int64 Type = 7
)

// Model is a graph with what a runtime and a person need to know of it.
type Model struct {
	// Opset is the version of the operators, IR that of the format.
	Opset, IR int64
	// Producer and ProducerVersion name the program that made the model.
	Producer, ProducerVersion string
	// Doc describes the model.
	Doc string
	// Metadata are pairs of strings, written in the order of the keys.
	Metadata map[string]string
	Graph    Graph
}

// Graph is a list of operators, each after those whose results it reads.
type Graph struct {
	Name            string
	Nodes           []Node
	Weights         []Tensor
	Inputs, Outputs []Value
}

// Node is an operator. Its inputs are names of the graph's inputs and weights
// and of earlier outputs; "" is an optional input left out.
type Node struct {
	Op, Name        string
	Inputs, Outputs []string
	Attributes      []Attribute
}

// Attribute is a parameter of an operator: an int64, a float32 or a list of
// int64.
type Attribute struct {
	Name  string
	Value any
}

// Tensor is a constant; Data is a []float32 or []int64, row-major.
type Tensor struct {
	Name string
	Dims []int
	Data any
}

// Value describes an input or output of a graph.
type Value struct {
	Name string
	Type Type
	// Dims are the dimensions. An int is fixed; a string names one that may have
	// any size, the same wherever the name is used.
	Dims []any
	Doc  string
}

// Write encodes m. It panics for attributes, dimensions and data of other types
// than those above.
func Write(w io.Writer, m *Model) error {
	_, err := w.Write(m.encode())
	return err
}

func (m *Model) encode() message {
	var out, opset message
	out.int(1, m.IR)
	out.text(2, m.Producer)
	out.text(3, m.ProducerVersion)
	out.text(6, m.Doc)
	out.message(7, m.Graph.encode())
	opset.text(1, "") // the standard operators
	opset.int(2, m.Opset)
	out.message(8, opset)
	keys := make([]string, 0, len(m.Metadata))
	for k := range m.Metadata {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		var pair message
		pair.text(1, k)
		pair.text(2, m.Metadata[k])
		out.message(14, pair)
	}
	return out
}

func (g *Graph) encode() message {
	var out message
	for _, n := range g.Nodes {
		out.message(1, n.encode())
	}
	out.text(2, g.Name)
	for _, t := range g.Weights {
		out.message(5, t.encode())
	}
	for _, v := range g.Inputs {
		out.message(11, v.encode())
	}
	for _, v := range g.Outputs {
		out.message(12, v.encode())
	}
	return out
}

func (n *Node) encode() message {
	var out message
	for _, name := range n.Inputs {
		out.text(1, name)
	}
	for _, name := range n.Outputs {
		out.text(2, name)
	}
	out.text(3, n.Name)
	out.text(4, n.Op)
	for _, a := range n.Attributes {
		out.message(5, a.encode())
	}
	return out
}

func (v *Value) encode() message {
	var shape, tensor, kind, out message
	for _, d := range v.Dims {
		var dim message
		switch d := d.(type) {
		case int:
			dim.int(1, int64(d))
		case string:
			dim.text(2, d)
		default:
			panic("onnx: " + v.Name + " has a dimension that is neither an int nor a string")
		}
		shape.message(1, dim)
	}
	tensor.int(1, int64(v.Type))
	tensor.message(2, shape)
	kind.message(1, tensor)
	out.text(1, v.Name)
	out.message(2, kind)
	out.text(3, v.Doc)
	return out
}

package cpu

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"github.com/orrery-rl/orrery/backend/cpu/internal/ir"
)

// Function records the main function. Every method first asks the embedded
// reference function, whose values are the values that clients hold; for the
// operations known here it then adds a node for that value. Methods that are not
// overridden yield values without a node, and a graph whose outputs depend on
// one is left to the reference backend.
type Function struct {
	compute.Function
	builder *Builder
	nodes   map[compute.Value]*ir.Node
	next    int // the ID of the next node
	params  int
	outputs []*ir.Node
	foreign string // why the function cannot be compiled here, or empty
}

func newFunction(b *Builder, reference compute.Function) *Function {
	return &Function{Function: reference, builder: b, nodes: map[compute.Value]*ir.Node{}, foreign: "it returns nothing"}
}

// Builder returns the builder the function belongs to.
func (f *Function) Builder() compute.Builder { return f.builder }

// Return sets the outputs.
func (f *Function) Return(outputs []compute.Value, shardings []*compute.ShardingSpec) error {
	if err := f.Function.Return(outputs, shardings); err != nil {
		return err
	}
	f.foreign = ""
	f.outputs = make([]*ir.Node, len(outputs))
	for i, v := range outputs {
		if f.outputs[i] = f.nodes[v]; f.outputs[i] == nil {
			f.foreign = fmt.Sprintf("output %d depends on an operation that is not compiled here", i)
		}
	}
	return nil
}

// known reports a shape that is compiled here.
func known(s shapes.Shape) bool {
	if s.DType != dtypes.Float32 && s.DType != dtypes.Bool {
		return false
	}
	for _, d := range s.Dimensions {
		if d <= 0 {
			return false
		}
	}
	return true
}

// record adds a node for the value that the reference returned. Operands
// without a node, or a shape that is not known here, leave the value without
// one. The reference merges equal operations, so the value may have a node
// already.
func (f *Function) record(v compute.Value, err error, n ir.Node, operands ...compute.Value) (compute.Value, error) {
	if err != nil {
		return nil, err
	}
	if _, ok := f.nodes[v]; ok {
		return v, nil
	}
	shape, err := f.Function.Shape(v)
	if err != nil || !known(shape) {
		return v, nil
	}
	for _, x := range operands {
		node, ok := f.nodes[x]
		if !ok {
			return v, nil
		}
		n.In = append(n.In, node)
	}
	n.ID, n.Dims, n.Bool = f.next, shape.Dimensions, shape.DType == dtypes.Bool
	f.next++
	f.nodes[v] = &n
	return v, nil
}

// floats reports whether all values are float32 with a node.
func (f *Function) floats(values ...compute.Value) bool {
	for _, v := range values {
		if n, ok := f.nodes[v]; !ok || n.Bool {
			return false
		}
	}
	return true
}

// Parameter declares an input.
func (f *Function) Parameter(name string, shape shapes.Shape, sharding *compute.ShardingSpec) (compute.Value, error) {
	v, err := f.Function.Parameter(name, shape, sharding)
	number := f.params
	if err == nil {
		f.params++
	}
	return f.record(v, err, ir.Node{Op: ir.Parameter, Ints: []int{number}})
}

// Constant declares a constant.
func (f *Function) Constant(flat any, dims ...int) (compute.Value, error) {
	v, err := f.Function.Constant(flat, dims...)
	n := ir.Node{Op: ir.Constant}
	switch values := flat.(type) {
	case []float32:
		n.Float32 = append([]float32{}, values...)
	case []bool:
		n.Bools = append([]bool{}, values...)
	}
	return f.record(v, err, n)
}

// Iota counts along an axis.
func (f *Function) Iota(shape shapes.Shape, axis int) (compute.Value, error) {
	v, err := f.Function.Iota(shape, axis)
	return f.record(v, err, ir.Node{Op: ir.Iota, Ints: []int{axis}})
}

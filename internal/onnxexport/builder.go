package onnxexport

import (
	"fmt"

	"github.com/orrery-rl/orrery/internal/format/onnx"
	"github.com/orrery-rl/orrery/worldmodel"
)

// builder collects the operators of one graph. Its methods add some and return
// the name of their result.
type builder struct {
	cfg    worldmodel.Config
	dims   worldmodel.Dims
	bits   int
	noise  int
	params map[string]tensor
	graph  onnx.Graph
	// used are the weights that the graph has already.
	used map[string]bool
}

// declare adds an input of N rows; input one of float32 numbers.
func (b *builder) declare(kind onnx.Type, name, doc string, dims ...int) string {
	b.graph.Inputs = append(b.graph.Inputs, value(kind, name, doc, dims))
	return name
}

func (b *builder) input(name, doc string, dims ...int) string {
	return b.declare(onnx.Float, name, doc, dims...)
}

// output names a result and makes it one of the graph's, [N, dims...].
func (b *builder) output(name, doc, result string, dims ...int) {
	b.graph.Nodes = append(b.graph.Nodes, onnx.Node{Op: "Identity", Name: "output/" + name, Inputs: []string{result}, Outputs: []string{name}})
	b.graph.Outputs = append(b.graph.Outputs, value(onnx.Float, name, doc, dims))
}

func value(kind onnx.Type, name, doc string, dims []int) onnx.Value {
	v := onnx.Value{Name: name, Type: kind, Dims: []any{rows}, Doc: doc}
	for _, d := range dims {
		v.Dims = append(v.Dims, d)
	}
	return v
}

// op adds an operator with one result. Its arguments are names and attributes.
func (b *builder) op(kind string, arguments ...any) string {
	return b.ops(kind, 1, arguments...)[0]
}

// ops is op with several results.
func (b *builder) ops(kind string, results int, arguments ...any) []string {
	node := onnx.Node{Op: kind, Name: fmt.Sprintf("%s_%d", kind, len(b.graph.Nodes))}
	for _, a := range arguments {
		switch a := a.(type) {
		case string:
			node.Inputs = append(node.Inputs, a)
		case onnx.Attribute:
			node.Attributes = append(node.Attributes, a)
		}
	}
	for i := range results {
		node.Outputs = append(node.Outputs, fmt.Sprintf("%s:%d", node.Name, i))
	}
	b.graph.Nodes = append(b.graph.Nodes, node)
	return node.Outputs
}

// has reports whether the model has a parameter.
func (b *builder) has(name string) bool { _, ok := b.params[name]; return ok }

// weight adds a parameter, in another layout if change is not nil.
func (b *builder) weight(name string, change func(tensor) tensor) string {
	t, ok := b.params[name]
	if !ok {
		panic("onnxexport: the model has no parameter " + name)
	}
	if change != nil {
		t = change(t)
	}
	return b.constant(name, t.dims, t.values)
}

func (b *builder) constant(name string, dims []int, data any) string {
	if !b.used[name] {
		b.used[name] = true
		b.graph.Weights = append(b.graph.Weights, onnx.Tensor{Name: name, Dims: dims, Data: data})
	}
	return name
}

// scalar adds a number.
func (b *builder) scalar(v float64) string {
	return b.constant(fmt.Sprintf("constant/%v", float32(v)), nil, []float32{float32(v)})
}

// shape adds a list of dimensions or sizes.
func (b *builder) shape(dims ...int64) string {
	return b.constant(fmt.Sprintf("constant/%v", dims), []int{len(dims)}, dims)
}

// dense is x*kernel + bias.
func (b *builder) dense(name, x string) string {
	return b.op("Gemm", x, b.weight(name+"/kernel", nil), b.weight(name+"/bias", nil))
}

// product is x*kernel.
func (b *builder) product(name, x string) string {
	return b.op("MatMul", x, b.weight(name+"/kernel", nil))
}

// mlp is layers with ReLU between them.
func (b *builder) mlp(name, x string, hidden []int) string {
	for i := range hidden {
		x = b.op("Relu", b.dense(layer(name+"/layer", i+1), x))
	}
	return b.dense(name+"/output", x)
}

// concat joins along the last of two axes.
func (b *builder) concat(parts ...string) string {
	if len(parts) == 1 {
		return parts[0]
	}
	var arguments []any
	for _, p := range parts {
		arguments = append(arguments, p)
	}
	return b.op("Concat", append(arguments, onnx.Attribute{Name: "axis", Value: int64(1)})...)
}

// split is its inverse for parts of the given sizes.
func (b *builder) split(x string, sizes ...int) []string {
	var list []int64
	for _, s := range sizes {
		list = append(list, int64(s))
	}
	return b.ops("Split", len(sizes), x, b.shape(list...), onnx.Attribute{Name: "axis", Value: int64(1)})
}

// transpose reorders the axes.
func (b *builder) transpose(x string, axes ...int64) string {
	return b.op("Transpose", x, onnx.Attribute{Name: "perm", Value: axes})
}

// flat is [N, 1] as [N].
func (b *builder) flat(x string) string { return b.op("Reshape", x, b.shape(-1)) }

// tensor is a parameter's values, row-major.
type tensor struct {
	dims   []int
	values []float32
}

// permuted has the axes in another order.
func (t tensor) permuted(axes ...int) tensor {
	out := tensor{make([]int, len(axes)), make([]float32, len(t.values))}
	strides := make([]int, len(axes))
	for i, axis := range axes {
		out.dims[i] = t.dims[axis]
		strides[i] = 1
		for _, d := range t.dims[axis+1:] {
			strides[i] *= d
		}
	}
	index := make([]int, len(axes))
	for i := range out.values {
		at := 0
		for k, v := range index {
			at += v * strides[k]
		}
		out.values[i] = t.values[at]
		for k := len(index) - 1; k >= 0; k-- {
			if index[k]++; index[k] < out.dims[k] {
				break
			}
			index[k] = 0
		}
	}
	return out
}

// reversed has the first two axes turned round.
func (t tensor) reversed() tensor {
	out := tensor{t.dims, make([]float32, len(t.values))}
	places := t.dims[0] * t.dims[1]
	each := len(t.values) / places
	for i := range places {
		copy(out.values[i*each:], t.values[(places-1-i)*each:][:each])
	}
	return out
}

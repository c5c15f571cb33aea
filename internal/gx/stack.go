package gx

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// entries reads entry i of each stack: [L, ...] -> [...].
func entries(stacks []*graph.Node, i *graph.Node) []*graph.Node {
	out := make([]*graph.Node, len(stacks))
	for j, x := range stacks {
		out[j] = entry(x, i)
	}
	return out
}

// put replaces entry i of each stack.
func put(stacks []*graph.Node, i *graph.Node, values []*graph.Node) []*graph.Node {
	out := make([]*graph.Node, len(stacks))
	for j, x := range stacks {
		out[j] = putEntry(x, i, values[j])
	}
	return out
}

func entry(x, i *graph.Node) *graph.Node {
	if !supports(x, compute.OpTypeDynamicSlice) {
		return graph.ReduceSum(graph.Where(marked(x, i), x, graph.ZerosLike(x)), 0)
	}
	dims := slices.Clone(x.Shape().Dimensions)
	dims[0] = 1
	return graph.Squeeze(graph.DynamicSlice(x, position(x, i), dims), 0)
}

func putEntry(x, i, value *graph.Node) *graph.Node {
	value = graph.ExpandAxes(value, 0)
	if !supports(x, compute.OpTypeDynamicUpdateSlice) {
		return graph.Where(marked(x, i), graph.BroadcastToDims(value, x.Shape().Dimensions...), x)
	}
	return graph.DynamicUpdateSlice(x, value, position(x, i))
}

// supports reports whether the backend has an operation. GoMLX's portable
// backend lacks those of single entries; there a loop, which it does not ask for,
// passes over whole stacks.
func supports(x *graph.Node, op compute.OpType) bool {
	return x.Graph().Backend().Capabilities().Operations[op]
}

// position is that of entry i of a stack.
func position(x, i *graph.Node) []*graph.Node {
	at := []*graph.Node{i}
	for len(at) < x.Rank() {
		at = append(at, graph.Const(x.Graph(), int32(0)))
	}
	return at
}

// marked is true in entry i of a stack.
func marked(x, i *graph.Node) *graph.Node {
	dims := x.Shape().Dimensions
	return graph.Equal(graph.Iota(x.Graph(), shapes.Make(dtypes.Int32, dims...), 0), graph.BroadcastToDims(i, dims...))
}

// stacks are zeros for length tensors like each of the given ones.
func stacks(like []*graph.Node, length int) []*graph.Node {
	out := make([]*graph.Node, len(like))
	for i, x := range like {
		out[i] = graph.Zeros(x.Graph(), shapes.Make(x.DType(), append([]int{length}, x.Shape().Dimensions...)...))
	}
	return out
}

// firsts are the entries 0 of stacks.
func firsts(stacks []*graph.Node) []*graph.Node {
	out := make([]*graph.Node, len(stacks))
	for i, x := range stacks {
		out[i] = graph.Squeeze(graph.SliceAxis(x, 0, graph.AxisElem(0)), 0)
	}
	return out
}

func zerosLike(nodes []*graph.Node) []*graph.Node {
	out := make([]*graph.Node, len(nodes))
	for i, x := range nodes {
		out[i] = graph.ZerosLike(x)
	}
	return out
}

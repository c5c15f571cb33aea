package gx

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Relu is max(0, x), written as a selection, where(x > 0, x, 0). Its gradient
// is one selection as well and 0 where x is 0. GoMLX's gradient of a selection
// would fill a tensor of x's size with zeros to select from, and its gradient
// of Max is six operations.
func Relu(x *graph.Node) *graph.Node {
	zero := graph.ScalarZero(x.Graph(), x.DType())
	y := graph.Where(graph.GreaterThan(x, zero), x, zero)
	g := y.Graph()
	table, ok := g.State(relusKey{}).(map[graph.NodeId]bool)
	if !ok {
		table = make(map[graph.NodeId]bool)
		g.AttachState(relusKey{}, table)
	}
	table[y.Id()] = true
	return y
}

// relusKey is the key under which a graph carries the ids of its Relu nodes.
type relusKey struct{}

// whereGradient wraps GoMLX's gradient of Where for the nodes made by Relu. Its
// inputs are the condition, x and the constant zero; only x has a gradient.
func whereGradient(original graph.VJP) graph.VJP {
	return func(node *graph.Node, adjoints []*graph.Node, shape shapes.Shape) []*graph.Node {
		table, _ := node.Graph().State(relusKey{}).(map[graph.NodeId]bool)
		if !table[node.Id()] {
			return original(node, adjoints, shape)
		}
		zero := graph.ScalarZero(node.Graph(), node.DType())
		return []*graph.Node{nil, graph.Where(node.Inputs()[0], adjoints[0], zero), nil}
	}
}

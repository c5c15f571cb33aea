package gx

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Split cuts x into parts equal pieces along axis, in order.
//
// It computes what graph.Split computes. The difference is the gradient: the
// pieces' gradients are concatenated once, where GoMLX pads every piece to the
// size of x and adds them up, which for the L steps of a chunk writes L times
// the memory of x.
func Split(x *graph.Node, axis, parts int) []*graph.Node {
	if axis < 0 || axis >= x.Rank() || parts < 1 || x.Shape().Dimensions[axis]%parts != 0 {
		panic(fmt.Errorf("Split: cannot cut axis %d of %s into %d equal parts", axis, x.Shape(), parts))
	}
	if parts == 1 {
		return []*graph.Node{x}
	}
	s := &split{axis: axis, adjoints: make([]*graph.Node, parts)}
	whole := graph.IdentityWithCustomGradient(x, s.gradient)
	width := x.Shape().Dimensions[axis] / parts
	pieces := make([]*graph.Node, parts)
	for i := range pieces {
		pieces[i] = graph.SliceAxis(whole, axis, graph.AxisRange(i*width, (i+1)*width))
	}
	s.piece = pieces[0].Shape()
	s.register(pieces)
	return pieces
}

// split collects the gradients that arrive at the pieces of one Split while
// GoMLX walks the graph backwards, until the walk reaches the whole.
type split struct {
	axis     int
	piece    shapes.Shape
	adjoints []*graph.Node
	// trigger stands for the collected gradients in the walk: a zero of the
	// whole's shape that the first piece sends, so that the whole is visited.
	trigger *graph.Node
}

// splitsKey is the key under which a graph carries its splits: a map from the
// id of a piece to the piece.
type splitsKey struct{}

// splitPiece is the position of a piece in its split.
type splitPiece struct {
	split *split
	index int
}

// register makes the pieces known to the gradient of Slice.
func (s *split) register(pieces []*graph.Node) {
	g := pieces[0].Graph()
	table, ok := g.State(splitsKey{}).(map[graph.NodeId]splitPiece)
	if !ok {
		table = make(map[graph.NodeId]splitPiece)
		g.AttachState(splitsKey{}, table)
	}
	for i, p := range pieces {
		table[p.Id()] = splitPiece{s, i}
	}
}

// collect keeps the gradient of piece i and returns what the walk passes on to
// the whole: the trigger for the first piece, nothing for the others.
func (s *split) collect(i int, whole, adjoint *graph.Node) *graph.Node {
	s.adjoints[i] = adjoint
	if s.trigger != nil {
		return nil
	}
	s.trigger = graph.ZerosLike(whole)
	return s.trigger
}

// gradient is the gradient of the whole: the collected pieces side by side,
// zero where none arrived. It leaves the split ready for another walk. After
// Node.Checkpoint the walk uses copies of the pieces, which GoMLX's own gradient
// of Slice treats; then nothing was collected and the adjoint is complete.
func (s *split) gradient(whole, adjoint *graph.Node) *graph.Node {
	if s.trigger == nil {
		return adjoint
	}
	pieces := slices.Clone(s.adjoints)
	for i, p := range pieces {
		if p == nil {
			pieces[i] = graph.Zeros(whole.Graph(), s.piece)
		}
	}
	total := graph.Concatenate(pieces, s.axis)
	clear(s.adjoints)
	s.trigger = nil
	return total
}

// sliceGradient wraps GoMLX's gradient of Slice for the pieces of splits.
func sliceGradient(original graph.VJP) graph.VJP {
	return func(node *graph.Node, adjoints []*graph.Node, shape shapes.Shape) []*graph.Node {
		table, _ := node.Graph().State(splitsKey{}).(map[graph.NodeId]splitPiece)
		if p, ok := table[node.Id()]; ok {
			return []*graph.Node{p.split.collect(p.index, node.Inputs()[0], adjoints[0])}
		}
		return original(node, adjoints, shape)
	}
}

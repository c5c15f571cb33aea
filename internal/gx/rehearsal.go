package gx

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// rehearsal is a piece of a graph that was built in the open and is planted in
// the body of a loop. The original is left over, unused; backends drop it.
//
// GoMLX can build in a loop's body directly, but XLA's backend refuses operands
// from outside of the body there, and GoMLX, which keeps one node for each scalar
// constant of a graph, hands those that are born on one side to the other.
type rehearsal struct {
	// operands are what the piece was built on, nodes of their own.
	operands, results []*graph.Node
	// captured are other nodes of the graph that the piece reads. The body needs
	// them as operands, too.
	captured []*graph.Node
	kinds    map[*graph.Node]kind
}

// kind is what a node depends on.
type kind int

const (
	fixed  kind = iota + 1 // nothing: it can be made anew
	outer                  // other nodes of the graph, but no operand
	inside                 // operands
)

// rehearse builds a piece on stand-ins for operands, which lend their shapes.
func rehearse(operands []*graph.Node, build func(operands []*graph.Node) []*graph.Node) *rehearsal {
	r := &rehearsal{kinds: make(map[*graph.Node]kind)}
	for _, x := range operands {
		standIn := graph.Identity(x)
		r.operands = append(r.operands, standIn)
		r.kinds[standIn] = inside
	}
	r.results = build(r.operands)
	seen := make(map[*graph.Node]bool)
	for _, x := range r.results {
		r.capture(x, seen)
	}
	return r
}

// capture notes the outer nodes that x reads.
func (r *rehearsal) capture(x *graph.Node, seen map[*graph.Node]bool) {
	if seen[x] {
		return
	}
	seen[x] = true
	switch r.kind(x) {
	case outer:
		r.captured = append(r.captured, x)
	case inside:
		if x.Type() == graph.NodeTypeWhile {
			panic(fmt.Errorf("Loop: a step holds a loop, %s; write one of them out", x))
		}
		for _, in := range x.Inputs() {
			r.capture(in, seen)
		}
	}
}

// kind is that of x: the last of those of its inputs.
func (r *rehearsal) kind(x *graph.Node) kind {
	if k, ok := r.kinds[x]; ok {
		return k
	}
	k := fixed
	switch x.Type() {
	case graph.NodeTypeParameter, graph.NodeTypeWhile:
		k = outer
	case graph.NodeTypeConstant:
		if x.ConstantValue() == nil { // GoMLX keeps the values of small ones only
			k = outer
		}
	}
	for _, in := range x.Inputs() {
		k = max(k, r.kind(in))
	}
	r.kinds[x] = k
	return k
}

// plant builds the piece once more, in the body of a loop, on its operands.
func (r *rehearsal) plant(operands, captured []*graph.Node) []*graph.Node {
	made := make(map[*graph.Node]*graph.Node)
	for i, x := range r.operands {
		made[x] = operands[i]
	}
	for i, x := range r.captured {
		made[x] = captured[i]
	}
	out := make([]*graph.Node, len(r.results))
	for i, x := range r.results {
		out[i] = replant(x, made)
	}
	return out
}

// replant makes a node anew unless it has been made.
func replant(x *graph.Node, made map[*graph.Node]*graph.Node) *graph.Node {
	if y, ok := made[x]; ok {
		return y
	}
	var y *graph.Node
	if x.Type() == graph.NodeTypeConstant {
		y = graph.ConstTensor(x.Graph(), x.ConstantValue())
	} else {
		inputs := make([]*graph.Node, len(x.Inputs()))
		for i, in := range x.Inputs() {
			inputs[i] = replant(in, made)
		}
		y = x.CloneWithInputs(inputs...)
	}
	made[x] = y
	return y
}

// Package pass rewrites graphs into cheaper ones with the same outputs. A pass
// is a function from the outputs of a graph to the outputs of a new one; it
// changes no node. Common and dead operations need no pass: the reference
// builder merges the former while the graph is built, and lowering never meets
// the latter.
package pass

import "github.com/orrery-rl/orrery/backend/cpu/internal/ir"

// rewriter copies a graph, node by node in topological order.
type rewriter struct {
	copies map[*ir.Node]*ir.Node
	next   int // the ID of the next node
}

// add numbers a new node.
func (r *rewriter) add(n ir.Node) *ir.Node {
	n.ID = r.next
	r.next++
	return &n
}

// copy copies a node whose operands have been copied.
func (r *rewriter) copy(n *ir.Node) *ir.Node {
	c := *n
	c.In = make([]*ir.Node, len(n.In))
	for i, x := range n.In {
		c.In[i] = r.copies[x]
	}
	return r.add(c)
}

// users lists, for each node, the nodes that read it, once for every operand;
// an output is read by nil.
func users(live, outputs []*ir.Node) map[*ir.Node][]*ir.Node {
	users := map[*ir.Node][]*ir.Node{}
	for _, n := range live {
		for _, x := range n.In {
			users[x] = append(users[x], n)
		}
	}
	for _, n := range outputs {
		users[n] = append(users[n], nil)
	}
	return users
}

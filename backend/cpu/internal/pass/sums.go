package pass

import (
	"fmt"
	"slices"

	"github.com/orrery-rl/orrery/backend/cpu/internal/ir"
)

// MergeSums replaces sums of products by one product with a longer contraction,
//
//	A1'B1 + A2'B2 + ... = [A1; A2; ...]' [B1; B2; ...],
//
// and sums of small reductions by one reduction. They come from the gradients of
// a network that is unrolled in time: for each weight and bias one term a step,
// small in the contracted axis, which is the batch, and large in the result.
// Results change by rounding only.
func MergeSums(outputs []*ir.Node) []*ir.Node {
	live := ir.Live(outputs)
	s := &summer{
		rewriter: rewriter{copies: map[*ir.Node]*ir.Node{}},
		users:    users(live, outputs),
		joined:   map[string]*ir.Node{},
	}
	for _, n := range live {
		if isSum(n) && !s.inner(n) {
			s.copies[n] = s.sum(n)
		} else {
			s.copies[n] = s.copy(n)
		}
	}
	result := make([]*ir.Node, len(outputs))
	for i, n := range outputs {
		result[i] = s.copies[n]
	}
	return result
}

type summer struct {
	rewriter
	users  map[*ir.Node][]*ir.Node
	joined map[string]*ir.Node // concatenations by axis and operands
}

// isSum reports an addition of two tensors of the same shape.
func isSum(n *ir.Node) bool {
	return n.Op == ir.Add && slices.Equal(n.In[0].Dims, n.Dims) && slices.Equal(n.In[1].Dims, n.Dims)
}

// inner reports whether n is a part of one larger sum.
func (s *summer) inner(n *ir.Node) bool {
	users := s.users[n]
	return isSum(n) && len(users) == 1 && users[0] != nil && isSum(users[0])
}

// sum copies the sum that n is the root of with its terms merged where possible.
func (s *summer) sum(n *ir.Node) *ir.Node {
	groups, order := s.groups(n)
	if !slices.ContainsFunc(order, func(key string) bool { return len(groups[key]) > 1 }) {
		return s.copy(n)
	}
	var sum *ir.Node
	for _, key := range order {
		term := s.mergeGroup(groups[key])
		if sum != nil {
			term = s.add(ir.Node{Op: ir.Add, In: []*ir.Node{sum, term}, Dims: n.Dims})
		}
		sum = term
	}
	return sum
}

// groups sorts the terms of a sum into those that can be merged; order has the
// keys by first occurrence.
func (s *summer) groups(n *ir.Node) (groups map[string][]*ir.Node, order []string) {
	groups = map[string][]*ir.Node{}
	stack := []*ir.Node{n}
	for len(stack) > 0 {
		x := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if x == n || s.inner(x) {
			stack = append(stack, x.In[1], x.In[0])
			continue
		}
		key := s.key(x)
		if key == "" {
			key = fmt.Sprint("alone ", len(order))
		}
		if len(groups[key]) == 0 {
			order = append(order, key)
		}
		groups[key] = append(groups[key], x)
	}
	return groups, order
}

// maxReduction is the size up to which joining the operands of a reduction costs
// less than a reduction of their own.
const maxReduction = 1 << 15

// key is the same for terms that can be merged, and empty for those that cannot.
// A term may be merged if nothing but the sum reads it.
func (s *summer) key(x *ir.Node) string {
	if core := s.core(x); len(s.users[core]) == 1 {
		switch {
		case core.Op == ir.Dot && worthJoining(core):
			left, right := free(core.In[0], core.Dot.LeftLast), free(core.In[1], core.Dot.RightLast)
			return fmt.Sprint("dot", core != x, x.Ints, *core.Dot, left, right)
		case core == x && core.Op == ir.ReduceSum && len(x.Ints) > 0 && core.In[0].Size() <= maxReduction:
			return fmt.Sprint("reduce", x.Ints, core.In[0].Dims)
		}
	}
	return ""
}

// core is the product under the transposition that the gradient of a weight ends
// with, or x itself.
func (s *summer) core(x *ir.Node) *ir.Node {
	if x.Op == ir.Transpose && x.In[0].Op == ir.Dot && len(s.users[x]) == 1 {
		return x.In[0]
	}
	return x
}

// contracted is the axis of an operand that a Dot sums over.
func contracted(x *ir.Node, last bool) int {
	if last {
		return len(x.Dims) - 1
	}
	return 0
}

// free are the other axes.
func free(x *ir.Node, last bool) []int {
	at := contracted(x, last)
	return slices.Concat(x.Dims[:at], x.Dims[at+1:])
}

// worthJoining reports whether copying the operands of a product costs less than
// writing and adding up its result.
func worthJoining(dot *ir.Node) bool {
	return dot.In[0].Size()+dot.In[1].Size() <= 2*dot.Size()
}

// mergeGroup copies terms of one key as one term.
func (s *summer) mergeGroup(terms []*ir.Node) *ir.Node {
	first := terms[0]
	if len(terms) == 1 {
		return s.copies[first]
	}
	core := s.core(first)
	merged := ir.Node{Op: core.Op, Dims: core.Dims, Ints: core.Ints, Dot: core.Dot}
	if core.Op == ir.ReduceSum {
		merged.In = []*ir.Node{s.join(terms, 0, core.Ints[0])}
		return s.add(merged)
	}
	merged.In = []*ir.Node{
		s.join(terms, 0, contracted(core.In[0], core.Dot.LeftLast)),
		s.join(terms, 1, contracted(core.In[1], core.Dot.RightLast)),
	}
	product := s.add(merged)
	if core == first {
		return product
	}
	return s.add(ir.Node{Op: ir.Transpose, In: []*ir.Node{product}, Dims: first.Dims, Ints: first.Ints})
}

// join concatenates an operand of all terms along an axis. Sums that join the
// same tensors share the result: the gradients of a weight and its bias do.
func (s *summer) join(terms []*ir.Node, operand, axis int) *ir.Node {
	var in []*ir.Node
	var ids []int
	length := 0
	for _, term := range terms {
		x := s.core(term).In[operand]
		in, ids, length = append(in, s.copies[x]), append(ids, x.ID), length+x.Dims[axis]
	}
	key := fmt.Sprint(axis, ids)
	if n, ok := s.joined[key]; ok {
		return n
	}
	dims := slices.Clone(in[0].Dims)
	dims[axis] = length
	n := s.add(ir.Node{Op: ir.Concatenate, In: in, Dims: dims, Ints: []int{axis}})
	s.joined[key] = n
	return n
}

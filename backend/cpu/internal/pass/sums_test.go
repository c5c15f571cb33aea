package pass

import (
	"slices"
	"testing"

	"github.com/orrery-rl/orrery/backend/cpu/internal/ir"
)

// graph builds nodes in order.
type graph struct{ next int }

func (g *graph) node(op ir.Op, dims []int, in ...*ir.Node) *ir.Node {
	g.next++
	return &ir.Node{ID: g.next, Op: op, Dims: dims, In: in}
}

// gradients is a sum over steps of what an unrolled layer adds to the gradients
// of its weight [n, m] and bias [n].
func (g *graph) gradients(steps, batch, m, n int) (weight, bias *ir.Node) {
	for range steps {
		x, d := g.node(ir.Parameter, []int{batch, m}), g.node(ir.Parameter, []int{batch, n})
		dot := g.node(ir.Dot, []int{m, n}, x, d)
		dot.Dot = &ir.Contraction{}
		w := g.node(ir.Transpose, []int{n, m}, dot)
		w.Ints = []int{1, 0}
		b := g.node(ir.ReduceSum, []int{n}, d)
		b.Ints = []int{0}
		if weight == nil {
			weight, bias = w, b
			continue
		}
		weight, bias = g.node(ir.Add, w.Dims, weight, w), g.node(ir.Add, b.Dims, bias, b)
	}
	return weight, bias
}

func count(outputs []*ir.Node, op ir.Op) int {
	n := 0
	for _, x := range ir.Live(outputs) {
		if x.Op == op {
			n++
		}
	}
	return n
}

func TestGradientsOfAnUnrolledLayerBecomeOneProduct(t *testing.T) {
	var g graph
	weight, bias := g.gradients(7, 3, 20, 10)
	outputs := MergeSums([]*ir.Node{weight, bias})
	for op, want := range map[ir.Op]int{ir.Add: 0, ir.Dot: 1, ir.ReduceSum: 1, ir.Concatenate: 2, ir.Transpose: 1, ir.Parameter: 14} {
		if got := count(outputs, op); got != want {
			t.Errorf("%d of %s, want %d", got, op, want)
		}
	}
	dot := outputs[0].In[0]
	if got := dot.In[0].Dims; !slices.Equal(got, []int{21, 20}) {
		t.Errorf("left operand %v", got)
	}
	if !slices.Equal(outputs[0].Dims, weight.Dims) || !slices.Equal(outputs[1].Dims, bias.Dims) {
		t.Errorf("outputs %v %v", outputs[0].Dims, outputs[1].Dims)
	}
}

func TestTermsThatOthersReadStay(t *testing.T) {
	var g graph
	weight, _ := g.gradients(3, 3, 20, 10)
	term := weight.In[1] // the last Transpose
	outputs := MergeSums([]*ir.Node{weight, term.In[0]})
	if got := count(outputs, ir.Dot); got != 2 {
		t.Errorf("%d products, want the merged one and the output", got)
	}
	if got := count(outputs, ir.Add); got != 1 {
		t.Errorf("%d additions, want 1", got)
	}
}

func TestProductsWithLongContractionsStay(t *testing.T) {
	var g graph
	weight, _ := g.gradients(3, 300, 20, 10)
	if got := count(MergeSums([]*ir.Node{weight}), ir.Dot); got != 3 {
		t.Errorf("%d products, want 3: joining the operands costs more", got)
	}
}

func TestRepeatedTermsStay(t *testing.T) {
	var g graph
	x := g.node(ir.Parameter, []int{4})
	sum := g.node(ir.Add, []int{4}, g.node(ir.Add, []int{4}, x, x), x)
	if got := count(MergeSums([]*ir.Node{sum}), ir.Add); got != 2 {
		t.Errorf("%d additions, want 2", got)
	}
}

func TestNodesAreNumberedInOrder(t *testing.T) {
	var g graph
	weight, bias := g.gradients(5, 2, 8, 8)
	for _, n := range ir.Live(MergeSums([]*ir.Node{weight, bias, weight})) {
		for _, x := range n.In {
			if x.ID >= n.ID {
				t.Fatalf("%s reads a later node", n)
			}
		}
	}
}

package plan

import (
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
)

// A warm start moves sequences on by one decision; the last action is zero, of icem
// the one before it. A horizon of one leaves nothing to move.
func TestWarmStartsShiftByOne(t *testing.T) {
	for _, c := range []struct {
		method     Method
		long, last []float32
	}{
		{CEM, []float32{2, 3, 0}, []float32{0}},
		{MPPI, []float32{2, 3, 0}, []float32{0}},
		{ICEM, []float32{2, 3, 3}, []float32{5}},
	} {
		p := gaussian{search{cfg: Config{Method: c.method}}}
		out := run(t, func(g *graph.Graph) []*graph.Node {
			long := graph.Const(g, [][][][]float32{{{{1}}}, {{{2}}}, {{{3}}}})
			return []*graph.Node{p.shift(long), graph.Identity(p.shift(graph.Const(g, [][][][]float32{{{{5}}}})))}
		})
		if !slices.Equal(out[0], c.long) || !slices.Equal(out[1], c.last) {
			t.Errorf("%s: 1 2 3 becomes %v, 5 becomes %v; want %v and %v", c.method, out[0], out[1], c.long, c.last)
		}
	}
}

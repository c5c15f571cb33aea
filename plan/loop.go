package plan

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// alike counts the iterations from i on whose graph is that of iteration i.
func alike(p Planner, i int) int {
	n := 1
	for i+n < p.Iterations() && p.Like(i+n) == p.Like(i) {
		n++
	}
	return n
}

// loop is n iterations from i on, whose graphs are alike, as one loop, for
// backends that prefer that. What it adds to the log is what the iterations one
// after the other would.
func loop(p Planner, i, n int, model Model, start State, memory, noise []*graph.Node, log *history) []*graph.Node {
	l := gx.Loop{State: memory}
	layout := p.Noise()
	for k := range layout.perIteration() {
		var each []*graph.Node
		for j := range n {
			each = append(each, layout.iteration(noise, i+j)[k])
		}
		l.Inputs = append(l.Inputs, graph.Stack(each, 0))
	}
	l.Step = func(_, memory, noise []*graph.Node) (next, found []*graph.Node) {
		next, s := p.Step(i, model, start, memory, noise)
		return next, []*graph.Node{s.Best, s.Mean, s.Elite, s.All}
	}
	memory, found := l.Run()
	for j := range n {
		at := func(k int) *graph.Node { return graph.Squeeze(graph.SliceAxis(found[k], 0, graph.AxisElem(j)), 0) }
		log.add(Scores{Best: at(0), Mean: at(1), Elite: at(2), All: at(3)})
	}
	return memory
}

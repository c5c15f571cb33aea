package worldmodel

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// mlp is a multi-layer perceptron: dense layers with ReLU after all but the
// last. Without hidden layers it is linear.
type mlp struct {
	hidden []affine
	output affine
}

// newMLP adds name+"/layer1" and so on, and name+"/output".
func newMLP(specs *specList, name string, in int, hidden []int, out int) *mlp {
	m := &mlp{}
	for i, width := range hidden {
		m.hidden = append(m.hidden, specs.dense(layerName(name+"/layer", i), in, width))
		in = width
	}
	m.output = specs.dense(name+"/output", in, out)
	return m
}

// mlp applies m to the rows of x, [N, in] -> [N, out].
func (n *Net) mlp(m *mlp, x *graph.Node) *graph.Node {
	for _, layer := range m.hidden {
		x = gx.Relu(n.dense(layer, x))
	}
	return n.dense(m.output, x)
}

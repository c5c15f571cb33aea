package worldmodel

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// Batch is what a model learns from: B chunks of L records. Fields that the
// model's configuration does not use are nil.
type Batch struct {
	// Observation is what was seen, [B, L, ...]. Vectors are needed by models
	// that see them and by those with a diagnostic head.
	Observation
	// Actions is [B, L, A]: the action that led to each record, in [-1, 1].
	Actions *graph.Node
	// Rewards is [B, L]: what that action earned.
	Rewards *graph.Node
	// Continues is [B, L]: 1, or 0 where the task ended. Models with a continue
	// head need it.
	Continues *graph.Node
	// Noise is [B, L, Z], standard normal: the posterior's samples.
	Noise *graph.Node
	// RolloutNoise is [B, L, D, Z], standard normal, and only used with latent
	// overshooting up to distance D: entry d-1 samples the record when it is
	// predicted d steps after the last observation.
	RolloutNoise *graph.Node
}

// batchFields lists the fields that the model uses, with their dimensions
// after B and L. The order is that of [Model.BatchInputs].
func (m *Model) batchFields() []batchField {
	d, seen := m.dims, m.cfg.Observe
	all := []batchField{
		{"images", seen.images(), []int{d.Height, d.Width, d.Channels}, func(b *Batch) **graph.Node { return &b.Images }},
		{"vectors", seen.vectors() || m.cfg.Diagnostic, []int{d.VectorSize}, func(b *Batch) **graph.Node { return &b.Vectors }},
		{"actions", true, []int{d.ActionSize}, func(b *Batch) **graph.Node { return &b.Actions }},
		{"rewards", true, nil, func(b *Batch) **graph.Node { return &b.Rewards }},
		{"continues", m.cfg.ContinueHead, nil, func(b *Batch) **graph.Node { return &b.Continues }},
		{"noise", true, []int{m.cfg.StochSize}, func(b *Batch) **graph.Node { return &b.Noise }},
	}
	all = append(all, batchField{"rollout_noise", m.cfg.overshoots(), []int{m.cfg.Objective.OvershootingDistance, m.cfg.StochSize},
		func(b *Batch) **graph.Node { return &b.RolloutNoise }})
	return slices.DeleteFunc(all, func(f batchField) bool { return !f.used })
}

type batchField struct {
	name string
	used bool
	dims []int
	of   func(*Batch) **graph.Node
}

// BatchInputs returns the program inputs of a batch of rows chunks of length
// records: those of images, vectors, actions, rewards, continues, noise and
// rollout_noise that the model uses, with these names and in this order.
func (m *Model) BatchInputs(dtype dtypes.DType, rows, length int) []gx.Input {
	var inputs []gx.Input
	for _, f := range m.batchFields() {
		dims := append([]int{rows, length}, f.dims...)
		inputs = append(inputs, gx.Input{Name: f.name, Shape: shapes.Make(dtype, dims...)})
	}
	return inputs
}

// BatchFromNodes makes a batch of one node for each of [Model.BatchInputs].
func (n *Net) BatchFromNodes(nodes []*graph.Node) (b Batch) {
	fields := n.m.batchFields()
	if len(nodes) != len(fields) {
		panic(fmt.Errorf("worldmodel: a batch of %d nodes, the model uses %d", len(nodes), len(fields)))
	}
	for i, f := range fields {
		*f.of(&b) = nodes[i]
	}
	return b
}

// checkBatch panics unless everything the model uses is there and fits; it
// returns B and L.
func (n *Net) checkBatch(b Batch) (rows, length int) {
	for i, f := range n.m.batchFields() {
		node := *f.of(&b)
		if node == nil {
			panic(fmt.Errorf("worldmodel: the batch lacks %s", f.name))
		}
		if i == 0 {
			rows, length = chunkShape(node)
		}
		gx.CheckShape(f.name, node, append([]int{rows, length}, f.dims...)...)
	}
	return rows, length
}

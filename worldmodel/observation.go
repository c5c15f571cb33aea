package worldmodel

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// Modality says what a model observes of its environment.
type Modality string

const (
	// ObserveImage sees the camera only: the paper's agent. The empty string
	// means it too.
	ObserveImage Modality = "image"
	// ObserveVector sees the measurements of env.Observation.Vector only.
	ObserveVector Modality = "vector"
	// ObserveBoth sees both: their embeddings are concatenated, their losses
	// added.
	ObserveBoth Modality = "both"
)

// images reports whether the model sees images.
func (m Modality) images() bool { return m != ObserveVector }

// vectors reports whether the model sees vectors.
func (m Modality) vectors() bool { return m == ObserveVector || m == ObserveBoth }

// Observation is what the model sees, or predicts to see: N rows, or B chunks
// of L records. What its [Modality] leaves out is nil.
type Observation struct {
	// Images is [..., H, W, C] in [-0.5, 0.5).
	Images *graph.Node
	// Vectors is [..., V] in the environment's units.
	Vectors *graph.Node
}

// ObservationInputs returns the program inputs of what the model sees, of the
// given leading dimensions: images, then vectors, with these names.
func (m *Model) ObservationInputs(dtype dtypes.DType, leading ...int) []gx.Input {
	var inputs []gx.Input
	add := func(name string, dims ...int) {
		inputs = append(inputs, gx.Input{Name: name, Shape: shapes.Make(dtype, slices.Concat(leading, dims)...)})
	}
	if m.cfg.Observe.images() {
		add("images", m.dims.Height, m.dims.Width, m.dims.Channels)
	}
	if m.cfg.Observe.vectors() {
		add("vectors", m.dims.VectorSize)
	}
	return inputs
}

// ObservationFromNodes makes an observation of one node for each of
// [Model.ObservationInputs].
func (n *Net) ObservationFromNodes(nodes []*graph.Node) (o Observation) {
	if want := len(n.m.ObservationInputs(n.dtype())); len(nodes) != want {
		panic(fmt.Errorf("worldmodel: an observation of %d nodes, the model sees %d", len(nodes), want))
	}
	if n.m.cfg.Observe.images() {
		o.Images, nodes = nodes[0], nodes[1:]
	}
	if n.m.cfg.Observe.vectors() {
		o.Vectors = nodes[0]
	}
	return o
}

// Embed embeds what the model sees of N observations: [N, E], the image's
// embedding before the vector's.
func (n *Net) Embed(o Observation) *graph.Node {
	var parts []*graph.Node
	if n.m.cfg.Observe.images() {
		parts = append(parts, n.Encode(given("images", o.Images)))
	}
	if n.m.cfg.Observe.vectors() {
		parts = append(parts, n.EncodeVector(given("vectors", o.Vectors)))
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return lastAxis(parts...)
}

// given panics unless the node is there.
func given(name string, node *graph.Node) *graph.Node {
	if node == nil {
		panic(fmt.Errorf("worldmodel: the observation lacks %s, which the model sees", name))
	}
	return node
}

// mapObservation applies f to the nodes that the model sees.
func (n *Net) mapObservation(o Observation, f func(*graph.Node) *graph.Node) Observation {
	var out Observation
	if n.m.cfg.Observe.images() {
		out.Images = f(given("images", o.Images))
	}
	if n.m.cfg.Observe.vectors() {
		out.Vectors = f(given("vectors", o.Vectors))
	}
	return out
}

// checkChunks panics unless what the model sees is [rows, length, ...].
func (n *Net) checkChunks(o Observation, rows, length int) {
	d := n.m.dims
	if n.m.cfg.Observe.images() {
		gx.CheckShape("images", given("images", o.Images), rows, length, d.Height, d.Width, d.Channels)
	}
	if n.m.cfg.Observe.vectors() {
		gx.CheckShape("vectors", given("vectors", o.Vectors), rows, length, d.VectorSize)
	}
}

// embedChunks embeds observations [B, L, ...] -> [B, L, E].
func (n *Net) embedChunks(o Observation) *graph.Node {
	var rows, length int
	flat := n.mapObservation(o, func(x *graph.Node) *graph.Node {
		rows, length = chunkShape(x)
		return flatten(x)
	})
	return graph.Reshape(n.Embed(flat), rows, length, n.m.EmbedSize())
}

// predict decodes features [B, L, F] into what the model would see, in the
// environment's units.
func (n *Net) predict(features *graph.Node) Observation {
	var o Observation
	if n.m.cfg.Observe.images() {
		o.Images = n.decodeChunks(features)
	}
	if n.m.cfg.Observe.vectors() {
		rows, length := chunkShape(features)
		o.Vectors = graph.Reshape(n.DecodeVector(flatten(features)), rows, length, n.m.dims.VectorSize)
	}
	return o
}

// decodeChunks decodes features [B, L, F] -> [B, L, H, W, C].
func (n *Net) decodeChunks(features *graph.Node) *graph.Node {
	rows, length := chunkShape(features)
	d := n.m.dims
	return graph.Reshape(n.Decode(flatten(features)), rows, length, d.Height, d.Width, d.Channels)
}

// flatten merges the first two axes: [B, L, ...] -> [B*L, ...].
func flatten(x *graph.Node) *graph.Node {
	rows, length := chunkShape(x)
	return graph.Reshape(x, append([]int{rows * length}, x.Shape().Dimensions[min(2, x.Rank()):]...)...)
}

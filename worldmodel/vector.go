package worldmodel

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// VectorTransform is applied to vector observations wherever the model reads or
// predicts them.
type VectorTransform string

const (
	// Untransformed leaves vectors as they are; the empty string means it too.
	Untransformed VectorTransform = "none"
	// Symlog maps x to sign(x)*ln(1+|x|), element by element: the identity near
	// zero, the logarithm far away, so that quantities of any unit fit
	// (Hafner et al. 2023).
	Symlog VectorTransform = "symlog"
)

// EncodeVector embeds vectors, [N, V] -> [N, VectorEmbed]: layers of the widths
// VectorLayers with ReLU, and one without.
// Source: the symbolic encoder of Kaixhin/PlaNet.
func (n *Net) EncodeVector(vectors *graph.Node) *graph.Node {
	if n.m.vectorEncoder == nil {
		panic(fmt.Errorf("worldmodel: the model does not observe vectors; set observe to vector or both"))
	}
	gx.CheckShape("vectors", vectors, leading(vectors), n.m.dims.VectorSize)
	return n.mlp(n.m.vectorEncoder, n.transform(vectors))
}

// DecodeVector predicts the mean of the vector from features, [N, F] -> [N, V],
// in the vector's own units.
func (n *Net) DecodeVector(features *graph.Node) *graph.Node {
	return n.untransform(n.decodeVector(features))
}

// decodeVector is DecodeVector on the transformed scale, that of the loss.
func (n *Net) decodeVector(features *graph.Node) *graph.Node {
	if n.m.vectorDecoder == nil {
		panic(fmt.Errorf("worldmodel: the model does not observe vectors; set observe to vector or both"))
	}
	return n.mlp(n.m.vectorDecoder, n.checkFeatures(features))
}

// transform applies the configured transform.
func (n *Net) transform(x *graph.Node) *graph.Node {
	if n.m.cfg.VectorTransform != Symlog {
		return x
	}
	return graph.Mul(graph.Sign(x), graph.Log1P(graph.Abs(x)))
}

// untransform is the inverse of transform: sign(x)*(e^|x| - 1) for Symlog.
func (n *Net) untransform(x *graph.Node) *graph.Node {
	if n.m.cfg.VectorTransform != Symlog {
		return x
	}
	return graph.Mul(graph.Sign(x), graph.Expm1(graph.Abs(x)))
}

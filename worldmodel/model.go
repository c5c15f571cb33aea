package worldmodel

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// Model is an architecture for given dimensions: layer sizes and parameter
// shapes, no values. It does not change after New and may be shared.
type Model struct {
	cfg        Config
	dims       Dims
	specs      specList
	encoder    encoder
	transition transition
	decoder    decoder
	reward     rewardHead
}

// New lays out a model. The error names every setting that cannot work.
func New(cfg Config, dims Dims) (*Model, error) {
	if err := errors.Join(cfg.Validate(), dims.Validate()); err != nil {
		return nil, err
	}
	m := &Model{cfg: cfg.resolved(), dims: dims}
	m.encoder = newEncoder(&m.specs, cfg, dims)
	m.transition = newTransition(&m.specs, m.cfg, m.encoder.embedSize, dims.ActionSize)
	m.decoder = newDecoder(&m.specs, cfg, dims, m.FeatureSize())
	m.reward = newRewardHead(&m.specs, cfg, m.FeatureSize())
	return m, nil
}

// Config returns the configuration the model was made from, an empty
// Transition replaced by RSSM and settings that its transition does not use by
// what it uses in their place.
func (m *Model) Config() Config {
	cfg := m.cfg
	cfg.RewardLayers = slices.Clone(cfg.RewardLayers)
	return cfg
}

// Dims returns the dimensions the model was made for.
func (m *Model) Dims() Dims { return m.dims }

// EmbedSize is the size of the encoder's output (E; 1024 for the paper's model).
func (m *Model) EmbedSize() int { return m.encoder.embedSize }

// FeatureSize is the size of the features the heads read: StochSize + DeterSize
// for the RSSM and the deterministic transition, StochSize for the SSM,
// DeterSize for the DRNN.
func (m *Model) FeatureSize() int {
	switch m.cfg.Transition {
	case SSM:
		return m.cfg.StochSize
	case DRNN:
		return m.cfg.DeterSize
	default:
		return m.cfg.StochSize + m.cfg.DeterSize
	}
}

// Net is a model bound to parameter nodes of one graph. Its methods add nodes to
// that graph and belong inside the build function of gx.Compile; see the
// package comment. Shape comments use N for independent rows, B for chunks and
// L for the records of a chunk.
type Net struct {
	m      *Model
	params []*graph.Node
}

// Bind joins the model with one node per parameter, in the order of
// [Model.ParamSpecs]. All must have the same floating-point element type, which
// becomes that of the model's computations.
func (m *Model) Bind(params []*graph.Node) (*Net, error) {
	if len(params) != len(m.specs) {
		return nil, fmt.Errorf("worldmodel: bind got %d parameters, the model has %d", len(params), len(m.specs))
	}
	dtype := params[0].DType()
	if dtype != dtypes.Float32 && dtype != dtypes.Float64 {
		return nil, fmt.Errorf("worldmodel: parameter %q is %s; parameters must be Float32 or Float64", m.specs[0].Name, dtype)
	}
	for i, p := range params {
		spec, shape := m.specs[i], p.Shape()
		if !slices.Equal(shape.Dimensions, spec.Dims) || shape.DType != dtype {
			return nil, fmt.Errorf("worldmodel: parameter %q is %s, want %s%v", spec.Name, shape, dtype, spec.Dims)
		}
	}
	return &Net{m: m, params: slices.Clone(params)}, nil
}

// graph returns the graph the net is bound to.
func (n *Net) graph() *graph.Graph { return n.params[0].Graph() }

// dtype returns the element type of the net's computations.
func (n *Net) dtype() dtypes.DType { return n.params[0].DType() }

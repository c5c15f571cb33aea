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
	heads      heads
	// transitionStart and transitionEnd are where the transition's parameters are
	// among specs.
	transitionStart, transitionEnd int
	// Vectors have their own encoder and decoder; nil if they are not observed.
	vectorEncoder, vectorDecoder *mlp
	embedSize                    int
}

// New lays out a model. The error names every setting that cannot work.
func New(cfg Config, dims Dims) (*Model, error) {
	if err := errors.Join(cfg.Validate(), dims.validate(cfg.resolved())); err != nil {
		return nil, err
	}
	m := &Model{cfg: cfg.resolved(), dims: dims}
	m.addEncoders()
	m.transitionStart = len(m.specs)
	m.transition = newTransition(&m.specs, m.cfg, m.embedSize, dims.ActionSize)
	m.transitionEnd = len(m.specs)
	m.addDecoders()
	m.heads = newHeads(&m.specs, m.cfg, dims, m.FeatureSize())
	return m, nil
}

// addEncoders adds an encoder for each observed modality.
func (m *Model) addEncoders() {
	if m.cfg.Observe.images() {
		m.encoder = newEncoder(&m.specs, m.cfg, m.dims)
		m.embedSize += m.encoder.embedSize
	}
	if m.cfg.Observe.vectors() {
		m.vectorEncoder = newMLP(&m.specs, "vector_encoder", m.dims.VectorSize, m.cfg.VectorLayers, m.cfg.VectorEmbed)
		m.embedSize += m.cfg.VectorEmbed
	}
}

// addDecoders adds a decoder for each observed modality.
func (m *Model) addDecoders() {
	if m.cfg.Observe.images() {
		m.decoder = newDecoder(&m.specs, m.cfg, m.dims, m.FeatureSize())
	}
	if m.cfg.Observe.vectors() {
		m.vectorDecoder = newMLP(&m.specs, "vector_decoder", m.FeatureSize(), m.cfg.VectorLayers, m.dims.VectorSize)
	}
}

// Config returns the configuration the model was made from, an empty
// Transition replaced by RSSM and settings that its transition does not use by
// what it uses in their place.
func (m *Model) Config() Config {
	return m.cfg.resolved()
}

// Dims returns the dimensions the model was made for.
func (m *Model) Dims() Dims { return m.dims }

// EmbedSize is the size of an observation's embedding (E; 1024 for the paper's
// model).
func (m *Model) EmbedSize() int { return m.embedSize }

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

package worldmodel

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// drnn is the deterministic recurrent network with a stochastic bottleneck
// that the paper compares with (Hafner et al. 2019, appendix D): an encoder
// cell, the stochastic state, a decoder cell.
//
//	g' = GRU([e'; a; s], g),  s' ~ N(u([g'; s; h])),  h' = GRU(s', h)
//
// Prior and posterior are the same network; the prior receives an embedding of
// zeros, so an observation that embeds to zeros cannot be told from none.
// Features are h, the state of the decoder cell.
type drnn struct {
	sizes   stateSizes
	encoder gru
	stats   statistics
	decoder gru
}

// newDRNN adds the transition's parameters under "drnn/".
func newDRNN(specs *specList, cfg Config, embed, actions int) drnn {
	d := drnn{sizes: stateSizes{deter: cfg.DeterSize, stoch: cfg.StochSize, encoder: cfg.DeterSize}}
	d.encoder = newGRU(specs, "drnn/encoder", cfg.GRU, gruSizes{in: actions + cfg.StochSize, state: cfg.DeterSize, embed: embed})
	d.stats.hidden = specs.dense("drnn/hidden", 2*cfg.DeterSize+cfg.StochSize, cfg.HiddenSize)
	d.stats.stats = newStats(specs, "drnn/stats", cfg)
	d.decoder = newGRU(specs, "drnn/decoder", cfg.GRU, gruSizes{in: cfg.StochSize, state: cfg.DeterSize})
	return d
}

func (d drnn) stateSizes() stateSizes { return d.sizes }

func (d drnn) features(s State) *graph.Node { return s.Deter }

func (d drnn) imagine(n *Net, state State, action, noise *graph.Node) (State, Gaussian) {
	encoder, basis := d.encode(n, state, action, d.nothing(n, state))
	prior := d.priorOf(n, basis)
	return d.decode(n, state, encoder, prior.Sample(noise)), prior
}

func (d drnn) filter(n *Net, state State, action, projected, noise *graph.Node) (State, Gaussian, *graph.Node) {
	encoder, seen := d.encode(n, state, action, projected)
	_, unseen := d.encode(n, state, action, d.nothing(n, state))
	posterior := d.stats.read(n, seen)
	return d.decode(n, state, encoder, posterior.Sample(noise)), posterior, unseen
}

// priorOf is the network that the posterior uses as well.
func (d drnn) priorOf(n *Net, basis *graph.Node) Gaussian { return d.stats.read(n, basis) }

// project is the embedding's share of the encoder cell's gates and candidate.
func (d drnn) project(n *Net, embed *graph.Node) *graph.Node {
	return lastAxis(matmul(embed, n.params[d.encoder.embedGates]), matmul(embed, n.params[d.encoder.embedCandidate]))
}

// nothing is the projection of an embedding of zeros.
func (d drnn) nothing(n *Net, state State) *graph.Node {
	return graph.Zeros(n.graph(), shapes.Make(n.dtype(), leading(state.Deter), 3*d.sizes.encoder))
}

// encode advances the encoder cell and joins what the stochastic state is
// computed from.
func (d drnn) encode(n *Net, state State, action, projected *graph.Node) (encoder, basis *graph.Node) {
	encoder = n.gruWith(d.encoder, lastAxis(action, state.Stoch), state.Encoder, projected)
	return encoder, lastAxis(encoder, state.Stoch, state.Deter)
}

// decode advances the decoder cell by a sample of the stochastic state.
func (d drnn) decode(n *Net, state State, encoder, sample *graph.Node) State {
	return State{Deter: n.gru(d.decoder, sample, state.Deter), Stoch: sample, Encoder: encoder}
}

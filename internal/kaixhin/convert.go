package kaixhin

import (
	"fmt"
	"slices"

	"github.com/orrery-rl/orrery/worldmodel"
)

// converter collects arrays under the names of our model.
type converter struct {
	sizes
	from map[string]array
	to   map[string]array
}

// convert arranges the tensors of a checkpoint, whose shapes are as they should
// be.
func convert(s sizes, from map[string]array) (*Model, error) {
	c := converter{s, from, map[string]array{}}
	c.transition()
	c.mlp("reward", rewardPart, c.features, "layer1", "layer2", "output")
	if s.vector > 0 {
		c.mlp("vector_encoder", encoderPart, array.dense, "layer1", "layer2", "output")
		c.mlp("vector_decoder", observationPart, c.features, "layer1", "layer2", "output")
	} else {
		c.encoder()
		c.decoder()
	}
	cfg, dims, err := s.model()
	if err != nil {
		return nil, err
	}
	m, err := worldmodel.New(cfg, dims)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	out := &Model{Config: cfg, Dims: dims}
	for _, spec := range m.ParamSpecs() {
		a, ok := c.to[spec.Name]
		if !ok || !slices.Equal(a.Dims, spec.Dims) {
			return nil, fmt.Errorf("kaixhin: %q is converted to %v, the model expects %v", spec.Name, a.Dims, spec.Dims)
		}
		out.Params = append(out.Params, a.Data)
	}
	return out, nil
}

// layer converts a kernel and its bias.
func (c converter) layer(ours, theirs string, kernel func(array) array) {
	c.to[ours+"/kernel"] = kernel(c.from[theirs+".weight"])
	c.to[ours+"/bias"] = c.from[theirs+".bias"]
}

func (c converter) encoder() {
	for i := 1; i <= 4; i++ {
		c.layer(fmt.Sprintf("encoder/conv%d", i), fmt.Sprintf("%s.conv%d", encoderPart, i), array.conv)
	}
}

func (c converter) transition() {
	c.layer("rssm/input", transitionPart+".fc_embed_state_action", array.dense)
	c.gru()
	c.layer("rssm/prior/hidden", transitionPart+".fc_embed_belief_prior", array.dense)
	c.layer("rssm/prior/stats", transitionPart+".fc_state_prior", array.dense)
	joint := c.from[transitionPart+".fc_embed_belief_posterior.weight"].dense()
	c.to["rssm/posterior/deter/kernel"] = joint.rows(0, c.belief)
	c.to["rssm/posterior/deter/bias"] = c.from[transitionPart+".fc_embed_belief_posterior.bias"]
	ofEmbed := joint.rows(c.belief, c.belief+c.embed)
	if c.vector == 0 {
		ofEmbed = channelsLast(ofEmbed)
	}
	c.to["rssm/posterior/embed/kernel"] = ofEmbed
	c.layer("rssm/posterior/stats", transitionPart+".fc_state_posterior", array.dense)
}

// channelsLast reorders the rows of a matrix from (channel, pixel) to (pixel,
// channel).
func channelsLast(a array) array {
	size := a.Dims[1]
	a.Dims = []int{embedChannels, embedArea, size}
	a = a.permute([]int{1, 0, 2})
	a.Dims = []int{imageEmbed, size}
	return a
}

// gru splits the matrices of PyTorch's cell, whose columns are reset, update and
// new gate. Our first two gates read input and state together and have one bias.
func (c converter) gru() {
	h := c.belief
	ofInput, ofState := c.from[transitionPart+".rnn.weight_ih"].dense(), c.from[transitionPart+".rnn.weight_hh"].dense()
	biasInput, biasState := c.from[transitionPart+".rnn.bias_ih"], c.from[transitionPart+".rnn.bias_hh"]
	c.to["rssm/gru/gates/kernel"] = ofInput.columns(0, 2*h).stack(ofState.columns(0, 2*h))
	c.to["rssm/gru/gates/bias"] = biasInput.rows(0, 2*h).plus(biasState.rows(0, 2*h))
	c.to["rssm/gru/candidate/kernel"] = ofInput.columns(2*h, 3*h)
	c.to["rssm/gru/candidate/bias"] = biasInput.rows(2*h, 3*h)
	c.to["rssm/gru/recurrent/kernel"] = ofState.columns(2*h, 3*h)
	c.to["rssm/gru/recurrent/bias"] = biasState.rows(2*h, 3*h)
}

// features reorders the rows of a layer that reads features from (h, s) to
// (s, h).
func (c converter) features(a array) array {
	a = a.dense()
	return a.rows(c.belief, c.belief+c.state).stack(a.rows(0, c.belief))
}

func (c converter) decoder() {
	c.layer("decoder/input", observationPart+".fc1", c.features)
	c.layer("decoder/deconv1", observationPart+".conv1", array.pixel)
	for i := 2; i <= 4; i++ {
		c.layer(fmt.Sprintf("decoder/deconv%d", i), fmt.Sprintf("%s.conv%d", observationPart, i), array.deconv)
	}
}

// mlp converts fc1, fc2 and so on to layers of these names; first is the layout
// of the first kernel.
func (c converter) mlp(ours, theirs string, first func(array) array, names ...string) {
	for i, name := range names {
		c.layer(ours+"/"+name, fmt.Sprintf("%s.fc%d", theirs, i+1), first)
		first = array.dense
	}
}

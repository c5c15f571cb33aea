package kaixhin

// shapeList maps the names of tensors to their shapes.
type shapeList map[string][]int

// layer adds a weight and its bias.
func (l shapeList) layer(part, name string, bias int, dims ...int) {
	l[part+"."+name+".weight"] = dims
	l[part+"."+name+".bias"] = []int{bias}
}

func (l shapeList) linear(part, name string, in, out int) { l.layer(part, name, out, out, in) }

// shapes lists all tensors of a checkpoint.
func (s sizes) shapes() shapeList {
	l := shapeList{
		transitionPart + ".rnn.weight_ih": {3 * s.belief, s.belief},
		transitionPart + ".rnn.weight_hh": {3 * s.belief, s.belief},
		transitionPart + ".rnn.bias_ih":   {3 * s.belief},
		transitionPart + ".rnn.bias_hh":   {3 * s.belief},
	}
	l.linear(transitionPart, "fc_embed_state_action", s.state+s.actions, s.belief)
	l.linear(transitionPart, "fc_embed_belief_prior", s.belief, s.hidden)
	l.linear(transitionPart, "fc_state_prior", s.hidden, 2*s.state)
	l.linear(transitionPart, "fc_embed_belief_posterior", s.belief+s.embed, s.hidden)
	l.linear(transitionPart, "fc_state_posterior", s.hidden, 2*s.state)
	l.linear(rewardPart, "fc1", s.belief+s.state, s.hidden)
	l.linear(rewardPart, "fc2", s.hidden, s.hidden)
	l.linear(rewardPart, "fc3", s.hidden, 1)
	if s.vector > 0 {
		l.vectors(s)
	} else {
		l.images(s)
	}
	return l
}

// images adds encoder and decoder of a model that sees images.
func (l shapeList) images(s sizes) {
	l.layer(encoderPart, "conv1", 32, 32, 3, 4, 4)
	l.layer(encoderPart, "conv2", 64, 64, 32, 4, 4)
	l.layer(encoderPart, "conv3", 128, 128, 64, 4, 4)
	l.layer(encoderPart, "conv4", 256, 256, 128, 4, 4)
	l.linear(observationPart, "fc1", s.belief+s.state, s.embed)
	l.layer(observationPart, "conv1", 128, s.embed, 128, 5, 5)
	l.layer(observationPart, "conv2", 64, 128, 64, 5, 5)
	l.layer(observationPart, "conv3", 32, 64, 32, 6, 6)
	l.layer(observationPart, "conv4", 3, 32, 3, 6, 6)
}

// vectors adds encoder and decoder of a model that sees vectors.
func (l shapeList) vectors(s sizes) {
	l.linear(encoderPart, "fc1", s.vector, s.embed)
	l.linear(encoderPart, "fc2", s.embed, s.embed)
	l.linear(encoderPart, "fc3", s.embed, s.embed)
	l.linear(observationPart, "fc1", s.belief+s.state, s.embed)
	l.linear(observationPart, "fc2", s.embed, s.embed)
	l.linear(observationPart, "fc3", s.embed, s.vector)
}

package onnxexport

import "github.com/orrery-rl/orrery/worldmodel"

// gaussian is a distribution of the stochastic state.
type gaussian struct{ mean, std string }

// features are what the heads read.
func (b *builder) features(state map[string]string) string {
	switch b.cfg.Transition {
	case worldmodel.SSM:
		return state["stoch"]
	case worldmodel.DRNN:
		return state["deter"]
	}
	return b.concat(state["stoch"], state["deter"])
}

// prior advances the state without an observation.
func (b *builder) prior(state map[string]string, action, noise string) (map[string]string, gaussian) {
	switch b.cfg.Transition {
	case worldmodel.SSM:
		prior := b.stats("ssm/prior", b.concat(state["stoch"], action))
		return map[string]string{"stoch": b.sample(prior, noise)}, prior
	case worldmodel.DRNN:
		return b.drnn(state, action, "", noise)
	}
	deter := b.advance(state, action)
	prior := b.rssmStats("rssm/prior", b.op("Relu", b.dense("rssm/prior/hidden", deter)))
	return map[string]string{"deter": deter, "stoch": b.sample(prior, noise)}, prior
}

// posterior advances it with one.
func (b *builder) posterior(state map[string]string, action, embed, noise string) (map[string]string, gaussian) {
	switch b.cfg.Transition {
	case worldmodel.SSM:
		prior := b.stats("ssm/prior", b.concat(state["stoch"], action))
		hidden := b.op("Add", b.dense("ssm/posterior/prior", b.concat(prior.mean, prior.std)), b.product("ssm/posterior/embed", embed))
		posterior := b.spread("ssm/posterior/stats", b.op("Relu", hidden))
		return map[string]string{"stoch": b.sample(posterior, noise)}, posterior
	case worldmodel.DRNN:
		return b.drnn(state, action, embed, noise)
	}
	deter := b.advance(state, action)
	hidden := b.op("Add", b.dense("rssm/posterior/deter", deter), b.product("rssm/posterior/embed", embed))
	posterior := b.rssmStats("rssm/posterior", b.op("Relu", hidden))
	return map[string]string{"deter": deter, "stoch": b.sample(posterior, noise)}, posterior
}

// advance is the recurrent part of the RSSM.
func (b *builder) advance(state map[string]string, action string) string {
	x := b.op("Relu", b.dense("rssm/input", b.concat(state["stoch"], action)))
	return b.gru("rssm/gru", x, state["deter"], "")
}

// rssmStats are the output layers of the RSSM: means alone where nothing is
// sampled.
func (b *builder) rssmStats(name, hidden string) gaussian {
	if b.cfg.Transition != worldmodel.Deterministic {
		return b.spread(name+"/stats", hidden)
	}
	mean := b.dense(name+"/mean", hidden)
	zero := b.op("Sub", mean, mean)
	return gaussian{mean, b.op("Add", zero, b.scalar(1))}
}

// drnn is a step of the encoder's and the decoder's cell; embed is "" for none.
func (b *builder) drnn(state map[string]string, action, embed, noise string) (map[string]string, gaussian) {
	encoder := b.gru("drnn/encoder", b.concat(action, state["stoch"]), state["encoder"], embed)
	hidden := b.op("Relu", b.dense("drnn/hidden", b.concat(encoder, state["stoch"], state["deter"])))
	g := b.spread("drnn/stats", hidden)
	stoch := b.sample(g, noise)
	deter := b.gru("drnn/decoder", stoch, state["deter"], "")
	return map[string]string{"deter": deter, "stoch": stoch, "encoder": encoder}, g
}

// stats is a hidden layer, then mean and deviation.
func (b *builder) stats(name, x string) gaussian {
	return b.spread(name+"/stats", b.op("Relu", b.dense(name+"/hidden", x)))
}

// spread is an output layer for mean and deviation.
func (b *builder) spread(name, hidden string) gaussian {
	parts := b.split(b.dense(name, hidden), b.cfg.StochSize, b.cfg.StochSize)
	return gaussian{parts[0], b.op("Add", b.op("Softplus", parts[1]), b.scalar(b.cfg.MinStd))}
}

// sample is mean + std*noise, or the mean where there is no noise.
func (b *builder) sample(g gaussian, noise string) string {
	if noise == "" {
		return g.mean
	}
	return b.op("Add", g.mean, b.op("Mul", g.std, noise))
}

// gru is a step of a recurrent cell in either form; embed is "" for none.
func (b *builder) gru(name, x, h, embed string) string {
	size := b.params[name+"/candidate/bias"].dims[0]
	gates := b.dense(name+"/gates", b.concat(x, h))
	if embed != "" {
		gates = b.op("Add", gates, b.product(name+"/embed_gates", embed))
	}
	parts := b.split(b.op("Sigmoid", gates), size, size)
	reset, update := parts[0], parts[1]
	var candidate string
	if b.cfg.GRU == worldmodel.ResetAfter {
		candidate = b.op("Add", b.dense(name+"/candidate", x), b.op("Mul", reset, b.dense(name+"/recurrent", h)))
	} else {
		candidate = b.dense(name+"/candidate", b.concat(x, b.op("Mul", reset, h)))
	}
	if embed != "" {
		candidate = b.op("Add", candidate, b.product(name+"/embed_candidate", embed))
	}
	candidate = b.op("Tanh", candidate)
	return b.op("Add", candidate, b.op("Mul", update, b.op("Sub", h, candidate)))
}

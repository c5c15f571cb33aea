"""The transition models: how a state follows from the last one.

Each has initial, imagine (a step without an observation: next state and prior),
observe (a step with one: next state, prior and posterior) and features, which
the heads read. Noise is [N, Z].
Source: Hafner et al. 2019, section 3 and appendix D, and its published code.
"""
import torch
from torch import nn
from torch.nn import functional as F

from layers import Statistics, UnitMean, gru


class RSSM(nn.Module):
    """The recurrent state-space model; a state is (deter h, stoch s)."""

    statistics = Statistics

    def __init__(self, sizes, embed, form):
        super().__init__()
        self.sizes = sizes
        self.input = nn.Linear(sizes.stoch + sizes.actions, sizes.hidden)
        self.cell = gru(form, sizes.hidden, sizes.deter)
        self.prior = self.statistics(sizes.deter, sizes)
        self.posterior = self.statistics(sizes.deter + embed, sizes)
        self.features_size = sizes.stoch + sizes.deter

    def initial(self, rows):
        zeros = next(self.parameters()).new_zeros
        return zeros(rows, self.sizes.deter), zeros(rows, self.sizes.stoch)

    def advance(self, state, action):
        deter, stoch = state
        return self.cell(F.relu(self.input(torch.cat([stoch, action], 1))), deter)

    def imagine(self, state, action, noise):
        """One step without an observation: the next state and the prior."""
        deter = self.advance(state, action)
        prior = self.prior(deter)
        return (deter, prior.sample(noise)), prior

    def observe(self, state, action, embed, noise):
        """One step with an observation: the next state, prior and posterior."""
        deter = self.advance(state, action)
        posterior = self.posterior(deter, embed)
        return (deter, posterior.sample(noise)), self.prior(deter), posterior

    def features(self, state):
        deter, stoch = state
        return torch.cat([stoch, deter], 1)


class Deterministic(RSSM):
    """The RSSM without samples: prior and posterior are means, and a state goes
    on with them. Their divergence only trains the prior to predict the
    posterior: 1/2 |sg(mean_q) - mean_p|^2. Without it nothing would train the
    prior, which a planner rolls out."""

    statistics = UnitMean

    def imagine(self, state, action, noise):
        return super().imagine(state, action, torch.zeros_like(noise))

    def observe(self, state, action, embed, noise):
        state, prior, posterior = super().observe(state, action, embed, torch.zeros_like(noise))
        return state, prior, posterior.detach()


class SSM(nn.Module):
    """Stochastic only: a state is (stoch s). The posterior reads the previous
    state and the action through the prior's statistics alone."""

    def __init__(self, sizes, embed):
        super().__init__()
        self.sizes = sizes
        self.prior = Statistics(sizes.stoch + sizes.actions, sizes)
        self.posterior = Statistics(2 * sizes.stoch + embed, sizes)
        self.features_size = sizes.stoch

    def initial(self, rows):
        return (next(self.parameters()).new_zeros(rows, self.sizes.stoch),)

    def imagine(self, state, action, noise):
        prior = self.prior(state[0], action)
        return (prior.sample(noise),), prior

    def observe(self, state, action, embed, noise):
        prior = self.prior(state[0], action)
        posterior = self.posterior(prior.mean, prior.std, embed)
        return (posterior.sample(noise),), prior, posterior

    def features(self, state):
        return state[0]


class DRNN(nn.Module):
    """An encoder and a decoder network with a latent between them; a state is
    (encoder, decoder, stoch). Prior and posterior are the same network: the
    prior sees an embedding of zeros."""

    def __init__(self, sizes, embed, form):
        super().__init__()
        self.sizes, self.embed = sizes, embed
        self.encoder = gru(form, embed + sizes.actions + sizes.stoch, sizes.deter)
        self.latent = Statistics(2 * sizes.deter + sizes.stoch, sizes)
        self.decoder = gru(form, sizes.stoch, sizes.deter)
        self.features_size = sizes.deter

    def initial(self, rows):
        zeros = next(self.parameters()).new_zeros
        return zeros(rows, self.sizes.deter), zeros(rows, self.sizes.deter), zeros(rows, self.sizes.stoch)

    def step(self, state, action, embed, noise):
        encoder, decoder, stoch = state
        encoder = self.encoder(torch.cat([embed, action, stoch], 1), encoder)
        latent = self.latent(encoder, stoch, decoder)
        stoch = latent.sample(noise)
        return (encoder, self.decoder(stoch, decoder), stoch), latent

    def imagine(self, state, action, noise):
        return self.step(state, action, action.new_zeros(len(action), self.embed), noise)

    def observe(self, state, action, embed, noise):
        _, prior = self.imagine(state, action, noise)
        state, posterior = self.step(state, action, embed, noise)
        return state, prior, posterior

    def features(self, state):
        return state[1]

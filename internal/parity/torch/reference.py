"""PlaNet's world model in PyTorch, written from the paper's equations alone.

It shares no code with the Go model and keeps PyTorch's own layouts, so that
agreement means something. Images are channel-last [N, H, W, C] at the borders.
Nothing here draws random numbers: noise is an argument everywhere.
Source: Hafner et al. 2019 (arXiv 1811.04551), section 3 and appendix A.
"""
import torch
from torch import nn

from layers import MLP, Decoder, Encoder, Gaussian


class Model(nn.Module):
    """Encoder, transition, decoder and reward head."""

    def __init__(self, sizes, transition):
        super().__init__()
        self.sizes = sizes
        self.encoder = Encoder(sizes)
        self.transition = transition(sizes, self.encoder.size)
        self.decoder = Decoder(sizes, self.transition.features_size)
        self.reward = MLP(self.transition.features_size, sizes.reward, 1)

    def encode(self, images):
        """[B, L, H, W, C] -> [B, L, E]."""
        return self.encoder(images.flatten(0, 1)).unflatten(0, images.shape[:2])

    def decode(self, features):
        """[B, L, F] -> [B, L, H, W, C]."""
        return self.decoder(features.flatten(0, 1)).unflatten(0, features.shape[:2])

    def unroll(self, embed, actions, noise):
        """Filters chunks from the zero state; all arguments are [B, L, ...]."""
        state, states, priors, posteriors = self.transition.initial(len(actions)), [], [], []
        for t in range(actions.shape[1]):
            state, prior, posterior = self.transition.observe(state, actions[:, t], embed[:, t], noise[:, t])
            states.append(state)
            priors.append(prior)
            posteriors.append(posterior)
        return Sequence(self.transition, states, priors, posteriors)

    def dream(self, state, actions, noise):
        """Predicts from a state; all further arguments are [B, L, ...]."""
        states, priors = [], []
        for t in range(actions.shape[1]):
            state, prior = self.transition.imagine(state, actions[:, t], noise[:, t])
            states.append(state)
            priors.append(prior)
        return Sequence(self.transition, states, priors, [])


class Sequence:
    """States by time, and everything of them stacked to [B, L, ...]."""

    def __init__(self, transition, states, priors, posteriors):
        self.states = states
        self.features = torch.stack([transition.features(s) for s in states], 1)
        self.prior, self.posterior = stack(priors), stack(posteriors)


def stack(gaussians):
    if not gaussians:
        return None
    return Gaussian(torch.stack([g.mean for g in gaussians], 1), torch.stack([g.std for g in gaussians], 1))

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
    """Encoders, transition, decoders and heads."""

    def __init__(self, sizes, transition):
        super().__init__()
        self.sizes, embed = sizes, 0
        self.images, self.vectors = sizes.observe != "vector", sizes.observe != "image"
        if self.images:
            self.encoder = Encoder(sizes)
            embed += self.encoder.size
        if self.vectors:
            self.vector_encoder = MLP(sizes.vectors, sizes.vector_layers, sizes.vector_embed)
            embed += sizes.vector_embed
        self.transition = transition(sizes, embed)
        features = self.transition.features_size
        if self.images:
            self.decoder = Decoder(sizes, features)
        self.reward = MLP(features, sizes.reward, 1)
        if self.vectors:
            self.vector_decoder = MLP(features, sizes.vector_layers, sizes.vectors)
        if sizes.continues is not None:
            self.continues = MLP(features, sizes.continues, 1)
        if sizes.diagnostic:
            self.diagnostic = MLP(features, sizes.reward, sizes.vectors)

    def scale(self, vectors):
        """Vectors as the model reads and predicts them."""
        return torch.sign(vectors) * torch.log(1 + vectors.abs()) if self.sizes.symlog else vectors

    def unscale(self, vectors):
        return torch.sign(vectors) * (torch.exp(vectors.abs()) - 1) if self.sizes.symlog else vectors

    def embed(self, data):
        """images [B, L, H, W, C] and vectors [B, L, V] -> [B, L, E]."""
        parts = []
        if self.images:
            parts.append(self.encoder(data["images"].flatten(0, 1)).unflatten(0, data["images"].shape[:2]))
        if self.vectors:
            parts.append(self.vector_encoder(self.scale(data["vectors"])))
        return torch.cat(parts, -1)

    def decode(self, features):
        """[B, L, F] -> [B, L, H, W, C]."""
        return self.decoder(features.flatten(0, 1)).unflatten(0, features.shape[:2])

    def observe(self, data):
        """Filters the records of data from the zero state."""
        return self.unroll(self.embed(data), data["actions"], data["noise"])

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

"""The training objective in PyTorch and its options, from the equations.

Image terms sum over pixels and channels, latent terms over components; all are
means over chunks and time. Source: Hafner et al. 2019, equations 3 to 7; the
profiles are what published code weighs the terms with.
"""
import dataclasses

import torch

from layers import Gaussian


@dataclasses.dataclass(frozen=True)
class Objective:
    """Weights and forms of the terms."""

    image_scale: float = 1.0  # of 1/2 |o - o^|^2
    reward_scale: float = 10.0  # of 1/2 (r - r^)^2
    kl_scale: float = 1.0
    free_nats: float = 3.0
    # excess: max(0, KL-F), floor: max(F, KL), both for each chunk and step;
    # mean: max(F, mean KL).
    free_form: str = "excess"
    # balance a: a KL(sg q || p) + (1-a) KL(q || sg p), free nats on each part.
    # None: KL(q || p).
    balance: float = None
    global_scale: float = 0.0  # of KL(q || N(0, 1)), without free nats
    overshooting: int = 1  # the largest distance D; 1: none
    overshooting_scale: float = 1.0


def clip(kl, objective):
    """Free nats: the loss of KL values [B, L], a scalar."""
    free = torch.as_tensor(objective.free_nats, dtype=kl.dtype)
    if objective.free_form == "excess":
        return torch.relu(kl - free).mean()
    if objective.free_form == "floor":
        return torch.where(kl > free, kl, free).mean()
    return torch.where(kl.mean() > free, kl.mean(), free)


def kl_loss(sequence, objective):
    posterior, prior = sequence.posterior, sequence.prior
    if objective.balance is None:
        return clip(posterior.kl(prior), objective)
    return (objective.balance * clip(posterior.detach().kl(prior), objective)
            + (1 - objective.balance) * clip(posterior.kl(prior.detach()), objective))


def overshooting(model, sequence, actions, noise, objective):
    """Mean over distances d = 2..D of the mean over valid targets j of
    max(0, KL(sg q_j || p_j^(d)) - F), where p^(d)_j is the prior after d steps
    without observations from the posterior state of j-d; index -1 is the zero
    state. noise[d] is [B, L, Z]: what the state at j is sampled with on the
    rollouts that have taken d steps when they reach j."""
    length, total = actions.shape[1], 0.0
    starts = [model.transition.initial(len(actions)), *sequence.states]  # starts[j] is the state at j-1
    for distance in range(2, objective.overshooting + 1):
        terms = []
        for target in range(distance - 1, length):
            state = starts[target - distance + 1]
            for step in range(1, distance + 1):
                at = target - distance + step
                state, prior = model.transition.imagine(state, actions[:, at], noise[step][:, at])
            posterior = Gaussian(sequence.posterior.mean[:, target], sequence.posterior.std[:, target]).detach()
            terms.append(posterior.kl(prior))
        total = total + clip(torch.stack(terms, 1), objective)
    return total / (objective.overshooting - 1)


def losses(model, objective, images, actions, rewards, noise, overshooting_noise=None):
    """All terms, unweighted, and their weighted sum "total"."""
    sequence = model.unroll(model.encode(images), actions, noise)
    predicted = model.reward(sequence.features).squeeze(-1)
    out = {
        "image": (model.decode(sequence.features) - images).square().flatten(2).sum(2).mean() / 2,
        "reward": (predicted - rewards).square().mean() / 2,
        "kl": sequence.posterior.kl(sequence.prior).mean(),
        "kl_clipped": kl_loss(sequence, objective),
        "prior_entropy": sequence.prior.entropy().mean(),
        "posterior_entropy": sequence.posterior.entropy().mean(),
    }
    out["total"] = (objective.image_scale * out["image"] + objective.reward_scale * out["reward"]
                    + objective.kl_scale * out["kl_clipped"])
    if objective.global_scale:
        post = sequence.posterior
        standard = Gaussian(torch.zeros_like(post.mean), torch.ones_like(post.std))
        out["global"] = post.kl(standard).mean()
        out["total"] = out["total"] + objective.global_scale * out["global"]
    if objective.overshooting > 1:
        out["overshooting"] = overshooting(model, sequence, actions, overshooting_noise, objective)
        out["total"] = out["total"] + objective.overshooting_scale * out["overshooting"]
    return out

"""The training objective in PyTorch and its options, from the equations.

Image terms sum over pixels and channels, latent terms over components; all are
means over chunks and time. Source: Hafner et al. 2019, equations 3 to 7.
PROFILES of fixtures.py has the weights of published texts and codes.
"""
import dataclasses

import torch


@dataclasses.dataclass(frozen=True)
class Objective:
    """Weights and forms of the terms."""

    image_scale: float = 1.0  # of 1/2 |o - o^|^2
    reward_scale: float = 10.0  # of 1/2 (r - r^)^2
    vector_scale: float = 1.0  # of 1/2 |v - v^|^2
    continue_scale: float = 10.0
    kl_scale: float = 1.0
    free_nats: float = 3.0
    # excess: max(0, KL-F), floor: max(F, KL), both for each chunk and step;
    # mean: max(F, mean KL).
    free_form: str = "excess"
    # balance a: a KL(sg q || p) + (1-a) KL(q || sg p), free nats on each part.
    # None: KL(q || p).
    balance: float = None
    global_scale: float = 0.0  # of KL(q || N(0, 1)), without free nats
    overshooting: str = ""  # clean, google or kaixhin: see overshooting.py
    distance: int = 1  # the largest, D
    overshooting_scale: float = 1.0
    overshooting_reward_scale: float = 0.0  # of 1/2 (r - r^)^2
    detached: bool = False  # no gradient into the states where rollouts start
    sum_over_time: bool = False  # of the total only
    reversed: bool = False  # KL(p || q) in place of KL(q || p)


def allow(kl, objective):
    """Free nats of each value."""
    free = kl.new_full((), objective.free_nats)
    if objective.free_form == "excess":
        return torch.relu(kl - free)
    return torch.where(kl > free, kl, free)


def clip(kl, objective):
    """Free nats: the loss of KL values [B, L], a scalar."""
    return allow(kl.mean(), objective) if objective.free_form == "mean" else allow(kl, objective).mean()


def kl_loss(sequence, objective):
    posterior, prior = sequence.posterior, sequence.prior
    if objective.reversed:
        return clip(prior.kl(posterior), objective)
    if objective.balance is None:
        return clip(posterior.kl(prior), objective)
    return (objective.balance * clip(posterior.detach().kl(prior), objective)
            + (1 - objective.balance) * clip(posterior.kl(prior.detach()), objective))

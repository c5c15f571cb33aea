"""Latent overshooting in PyTorch, by three definitions.

Hafner et al. 2019, section 4 and equation 7: predictions over d steps without
observations are compared with the posteriors of the records they reach, which
are targets and get no gradient. Records are counted from 0 and -1 is the zero
state before them.
"""
import torch

from layers import Gaussian
from objective import allow


def rollouts(model, sequence, actions, noise, starts, distance, grow):
    """Priors and states by (start, d), d steps after the posterior state at
    start. noise[d] is [B, L, Z]: what a state at t is sampled with if it is d
    steps from an observation. grow says which parts of a start get a gradient."""
    out, states = {}, [model.transition.initial(len(actions)), *sequence.states]
    for start in starts:
        state = tuple(x if keep else x.detach() for x, keep in zip(states[start + 1], grow))
        for d in range(1, min(distance, actions.shape[1] - 1 - start) + 1):
            at = start + d
            state, prior = model.transition.imagine(state, actions[:, at], noise[d][:, at])
            out[start, d] = prior, state
    return out


def divergence(sequence, t, prior):
    posterior = Gaussian(sequence.posterior.mean[:, t], sequence.posterior.std[:, t]).detach()
    return posterior.kl(prior)


def by_distance(values, distance):
    """Mean over distances 2..D of the mean over what they reach."""
    means = [torch.stack([v for (_, d), v in values.items() if d == k]).mean() for k in range(2, distance + 1)]
    return sum(means) / (distance - 1)


def clean(model, sequence, actions, rewards, noise, objective):
    """Distances 2..D, each with the same weight; rewards of predicted states."""
    grow = (not objective.detached,) * len(sequence.states[0])
    steps = rollouts(model, sequence, actions, noise, range(-1, actions.shape[1] - 1), objective.distance, grow)
    kls = {k: allow(divergence(sequence, sum(k), prior), objective) for k, (prior, _) in steps.items()}
    errors = {k: half_square(model, state, rewards[:, sum(k)]) for k, (_, state) in steps.items()}
    return by_distance(kls, objective.distance), by_distance(errors, objective.distance)


def google(model, sequence, actions, rewards, noise, objective):
    """The first release of the paper's code (b33f0d5): the same divergences, but
    records that no prediction reaches count as divergences of zero, of which
    free nats of the form floor are left, while the sum is divided by the number
    of those reached. Rewards are those of the posterior states reached, without
    gradient into them, divided by all B*L*(D-1) entries."""
    kl, _ = clean(model, sequence, actions, rewards, noise, objective)
    unreached = allow(actions.new_zeros(()), objective)
    length, total = actions.shape[1], 0.0
    for d in range(2, objective.distance + 1):
        reached = range(d - 1, length)
        kl = kl + unreached * (d - 1) / len(reached) / (objective.distance - 1)
        for t in reached:
            state = tuple(x.detach() for x in sequence.states[t])
            total = total + half_square(model, state, rewards[:, t]).sum()
    return kl, total / (len(actions) * length * (objective.distance - 1))


def kaixhin(model, sequence, actions, rewards, noise, objective):
    """Kaixhin/PlaNet (28c8491), with its indices: distances 1..D from records
    1..L-2, padded to D with divergences of zero, which free nats of the form
    floor count. The stochastic part of a start gets no gradient."""
    length, distance = actions.shape[1], objective.distance
    steps = rollouts(model, sequence, actions, noise, range(1, length - 1), distance, (not objective.detached, False))
    count = distance * (length - 2) * len(actions)
    padding = actions.new_zeros(count - len(steps) * len(actions))
    kls = torch.cat([divergence(sequence, sum(k), prior) for k, (prior, _) in steps.items()] + [padding])
    errors = torch.cat([half_square(model, state, rewards[:, sum(k)]) for k, (_, state) in steps.items()] + [padding])
    weight = (length - 1) / distance
    return allow(kls, objective).mean() * weight, errors.mean() * weight


def half_square(model, state, rewards):
    return (model.reward(model.transition.features(state))[:, 0] - rewards).square() / 2


def terms(model, sequence, actions, rewards, noise, objective):
    """The divergence and the reward error, both unweighted."""
    return {"clean": clean, "google": google, "kaixhin": kaixhin}[objective.overshooting](
        model, sequence, actions, rewards, noise, objective)

"""The cross-entropy method in the model's imagination, as a fixture.

Source: Hafner et al. 2019, algorithm 2; population standard deviation of the
elites, actions clipped before they are evaluated, no discount.
"""
import torch

HORIZON, ITERATIONS, CANDIDATES, ELITES = 5, 3, 24, 6


def cem(model, starts, noises):
    """Plans for each start state alone: [A], [H, A] and [H, A], scores [I, J]."""
    plans = [search(model, tuple(x[e:e + 1] for x in starts), [(a[:, e], l[:, e]) for a, l in noises])
             for e in range(len(starts[0]))]
    mean, std, scores = (torch.stack(x) for x in zip(*plans))
    elites = scores.topk(ELITES, -1).values
    gap = elites[..., -1] - scores.topk(ELITES + 1, -1).values[..., -1]
    assert gap.min() > 1e-3, "elites too close to call"
    return {
        "plan/action": mean[:, 0], "plan/mean": mean, "plan/std": std,
        "plan/best": elites[..., 0].T, "plan/mean_score": scores.mean(-1).T, "plan/elite_score": elites.mean(-1).T,
    }


def search(model, start, noises):
    actions = noises[0][0].shape[-1]
    mean, std, history = torch.zeros(HORIZON, actions), torch.ones(HORIZON, actions), []
    for action_noise, latent_noise in noises:  # [H, J, A], [H, J, Z]
        candidates = (mean[:, None] + std[:, None] * action_noise).clamp(-1, 1)
        states = tuple(x.expand(CANDIDATES, -1) for x in start)
        dream = model.dream(states, candidates.transpose(0, 1), latent_noise.transpose(0, 1))
        scores = model.reward(dream.features)[..., 0].sum(1)
        elites = candidates[:, scores.topk(ELITES).indices]
        mean, std = elites.mean(1), elites.std(1, unbiased=False)
        history.append(scores)
    return mean, std, torch.stack(history)


def fixture(model, starts, normal):
    """A plan from each of the states, and the noise that the search used:
    plan/action_<i> [H, E, J, A] and plan/latent_<i> [H, E*J, Z]."""
    sizes, envs = model.sizes, len(starts[0])
    noises = [(normal(HORIZON, envs, CANDIDATES, sizes.actions), normal(HORIZON, envs, CANDIDATES, sizes.stoch))
              for _ in range(ITERATIONS)]
    out = {}
    for i, (action, latent) in enumerate(noises):
        out[f"plan/action_{i}"], out[f"plan/latent_{i}"] = action, latent.flatten(1, 2)
    return {**out, **cem(model, starts, noises)}

"""All terms of the objective and their weighted sum."""
import torch
from torch.nn import functional as F

import overshooting
from layers import Gaussian
from objective import kl_loss


def half_square(predicted, target):
    """1/2 |x - y|^2, summed from the third axis on, a mean over the first two."""
    return (predicted - target).square().flatten(2).sum(2).mean() / 2


def evidence(model, data, features):
    """The terms that compare predictions with records."""
    out = {"reward": half_square(model.reward(features), data["rewards"][..., None])}
    if model.images:
        out["image"] = half_square(model.decode(features), data["images"])
    if model.vectors:
        out["vector"] = half_square(model.vector_decoder(features), model.scale(data["vectors"]))
    if model.sizes.continues is not None:
        logits = model.continues(features)[..., 0]
        out["continue"] = F.binary_cross_entropy_with_logits(logits, data["continues"])
    if model.sizes.diagnostic:
        out["diagnostic"] = half_square(model.diagnostic(features.detach()), model.scale(data["vectors"]))
    return out


def latent(objective, sequence):
    """The terms that compare distributions, and what to watch of them."""
    posterior, prior = sequence.posterior, sequence.prior
    kl = prior.kl(posterior) if objective.reversed else posterior.kl(prior)
    out = {
        "kl": kl.mean(), "kl_clipped": kl_loss(sequence, objective),
        "prior_entropy": prior.entropy().mean(), "posterior_entropy": posterior.entropy().mean(),
    }
    if objective.global_scale:
        standard = Gaussian(torch.zeros_like(posterior.mean), torch.ones_like(posterior.std))
        out["kl_global"] = posterior.kl(standard).mean()
    return out


def losses(model, objective, data):
    """All terms, unweighted, and their weighted sum "total"."""
    sequence = model.observe(data)
    out = {**evidence(model, data, sequence.features), **latent(objective, sequence)}
    if objective.overshooting:
        out["overshooting"], out["overshooting_reward"] = overshooting.terms(
            model, sequence, data["actions"], data["rewards"], data["rollout_noise"], objective)
    scales = {
        "image": objective.image_scale, "vector": objective.vector_scale, "reward": objective.reward_scale,
        "continue": objective.continue_scale, "diagnostic": 1, "kl_clipped": objective.kl_scale,
        "kl_global": objective.global_scale, "overshooting": objective.overshooting_scale,
        "overshooting_reward": objective.overshooting_reward_scale,
    }
    out["total"] = sum(scale * out[name] for name, scale in scales.items() if name in out)
    if objective.sum_over_time:
        out["total"] = out["total"] * data["rewards"].shape[1]
    return out

"""All terms of the objective and their weighted sum."""
import torch

import overshooting
from layers import Gaussian
from objective import kl_loss


def losses(model, objective, images, actions, rewards, noise, overshooting_noise=None):
    """All terms, unweighted, and their weighted sum "total"."""
    sequence = model.unroll(model.encode(images), actions, noise)
    predicted = model.reward(sequence.features).squeeze(-1)
    kl = sequence.prior.kl(sequence.posterior) if objective.reversed else sequence.posterior.kl(sequence.prior)
    out = {
        "image": (model.decode(sequence.features) - images).square().flatten(2).sum(2).mean() / 2,
        "reward": (predicted - rewards).square().mean() / 2,
        "kl": kl.mean(),
        "kl_clipped": kl_loss(sequence, objective),
        "prior_entropy": sequence.prior.entropy().mean(),
        "posterior_entropy": sequence.posterior.entropy().mean(),
    }
    out["total"] = (objective.image_scale * out["image"] + objective.reward_scale * out["reward"]
                    + objective.kl_scale * out["kl_clipped"])
    if objective.global_scale:
        post = sequence.posterior
        standard = Gaussian(torch.zeros_like(post.mean), torch.ones_like(post.std))
        out["kl_global"] = post.kl(standard).mean()
        out["total"] = out["total"] + objective.global_scale * out["kl_global"]
    if objective.overshooting:
        kl, reward = overshooting.terms(model, sequence, actions, rewards, overshooting_noise, objective)
        out["overshooting"], out["overshooting_reward"] = kl, reward
        out["total"] = (out["total"] + objective.overshooting_scale * kl
                        + objective.overshooting_reward_scale * reward)
    if objective.sum_over_time:
        out["total"] = out["total"] * images.shape[1]
    return out

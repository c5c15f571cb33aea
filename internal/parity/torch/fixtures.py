"""Writes the numbers that the Go tests compare the world model with.

    python3 internal/parity/torch/fixtures.py internal/parity/testdata/torch

Weights and inputs are rounded to float32, everything else is computed from them
in float64 and rounded once, when it is written: the differences that the tests
see are the Go model's own.
"""
import dataclasses
import math
import pathlib
import sys
import typing
from functools import partial

import numpy as np
import torch

import adam
import checks
import mapping
import planner
from data import LENGTH, batch, float32, normal
from layers import Sizes
from losses import losses
from objective import Objective
from reference import Model
from transitions import DRNN, SSM, RSSM, Deterministic

CONTEXT = 5
SMALL = Sizes(height=18, width=13, channels=2, depth=2, deter=9, stoch=5, hidden=7, reward=(6, 8))


class Case(typing.NamedTuple):
    """A file: a model, how widely the weights of its statistics are spread, and
    the objectives evaluated on it. Divergences lie on both sides of free_nats."""

    sizes: Sizes
    transition: typing.Callable
    spread: float
    free_nats: float
    seed: int = 1
    variants: dict = {}

    def objectives(self):
        return {"default": Objective(free_nats=self.free_nats), **self.variants}


# Of published texts and codes: the weights of the Go model's profiles.
PROFILES = {
    "paper": Objective(reward_scale=1, sum_over_time=True),
    "google": Objective(
        image_scale=2, reward_scale=20, free_nats=2, free_form="floor", global_scale=0.1,
        overshooting="google", distance=LENGTH, overshooting_reward_scale=200),
    "google_camera_ready": Objective(free_form="floor"),
    "kaixhin": Objective(image_scale=2, reward_scale=2, free_form="floor"),
    "cross32768": Objective(reward_scale=1, free_form="floor", reversed=True),
    "dreamer": Objective(reward_scale=1, free_form="mean"),
    "dreamer_v2": Objective(reward_scale=1, free_nats=1, free_form="mean", balance=0.8),
    # KL(sg q || p) + 0.1 KL(q || sg p), each at least 1.
    "dreamer_v3": Objective(reward_scale=1, free_nats=1, free_form="floor", balance=1 / 1.1, kl_scale=1.1),
}
VARIANTS = {
    **PROFILES,
    "mean_below": Objective(free_form="mean", free_nats=20),
    "balanced": Objective(balance=0.8),
    "global": Objective(global_scale=0.1),
    "clean": Objective(overshooting="clean", distance=4, overshooting_scale=0.7, overshooting_reward_scale=3),
    "clean_detached": Objective(overshooting="clean", distance=3, detached=True),
    "kaixhin_overshooting": Objective(
        image_scale=2, reward_scale=2, free_form="floor",
        overshooting="kaixhin", distance=5, overshooting_reward_scale=2),
}
BEFORE, AFTER = {"form": "reset_before"}, {"form": "reset_after"}
CASES = {
    "rssm-paper": Case(Sizes(), partial(RSSM, **BEFORE), 1.5, 3),
    "rssm-reset_before": Case(SMALL, partial(RSSM, **BEFORE), 1.8, 1),
    "rssm-reset_after": Case(SMALL, partial(RSSM, **AFTER), 1.8, 3, variants=VARIANTS),
    "deterministic": Case(SMALL, partial(Deterministic, **BEFORE), 1.6, 0),
    "ssm": Case(SMALL, SSM, 0.7, 3),
    "drnn-reset_before": Case(SMALL, partial(DRNN, **BEFORE), 1.6, 0.5),
    "drnn-reset_after": Case(SMALL, partial(DRNN, **AFTER), 1.6, 0.5, seed=4),
}
VECTORS = dataclasses.replace(SMALL, vectors=3)
CASES["vector"] = Case(dataclasses.replace(VECTORS, observe="vector"), partial(RSSM, **BEFORE), 0.8, 4)
CASES["heads"] = Case(
    dataclasses.replace(VECTORS, observe="both", symlog=True, continues=(5,), diagnostic=True),
    partial(RSSM, **BEFORE), 1.2, 4)
# The case whose model is also updated by Adam.
UPDATED = "rssm-reset_before"
# The case whose model also plans.
PLANNED = "rssm-reset_after"


def gain(name, p, spread):
    """The spread of a parameter's values: every kind off zero, large enough to
    matter, and divergences on both sides of the free nats."""
    if p.dim() == 1:
        return 0.2
    if "deconvs" in name:  # [in, out, height, width], stride 2
        return 2.6 / math.sqrt(p.shape[0] * p[0, 0].numel())
    if "convs" in name:
        return 2 / math.sqrt(p[0].numel())
    return (spread if "stats" in name else 1.3) / math.sqrt(p[0].numel())


def build(case, generator):
    model = Model(case.sizes, case.transition).double()
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(float32(gain(name, p, case.spread) * normal(generator, *p.shape)))
    return model


def trajectories(model, data):
    """What the model computes on the way: closed loop, and open loop from the
    state after CONTEXT records, with the same noise."""
    seq = model.observe(data)
    tail = (data[k][:, CONTEXT:] for k in ("actions", "noise"))
    dream = model.dream(seq.states[CONTEXT - 1], *tail)
    decoded = {"decoded": model.decode(seq.features)[:, ::10]} if model.images else {}
    if model.vectors:
        decoded["decoded_vectors"] = model.unscale(model.vector_decoder(seq.features))
    return {
        "embed": model.embed(data), "features": seq.features,
        "prior_mean": seq.prior.mean, "prior_std": seq.prior.std,
        "posterior_mean": seq.posterior.mean, "posterior_std": seq.posterior.std,
        "dream_features": dream.features, "dream_mean": dream.prior.mean, "dream_std": dream.prior.std,
        "predicted_rewards": model.reward(seq.features)[..., 0], **decoded,
    }


def evaluate(name, case):
    generator = torch.Generator().manual_seed(case.seed)
    model, data = build(case, generator), batch(case.sizes, generator)
    out = {"param/" + k: v for k, v in mapping.values(model).items()}
    unused = {"images"} if case.variants else {"images", "rollout_noise"}
    out.update({k: v for k, v in data.items() if k not in unused})
    out.update(trajectories(model, data))
    for label, objective in case.objectives().items():
        model.zero_grad()
        terms = losses(model, objective, data)
        terms["total"].backward()
        out.update({f"{label}/loss/{k}": v for k, v in terms.items()})
        out.update({f"{label}/grad/{k}": v for k, v in mapping.gradients(model).items()})
        print(name, label, {k: round(v.item(), 4) for k, v in terms.items()})
    if name == PLANNED:
        last = model.observe(data).states[-1]
        with torch.no_grad():
            out.update(planner.fixture(model, last, partial(normal, generator)))
    if name == UPDATED:
        out.update(adam.of_model(model, case.objectives()["default"], data, clip=50))
    return out


def save(path, tensors):
    arrays = {k: v.detach().contiguous().numpy() for k, v in sorted(tensors.items())}
    np.savez_compressed(path, **{k: a.astype(np.float32) if a.dtype == np.float64 else a for k, a in arrays.items()})


def main(folder):
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    checks.run()
    folder.mkdir(parents=True, exist_ok=True)
    for name, case in CASES.items():
        save(folder / (name + ".npz"), evaluate(name, case))
    save(folder / "adam.npz", adam.alone(torch.Generator().manual_seed(1)))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))

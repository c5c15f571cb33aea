"""Writes a checkpoint of Kaixhin/PlaNet and what that code computes with it.

    git clone https://github.com/Kaixhin/PlaNet ~/planet  # commit 28c8491
    python3 internal/parity/torch/kaixhin.py ~/planet internal/parity/testdata/kaixhin

The modules are that repository's own, imported from the clone, and torch.save
writes the dictionary that its main.py writes. Four large kernels are thin:
most of their weights are zero, so that the file compresses to a fraction.
"""
import gzip
import importlib
import io
import math
import pathlib
import sys

import numpy as np
import torch

BELIEF, STATE, HIDDEN, EMBED, ACTIONS = 16, 4, 16, 1024, 2
RECORDS, CONTEXT, BINS, FREE_NATS = 16, 5, 32, 3.0
LARGE = 20_000  # weights; larger kernels are thin
SHARE = 0.02  # of their weights that are not zero


def fill(name, p, generator):
    """Random weights, large enough to matter; thin kernels hold few values."""
    noise = torch.randn(p.shape, generator=generator)
    if p.dim() == 1:
        return 0.1 * noise
    transposed = p.dim() == 4 and name.startswith("observation_model")
    fan = p.shape[0] * p[0, 0].numel() / 4 if transposed else p[0].numel()
    if p.numel() < LARGE:
        return 1.3 / math.sqrt(fan) * noise
    kept = torch.rand(p.shape, generator=generator) < SHARE
    return torch.where(kept, 1.3 / math.sqrt(fan * SHARE) * (4 * noise).round() / 4, torch.zeros(()))


def build(models, generator):
    parts = {
        "transition_model": models.TransitionModel(BELIEF, STATE, ACTIONS, HIDDEN, EMBED),
        "observation_model": models.ObservationModel(False, None, BELIEF, STATE, EMBED),
        "reward_model": models.RewardModel(BELIEF, STATE, HIDDEN),
        "encoder": models.Encoder(False, None, EMBED),
    }
    with torch.no_grad():
        for part, module in parts.items():
            for name, p in module.named_parameters():
                p.copy_(fill(f"{part}.{name}", p, generator))
    return parts


def checkpoint(parts):
    """The dictionary of main.py. One step without gradients of the small tensors
    gives the optimiser a state and leaves the weights alone."""
    parameters = [p for module in parts.values() for p in module.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=1e-3, eps=1e-4)
    for p in parameters:
        p.grad = torch.zeros_like(p) if p.numel() < LARGE else None
    optimiser.step()
    return {**{k: m.state_dict() for k, m in parts.items()}, "optimiser": optimiser.state_dict()}


def episode(generator):
    """An episode as a run directory holds it: a disc over a gradient."""
    rows, columns = torch.linspace(-1, 1, 64)[:, None], torch.linspace(-1, 1, 64)[None, :]
    image = torch.empty(RECORDS, 64, 64, 3)
    for t in range(RECORDS):
        disc = (rows - 0.6 * math.sin(t)) ** 2 + (columns - 0.5 * math.cos(t)) ** 2 < 0.08
        for c in range(3):
            image[t, :, :, c] = torch.where(disc, torch.tensor(0.9 - 0.3 * c), 0.5 + 0.3 * torch.sin(2 * rows + (3 - c) * columns + c))
    out = {
        "image": (image * 256).floor().clamp(0, 255).byte(),
        "action": torch.rand(RECORDS, ACTIONS, generator=generator) * 2 - 1,
        "reward": torch.rand(RECORDS, generator=generator) * 4,
        "continue": torch.ones(RECORDS),
    }
    out["action"][0], out["reward"][0] = 0, 0
    return out


def images(data):
    """Bytes to what the model sees, at 5 bits: the centres of the bins."""
    bins = torch.div(data["image"], 256 // BINS, rounding_mode="floor").float()
    return ((bins + 0.5) / BINS - 0.5).permute(0, 3, 1, 2).contiguous()


def filtered(parts, data, observations):
    """The path of posterior means. One record at a time, so that the samples
    that the transition draws are never used."""
    belief, state, steps = torch.zeros(1, BELIEF), torch.zeros(1, STATE), []
    embed = parts["encoder"](observations)
    for t in range(RECORDS):
        out = parts["transition_model"](state, data["action"][t][None, None], belief, embed[t][None, None])
        beliefs, _, prior_mean, prior_std, _, mean, std = (x[0] for x in out)
        belief, state = beliefs, mean
        steps.append((belief, state, prior_mean, prior_std, std))
    names = ("belief", "posterior_mean", "prior_mean", "prior_std", "posterior_std")
    return {"embed": embed, **{n: torch.cat(x) for n, x in zip(names, zip(*steps))}}


def scores(parts, data, observations, path):
    """Predictions and the terms of main.py, for each record."""
    normal = torch.distributions.Normal
    decoded = parts["observation_model"](path["belief"], path["posterior_mean"])
    reward = parts["reward_model"](path["belief"], path["posterior_mean"])
    kl = torch.distributions.kl_divergence(
        normal(path["posterior_mean"], path["posterior_std"]), normal(path["prior_mean"], path["prior_std"])).sum(1)
    return {
        "decoded": decoded.permute(0, 2, 3, 1), "predicted_reward": reward, "kl": kl,
        "observation_loss": (decoded - observations).square().sum((1, 2, 3)),
        "reward_loss": (reward - data["reward"]).square(),
        "kl_loss": torch.clamp(kl, min=FREE_NATS),
    }


def open_loop(parts, data, observations, path):
    """The squared error of images predicted without looking, along the means,
    from the state after CONTEXT records."""
    belief, state, errors = path["belief"][CONTEXT - 1:CONTEXT], path["posterior_mean"][CONTEXT - 1:CONTEXT], []
    for t in range(CONTEXT, RECORDS):
        beliefs, _, mean, _ = (x[0] for x in parts["transition_model"](state, data["action"][t][None, None], belief))
        belief, state = beliefs, mean
        errors.append((parts["observation_model"](belief, state)[0] - observations[t]).square().sum())
    return {"open_loop_loss": torch.stack(errors)}


def save(path, tensors):
    np.savez_compressed(path, **{k: v.detach().contiguous().numpy() for k, v in tensors.items()})


def main(clone, folder):
    sys.path.insert(0, clone)
    torch.use_deterministic_algorithms(True)
    generator = torch.Generator().manual_seed(7)
    parts = build(importlib.import_module("models"), generator)
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    torch.save(checkpoint(parts), buffer)
    (folder / "models_1.pth.gz").write_bytes(gzip.compress(buffer.getvalue(), 9, mtime=0))
    data = episode(generator)
    observations = images(data)
    # Weights and inputs are float32; the expected numbers come from float64.
    doubles = {k: m.double() for k, m in parts.items()}
    data64 = {k: v.double() if v.is_floating_point() else v for k, v in data.items()}
    with torch.no_grad():
        torch.set_default_dtype(torch.float64)
        path = filtered(doubles, data64, observations.double())
        inputs = doubles, data64, observations.double(), path
        expected = {**path, **scores(*inputs), **open_loop(*inputs)}
    save(folder / "episode.npz", data)
    expected["decoded"] = expected["decoded"][::4]
    save(folder / "expected.npz", {k: v.float() for k, v in expected.items()})
    for k in ("observation_loss", "reward_loss", "kl", "kl_loss"):
        print(k, expected[k].mean().item(), expected[k].tolist())


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))

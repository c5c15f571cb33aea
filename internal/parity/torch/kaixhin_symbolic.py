"""Writes a checkpoint of Kaixhin/PlaNet with --symbolic-env, which sees vectors
instead of images, and what that code computes with it.

    python3 internal/parity/torch/kaixhin_symbolic.py ~/planet internal/parity/testdata/kaixhin

See kaixhin.py.
"""
import importlib
import pathlib
import sys

import torch

import kaixhin

BELIEF, STATE, HIDDEN, EMBED, ACTIONS, VECTOR, RECORDS = 8, 3, 8, 12, 2, 5, 7


def build(models, generator):
    parts = {
        "transition_model": models.TransitionModel(BELIEF, STATE, ACTIONS, HIDDEN, EMBED),
        "observation_model": models.ObservationModel(True, VECTOR, BELIEF, STATE, EMBED),
        "reward_model": models.RewardModel(BELIEF, STATE, HIDDEN),
        "encoder": models.Encoder(True, VECTOR, EMBED),
    }
    with torch.no_grad():
        for part, module in parts.items():
            for name, p in module.named_parameters():
                p.copy_(kaixhin.fill(f"{part}.{name}", p, generator))
    return parts


def steps(parts, data):
    """The path of posterior means and what the heads predict from it."""
    belief, state, out = torch.zeros(1, BELIEF), torch.zeros(1, STATE), []
    embed = parts["encoder"](data["vector"])
    for t in range(RECORDS):
        found = parts["transition_model"](state, data["action"][t][None, None], belief, embed[t][None, None])
        beliefs, _, prior_mean, prior_std, _, mean, std = (x[0] for x in found)
        belief, state = beliefs, mean
        out.append((belief, prior_mean, prior_std, mean, std))
    names = ("belief", "prior_mean", "prior_std", "posterior_mean", "posterior_std")
    path = {n: torch.cat(x) for n, x in zip(names, zip(*out))}
    decoded = parts["observation_model"](path["belief"], path["posterior_mean"])
    reward = parts["reward_model"](path["belief"], path["posterior_mean"])
    return {
        "embed": embed, **path, "decoded": decoded, "predicted_reward": reward,
        "observation_loss": (decoded - data["vector"]).square().sum(1), "reward_loss": (reward - data["reward"]).square(),
    }


def main(clone, folder):
    sys.path.insert(0, clone)
    torch.use_deterministic_algorithms(True)
    generator = torch.Generator().manual_seed(11)
    parts = build(importlib.import_module("models"), generator)
    torch.save(kaixhin.checkpoint(parts), folder / "symbolic_1.pth")
    data = {
        "vector": torch.randn(RECORDS, VECTOR, generator=generator),
        "action": torch.rand(RECORDS, ACTIONS, generator=generator) * 2 - 1,
        "reward": torch.rand(RECORDS, generator=generator),
    }
    with torch.no_grad():
        torch.set_default_dtype(torch.float64)
        expected = steps({k: m.double() for k, m in parts.items()}, {k: v.double() for k, v in data.items()})
    kaixhin.save(folder / "symbolic.npz", {**data, **{k: v.float() for k, v in expected.items()}})


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))

"""Carries a checkpoint of the paper's size from PyTorch through `orrery import`
and `orrery score`, and compares the numbers.

    go build -o orrery ./cmd/orrery
    python3 internal/parity/torch/kaixhin_score.py ~/planet ./orrery

The modules are those of Kaixhin/PlaNet (see kaixhin.py) as it initialises them,
with the statistics' layers enlarged so that divergences lie on both sides of the
free nats. Nothing is kept.
"""
import importlib
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch

import kaixhin

TOLERANCE = 1e-4


def enlarge(parts):
    transition = parts["transition_model"]
    with torch.no_grad():
        for layer in (transition.fc_state_prior, transition.fc_state_posterior):
            layer.weight.mul_(12)


def expect(parts, data):
    doubles = {k: m.double() for k, m in parts.items()}
    data = {k: v.double() if v.is_floating_point() else v for k, v in data.items()}
    with torch.no_grad():
        torch.set_default_dtype(torch.float64)
        observations = kaixhin.images(data).double()
        path = kaixhin.filtered(doubles, data, observations)
        scores = kaixhin.scores(doubles, data, observations, path)
        ahead = kaixhin.open_loop(doubles, data, observations, path)["open_loop_loss"]
    mean = {k: v.mean().item() for k, v in scores.items()}
    return {
        "image": mean["observation_loss"] / 2, "reward": mean["reward_loss"] / 2,
        "kl": mean["kl"], "kl_clipped": mean["kl_loss"],
        "total": mean["observation_loss"] + mean["reward_loss"] + mean["kl_loss"],
        **{f"{n} ahead": ahead[n - 1].item() / 2 for n in (1, 5, 10)},
    }


def scored(orrery, folder, backend):
    run = [orrery, "score", "--checkpoint", folder / "planet.safetensors", "--episodes", folder / "episodes",
           "--profile", "kaixhin", "--deterministic", "--precision", "f32", "--backend", backend, "--json"]
    report = json.loads(subprocess.run(run, check=True, capture_output=True, text=True).stdout)
    return {**report["losses"], **{f"{n} ahead": v for n, v in report["open_loop"]["image"].items()}}


def main(clone, orrery):
    sys.path.insert(0, clone)
    models = importlib.import_module("models")
    kaixhin.BELIEF, kaixhin.STATE, kaixhin.HIDDEN, kaixhin.ACTIONS = 200, 30, 200, 6
    kaixhin.fill = lambda name, p, generator: p.clone()
    torch.manual_seed(3)
    generator = torch.Generator().manual_seed(3)
    parts = kaixhin.build(models, generator)
    enlarge(parts)
    data = kaixhin.episode(generator)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        torch.save(kaixhin.checkpoint(parts), folder / "models_1.pth")
        (folder / "episodes").mkdir()
        np.savez(folder / "episodes" / "000000.npz", **{k: v.numpy() for k, v in data.items()})
        subprocess.run([orrery, "import", folder / "models_1.pth", "-o", folder / "planet.safetensors"], check=True)
        got = {b: scored(orrery, folder, b) for b in ("cpu", "go")}
    worst = 0
    for term, want in expect(parts, data).items():
        errors = {b: abs(values[term] - want) / abs(want) for b, values in got.items()}
        worst = max(worst, *errors.values())
        print(f"{term:12} PyTorch {want:14.8f}  " + "  ".join(f"{b} {got[b][term]:14.8f} ({e:.1e})" for b, e in errors.items()))
    if worst > TOLERANCE:
        sys.exit(f"relative distance {worst:.2g}, allowed is {TOLERANCE}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])

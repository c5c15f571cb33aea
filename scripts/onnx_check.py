#!/usr/bin/env python3
"""Runs a model's ONNX graphs in onnxruntime and compares them with the model.

    pip install onnx onnxruntime
    go build -o orrery ./cmd/orrery
    scripts/onnx_check.py ./orrery runs/cartpole-swingup ...

Each run is exported, its graphs are checked by ONNX's own checker, and its
episodes are filtered along the means of the posteriors. The loss terms that
follow must be those of `orrery score --deterministic`.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

TOLERANCE = 1e-4


class Graph:
    def __init__(self, folder, name):
        path = folder / f"{name}.onnx"
        onnx.checker.check_model(onnx.load(path), full_check=True)
        self.session = onnxruntime.InferenceSession(path)
        self.inputs = {i.name: i.shape for i in self.session.get_inputs()}
        self.outputs = [o.name for o in self.session.get_outputs()]

    def __call__(self, values):
        found = self.session.run(None, {name: values[name] for name in self.inputs})
        return dict(zip(self.outputs, found))


def kl(q, p):
    ratio, distance = q["std"] / p["std"], (q["mean"] - p["mean"]) / p["std"]
    return (0.5 * (ratio ** 2 + distance ** 2 - 1) - np.log(ratio)).sum()


def symlog(x):
    return np.sign(x) * np.log1p(np.abs(x))


def centred(image, bits):
    return (image.astype("f8") // 2 ** (8 - bits) + 0.5) / 2 ** bits - 0.5


def losses(graphs, episode, config):
    """The terms of each record of an episode."""
    filtering, imagine, decode = graphs
    state = {n: np.zeros((1, s[1]), "f4") for n, s in filtering.inputs.items() if "next_" + n in filtering.outputs}
    scale = symlog if config["model"]["vector_transform"] == "symlog" else np.asarray
    for t in range(len(episode["reward"])):
        given = {**state, "action": episode["action"][t:t + 1], "noise": np.zeros((1, config["model"]["stoch_size"]), "f4")}
        given.update({k: episode[k][t:t + 1] for k in ("image", "vector") if k in filtering.inputs})
        posterior, prior = filtering(given), imagine(given)
        state = {n: posterior["next_" + n] for n in state}
        seen = decode(state)
        terms = {"kl": kl(posterior, prior), "reward": (posterior["reward"][0] - episode["reward"][t]) ** 2 / 2}
        if "image" in seen:
            terms["image"] = ((seen["image"][0] - centred(episode["image"][t], config["env"]["bit_depth"])) ** 2).sum() / 2
        if "vector" in seen:
            terms["vector"] = ((scale(seen["vector"][0].astype("f8")) - scale(episode["vector"][t].astype("f8"))) ** 2).sum() / 2
        yield terms


def check(orrery, run):
    score = subprocess.run([orrery, "score", "--checkpoint", run, "--episodes", f"{run}/episodes", "--deterministic",
                            "--precision", "f32", "--json"], check=True, capture_output=True, text=True)
    want = json.loads(score.stdout)["losses"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([orrery, "export", run, "--onnx", folder], check=True, capture_output=True)
        graphs = [Graph(pathlib.Path(folder), name) for name in ("filter", "imagine", "decode")]
    config = json.loads(graphs[0].session.get_modelmeta().custom_metadata_map["config"])
    records = [terms for path in sorted(pathlib.Path(run, "episodes").glob("*.npz")) for terms in losses(graphs, np.load(path), config)]
    got = {name: float(np.mean([r[name] for r in records])) for name in records[0]}
    errors = {name: abs(v - want[name]) / max(abs(want[name]), 1e-6) for name, v in got.items()}
    print(run, len(records), "records:", ", ".join(f"{n} {got[n]:.6g} ({errors[n]:.0e})" for n in got))
    return max(errors.values())


if __name__ == "__main__":
    worst = max(check(sys.argv[1], run) for run in sys.argv[2:])
    if worst > TOLERANCE:
        sys.exit(f"relative distance {worst:.2g}, allowed is {TOLERANCE}")

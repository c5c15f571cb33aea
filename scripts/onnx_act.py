#!/usr/bin/env python3
"""An agent on a model's ONNX graphs: NumPy and onnxruntime, nothing of Orrery.

    pip install numpy onnxruntime
    orrery export runs/cartpole-swingup --onnx cartpole-onnx

    agent = Agent("cartpole-onnx")
    agent.begin()                            # an episode
    action = agent.act({"image": image})     # uint8 [H, W, 3], at each decision

It plans by the cross-entropy method with the settings that the model was trained
with. Run as a program it plays toy-dot, whose rules are a few lines:

    scripts/onnx_act.py dot-onnx
"""
import json
import pathlib
import sys

import numpy as np
import onnxruntime


class Agent:
    def __init__(self, folder, seed=0):
        self.filter, self.imagine = (onnxruntime.InferenceSession(pathlib.Path(folder, f"{name}.onnx")) for name in ("filter", "imagine"))
        self.sizes = {i.name: i.shape[1] for i in self.filter.get_inputs() if len(i.shape) == 2}
        outputs = [o.name for o in self.filter.get_outputs()]
        self.parts = [name for name in self.sizes if "next_" + name in outputs]
        config = json.loads(self.filter.get_modelmeta().custom_metadata_map["config"])
        self.plan, self.random = config["plan"], np.random.default_rng(seed)

    def begin(self):
        self.state = {name: np.zeros((1, self.sizes[name]), "f4") for name in self.parts}
        self.action = np.zeros((1, self.sizes["action"]), "f4")

    def act(self, seen):
        """Takes in what is seen after the last action and chooses the next."""
        given = {**self.state, "action": self.action, **{name: x[None] for name, x in seen.items()}}
        self.state, _ = self.step(self.filter, given)
        self.action = np.clip(self.search()[None], -1, 1)
        return self.action[0]

    def step(self, graph, given):
        rows, names = len(given["action"]), [i.name for i in graph.get_inputs()]
        if "noise" in names:
            given = {**given, "noise": self.normal(rows, self.sizes["noise"])}
        found = dict(zip((o.name for o in graph.get_outputs()), graph.run(None, {name: given[name] for name in names})))
        return {name: found["next_" + name] for name in self.parts}, found["reward"]

    def search(self):
        horizon, candidates, elites = (self.plan[k] for k in ("horizon", "candidates", "elites"))
        mean, std = np.zeros((horizon, self.sizes["action"]), "f4"), 1
        for _ in range(self.plan["iterations"]):
            actions = np.clip(mean + std * self.normal(candidates, *mean.shape), -1, 1)
            state, score = {name: np.repeat(x, candidates, 0) for name, x in self.state.items()}, 0
            for t in range(horizon):
                state, reward = self.step(self.imagine, {**state, "action": actions[:, t]})
                score += reward
            best = actions[np.argsort(-score)[:elites]]
            mean, std = best.mean(0), best.std(0)
        return mean[0]

    def normal(self, *shape):
        return self.random.standard_normal(shape, "f4")


def dot(agent, size, steps=50):
    """An episode of toy-dot: steer a drifting dot to the centre. Its return."""
    random, total = agent.random, 0
    position, drift = random.uniform(-.8, .8, 2), random.uniform(-.02, .02, 2)
    places = (2 * np.arange(size) + 1) / size - 1
    agent.begin()
    for _ in range(steps):
        distance = np.hypot(places[None, :] - position[0], -places[:, None] - position[1])
        image = (255 * np.clip((.15 - distance) * size / 2 + .5, 0, 1) + .5).astype("u1")
        action = agent.act({"image": np.repeat(image[:, :, None], 3, 2)})
        position = np.clip(position + .1 * action + drift, -1, 1)
        total += 1 - np.hypot(*position) / np.sqrt(2)
    return total


if __name__ == "__main__":
    player = Agent(sys.argv[1])
    side = next(i.shape[1] for i in player.filter.get_inputs() if i.name == "image")
    returns = [dot(player, side) for _ in range(10)]
    print("returns", np.round(returns, 1), "median", round(float(np.median(returns)), 1))

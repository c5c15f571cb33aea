"""Writes golden.csv and golden.png: what dm_control itself observes, rewards and
draws.

    python3.10 -m venv /tmp/suite && /tmp/suite/bin/pip install dm_control==1.0.6 mujoco==2.2.2 'numpy<2'
    MUJOCO_GL=osmesa /tmp/suite/bin/python golden.py

Each case of a task starts in a given state: an initial one, one in the middle of
an episode of random actions, or one near the goal. From there one action is taken
three times. A line is

    task,case,what,values...

with what being

    qpos, qvel  the state
    edit        what the task writes into the model: the target's place (reacher
                x, y; finger x, z), or the coefficients of the tendons (point mass)
    before      the observation in that state, right after a reset to it
    action      three times the action
    rewards     of the three control steps
    after       the observation after them
    settled     cheetah only: the observation of a new episode whose six limited
                joints were drawn as in qpos

The pictures are 64x64, of the states of cases 1 and 2 one below the other, a
column for each task in the order of the lines.
"""

import os
import struct
import warnings
import zlib

import numpy as np

warnings.simplefilter("ignore")
from dm_control import suite  # noqa: E402

TASKS = [
    ("acrobot", "swingup"), ("acrobot", "swingup_sparse"), ("ball_in_cup", "catch"),
    ("cartpole", "balance"), ("cartpole", "balance_sparse"), ("cartpole", "swingup"), ("cartpole", "swingup_sparse"),
    ("cheetah", "run"), ("finger", "spin"), ("finger", "turn_easy"), ("finger", "turn_hard"),
    ("hopper", "hop"), ("hopper", "stand"), ("pendulum", "swingup"), ("point_mass", "easy"), ("point_mass", "hard"),
    ("reacher", "easy"), ("reacher", "hard"), ("walker", "run"), ("walker", "stand"), ("walker", "walk"),
]
CASES = 12  # a third of each kind
REPEAT = 3


def near_goal(domain, task, physics, random):
    """Moves a reset state to where the reward is likely, or likely soon."""
    q, v = physics.data.qpos, physics.data.qvel
    if domain == "cartpole":
        q[:] = random.uniform(-0.3, 0.3), random.uniform(-0.12, 0.12)
        v[:] = 0.3 * random.randn(2)
    elif domain == "cheetah":
        q[3:] = 0.1 * random.randn(6)
        v[0] = random.uniform(0, 12)
    elif domain == "finger":
        v[2] = random.uniform(-30, -12)
    elif domain == "ball_in_cup":
        q[:] = 0, 0, random.uniform(-0.03, 0.03), 0.35 + random.uniform(-0.03, 0.03)
        v[:] = 0.1 * random.randn(4)
    elif domain == "walker":
        q[:] = 0.1 * random.randn(9)
        v[1] = random.uniform(0, 9 if task == "run" else 1.2)
    elif domain == "hopper":
        q[:] = physics.model.qpos0 + 0.2 * random.randn(7)
        v[0] = random.uniform(0, 3)
    elif domain == "pendulum":
        q[:], v[:] = random.uniform(-0.3, 0.3), random.randn()
    elif domain == "acrobot":
        q[:], v[:] = 0.1 * random.randn(2), random.randn(2)
    elif domain == "point_mass":
        q[:], v[:] = random.uniform(-0.02, 0.02, 2), 0.05 * random.randn(2)
    physics.after_reset()
    model, data = physics.named.model, physics.named.data
    if domain == "reacher":
        model.geom_pos["target", ["x", "y"]] = data.geom_xpos["finger", ["x", "y"]] + (0.01 if task == "hard" else 0.03) * random.randn(2)
    if domain == "finger" and task != "spin":
        v[2] = random.uniform(-1, 1)
        model.site_pos["target", ["x", "z"]] = data.site_xpos["tip", ["x", "z"]] + 0.02 * random.randn(2)
    physics.after_reset()


def edits(domain, task, physics):
    model = physics.named.model
    if domain == "reacher":
        return model.geom_pos["target", ["x", "y"]]
    if domain == "finger" and task != "spin":
        return model.site_pos["target", ["x", "z"]]
    if domain == "point_mass":
        return physics.model.wrap_prm
    return []


def flat(observation):
    return np.concatenate([np.ravel(v) for v in observation.values()])


class Fractions:
    """Stands in for a RandomState: draws are given fractions of the range."""

    def __init__(self, fractions):
        self.fractions = fractions

    def uniform(self, low, high):
        self.drawn = low + (high - low) * self.fractions
        return self.drawn


def write_png(path, image):
    height, width, _ = image.shape
    rows = b"".join(b"\0" + row.tobytes() for row in image)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)))
        f.write(chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def cases(domain, task, out):
    """Writes the lines of a task and returns its pictures."""
    pictures = []
    name = domain.replace("_", "-") + "-" + task.replace("_", "-")
    env = suite.load(domain, task, task_kwargs={"random": 1})
    random = np.random.RandomState(2)
    physics = env.physics

    def line(case, what, values):
        if len(values):
            print(name, case, what, *(repr(float(v)) for v in values), sep=",", file=out)

    for case in range(CASES):
        env.reset()
        kind = case % 3
        if kind == 1:
            for _ in range(20 * case):
                env.step(random.uniform(-1, 1, physics.model.nu))
            while domain == "finger" and not physics.touch().any():
                env.step(random.uniform(-1, 1, physics.model.nu))
        if kind == 2:
            near_goal(domain, task, physics, random)
        qpos, qvel = physics.data.qpos.copy(), physics.data.qvel.copy()
        line(case, "qpos", qpos)
        line(case, "qvel", qvel)
        line(case, "edit", edits(domain, task, physics))
        # A reset to the state, so that nothing else of the past matters.
        physics.reset()
        physics.data.qpos[:], physics.data.qvel[:] = qpos, qvel
        physics.after_reset()
        line(case, "before", flat(env.task.get_observation(physics)))
        if case in (1, 2):
            pictures.append(physics.render(64, 64, camera_id=0))
        action = np.round(random.uniform(-1, 1, physics.model.nu), 3).astype(np.float32)
        line(case, "action", action)
        steps = []
        for _ in range(REPEAT):
            env._step_count = 0
            steps.append(env.step(action))
        line(case, "rewards", [s.reward for s in steps])
        line(case, "after", flat(steps[-1].observation))
    if domain == "cheetah":
        for case in range(CASES, CASES + 3):
            env.task._random = Fractions(random.uniform(size=6))
            first = env.reset()
            line(case, "qpos", np.concatenate([[0, 0, 0], env.task._random.drawn]))
            line(case, "settled", flat(first.observation))
    return np.concatenate(pictures)


with open("golden.csv", "w") as f:
    columns = [cases(domain, task, f) for domain, task in TASKS]
write_png("golden.png", np.concatenate(columns, axis=1))
os._exit(0)  # OSMesa's exit handlers complain otherwise

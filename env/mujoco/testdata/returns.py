"""Prints what random actions and no actions return in dm_control.

    python3.10 -m venv /tmp/suite && /tmp/suite/bin/pip install dm_control==1.0.6 mujoco==2.2.2 'numpy<2'
    /tmp/suite/bin/python returns.py finger-turn_easy hopper-hop ...

A line is task, mean, standard deviation, least and largest return of 200 episodes
of uniformly random actions, and mean and standard deviation without actions.
"""

import os
import sys
import warnings

import numpy as np

warnings.simplefilter("ignore")
from dm_control import suite  # noqa: E402

EPISODES = 200


def returns(domain, task, noise):
    env = suite.load(domain, task, task_kwargs={"random": 1})
    random, out = np.random.RandomState(2), []
    nu = env.physics.model.nu
    for _ in range(EPISODES):
        step, total = env.reset(), 0.0
        while not step.last():
            step = env.step(noise * random.uniform(-1, 1, nu))
            total += step.reward
        out.append(total)
    return np.array(out)


for name in sys.argv[1:]:
    domain, _, task = name.partition("-")
    r, still = returns(domain, task, 1), returns(domain, task, 0)
    print(name, *(f"{v:.1f}" for v in (r.mean(), r.std(), r.min(), r.max(), still.mean(), still.std())), flush=True)
os._exit(0)

"""Compares the models of this package with those of dm_control.

    python3.10 -m venv /tmp/suite && /tmp/suite/bin/pip install dm_control==1.0.6 mujoco==2.2.2 'numpy<2'
    MUJOCO_GL=osmesa /tmp/suite/bin/python compare.py [DOMAIN...]

It compiles both with the installed MuJoCo and compares the saved binary models
byte for byte; if they differ, it names the fields. Then it plays 5 episodes of
1000 control steps with both and compares every state, and draws 20 pictures of
each. Any difference makes it fail. MuJoCo 2.2.2 is the version of the tables
that the models were written from; another one judges both models alike.
"""

import importlib
import os
import sys

import mujoco
import numpy as np

os.environ.setdefault("MUJOCO_GL", "osmesa")
from dm_control.mujoco import Physics  # noqa: E402, reads MUJOCO_GL

MODELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "models")
# Substeps of a control step.
DOMAINS = {
    "acrobot": 1, "ball_in_cup": 10, "cartpole": 1, "cheetah": 1, "finger": 2,
    "hopper": 4, "pendulum": 1, "point_mass": 1, "reacher": 1, "walker": 10,
}
EPISODES, STEPS, PICTURES = 5, 1000, 20


def read(name):
    with open(os.path.join(MODELS, name)) as f:
        return f.read()


def saved(model):
    data = np.zeros(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, data)
    return data.tobytes()


def fields(model):
    """All arrays and numbers of a model and of its option, stat and vis."""
    out = {}

    def walk(prefix, thing):
        for name in dir(thing):
            if name.startswith("_"):
                continue
            value = getattr(thing, name)
            if isinstance(value, (np.ndarray, int, float, bytes)):
                out[prefix + name] = np.asarray(value)
            elif type(value).__module__.startswith("mujoco"):
                walk(prefix + name + ".", value)

    walk("", model)
    return out


def differing_fields(a, b):
    a, b = fields(a), fields(b)
    return [k for k in a if a[k].shape != b[k].shape or not np.array_equal(a[k], b[k])]


def play(model, substeps, seed):
    """The states of an episode of random controls, in dm_control's call order."""
    random, data, out = np.random.RandomState(seed), mujoco.MjData(model), []
    limited = model.jnt_limited == 1
    low, high = model.jnt_range[limited].T
    data.qpos[limited] = random.uniform(low, high)
    mujoco.mj_forward(model, data)
    for _ in range(STEPS):
        data.ctrl[:] = random.uniform(-1, 1, model.nu)
        if model.opt.integrator == mujoco.mjtIntegrator.mjINT_RK4:
            mujoco.mj_step(model, data, substeps)
        else:
            mujoco.mj_step2(model, data)
            for _ in range(substeps - 1):
                mujoco.mj_step(model, data)
        mujoco.mj_step1(model, data)
        out.append(np.concatenate([data.qpos, data.qvel, data.sensordata, data.xpos.ravel(), data.xmat.ravel()]))
    return np.array(out)


def pictures(physics, substeps):
    random, out = np.random.RandomState(0), []
    for i in range(PICTURES):
        out.append(physics.render(64, 64, camera_id=i % physics.model.ncam))
        for _ in range(10):
            physics.set_control(random.uniform(-1, 1, physics.model.nu))
            physics.step(substeps)
    return np.array(out, np.int32)


def compare(domain, substeps):
    xml, assets = importlib.import_module("dm_control.suite." + domain).get_model_and_assets()
    theirs = mujoco.MjModel.from_xml_string(xml, {k: v if isinstance(v, bytes) else v.encode() for k, v in assets.items()})
    shared = {"suite.xml": read("suite.xml").encode()}
    ours = mujoco.MjModel.from_xml_string(read(domain + ".xml"), shared)
    equal = saved(theirs) == saved(ours)
    worst = max(np.abs(play(theirs, substeps, s) - play(ours, substeps, s)).max() for s in range(EPISODES))
    a = pictures(Physics.from_xml_string(xml, assets), substeps)
    b = pictures(Physics.from_xml_string(read(domain + ".xml"), shared), substeps)
    pixels = np.abs(a - b).max()
    print(f"{domain}: models {'equal byte for byte' if equal else 'differ in ' + ', '.join(differing_fields(theirs, ours))};"
          f" largest difference {worst} in {EPISODES} x {STEPS} control steps, {pixels} in {PICTURES} pictures", flush=True)
    return equal and worst == 0 and pixels == 0


def main():
    print("MuJoCo", mujoco.__version__)
    good = [compare(d, DOMAINS[d]) for d in sys.argv[1:] or DOMAINS]
    sys.stdout.flush()
    os._exit(0 if all(good) else 1)  # OSMesa's exit handlers complain otherwise


main()

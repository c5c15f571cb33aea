"""Serves a Gymnasium or dm_control environment over stdin and stdout.

    python3 server.py gymnasium Pendulum-v1
    python3 server.py dm_control walker-walk

Speaks the protocol of docs/remote-environments.md. Needs Python 3.9 or later,
numpy, and the library that is asked for.
"""

import json
import math
import os
import struct
import sys

import numpy as np

PROTOCOL = 1
MAX_HEADER = 64 << 10
MAX_PAYLOAD = 64 << 20
MAX_STEPS = 1000  # of an episode, where the task itself has no limit


class Pipe:
    """Frames: b"ORRY", two lengths as little-endian uint32, JSON, raw bytes."""

    def __init__(self):
        # Whatever prints goes to standard error: standard output is ours alone.
        self.out = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        self.inp = sys.stdin.buffer

    def read(self):
        prefix = self.inp.read(12)
        if len(prefix) < 12:
            return {"type": "close"}, b""
        magic, header, payload = struct.unpack("<4sII", prefix)
        if magic != b"ORRY" or header > MAX_HEADER or payload > MAX_PAYLOAD:
            raise ValueError(f"not a frame: {prefix!r}")
        return json.loads(self.inp.read(header)), self.inp.read(payload)

    def write(self, header, payload=b""):
        text = json.dumps(header, allow_nan=False).encode()
        self.out.write(struct.pack("<4sII", b"ORRY", len(text), len(payload)) + text + payload)
        self.out.flush()


class Boxes:
    """Maps a vector of floats to actions of a Gymnasium space.

    A discrete choice is as many components in [-1, 1] as there are choices; the
    largest is taken. Binary ones are on above 0. Boxes are passed as they are.
    """

    def __init__(self, space, spaces):
        self.space = space
        if isinstance(space, spaces.Discrete):
            self.sizes, low, high = [int(space.n)], None, None
        elif isinstance(space, spaces.MultiDiscrete):
            self.sizes, low, high = [int(n) for n in space.nvec.ravel()], None, None
        elif isinstance(space, spaces.MultiBinary):
            self.sizes, low, high = None, -np.ones(int(np.prod(space.shape))), None
        elif isinstance(space, spaces.Box):
            self.sizes, low, high = None, space.low.ravel(), space.high.ravel()
            if not (np.isfinite(low).all() and np.isfinite(high).all()):
                raise ValueError(f"the action space {space} has no finite bounds; wrap it in RescaleAction or clip it")
        else:
            raise ValueError(f"the action space {space} is not supported; flatten it to a Box or a MultiDiscrete")
        if low is None:
            low = -np.ones(sum(self.sizes))
        self.low, self.high = low, -low if high is None else high
        self.discrete = isinstance(space, spaces.Discrete)
        self.binary = isinstance(space, spaces.MultiBinary)

    def action(self, values):
        if self.binary:
            return (values > 0).astype(self.space.dtype).reshape(self.space.shape)
        if self.sizes is None:
            return values.astype(self.space.dtype).reshape(self.space.shape)
        parts = np.split(values, np.cumsum(self.sizes)[:-1])
        chosen = [int(np.argmax(p)) for p in parts]
        if self.discrete:
            return chosen[0] + int(self.space.start)
        return (np.array(chosen, self.space.dtype) + self.space.start.ravel()).reshape(self.space.shape)


class Gymnasium:
    """A task of gymnasium.make. What is not an image is rendered."""

    def __init__(self, name, height, width):
        import gymnasium

        self.spaces = gymnasium.spaces
        self.env = gymnasium.make(name, render_mode="rgb_array")
        self.name = name
        space = self.env.observation_space
        self.is_image = (
            isinstance(space, self.spaces.Box) and space.dtype == np.uint8
            and len(space.shape) in (2, 3) and (len(space.shape) == 2 or space.shape[2] in (1, 3)))
        self.boxes = Boxes(self.env.action_space, self.spaces)
        self.low, self.high = self.boxes.low, self.boxes.high
        limit = self.env.spec.max_episode_steps if self.env.spec else None
        self.max_steps = int(limit or MAX_STEPS)
        obs, _ = self.env.reset(seed=0)
        image, vector = self.perceive(obs)
        self.image = image.shape
        self.vector = [f"observation[{i}]" for i in range(vector.size)]

    def perceive(self, obs):
        if self.is_image:
            return np.atleast_3d(obs), np.zeros(0)
        image = self.env.render()
        if not isinstance(image, np.ndarray):
            raise ValueError(f"{self.name} draws no images: render_mode rgb_array gives {type(image).__name__}")
        return image, np.asarray(self.spaces.flatten(self.env.observation_space, obs)).ravel()

    def reset(self, seed):
        self.obs, _ = self.env.reset(seed=seed)

    def step(self, values):
        self.obs, reward, terminated, truncated, _ = self.env.step(self.boxes.action(values))
        return float(reward), bool(terminated), bool(truncated)

    def observe(self):
        return self.perceive(self.obs)

    def close(self):
        self.env.close()


class DMControl:
    """A task of the dm_control suite, domain-task, seen by its camera 0."""

    def __init__(self, name, height, width):
        if os.name == "posix" and sys.platform != "darwin" and not os.environ.get("DISPLAY"):
            os.environ.setdefault("MUJOCO_GL", "egl")
        from dm_control import suite

        tasks = {f"{domain}_{task}": (domain, task) for domain, task in suite.ALL_TASKS}
        plain = name.replace("-", "_")
        if plain not in tasks:
            raise ValueError(f"no task {name}; there are {', '.join('-'.join(t) for t in suite.ALL_TASKS)}")
        self.env = suite.load(*tasks[plain])
        self.name = name
        self.size = {"height": height or 64, "width": width or 64}
        spec = self.env.action_spec()
        self.low, self.high = spec.minimum, spec.maximum
        limit = getattr(self.env, "_step_limit", math.inf)
        self.max_steps = int(limit) if math.isfinite(limit) else MAX_STEPS
        self.reset(0)
        self.image = self.observe()[0].shape
        self.vector = [f"{k}[{i}]" for k, v in self.obs.items() for i in range(np.size(v))]

    def reset(self, seed):
        # The same as suite.load(..., task_kwargs={"random": seed}) for a seed of
        # 32 bits; longer ones are folded.
        self.env.task.random.seed((seed ^ seed >> 32) & 0xFFFFFFFF)
        self.obs = self.env.reset().observation

    def step(self, values):
        t = self.env.step(values.astype(np.float64))
        self.obs = t.observation
        terminated = t.last() and t.discount == 0
        return float(t.reward or 0), bool(terminated), bool(t.last() and not terminated)

    def observe(self):
        parts = [np.ravel(v) for v in self.obs.values()]
        vector = np.concatenate(parts) if parts else np.zeros(0)
        return self.env.physics.render(camera_id=0, **self.size), vector

    def close(self):
        self.env.close()


LIBRARIES = {"gymnasium": Gymnasium, "dm_control": DMControl}


def pack(env):
    """The payload of a state: the image, then the vector as float32."""
    image, vector = env.observe()
    image = np.ascontiguousarray(image, np.uint8)
    if image.shape != tuple(env.image) or vector.size != len(env.vector):
        raise ValueError(f"an observation of {image.shape} and {vector.size}, at first {env.image} and {len(env.vector)}")
    limits = np.finfo(np.float32)
    return image.tobytes() + np.clip(vector, limits.min, limits.max).astype("<f4").tobytes()


def step(env, values, repeat):
    """Repeats an action until the episode ends; the rewards are summed."""
    total, taken, terminated, truncated = 0.0, 0, False, False
    while taken < repeat and not (terminated or truncated):
        reward, terminated, truncated = env.step(values)
        total += reward
        taken += 1
    return {"type": "state", "reward": total, "steps": taken, "terminated": terminated, "truncated": truncated}


def serve(pipe, library, name):
    env = None
    while True:
        ask, payload = pipe.read()
        if ask["type"] == "hello":
            env = LIBRARIES[library](name, ask.get("height"), ask.get("width"))
            pipe.write({
                "type": "spec", "protocol": PROTOCOL, "name": env.name,
                "image": [int(n) for n in env.image], "vector": env.vector,
                "action": {"low": [float(x) for x in env.low], "high": [float(x) for x in env.high]},
                "max_steps": env.max_steps})
        elif ask["type"] == "reset":
            env.reset(ask["seed"])
            pipe.write({"type": "state"}, pack(env))
        elif ask["type"] == "step":
            state = step(env, np.frombuffer(payload, "<f4"), ask["repeat"])
            pipe.write(state, pack(env))
        elif ask["type"] == "close":
            if env:
                env.close()
            return


def main(args):
    if len(args) != 2 or args[0] not in LIBRARIES:
        sys.exit("usage: server.py gymnasium|dm_control NAME")
    pipe = Pipe()
    try:
        serve(pipe, *args)
    except Exception as e:  # told to the caller, then raised with its traceback
        pipe.write({"type": "error", "message": f"{type(e).__name__}: {e}"[:2000]})
        raise
    sys.stderr.flush()
    os._exit(0)  # rendering libraries are noisy when Python winds down


if __name__ == "__main__":
    main(sys.argv[1:])

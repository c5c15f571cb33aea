#!/usr/bin/env python3
"""A dot on a line that actions push: an environment in plain Python.

    orrery env check "exec:python3 env/remote/examples/dot.py"
"""
import json, os, random, struct, sys

SIZE, MAX_STEPS = 16, 50
pipe = os.fdopen(os.dup(1), "wb")  # frames go here ...
os.dup2(2, 1)                      # ... and what anything prints to standard error


def read():
    prefix = sys.stdin.buffer.read(12)
    if len(prefix) < 12:
        sys.exit()                 # the other side is gone
    header, payload = struct.unpack("<4xII", prefix)
    return json.loads(sys.stdin.buffer.read(header)), sys.stdin.buffer.read(payload)


def write(header, payload=b""):
    text = json.dumps(header).encode()
    pipe.write(b"ORRY" + struct.pack("<II", len(text), len(payload)) + text + payload)
    pipe.flush()


def observe(x):
    column = min(SIZE - 1, int((x + 1) / 2 * SIZE))
    row = bytes(255 if i == column else 0 for i in range(SIZE))
    return row * SIZE + struct.pack("<f", x)  # the image, then the vector


while True:
    ask, payload = read()
    if ask["type"] == "hello":
        write({"type": "spec", "protocol": 1, "name": "dot", "image": [SIZE, SIZE, 1], "vector": ["x"],
               "action": {"low": [-1], "high": [1]}, "max_steps": MAX_STEPS})
    elif ask["type"] == "reset":
        x, step = random.Random(ask["seed"]).uniform(-1, 1), 0
        write({"type": "state"}, observe(x))
    elif ask["type"] == "step":
        push, reward, taken = struct.unpack("<f", payload)[0], 0.0, 0
        while taken < ask["repeat"] and step < MAX_STEPS:
            x = max(-1.0, min(1.0, x + 0.1 * push))
            reward, taken, step = reward + 1 - abs(x), taken + 1, step + 1
        write({"type": "state", "reward": reward, "steps": taken, "terminated": False,
               "truncated": step == MAX_STEPS}, observe(x))
    elif ask["type"] == "close":
        sys.exit()

"""Times updates and plans of the reference model in PyTorch, for gpu-bench.

    python3 scripts/gpu_bench_torch.py paper cuda

Prints one JSON object with medians in seconds. The model, its objective and the
planner are those of internal/parity/torch, in float32; products may be rounded
to TF32 as XLA does by default (--exact forbids it).
"""
import argparse
import json
import pathlib
import statistics
import sys
import time

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "internal/parity/torch"))
import planner  # noqa: E402
from layers import Sizes  # noqa: E402
from losses import losses  # noqa: E402
from objective import Objective  # noqa: E402
from reference import Model  # noqa: E402
from transitions import RSSM  # noqa: E402

PRESETS = {  # model, (batch, length), (horizon, iterations, candidates, elites)
    "paper": (Sizes(actions=1, depth=32, deter=200, stoch=30, hidden=200, reward=(300, 300, 300)), (50, 50), (12, 10, 1000, 100)),
    "small": (Sizes(actions=1, depth=16, deter=200, stoch=30, hidden=200, reward=(200, 200)), (32, 32), (12, 6, 200, 20)),
    "tiny": (Sizes(height=16, width=16, actions=1), (4, 8), (6, 3, 64, 8)),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("preset", choices=PRESETS)
    parser.add_argument("device", help="cuda or cpu")
    parser.add_argument("--count", type=int, default=10, help="measured repetitions; two more come first")
    parser.add_argument("--exact", action="store_true", help="products in float32 proper, no TF32")
    return parser.parse_args()


def median(repeat, device, count):
    """The median time of a call; the device's work is waited for."""
    times = []
    for _ in range(count + 2):
        start = time.perf_counter()
        repeat()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return statistics.median(times[2:])


def updates(model, sizes, shape, device, count):
    batch, length = shape
    data = {
        "images": torch.rand(batch, length, sizes.height, sizes.width, sizes.channels) - 0.5,
        "actions": torch.randn(batch, length, sizes.actions), "rewards": torch.randn(batch, length),
        "noise": torch.randn(batch, length, sizes.stoch),
    }
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-4)

    def update():
        optimiser.zero_grad()
        losses(model, Objective(), data)["total"].backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1000)
        optimiser.step()

    return median(update, device, count)


def plans(model, sizes, search, device, count):
    planner.HORIZON, planner.ITERATIONS, planner.CANDIDATES, planner.ELITES = search

    def plan():
        noises = [(torch.randn(planner.HORIZON, planner.CANDIDATES, sizes.actions),
                   torch.randn(planner.HORIZON, planner.CANDIDATES, sizes.stoch)) for _ in range(planner.ITERATIONS)]
        planner.search(model, model.transition.initial(1), noises)

    with torch.no_grad():
        return median(plan, device, count)


def main():
    options = arguments()
    if options.device != "cpu":
        torch.set_default_device(options.device)  # since PyTorch 2.0
    torch.set_default_dtype(torch.float32)
    for backend in (torch.backends.cuda.matmul, torch.backends.cudnn):
        backend.allow_tf32 = not options.exact
    sizes, shape, search = PRESETS[options.preset]
    model = Model(sizes, lambda s, embed: RSSM(s, embed, "reset_before"))
    print(json.dumps({
        "torch": torch.__version__, "preset": options.preset,
        "device": torch.cuda.get_device_name() if options.device == "cuda" else options.device,
        "update_seconds": updates(model, sizes, shape, options.device, options.count),
        "plan_seconds": plans(model, sizes, search, options.device, options.count),
    }, indent=2))


if __name__ == "__main__":
    main()

"""Chunks of records to evaluate models on. All values fit into float32."""
import math

import torch

CHUNKS, LENGTH = 2, 20


def float32(x):
    """Rounds float64 values to what float32 can hold."""
    return x.float().double()


def normal(generator, *shape):
    return float32(torch.randn(*shape, generator=generator, dtype=torch.float64))


def pictures(sizes, generator):
    """Bytes [B, L, H, W, C]: a disc that moves over a gradient, 32 levels."""
    rows = torch.linspace(-1, 1, sizes.height)[:, None]
    columns = torch.linspace(-1, 1, sizes.width)[None, :]
    out = torch.empty(CHUNKS, LENGTH, sizes.height, sizes.width, sizes.channels)
    phase = torch.rand(CHUNKS, sizes.channels, generator=generator)
    for b in range(CHUNKS):
        for t in range(LENGTH):
            angle = 0.5 * t + 2 * b
            disc = (rows - 0.6 * math.sin(angle)) ** 2 + (columns - 0.6 * math.cos(angle)) ** 2 < 0.1
            for c in range(sizes.channels):
                ground = 0.5 + 0.3 * torch.sin(2 * rows + 3 * columns + 6 * phase[b, c])
                out[b, t, :, :, c] = torch.where(disc, torch.tensor(0.9 - 0.3 * c), ground)
    return ((out * 32).floor().clamp(0, 31) * 8).byte()


def batch(sizes, generator):
    """Inputs by name. Pixels become images by (byte + 1/2)/256 - 1/2, exactly."""
    pixels = pictures(sizes, generator)
    actions = torch.rand(CHUNKS, LENGTH, sizes.actions, generator=generator, dtype=torch.float64) * 2 - 1
    out = {
        "pixels": pixels,
        "images": (pixels.double() + 0.5) / 256 - 0.5,
        "actions": float32(actions),
        "rewards": normal(generator, CHUNKS, LENGTH),
        "noise": normal(generator, CHUNKS, LENGTH, sizes.stoch),
        # Of a state at [b, t] that is d steps from a posterior: [d, b, t].
        "rollout_noise": normal(generator, LENGTH + 1, CHUNKS, LENGTH, sizes.stoch),
    }
    if sizes.vectors:
        out["vectors"] = 4 * normal(generator, CHUNKS, LENGTH, sizes.vectors)
        flags = (torch.rand(CHUNKS, LENGTH, generator=generator) < 0.7).double()
        out["continues"] = float32(flags * 0.99)
    return out

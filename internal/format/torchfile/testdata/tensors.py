"""Writes tensors.pt: python3 tensors.py, with PyTorch (1.13 wrote the one here)."""
import collections
import pathlib

import torch

base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
torch.save(
    {
        "plain": base,
        "transposed": base.permute(2, 0, 1),
        "slice": base[:, 1:, ::2],
        "scalar": torch.tensor(0.5),
        "empty": torch.zeros(0, 3),
        "expanded": torch.ones(1).expand(5),
        "parameter": torch.nn.Parameter(torch.tensor([1.5, -2.0])),
        "half": torch.tensor([1.0, 65504.0], dtype=torch.float16),
        "brain": torch.tensor([1.0, -3.0], dtype=torch.bfloat16),
        "double": torch.tensor([0.1], dtype=torch.float64),
        "long": torch.tensor([7]),
        "ordered": collections.OrderedDict(size=base.shape),
    },
    pathlib.Path(__file__).with_name("tensors.pt"),
)

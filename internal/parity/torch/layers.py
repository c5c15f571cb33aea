"""The layers of PlaNet's world model in PyTorch's own layouts.

Source: Hafner et al. 2019 (arXiv 1811.04551), appendix A.
"""
import dataclasses

import torch
from torch import nn
from torch.nn import functional as F


@dataclasses.dataclass(frozen=True)
class Sizes:
    """What the layers' shapes depend on."""

    height: int = 64
    width: int = 64
    channels: int = 3
    actions: int = 2
    depth: int = 4
    deter: int = 16
    stoch: int = 4
    hidden: int = 16
    reward: tuple = (16,)
    min_std: float = 0.1
    observe: str = "image"  # vector, both
    vectors: int = 0
    vector_layers: tuple = (6, 7)
    vector_embed: int = 8
    symlog: bool = False  # of vectors, wherever they are read or predicted
    continues: tuple = None  # layers of the continue head, if there is one
    diagnostic: bool = False


class Encoder(nn.Module):
    """Convolutions of kernel 4 and stride 2, ReLU after each, while they fit."""

    def __init__(self, sizes):
        super().__init__()
        self.convs = nn.ModuleList()
        height, width, inputs, outputs = sizes.height, sizes.width, sizes.channels, sizes.depth
        while min(height, width) >= 4:
            self.convs.append(nn.Conv2d(inputs, outputs, 4, stride=2))
            height, width = (height - 4) // 2 + 1, (width - 4) // 2 + 1
            self.size = height * width * outputs
            inputs, outputs = outputs, 2 * outputs

    def forward(self, images):
        x = images.permute(0, 3, 1, 2)
        for conv in self.convs:
            x = F.relu(conv(x))
        return x.permute(0, 2, 3, 1).flatten(1)


def decoder_kernels(size):
    """Kernels and sizes along one axis, first to last: 5 for odd and 6 for even
    sizes until at most 7 pixels are left, which the first layer makes of one."""
    kernels, sizes = [], []
    while size > 7:
        kernels.insert(0, 5 if size % 2 else 6)
        sizes.insert(0, size)
        size = (size - 5) // 2 + 1
    return [size] + kernels, [size] + sizes


class Decoder(nn.Module):
    """A linear layer to one pixel, then transposed convolutions of stride 2 with
    ReLU between them: 64 pixels take kernels 5, 5, 6, 6."""

    def __init__(self, sizes, features):
        super().__init__()
        rows, row_sizes = decoder_kernels(sizes.height)
        columns, column_sizes = decoder_kernels(sizes.width)
        # Both axes take as many layers as the smaller one.
        count = min(len(rows), len(columns))
        first = (row_sizes[-count], column_sizes[-count])
        kernels = [first] + list(zip(rows[len(rows) - count + 1:], columns[len(columns) - count + 1:]))
        widths = [sizes.depth * 2 ** (count + 1)]
        widths += [sizes.depth * 2 ** (count - 2 - i) for i in range(count - 1)] + [sizes.channels]
        self.input = nn.Linear(features, widths[0])
        self.deconvs = nn.ModuleList(
            nn.ConvTranspose2d(widths[i], widths[i + 1], kernels[i], stride=2) for i in range(count))

    def forward(self, features):
        x = self.input(features)[:, :, None, None]
        for i, deconv in enumerate(self.deconvs):
            x = deconv(F.relu(x) if i else x)
        return x.permute(0, 2, 3, 1)


class MLP(nn.Module):
    """Dense layers with ReLU between them; the last is linear."""

    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        widths = [inputs, *hidden]
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))
        self.output = nn.Linear(widths[-1], outputs)

    def forward(self, x):
        for layer in self.hidden:
            x = F.relu(layer(x))
        return self.output(x)


class GRUResetBefore(nn.Module):
    """TensorFlow's GRUBlockCell: the candidate reads the reset state."""

    def __init__(self, inputs, size):
        super().__init__()
        self.gates = nn.Linear(inputs + size, 2 * size)
        self.candidate = nn.Linear(inputs + size, size)

    def forward(self, x, h):
        reset, update = torch.sigmoid(self.gates(torch.cat([x, h], 1))).chunk(2, 1)
        candidate = torch.tanh(self.candidate(torch.cat([x, reset * h], 1)))
        return update * h + (1 - update) * candidate


def gru(form, inputs, size):
    return {"reset_before": GRUResetBefore, "reset_after": nn.GRUCell}[form](inputs, size)


class Gaussian:
    """A diagonal normal distribution over the last axis."""

    def __init__(self, mean, std):
        self.mean, self.std = mean, std

    def sample(self, noise):
        return self.mean + self.std * noise

    def detach(self):
        return Gaussian(self.mean.detach(), self.std.detach())

    def normal(self):
        return torch.distributions.Normal(self.mean, self.std)

    def kl(self, other):
        """KL(self || other) in nats, by PyTorch's own formula."""
        return torch.distributions.kl_divergence(self.normal(), other.normal()).sum(-1)

    def entropy(self):
        return self.normal().entropy().sum(-1)


class Statistics(nn.Module):
    """A hidden ReLU layer, then mean and softplus + min_std."""

    def __init__(self, inputs, sizes):
        super().__init__()
        self.hidden = nn.Linear(inputs, sizes.hidden)
        self.stats = nn.Linear(sizes.hidden, 2 * sizes.stoch)
        self.min_std = sizes.min_std

    def forward(self, *parts):
        mean, raw = self.stats(F.relu(self.hidden(torch.cat(parts, -1)))).chunk(2, -1)
        return Gaussian(mean, F.softplus(raw) + self.min_std)


class UnitMean(nn.Module):
    """A hidden ReLU layer, then the mean of a distribution of deviation 1."""

    def __init__(self, inputs, sizes):
        super().__init__()
        self.hidden = nn.Linear(inputs, sizes.hidden)
        self.mean = nn.Linear(sizes.hidden, sizes.stoch)

    def forward(self, *parts):
        mean = self.mean(F.relu(self.hidden(torch.cat(parts, -1))))
        return Gaussian(mean, torch.ones_like(mean))

"""What the PyTorch model is checked with before it judges another: numbers
computed by hand and the published models' sizes."""
import functools

import torch

from layers import Gaussian, GRUResetBefore, Sizes
from objective import Objective
from overshooting import clean
from reference import Model, Sequence
from transitions import DRNN, RSSM, SSM


def check_gru():
    """The two forms on values computed by hand, so that they are not confused."""
    before, after = GRUResetBefore(1, 2), torch.nn.GRUCell(1, 2)
    reset, update, candidate = (
        torch.tensor(m) for m in (
            [[.3, .2, -.3], [-.1, .5, .1]], [[-.5, .4, .1], [.4, -.2, .3]], [[.7, .6, -.4], [-.6, .2, .5]]))
    gates, biases = torch.cat([reset, update]), torch.tensor([.1, -.2, .2, 0, -.1, .3])
    everything = torch.cat([gates, candidate])
    with torch.no_grad():
        before.gates.weight.copy_(gates), before.gates.bias.copy_(biases[:4])
        before.candidate.weight.copy_(candidate), before.candidate.bias.copy_(biases[4:])
        after.weight_ih.copy_(everything[:, :1]), after.weight_hh.copy_(everything[:, 1:])
        after.bias_ih.copy_(biases), after.bias_hh.zero_()
        x, h = torch.tensor([[.5]]), torch.tensor([[-.4, .3]])
        torch.testing.assert_close(before(x, h), torch.tensor([[-.1398394, .1847410]]), atol=1e-6, rtol=0)
        torch.testing.assert_close(after(x, h), torch.tensor([[-.1478729, .1887743]]), atol=1e-6, rtol=0)


def check_counts():
    """The published models' numbers of parameters."""
    sizes = Sizes(actions=6, depth=32, deter=200, stoch=30, hidden=200, reward=(300, 300, 300))
    before = {"form": "reset_before"}
    for transition, want in (
            (functools.partial(RSSM, **before), 5_293_220), (SSM, 4_719_620), (functools.partial(DRNN, **before), 5_689_640)):
        got = sum(p.numel() for p in Model(sizes, transition).parameters())
        assert got == want, (transition, got, want)


def check_kl():
    """A divergence and its gradients in closed form."""
    q, p = ([torch.tensor([x], requires_grad=True) for x in pair] for pair in ((.3, .5), (-.1, .8)))
    kl = Gaussian(*q).kl(Gaussian(*p))
    got = torch.stack([kl, *(g[0] for g in torch.autograd.grad(kl, q + p))])
    torch.testing.assert_close(got, torch.tensor([.2903161, .625, -1.21875, -.625, .4492188]), atol=1e-6, rtol=0)


class Adder:
    """A transition whose state is the last observation plus the actions since."""

    transition = property(lambda self: self)

    def initial(self, rows):
        return (torch.zeros(rows, 1),)

    def imagine(self, state, action, noise):
        mean = state[0] + action
        return (mean,), Gaussian(mean, torch.ones_like(mean))

    def features(self, state):
        return state[0]

    def reward(self, features):
        return features


def check_overshooting():
    """Five records and distances up to 3: which prediction meets which target."""
    observations, actions = torch.tensor([1., 2, 4, 8, 16]), torch.tensor([0, .1, .2, .3, .4])
    states = [(o.reshape(1, 1),) for o in observations]
    unit = [Gaussian(s[0], torch.ones(1, 1)) for s in states]
    got, _ = clean(
        Adder(), Sequence(Adder(), states, unit, unit), actions.reshape(1, 5, 1), torch.zeros(1, 5),
        torch.zeros(4, 1, 5, 1), Objective(free_nats=0, distance=3))
    def half_square(predicted, targets):
        return ((torch.tensor(predicted) - torch.tensor(targets)) ** 2).mean() / 2
    two = half_square([.1, 1.3, 2.5, 4.7], [2., 4, 8, 16])
    three = half_square([.3, 1.6, 2.9], [4., 8, 16])
    torch.testing.assert_close(got, (two + three) / 2)


def run():
    check_gru()
    check_counts()
    check_kl()
    check_overshooting()

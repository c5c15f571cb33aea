"""Checks that overshooting.py's form "kaixhin" is what that repository computes.

    python3 internal/parity/torch/kaixhin_overshooting.py ~/planet

The lines of its main.py that compute latent overshooting are executed as they
stand, on its own modules without noise; values and all gradients must agree.
"""
import os

os.environ["PYTORCH_JIT"] = "0"  # so that the modules' noise can be replaced

import importlib
import pathlib
import sys
import textwrap
import types

import torch
from torch.distributions import Normal
from torch.distributions.kl import kl_divergence
from torch.nn import functional as F

import kaixhin
from kaixhin_check import load_model
from objective import Objective
from overshooting import kaixhin as ours
from reference import Sequence

ROWS, FIRST, LAST = 2, "overshooting_vars = []", "# Update reward loss"


def published(clone):
    """The lines of main.py, which add to kl_loss and reward_loss."""
    lines = pathlib.Path(clone, "main.py").read_text().split("\n")
    first = next(i for i, line in enumerate(lines) if FIRST in line)
    last = max(i for i, line in enumerate(lines) if LAST in line)
    return textwrap.dedent("\n".join(lines[first:last + 1]))


def theirs(code, bottle, parts, batch, args):
    observations, actions, rewards = batch
    zero = {"kl_loss": torch.zeros(()), "reward_loss": torch.zeros(())}
    nonterminals = torch.ones(args.chunk_size, ROWS, 1)
    names = ("beliefs", "prior_states", "prior_means", "prior_std_devs", "posterior_states", "posterior_means", "posterior_std_devs")
    found = parts["transition_model"](
        torch.zeros(ROWS, kaixhin.STATE), actions[:-1], torch.zeros(ROWS, kaixhin.BELIEF),
        bottle(parts["encoder"], (observations[1:],)), nonterminals[:-1])
    space = {
        **zero, **dict(zip(names, found)), **parts, "args": args, "actions": actions, "rewards": rewards, "nonterminals": nonterminals,
        "torch": torch, "F": F, "Normal": Normal, "kl_divergence": kl_divergence, "bottle": bottle,
        "free_nats": torch.full((1,), kaixhin.FREE_NATS),
    }
    exec(code, space)
    return space["kl_loss"], space["reward_loss"]


def ours_of(model, batch, args):
    """The same in records, each with the action and reward that led to it."""
    observations, actions, rewards = (x.transpose(0, 1) for x in batch)
    embed = model.encoder(observations.permute(0, 1, 3, 4, 2).flatten(0, 1)).unflatten(0, observations.shape[:2])
    actions = torch.cat([torch.zeros_like(actions[:, :1]), actions[:, :-1]], 1)
    rewards = torch.cat([torch.zeros_like(rewards[:, :1]), rewards[:, :-1]], 1)
    noise = torch.zeros(ROWS, kaixhin.STATE)
    state, states, posteriors = model.transition.initial(ROWS), [], []
    for t in range(args.chunk_size):
        if t > 0:  # that program begins with the second observation
            state, _, posterior = model.transition.observe(state, actions[:, t], embed[:, t], noise)
        else:
            posterior = model.transition.observe(state, actions[:, t], embed[:, t], noise)[2]
        states.append(state)
        posteriors.append(posterior)
    sequence = Sequence(model.transition, states, posteriors, posteriors)
    zeros = torch.zeros(args.overshooting_distance + 1, ROWS, args.chunk_size, kaixhin.STATE)
    objective = Objective(free_nats=kaixhin.FREE_NATS, free_form="floor", overshooting="kaixhin", distance=args.overshooting_distance)
    return ours(model, sequence, actions, rewards, zeros, objective)


def gradients(checkpoint):
    """The gradients of that program's modules, in our model's layouts."""
    return load_model({k: {n: torch.zeros_like(p) if p.grad is None else p.grad for n, p in m.named_parameters()} for k, m in checkpoint.items()})


def main(clone):
    sys.path.insert(0, clone)
    torch.set_default_dtype(torch.float64)
    torch.randn_like = torch.zeros_like
    models, code = importlib.import_module("models"), published(clone)
    for chunk, distance in ((7, 3), (7, 7), (5, 2), (4, 4)):
        generator = torch.Generator().manual_seed(chunk + distance)
        parts = {k: m.double() for k, m in kaixhin.build(models, generator).items()}
        with torch.no_grad():  # divergences on both sides of the free nats
            parts["transition_model"].fc_state_posterior.weight.mul_(5)
        batch = (torch.rand(chunk, ROWS, 3, 64, 64, generator=generator) - 0.5,
                 torch.rand(chunk, ROWS, kaixhin.ACTIONS, generator=generator) * 2 - 1, torch.rand(chunk, ROWS, generator=generator))
        args = types.SimpleNamespace(
            chunk_size=chunk, overshooting_distance=distance, state_size=kaixhin.STATE, batch_size=ROWS, device="cpu",
            overshooting_kl_beta=1, overshooting_reward_scale=1)
        with torch.no_grad():
            model = load_model({k: m.state_dict() for k, m in parts.items()})
        want, got = theirs(code, models.bottle, parts, batch, args), ours_of(model, batch, args)
        got = got[0], 2 * got[1]  # half the squared error
        sum(want).backward()
        sum(got).backward()
        print(f"chunks of {chunk}, distance {distance}:", [x.item() for x in want], [x.item() for x in got])
        torch.testing.assert_close(got, want)
        with torch.no_grad():
            for (name, p), (_, q) in zip(model.named_parameters(), gradients(parts).named_parameters()):
                torch.testing.assert_close(torch.zeros_like(p) if p.grad is None else p.grad, q, msg=lambda m: f"{name}: {m}")


if __name__ == "__main__":
    main(sys.argv[1])

"""Checks that reference.py computes what Kaixhin/PlaNet's own modules do.

    python3 internal/parity/torch/kaixhin_check.py internal/parity/testdata/kaixhin

It loads the checkpoint and the episode that kaixhin.py has written, and stops
with an error where the expected numbers differ by more than their rounding.
"""
import gzip
import io
import pathlib
import sys

import numpy as np
import torch

import kaixhin
from layers import Sizes
from reference import Model
from transitions import RSSM

SIZES = Sizes(depth=32, deter=kaixhin.BELIEF, stoch=kaixhin.STATE, hidden=kaixhin.HIDDEN, reward=(kaixhin.HIDDEN,) * 2)


def load(layer, weights, name, change=lambda w: w):
    layer.weight.copy_(change(weights[name + ".weight"]))
    layer.bias.copy_(weights[name + ".bias"])


def state_first(weight):
    """Features are [state; belief] here, [belief; state] there."""
    return torch.cat([weight[:, kaixhin.BELIEF:], weight[:, :kaixhin.BELIEF]], 1)


def channels_last(weight):
    """Embeddings are [height; width; channel] here, [channel; height; width] there."""
    belief, embed = weight[:, :kaixhin.BELIEF], weight[:, kaixhin.BELIEF:]
    return torch.cat([belief, embed.unflatten(1, (-1, 2, 2)).permute(0, 2, 3, 1).flatten(1)], 1)


def load_model(checkpoint):
    transition, decoder, reward, encoder = (
        checkpoint[k] for k in ("transition_model", "observation_model", "reward_model", "encoder"))
    model = Model(SIZES, lambda sizes, embed: RSSM(sizes, embed, "reset_after"))
    rssm = model.transition
    load(rssm.input, transition, "fc_embed_state_action")
    for name, p in rssm.cell.named_parameters():
        p.copy_(transition["rnn." + name])
    load(rssm.prior.hidden, transition, "fc_embed_belief_prior")
    load(rssm.prior.stats, transition, "fc_state_prior")
    load(rssm.posterior.hidden, transition, "fc_embed_belief_posterior", channels_last)
    load(rssm.posterior.stats, transition, "fc_state_posterior")
    for i in range(4):
        load(model.encoder.convs[i], encoder, f"conv{i + 1}")
        load(model.decoder.deconvs[i], decoder, f"conv{i + 1}")
    load(model.decoder.input, decoder, "fc1", state_first)
    load(model.reward.hidden[0], reward, "fc1", state_first)
    load(model.reward.hidden[1], reward, "fc2")
    load(model.reward.output, reward, "fc3")
    return model.double()


def main(folder):
    packed = (folder / "models_1.pth.gz").read_bytes()
    model = load_model(torch.load(io.BytesIO(gzip.decompress(packed))))
    episode = {k: torch.from_numpy(v) for k, v in np.load(folder / "episode.npz").items()}
    images = kaixhin.images(episode).permute(0, 2, 3, 1)[None].double()
    noise = torch.zeros(1, kaixhin.RECORDS, kaixhin.STATE, dtype=torch.float64)
    seq = model.observe({"images": images, "actions": episode["action"][None].double(), "noise": noise})
    got = {
        "belief": seq.features[..., kaixhin.STATE:], "kl": seq.posterior.kl(seq.prior),
        "prior_mean": seq.prior.mean, "prior_std": seq.prior.std,
        "posterior_mean": seq.posterior.mean, "posterior_std": seq.posterior.std,
        "decoded": model.decode(seq.features)[:, ::4], "predicted_reward": model.reward(seq.features)[..., 0],
    }
    with np.load(folder / "expected.npz") as expected:
        for name, value in got.items():
            np.testing.assert_allclose(value[0], expected[name], rtol=1e-6, atol=1e-6, err_msg=name)


if __name__ == "__main__":
    with torch.no_grad():
        main(pathlib.Path(sys.argv[1]))

"""Five updates of torch.optim.Adam with joint clipping, as fixtures."""
import torch

import mapping
from losses import losses

UPDATES = 5
SETTINGS = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-4}


def update(parameters, optimiser, clip):
    """Clips and steps; returns the norm before clipping."""
    norm = torch.nn.utils.clip_grad_norm_(parameters, clip)
    optimiser.step()
    return norm


def alone(generator, clip=1000.0):
    """Adam on given gradients of three tensors, some of whose norms are clipped:
    value/<i> before, grad/<t>/<i> and after/<t>/<i> for updates t from 1."""
    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64).float().double()
    parameters = [normal(7, 3).requires_grad_(), normal(5).requires_grad_(), normal(2, 3, 4).requires_grad_()]
    optimiser = torch.optim.Adam(parameters, **SETTINGS)
    out, norms = {f"value/{i}": p.detach().clone() for i, p in enumerate(parameters)}, []
    for t, scale in enumerate((1e-4, 1, 1e3, 1e-2, 1e5), start=1):
        for i, p in enumerate(parameters):
            p.grad = (scale * normal(*p.shape)).float().double()
            out[f"grad/{t}/{i}"] = p.grad.clone()
        norms.append(update(parameters, optimiser, clip))
        out.update({f"after/{t}/{i}": p.detach().clone() for i, p in enumerate(parameters)})
    out["norms"] = torch.stack(norms)
    print("adam norms", out["norms"].tolist())
    return out


def of_model(model, objective, data, clip):
    """Updates of a model on one batch: losses and norms [UPDATES], and by how
    much each parameter has changed in the end."""
    before = mapping.values(model)
    optimiser = torch.optim.Adam(model.parameters(), **SETTINGS)
    totals, norms = [], []
    for _ in range(UPDATES):
        optimiser.zero_grad()
        total = losses(model, objective, data)["total"]
        total.backward()
        totals.append(total.detach())
        norms.append(update(list(model.parameters()), optimiser, clip))
    out = {"update/change/" + k: v - before[k] for k, v in mapping.values(model).items()}
    out.update({"update/totals": torch.stack(totals), "update/norms": torch.stack(norms)})
    print("updates", out["update/totals"].tolist(), out["update/norms"].tolist())
    return out

"""From PyTorch's parameters to the names and layouts of the Go model.

dense kernels: [in, out]; convolutions: [height, width, in, out]; transposed
ones likewise with both spatial axes reversed, but the decoder's first, of a
single pixel, [in, height, width, out]. The posterior's hidden layer is split
into the share of the state and that of the embedding.
"""
import torch

from layers import MLP


def dense(weight):
    return weight.T


def conv(weight):
    return weight.permute(2, 3, 1, 0)


def deconv(weight):
    return weight.flip(2, 3).permute(2, 3, 0, 1)


def first_deconv(weight):
    return weight.permute(0, 2, 3, 1)


class Mapper:
    """Collects tensors by name. of reads a parameter: its value or gradient.
    shared joins PyTorch's two equivalent biases: their sum as a value, either
    as a gradient."""

    def __init__(self, of, shared):
        self.of, self.shared, self.out = of, shared, {}

    def layer(self, name, module, kernel=dense):
        self.out[name + "/kernel"] = kernel(self.of(module.weight))
        self.out[name + "/bias"] = self.of(module.bias)

    def mlp(self, name, mlp):
        for i, layer in enumerate(mlp.hidden):
            self.layer(f"{name}/layer{i + 1}", layer)
        self.layer(name + "/output", mlp.output)

    def split(self, name, module, first, names):
        """A layer whose input is two parts, of which the first has the bias."""
        weight = dense(self.of(module.weight))
        self.out[f"{name}/{names[0]}/kernel"] = weight[:first]
        self.out[f"{name}/{names[0]}/bias"] = self.of(module.bias)
        self.out[f"{name}/{names[1]}/kernel"] = weight[first:]

    def gru(self, name, cell, embed=0):
        """A cell; the first embed of its inputs have kernels of their own."""
        if not isinstance(cell, torch.nn.GRUCell):
            self.behind(name + "/gates", name + "/embed_gates", dense(self.of(cell.gates.weight)), embed)
            self.behind(name + "/candidate", name + "/embed_candidate", dense(self.of(cell.candidate.weight)), embed)
            self.out[name + "/gates/bias"] = self.of(cell.gates.bias)
            self.out[name + "/candidate/bias"] = self.of(cell.candidate.bias)
            return
        size = 2 * cell.hidden_size  # of both gates; the candidate is behind them
        of_input, of_state = dense(self.of(cell.weight_ih)), dense(self.of(cell.weight_hh))
        bias_input, bias_state = self.of(cell.bias_ih), self.of(cell.bias_hh)
        self.behind(name + "/gates", name + "/embed_gates", torch.cat([of_input[:, :size], of_state[:, :size]]), embed)
        self.behind(name + "/candidate", name + "/embed_candidate", of_input[:, size:], embed)
        self.out[name + "/gates/bias"] = self.shared(bias_input[:size], bias_state[:size])
        self.out[name + "/candidate/bias"] = bias_input[size:]
        self.out[name + "/recurrent/kernel"] = of_state[:, size:]
        self.out[name + "/recurrent/bias"] = bias_state[size:]

    def behind(self, name, embed_name, kernel, embed):
        """Splits off the share of the embedding, the first rows."""
        self.out[name + "/kernel"] = kernel[embed:]
        if embed:
            self.out[embed_name + "/kernel"] = kernel[:embed]

    def rssm(self, rssm, output="stats"):
        self.layer("rssm/input", rssm.input)
        self.gru("rssm/gru", rssm.cell)
        self.layer("rssm/prior/hidden", rssm.prior.hidden)
        self.layer("rssm/prior/" + output, getattr(rssm.prior, output))
        self.split("rssm/posterior", rssm.posterior.hidden, rssm.sizes.deter, ("deter", "embed"))
        self.layer("rssm/posterior/" + output, getattr(rssm.posterior, output))

    def deterministic(self, rssm):
        self.rssm(rssm, output="mean")

    def ssm(self, ssm):
        self.layer("ssm/prior/hidden", ssm.prior.hidden)
        self.layer("ssm/prior/stats", ssm.prior.stats)
        self.split("ssm/posterior", ssm.posterior.hidden, 2 * ssm.sizes.stoch, ("prior", "embed"))
        self.layer("ssm/posterior/stats", ssm.posterior.stats)

    def drnn(self, drnn):
        self.gru("drnn/encoder", drnn.encoder, drnn.embed)
        self.layer("drnn/hidden", drnn.latent.hidden)
        self.layer("drnn/stats", drnn.latent.stats)
        self.gru("drnn/decoder", drnn.decoder)

    def model(self, model):
        if model.images:
            for i, layer in enumerate(model.encoder.convs):
                self.layer(f"encoder/conv{i + 1}", layer, conv)
            self.layer("decoder/input", model.decoder.input)
            for i, layer in enumerate(model.decoder.deconvs):
                self.layer(f"decoder/deconv{i + 1}", layer, deconv if i else first_deconv)
        getattr(self, type(model.transition).__name__.lower())(model.transition)
        for name, head in model.named_children():
            if isinstance(head, MLP):
                self.mlp("continue" if name == "continues" else name, head)
        return self.out


def values(model):
    """Copies of the parameters by the Go model's names."""
    return Mapper(lambda p: p.detach().clone(), lambda a, b: a + b).model(model)


def gradients(model):
    """Copies of their gradients, zeros where there is none. The two biases of
    PyTorch's cell have the same one."""
    def of(p):
        return torch.zeros_like(p) if p.grad is None else p.grad.clone()

    def shared(a, b):
        torch.testing.assert_close(a, b)
        return a
    return Mapper(of, shared).model(model)

"""Operators that an energy may use: each is exported, with its gradient, and must match PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from groundstate_export import GradientDescent, UnsupportedOperator, export

Term = Callable[[Tensor, Tensor], Tensor]
INDEX = torch.tensor([3, 1, 1, 0])

# y: the state, (batch, 4, 6); x: an input of that shape. Each result is summed over everything but the batch.
TERMS: dict[str, Term] = {
    "abs": lambda y, x: y.abs() * x,
    "addcmul": lambda y, x: torch.addcmul(x, y, y, value=0.5),
    "amax": lambda y, x: (y * x).amax(-1),
    "amin": lambda y, x: (y * x).amin((1, 2)),
    "max over a dimension": lambda y, x: (y + x).max(1).values,
    "max of two": torch.maximum,
    "atan": lambda y, x: y.atan() * x,
    "baddbmm": lambda y, x: torch.baddbmm(x[:, :, :4], y, y.transpose(1, 2)),
    "bce with logits": lambda y, x: F.binary_cross_entropy_with_logits(y, x.sigmoid(), reduction="none"),
    "cat": lambda y, x: torch.cat([y, x * y, x], dim=1) ** 2,
    "chunk": lambda y, x: y.chunk(2, dim=-1)[0] * x.chunk(2, dim=-1)[1],
    "clamp": lambda y, x: y.clamp(-0.5, 0.7) * x,
    "clamp below": lambda y, x: y.clamp(min=0.1) * x,
    "cos": lambda y, x: (y * x).cos(),
    "cosine similarity": lambda y, x: F.cosine_similarity(y, x, dim=-1),
    "cosh": lambda y, x: y.cosh() * x,
    "cumsum": lambda y, x: y.cumsum(1) ** 2,
    "detach of a weight": lambda y, x: y * (x * y).detach(),
    "distances": lambda y, x: (y.unsqueeze(1) - y.unsqueeze(2) + x.unsqueeze(1)).square().sum(-1).sqrt(),
    "division": lambda y, x: x / (y.square() + 1),
    "einsum": lambda y, x: torch.einsum("bij,bkj->bik", y, x) ** 2,
    "elu": lambda y, x: F.elu(y) * x,
    "entropy": lambda y, x: -(y.softmax(-1) * y.log_softmax(-1)) * x.abs(),
    "erf": lambda y, x: y.erf() * x,
    "exp": lambda y, x: (y * 0.3).exp() * x,
    "expand": lambda y, x: y.mean(1, keepdim=True).expand(-1, 4, -1) * x,
    "expm1": lambda y, x: (0.3 * y).expm1() * x,
    "flip": lambda y, x: y.flip(1) * y * x,
    "gather with constants": lambda y, x: y[:, INDEX] * x,
    "gather by the input": lambda y, x: y.gather(2, x.argsort(-1)) * y,
    "gelu": lambda y, x: F.gelu(y) * x,
    "gelu by tanh": lambda y, x: F.gelu(y, approximate="tanh") * x,
    "group norm": lambda y, x: F.group_norm(y, 2) * x,
    "hardswish": lambda y, x: F.hardswish(y) * x,
    "hardtanh": lambda y, x: F.hardtanh(y) * x,
    "huber": lambda y, x: F.huber_loss(y, x, reduction="none"),
    "in place": lambda y, x: (y * x).mul_(2).add_(x) ** 2,
    "index select": lambda y, x: torch.index_select(y, 1, INDEX) ** 2 * x,
    "instance norm": lambda y, x: F.instance_norm(y) * x,
    "layer norm": lambda y, x: F.layer_norm(y, (6,)) * x,
    "leaky relu": lambda y, x: F.leaky_relu(y, 0.2) * x,
    "linear with a batch of weights": lambda y, x: torch.matmul(y.unsqueeze(2), x.unsqueeze(3)).flatten(1),
    "log1p": lambda y, x: y.square().log1p() * x,
    "log of a cosh": lambda y, x: (y * x).cosh().log(),
    "logsumexp": lambda y, x: (y * x).logsumexp(-1),
    "masked fill": lambda y, x: y.masked_fill(x > 0, 0.5) ** 2,
    "mish": lambda y, x: F.mish(y) * x,
    "multi-label margin": lambda y, x: F.relu(1 - y * x.sign()),
    "norm": lambda y, x: (y - x).norm(dim=-1),
    "normalise": lambda y, x: F.normalize(y, dim=-1) * x,
    "pad": lambda y, x: F.pad(y, (1, 2)) ** 2,
    "pairwise": lambda y, x: (y.unsqueeze(1) - x.unsqueeze(2)).abs().sum(-1),
    "pow of 1.5": lambda y, x: (y.square() + 0.1) ** 1.5 * x,
    "relu": lambda y, x: F.relu(y) * x,
    "repeat": lambda y, x: y.repeat(1, 2, 1) ** 2,
    "roll": lambda y, x: y.roll(1, dims=1) * y * x,
    "select": lambda y, x: y[:, 1] * y[:, -1] * x[:, 0],
    "selu": lambda y, x: F.selu(y) * x,
    "sigmoid": lambda y, x: y.sigmoid() * x,
    "silu": lambda y, x: F.silu(y * x),
    "sin": lambda y, x: y.sin() * x,
    "slices": lambda y, x: (y[:, 1:] - y[:, :-1]) ** 2 * x[:, 1:],
    "smooth l1": lambda y, x: F.smooth_l1_loss(y, x, reduction="none"),
    "softmax": lambda y, x: y.softmax(1) * x,
    "softplus": lambda y, x: F.softplus(y) * x,
    "sorted": lambda y, x: y * x.sort(-1).values,
    "sqrt": lambda y, x: (y.square() + 1).sqrt() * x,
    "stack": lambda y, x: torch.stack([y, x * y], -1).square(),
    "standard deviation": lambda y, x: y.std(-1),
    "tanh": lambda y, x: (y * x).tanh(),
    "transposed": lambda y, x: y.transpose(1, 2) @ x,
    "unbind": lambda y, x: torch.stack([a * b for a, b in zip(y.unbind(1), x.unbind(1), strict=True)], 1),
    "unflatten": lambda y, x: y.unflatten(2, (2, 3)).mean(2, keepdim=True) * x.unflatten(2, (2, 3)),
    "variance": lambda y, x: y.var(-1, unbiased=False) * x.mean(-1),
    "where": lambda y, x: torch.where(y > x, y * y, x * y),
    "where of the input": lambda y, x: torch.where(x > 0, y * y, y),
    "zeros": lambda y, x: torch.cat([y, torch.zeros_like(x)], 1) ** 2,
}


@pytest.mark.parametrize("name", TERMS)
def test_an_operator_and_its_gradient_match_pytorch(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    term = TERMS[name]

    def energy(state: Tensor, x: Tensor) -> Tensor:
        result = term(state, x)
        return result.reshape(len(state), -1).sum(1) + 0.5 * state.square().sum((1, 2))

    report = export(
        energy, inputs={"x": torch.randn(3, 4, 6)}, state=torch.randn(3, 4, 6), rule=GradientDescent(0.01), unroll=1,
        path=tmp_path / "term.onnx", batches=(1, 5), seeds=(0,),
    )  # fmt: skip
    assert report.worst <= 1e-4 if report.judged else report.worst <= 1e-5


torch.manual_seed(0)
LAYERS: dict[str, tuple[tuple[int, ...], nn.Module]] = {
    "conv1d": ((3, 9), nn.Conv1d(3, 4, 3, padding=1)),
    "conv2d strided": ((2, 7, 8), nn.Conv2d(2, 3, 3, stride=2)),
    "conv2d grouped": ((4, 6, 6), nn.Conv2d(4, 8, 3, groups=2, padding=1, dilation=2)),
    "conv2d transposed": ((3, 4, 5), nn.ConvTranspose2d(3, 2, 3, stride=2, output_padding=1)),
    "average pool": ((2, 8, 6), nn.AvgPool2d(2)),
    "batch norm in evaluation": ((3, 5, 5), nn.BatchNorm2d(3).eval()),
    "embedding of the state's projection": ((5, 4), nn.Linear(4, 3, bias=False)),
    "transformer": ((5, 8), nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True, norm_first=True)),
    "rms norm": ((5, 8), nn.RMSNorm(8)),
    "prelu": ((5, 8), nn.PReLU()),
    "glu": ((5, 8), nn.GLU()),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_and_its_gradient_match_pytorch(name: str, tmp_path: Path) -> None:
    shape, layer = LAYERS[name]
    report = export(
        lambda state: layer(state).square().flatten(1).mean(1) + 0.1 * state.square().flatten(1).sum(1),
        inputs={}, state=torch.randn(2, *shape), rule=GradientDescent(0.01), unroll=1, path=tmp_path / "layer.onnx",
        batches=(1, 5), seeds=(0,),
    )  # fmt: skip
    assert report.worst <= 1e-4 if report.judged else report.worst <= 1e-5


def overwrite(y: Tensor, x: Tensor) -> Tensor:
    changed = y * x
    changed[:, 0] = x[:, 0]
    return changed


UNSUPPORTED: dict[str, tuple[Term, str]] = {
    "inverse": (lambda y, x: torch.linalg.inv(y @ y.transpose(1, 2) + torch.eye(4)), "linalg_inv"),
    "gamma": (lambda y, x: torch.lgamma(y.abs() + x.abs()), r"aten\.lgamma"),
    "in place": (overwrite, "in place"),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_an_operator_without_a_translation_is_named(name: str, tmp_path: Path) -> None:
    term, message = UNSUPPORTED[name]
    with pytest.raises(UnsupportedOperator, match=message):
        export(
            lambda state, x: term(state, x).flatten(1).sum(1), inputs={"x": torch.randn(2, 4, 6)},
            state=torch.randn(2, 4, 6), rule=GradientDescent(0.01), unroll=1, path=tmp_path / "no.onnx",
        )  # fmt: skip
    assert list(tmp_path.iterdir()) == []

"""The operator cases that move entries, and those that need a layer or a shape of their own; all cases by subject in `CASES`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations
from torch.utils.checkpoint import checkpoint

from tests.export.battery import (
    COLUMNS,
    GROUPS,
    INDEX,
    Case,
    Term,
    add_in_place,
    assign,
    diagonal_written,
    functional_gradient,
    inner_gradient,
    inner_step,
    positive,
    regular,
    rotary,
    spline,
    written,
    written_between,
)


def layer(
    shape: tuple[int, ...], make: Callable[[], nn.Module], pick: Callable[[Any], Tensor] = lambda out: out
) -> Case:
    """A layer with weights from a fixed seed, in evaluation mode; the energy is the sine of what ``pick`` takes of its output."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = make().eval()
    return Case(lambda y: pick(module(y)).sin(), shape)


def pooled(shape: tuple[int, ...], function: Callable[..., Tensor], *args: Any, **kwargs: Any) -> Case:
    """A function of images with these settings."""
    return Case(lambda y, x: (function(y * (1 + 0.1 * x), *args, **kwargs)).sin(), shape)


def rolled(y: Tensor) -> Tensor:
    """Weight-standardised convolution."""
    weight = torch.linspace(-1, 1, 54).reshape(3, 2, 3, 3).cos()
    weight = (weight - weight.mean((1, 2, 3), keepdim=True)) / weight.std((1, 2, 3), keepdim=True)
    return F.conv2d(y, weight, padding=1).sin()


def normal_batch_norm() -> nn.Module:
    norm = nn.BatchNorm2d(3)
    norm.running_mean = torch.randn(3)
    norm.running_var = torch.rand(3) + 0.5
    return norm


def sampled(y: Tensor, x: Tensor) -> Tensor:
    grid = x[:, :1].permute(0, 2, 3, 1).expand(-1, -1, -1, 2).tanh() * torch.tensor([1.1, 0.8])
    return F.grid_sample(y, grid, align_corners=False).sin()


def moved(y: Tensor, x: Tensor) -> Tensor:
    """A grid that depends on the state, as in registration."""
    base = torch.stack(torch.meshgrid(torch.linspace(-0.9, 0.9, 6), torch.linspace(-0.9, 0.9, 4), indexing="xy"), -1)
    grid = base + 0.3 * y.unsqueeze(-1).tanh()
    return F.grid_sample(x.unsqueeze(1), grid, align_corners=True, padding_mode="border").sin()


def spectrum(y: Tensor) -> Tensor:
    f = torch.fft.fft2(y)
    return (f * f.conj()).real.log1p()


def fill_rows(y: Tensor, x: Tensor) -> Tensor:
    rows = torch.empty_like(y)
    for i in range(4):
        rows[:, i] = y[:, i] * x[:, i]
    return rows.sin()


def multiplied_rows(y: Tensor, x: Tensor) -> Tensor:
    """PyTorch allows writes to one of several views only where it records no gradient."""
    weights = x.clone()
    with torch.no_grad():
        for i, row in enumerate(weights.unbind(1)):
            row.mul_(i)
        left, right = weights.split((2, 4), dim=-1)
        right[:, 1:3].add_(left[:, :2].sum(-1, keepdim=True))
        left.zero_()
    return y.exp() * weights


def stopped(y: Tensor, x: Tensor) -> Tensor:
    with torch.no_grad():
        return (y * x).softmax(-1)


class StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.round()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0]


class _Same(nn.Module):
    """A layer of query, key and value, all of them the same."""

    def __init__(self, inner: nn.Module, output: int = 0) -> None:
        super().__init__()
        self.inner, self.output = inner, output

    def forward(self, y: Tensor) -> Tensor:
        result: Tensor = self.inner(y, y, y)[self.output]
        return result


class _Twice(nn.Module):
    """A layer of two tensors, both of them the same."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, y: Tensor) -> Tensor:
        result: Tensor = self.inner(y, y)
        return result


IMAGE = (2, 7, 8)
RAGGED = (torch.arange(4).unsqueeze(1) * 2 + torch.arange(6)) % 6

LAYERS: dict[str, Mapping[str, Term | Case]] = {
    "Convolution": {
        "conv1d": layer((3, 9), lambda: nn.Conv1d(3, 4, 3, padding=1)),
        "conv1d, dilated and strided": layer((3, 17), lambda: nn.Conv1d(3, 4, 3, stride=2, dilation=3, padding=2)),
        "conv2d": layer(IMAGE, lambda: nn.Conv2d(2, 3, (3, 5), padding=(1, 2))),
        "conv2d, strided": layer(IMAGE, lambda: nn.Conv2d(2, 3, 3, stride=2)),
        "conv2d, strided patches": layer((3, 8, 8), lambda: nn.Conv2d(3, 6, 4, stride=4)),
        "conv2d, grouped and dilated": layer((4, 6, 6), lambda: nn.Conv2d(4, 8, 3, groups=2, padding=1, dilation=2)),
        "conv2d, depthwise": layer((4, 6, 6), lambda: nn.Conv2d(4, 4, 3, groups=4, padding="same", bias=False)),
        "conv2d, reflecting": layer(IMAGE, lambda: nn.Conv2d(2, 3, 3, padding=1, padding_mode="reflect")),
        "conv2d, circular": layer(IMAGE, lambda: nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular")),
        "conv2d, weight-standardised": Case(rolled, IMAGE),
        "conv3d": layer((2, 4, 5, 6), lambda: nn.Conv3d(2, 3, 3, stride=(1, 2, 2), padding=1)),
        "transposed conv1d": layer((3, 6), lambda: nn.ConvTranspose1d(3, 2, 4, stride=3, padding=1, output_padding=1)),
        "transposed conv2d": layer((3, 4, 5), lambda: nn.ConvTranspose2d(3, 2, 3, stride=2, output_padding=1)),
        "transposed conv2d, grouped": layer(
            (4, 4, 5), lambda: nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, groups=2)
        ),
        "transposed conv3d": layer((2, 3, 3, 4), lambda: nn.ConvTranspose3d(2, 3, 2, stride=2)),
        "convolution by the input": Case(
            lambda y, x: F.conv2d(y.unsqueeze(1), 0 * x[:1, :3, :3].reshape(1, 1, 3, 3)),
            refused="select|slice|convolution",
            because="the weights of one row would reach the others",
        ),
    },
    "Padding and folding": {
        "pad": lambda y, x: F.pad(y, (1, 2)) ** 2,
        "pad by a value": lambda y, x: F.pad(y, (1, 2, 0, 1), value=0.7).sin(),
        "pad by less than nothing": lambda y, x: F.pad(y, (-1, 2)).sin(),
        "reflection 1d": pooled((3, 6), F.pad, (2, 3), mode="reflect"),
        "reflection 2d": pooled(IMAGE, F.pad, (1, 2, 3, 1), mode="reflect"),
        "replication 1d": pooled((3, 6), F.pad, (2, 3), mode="replicate"),
        "replication 2d": pooled(IMAGE, F.pad, (1, 2, 3, 1), mode="replicate"),
        "replication 3d": pooled((2, 3, 4, 5), F.pad, (1, 1, 1, 0, 0, 2), mode="replicate"),
        "circular": pooled(IMAGE, F.pad, (1, 2, 3, 1), mode="circular"),
        "unfold (im2col)": pooled(IMAGE, F.unfold, (3, 2), padding=1, stride=2),
        "fold (col2im)": pooled((12, 9), F.fold, (4, 5), (2, 3), stride=1),
        "windows (Tensor.unfold)": lambda y, x: (y.unfold(2, 3, 2) * x.unfold(2, 3, 2)).sum(-1).sin(),
        "overlapping windows": lambda y, x: y.unfold(1, 3, 1).prod(-1),
    },
    "Pooling and resizing": {
        "max_pool1d": pooled((3, 9), F.max_pool1d, 3, 2, 1),
        "max_pool2d": pooled(IMAGE, F.max_pool2d, 2),
        "max_pool2d, overlapping": pooled(IMAGE, F.max_pool2d, 3, 2, 1),
        "max_pool2d, dilated": pooled(IMAGE, F.max_pool2d, 2, 1, 0, 2),
        "max_pool2d with ceil_mode": pooled(IMAGE, F.max_pool2d, 3, 2, 0, ceil_mode=True),
        "max_pool2d of ties": Case(lambda y, x: F.max_pool2d((y * 2).round() + 0.1 * F.relu(y), 3, 2, 1) * 0.5, IMAGE),
        "max_pool3d": pooled((2, 4, 5, 6), F.max_pool3d, 2),
        "avg_pool1d": pooled((3, 9), F.avg_pool1d, 3, 2, 1),
        "avg_pool2d": pooled((2, 8, 6), F.avg_pool2d, 2),
        "avg_pool2d, padded": pooled(IMAGE, F.avg_pool2d, 3, 2, 1),
        "avg_pool2d, count_include_pad=False": pooled(IMAGE, F.avg_pool2d, 3, 2, 1, count_include_pad=False),
        "avg_pool2d with ceil_mode": pooled(IMAGE, F.avg_pool2d, 3, 2, 1, ceil_mode=True),
        "avg_pool2d, divisor_override": pooled(IMAGE, F.avg_pool2d, 3, 2, divisor_override=5),
        "avg_pool3d": pooled((2, 4, 5, 6), F.avg_pool3d, 2),
        "adaptive_avg_pool1d": pooled((3, 9), F.adaptive_avg_pool1d, 4),
        "adaptive_avg_pool2d": pooled(IMAGE, F.adaptive_avg_pool2d, (3, 5)),
        "global average": pooled(IMAGE, F.adaptive_avg_pool2d, 1),
        "adaptive_max_pool1d": pooled((3, 9), F.adaptive_max_pool1d, 4),
        "adaptive_max_pool2d": pooled(IMAGE, F.adaptive_max_pool2d, (3, 5)),
        "lp_pool1d": pooled((3, 9), F.lp_pool1d, 2, 3),
        "lp_pool2d": Case(lambda y: F.lp_pool2d(y.square() + 0.1, 3, 2), IMAGE),
        "fractional_max_pool2d": Case(
            lambda y: F.fractional_max_pool2d(y, 2, output_size=(3, 3), _random_samples=torch.rand(len(y), 2, 2)),
            IMAGE,
            refused="random numbers",
            because="it draws random numbers",
        ),
        "nearest 1d": pooled((3, 9), F.interpolate, scale_factor=2),
        "nearest 2d": pooled(IMAGE, F.interpolate, scale_factor=2),
        "nearest 2d to a size": pooled(IMAGE, F.interpolate, size=(5, 11)),
        "nearest-exact": pooled(IMAGE, F.interpolate, size=(5, 11), mode="nearest-exact"),
        "nearest 3d": pooled((2, 3, 4, 5), F.interpolate, scale_factor=2),
        "linear": pooled((3, 9), F.interpolate, size=14, mode="linear"),
        "bilinear": pooled(IMAGE, F.interpolate, scale_factor=2, mode="bilinear"),
        "bilinear, corners aligned": pooled(IMAGE, F.interpolate, size=(5, 11), mode="bilinear", align_corners=True),
        "bilinear, antialiased": pooled(IMAGE, F.interpolate, size=(4, 5), mode="bilinear", antialias=True),
        "bicubic": pooled(IMAGE, F.interpolate, scale_factor=2, mode="bicubic"),
        "bicubic, corners aligned": pooled(IMAGE, F.interpolate, size=(5, 11), mode="bicubic", align_corners=True),
        "trilinear": pooled((2, 3, 4, 5), F.interpolate, scale_factor=2, mode="trilinear"),
        "area": pooled(IMAGE, F.interpolate, size=(3, 5), mode="area"),
        "pixel_shuffle": pooled((8, 3, 4), F.pixel_shuffle, 2),
        "pixel_unshuffle": pooled((2, 6, 8), F.pixel_unshuffle, 2),
        "channel_shuffle": pooled((8, 3, 4), F.channel_shuffle, 4),
        "grid_sample by the input": Case(sampled, IMAGE),
        "grid_sample by the state": Case(moved),
    },
    "Normalisation": {
        "layer norm": lambda y, x: F.layer_norm(y, (6,)) * x,
        "layer norm with weights": layer((4, 6), lambda: nn.LayerNorm((4, 6))),
        "group norm": lambda y, x: F.group_norm(y, 2) * x,
        "group norm of images": layer((4, 5, 6), lambda: nn.GroupNorm(2, 4)),
        "instance norm": lambda y, x: F.instance_norm(y) * x,
        "instance norm with statistics": layer(
            (3, 5, 5), lambda: nn.InstanceNorm2d(3, affine=True, track_running_stats=True)
        ),
        "rms norm": layer((5, 8), lambda: nn.RMSNorm(8)),
        "rms norm by hand": lambda y, x: y * torch.rsqrt(y.square().mean(-1, keepdim=True) + 1e-6) * x,
        "batch norm 1d in evaluation": layer((6,), lambda: nn.BatchNorm1d(6)),
        "batch norm 2d in evaluation": layer((3, 5, 5), normal_batch_norm),
        "local response norm": pooled((6, 4, 4), F.local_response_norm, 3),
        "weight_norm": layer((4, 6), lambda: parametrizations.weight_norm(nn.Linear(6, 5))),
        "weight_norm of a convolution": layer((2, 5, 6), lambda: parametrizations.weight_norm(nn.Conv2d(2, 3, 3))),
        "spectral_norm": layer((4, 6), lambda: parametrizations.spectral_norm(nn.Linear(6, 5))),
        "spectral_norm of a convolution": layer((2, 5, 6), lambda: parametrizations.spectral_norm(nn.Conv2d(2, 3, 3))),
        "spectral_norm by hooks": layer((4, 6), lambda: torch.nn.utils.spectral_norm(nn.Linear(6, 5))),
        "orthogonal": layer((4, 6), lambda: parametrizations.orthogonal(nn.Linear(6, 5))),
    },
    "Networks": {
        "linear": layer((4, 6), lambda: nn.Linear(6, 3, bias=False)),
        "bilinear": layer((4, 6), lambda: _Twice(nn.Bilinear(6, 6, 4))),
        "multi-head attention": layer((5, 8), lambda: _Same(nn.MultiheadAttention(8, 2, batch_first=True))),
        "multi-head attention, weights": layer((5, 8), lambda: _Same(nn.MultiheadAttention(8, 2, batch_first=True), 1)),
        "transformer encoder layer": layer((5, 8), lambda: nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True)),
        "transformer, norm first, gelu": layer(
            (5, 8), lambda: nn.TransformerEncoderLayer(8, 2, 16, 0.0, "gelu", batch_first=True, norm_first=True)
        ),
        "transformer decoder layer": layer(
            (5, 8), lambda: _Twice(nn.TransformerDecoderLayer(8, 2, 16, 0.0, batch_first=True))
        ),
        "LSTM": layer((5, 4), lambda: nn.LSTM(4, 3, batch_first=True), lambda out: out[0]),
        "LSTM, two layers, both ways": layer(
            (3, 4), lambda: nn.LSTM(4, 3, num_layers=2, bidirectional=True, batch_first=True), lambda out: out[0]
        ),
        "GRU": layer((5, 4), lambda: nn.GRU(4, 3, batch_first=True), lambda out: out[0]),
        "RNN": layer((5, 4), lambda: nn.RNN(4, 3, batch_first=True), lambda out: out[0]),
        "LSTM cell": layer((4,), lambda: nn.LSTMCell(4, 3), lambda out: out[0] * out[1]),
        "GRU cell": layer((4,), lambda: nn.GRUCell(4, 3)),
        "embedding of integers": Case(
            lambda y, n: F.embedding(n[:, :, 0], torch.linspace(-1, 1, 24).reshape(4, 6)) * y.sin()
        ),
        "embedding_bag": Case(lambda y, n: F.embedding_bag(n[:, 0], torch.linspace(-1, 1, 24).reshape(4, 6)) * y[:, 0]),
        "embedding of the state": Case(lambda y, n: (F.one_hot(n[:, 0], 4).float() @ y).square()),
        "prelu layer": layer((5, 8), lambda: nn.PReLU()),  # noqa: PLW0108
        "maxout": lambda y, x: torch.maximum(y[..., :3] * 2, y[..., 3:] + x[..., :3]),
        "dropout in evaluation": layer(
            (4, 6), lambda: nn.Sequential(nn.Dropout(0.5), nn.Linear(6, 3), nn.AlphaDropout())
        ),
        "checkpointed": lambda y, x: checkpoint(lambda z: (z * x).tanh().exp(), y, use_reentrant=False),
        "graph convolution": lambda y, x: torch.relu(
            torch.zeros_like(y).index_add(1, COLUMNS[2:], y[:, :2]) + x
        ).square(),
        "message passing": lambda y, x: (
            torch.zeros_like(y).index_add(1, INDEX, (y[:, [0, 1, 2, 3]] - y[:, INDEX]).tanh()) * x
        ),
        "spline of the state": spline,
    },
    "Losses": {
        "mse": lambda y, x: F.mse_loss(y, x, reduction="none"),
        "l1": lambda y, x: F.l1_loss(y, x, reduction="none"),
        "smooth l1": lambda y, x: F.smooth_l1_loss(y, x, reduction="none", beta=0.5),
        "huber": lambda y, x: F.huber_loss(y, x, reduction="none", delta=0.7),
        "bce": lambda y, x: F.binary_cross_entropy(y.sigmoid(), x.sigmoid(), reduction="none"),
        "bce with logits": lambda y, x: F.binary_cross_entropy_with_logits(y, x.sigmoid(), reduction="none"),
        "bce with logits, weights": lambda y, x: F.binary_cross_entropy_with_logits(
            y, x.sigmoid(), weight=x.abs(), pos_weight=torch.linspace(0.5, 2, 6), reduction="none"
        ),
        "cross entropy": lambda y, k: F.cross_entropy(y[:, :, 0], k, reduction="none"),
        "cross entropy of images": lambda y, n: F.cross_entropy(y, n[:, 0], reduction="none"),
        "cross entropy, weights": lambda y, k: F.cross_entropy(
            y[:, :, 0], k, torch.linspace(0.5, 2, 4), reduction="none"
        ),
        "cross entropy, ignore_index": lambda y, n: F.cross_entropy(y, n[:, 0], ignore_index=2, reduction="none"),
        "cross entropy, label smoothing": lambda y, k: F.cross_entropy(
            y[:, :, 0], k, label_smoothing=0.1, reduction="none"
        ),
        "cross entropy, probabilities": lambda y, x: F.cross_entropy(y, x.softmax(1), reduction="none"),
        "nll": lambda y, k: F.nll_loss(y[:, :, 0].log_softmax(1), k, reduction="none"),
        "kl_div": lambda y, x: F.kl_div(y.log_softmax(-1), x.softmax(-1), reduction="none"),
        "kl_div of logarithms": lambda y, x: F.kl_div(
            y.log_softmax(-1), x.log_softmax(-1), reduction="none", log_target=True
        ),
        "poisson nll": lambda y, x: F.poisson_nll_loss(y, x.exp(), full=True, reduction="none"),
        "gaussian nll": lambda y, x: F.gaussian_nll_loss(y, x, y.exp() + 0.1, reduction="none"),
        "hinge embedding": lambda y, x: F.hinge_embedding_loss(y, x.sign(), reduction="none"),
        "soft margin": lambda y, x: F.soft_margin_loss(y, x.sign(), reduction="none"),
        "multi-label soft margin": lambda y, x: F.multilabel_soft_margin_loss(
            y[:, 0], (x[:, 0] > 0).float(), reduction="none"
        ),
        "multi-margin": lambda y, k: F.multi_margin_loss(y[:, :, 0], k, reduction="none"),
        "margin ranking": lambda y, x: F.margin_ranking_loss(
            y, x, (x > 0).float() * 2 - 1, margin=0.3, reduction="none"
        ),
        "triplet margin": lambda y, x: F.triplet_margin_loss(y, x, x.flip(1), reduction="none"),
        "cosine embedding": lambda y, x: F.cosine_embedding_loss(
            y.flatten(1), x.flatten(1), (x[:, 0, 0] > 0).float() * 2 - 1, margin=0.1, reduction="none"
        ),
        "focal": lambda y, x: (
            (1 - y.sigmoid()) ** 2 * F.binary_cross_entropy_with_logits(y, (x > 0).float(), reduction="none")
        ),
        "contrastive (InfoNCE)": lambda y, x: (
            -(F.normalize(y, dim=-1) @ F.normalize(x, dim=-1).mT / 0.5).log_softmax(-1).diagonal(dim1=1, dim2=2)
        ),
        "ctc": Case(
            lambda y: F.ctc_loss(
                y.log_softmax(-1).transpose(0, 1),
                torch.ones(len(y), 2).long(),
                (4,) * len(y),
                (2,) * len(y),
                reduction="none",
            ),
            refused="_ctc_loss",
            because="its recursion runs inside one operator of PyTorch's",
        ),
    },
    "Views": {
        "view, reshape": lambda y, x: y.view(-1, 24).reshape(-1, 3, 8).sin() * x.flatten(1).view(-1, 3, 8),
        "unflatten, flatten": lambda y, x: y.unflatten(2, (2, 3)).mean(2, keepdim=True) * x.unflatten(2, (2, 3)),
        "squeeze, unsqueeze": lambda y, x: (
            (y.unsqueeze(1).unsqueeze(-1) * x.unsqueeze(-1).unsqueeze(1)).squeeze(-1).squeeze(1).sin()
        ),
        "transpose, permute, movedim": lambda y, x: (y.transpose(1, 2) @ x).permute(0, 2, 1).movedim(1, 2).sin(),
        "adjoint": lambda y, x: y.mT @ x + (y.mH @ x).sin(),
        "expand": lambda y, x: y.mean(1, keepdim=True).expand(-1, 4, -1) * x,
        "repeat": lambda y, x: y.repeat(1, 2, 1) ** 2,
        "tile, repeat_interleave": lambda y, x: (y.tile(1, 1, 2) * x.repeat_interleave(2, dim=2)).sin(),
        "repeat_interleave by counts": lambda y, x: y.repeat_interleave(torch.tensor([1, 0, 3, 2]), dim=1).sin(),
        "cat": lambda y, x: torch.cat([y, x * y, x], dim=1) ** 2,
        "stack, hstack, vstack": lambda y, x: (
            torch.stack([y, x * y], -1).square().sum(-1) + torch.hstack([y, x])[:, 2:6].sin()
        ),
        "column_stack": lambda y, x: torch.column_stack([y[:, 0], x[:, 1]]).sin(),
        "zeros": lambda y, x: torch.cat([y, torch.zeros_like(x), torch.ones_like(x)], 1) ** 2,
        "chunk, split": lambda y, x: y.chunk(2, dim=-1)[0] * x.split([3, 3], dim=-1)[1] + y.tensor_split(2, -1)[1],
        "unbind": lambda y, x: torch.stack([a * b for a, b in zip(y.unbind(1), x.unbind(1), strict=True)], 1),
        "select": lambda y, x: y[:, 1] * y[:, -1] * x[:, 0],
        "narrow": lambda y, x: y.narrow(1, 1, 2).sin() * x.narrow(1, 0, 2),
        "slices": lambda y, x: (y[:, 1:] - y[:, :-1]) ** 2 * x[:, 1:],
        "slices with a stride": lambda y, x: y[:, ::2, 1::3].sin() * x[:, 1::2, ::3],
        "flip": lambda y, x: y.flip(1) * y * x,
        "flip of two axes": lambda y, x: y.flip((1, 2)) * y * x,
        "roll": lambda y, x: y.roll(1, dims=1) * y * x,
        "roll of two axes": lambda y, x: y.roll((1, -2), dims=(1, 2)) * y * x,
        "rot90": lambda y, x: torch.rot90(y, 1, (1, 2)).sin(),
        "diagonal": lambda y, x: y.diagonal(dim1=1, dim2=2).sin() * x[:, :, 0],
        "diagonal with an offset": lambda y, x: y.diagonal(-1, 1, 2).sin() + x.diagonal(2, 1, 2)[:, :3],
        "diag_embed": lambda y, x: (torch.diag_embed(y) + x.unsqueeze(-1)).sin(),
        "diag of the product": lambda y, x: torch.diagonal(y @ x.mT, dim1=-2, dim2=-1).sin(),
        "tril, triu": lambda y, x: y.tril() * 2 + y.triu(1).exp() * x,
        "meshgrid": lambda y, x: y * torch.meshgrid(torch.arange(4.0), torch.arange(6.0), indexing="ij")[0],
        "block_diag of constants": lambda y, x: y @ torch.block_diag(torch.ones(3, 3), torch.eye(3)) * x,
        "broadcast_tensors": lambda y, x: torch.broadcast_tensors(y[:, :1], x)[0] * x,
        "arange of the batch": Case(
            lambda y, x: y * torch.arange(len(y)).reshape(-1, 1, 1),
            refused="influence each other",
            because="rows must be treated alone",
        ),
    },
    "Indexing": {
        "constant index": lambda y, x: y[:, INDEX] * x,
        "constant indices of two axes": lambda y, x: y[:, INDEX, COLUMNS].sin() * x[:, :, 0],
        "constant indices apart": lambda y, x: (
            y.unsqueeze(1).expand(-1, 4, -1, -1)[:, INDEX, :, COLUMNS].sum((0, 2)).sin()
        ),
        "outer indices": lambda y, x: y[:, INDEX.unsqueeze(1), COLUMNS].sin(),
        "index_select": lambda y, x: torch.index_select(y, 1, INDEX) ** 2 * x,
        "gather": lambda y, x: y.gather(2, RAGGED.expand_as(y)).sin() * x,
        "gather by the input": lambda y, x: y.gather(2, x.argsort(-1)) * y,
        "gather by integers": lambda y, n: y.gather(1, n).sin(),
        "take_along_dim": lambda y, n: torch.take_along_dim(y, n, dim=2).sin(),
        "rows and classes": lambda y, k: y[torch.arange(len(y)), k].sin(),
        "rows and many classes": lambda y, n: y[torch.arange(len(y)).unsqueeze(1), n[:, 0]].sin(),
        "index by the input": lambda y, n: torch.linspace(-1, 1, 24).reshape(4, 6)[n].sum(-1) * y.sin(),
        "take of constants": lambda y, n: torch.linspace(-1, 1, 5).take(n) * y,
        "scatter": lambda y, n: (
            torch.zeros_like(y).scatter(1, RAGGED.clamp(max=3).expand_as(y)[:, :1], y[:, :1]).sin() * y
        ),
        "scatter of a number": lambda y, n: y.scatter(1, n[:, :1], 0.3).sin(),
        "scatter_add": lambda y, x: torch.zeros_like(y).scatter_add(2, RAGGED.expand_as(y), y * x).sin(),
        "scatter_add by integers": lambda y, n: y.scatter_add(1, n, y.sin()).square(),
        "scatter_reduce, sum": lambda y, n: y.scatter_reduce(1, n, y.sin(), "sum").square(),
        "scatter_reduce, mean": lambda y, n: (
            torch.zeros_like(y).scatter_reduce(1, n, y.sin(), "mean", include_self=False).square()
        ),
        "scatter_reduce, amax": lambda y, n: (
            torch.zeros_like(y).scatter_reduce(1, n, y.sin(), "amax", include_self=True).square()
        ),
        "scatter_reduce, prod": lambda y, n: torch.ones_like(y).scatter_reduce(1, n, y, "prod"),
        "index_add": lambda y, x: x.index_add(1, INDEX, y.sin(), alpha=0.5).square(),
        "index_copy": lambda y, x: x.index_copy(1, torch.tensor([2, 0]), y[:, :2]).square(),
        "index_fill": lambda y, x: y.index_fill(1, torch.tensor([2, 0]), 0.5).square(),
        "index_put of constants": lambda y, x: written(
            y, lambda h: h.index_put_((torch.arange(len(y)).unsqueeze(1), INDEX), x, accumulate=True)
        ),
        "masked_scatter": Case(
            lambda y, x: y.masked_scatter(x > 0, x) * 0 + y,
            refused="masked_scatter",
            because="where a value lands depends on the values before it; use `torch.where`",
        ),
        "segment sums": lambda y, n: torch.zeros(len(y), 4).scatter_add(1, n[:, 0], y[:, 0]).square(),
        "bincount": Case(
            lambda y, n: torch.bincount(n.flatten()).sum() * 0 + y,
            refused="bincount",
            because="it counts across the batch",
        ),
    },
    "Writes in place": {
        "arithmetic": lambda y, x: (y * x).mul_(2).add_(x) ** 2,
        "a column": assign((slice(None), 0), lambda y: y[:, 1].sin()),
        "a number": assign((..., 2), lambda y: 0.7),
        "a slice": assign((slice(None), slice(1, 3)), lambda y: y[:, :2].sin()),
        "a strided slice": assign((..., slice(0, None, 2)), lambda y: y[..., :3].exp()),
        "an entry": assign((slice(None), 1, 2), lambda y: y[:, 0, 0].sin()),
        "a view of a view": lambda y, x: written(y, lambda h: h[:, 1:].transpose(1, 2)[:, 2:4].copy_(x[:, :2, :3])),
        "an index": assign((slice(None), INDEX[:2]), lambda y: y[:, 1:3].sin()),
        "sums into slices": add_in_place,
        "reads between writes": written_between,
        "a diagonal": diagonal_written,
        "a superdiagonal": lambda y, x: written(y, lambda h: h.diagonal(1, 1, 2).add_(x[:, :, 0].sin())),
        "through a reshape": lambda y, x: written(y, lambda h: h.view(-1, 24)[:, 3:9].mul_(x.flatten(1)[:, 3:9])),
        "through squeeze and narrow": lambda y, x: written(
            y, lambda h: h.unsqueeze(0).squeeze(0).narrow(1, 0, 1).add_(x[:, 1:2])
        ),
        "through unbind and split": multiplied_rows,
        "zero_, fill_": lambda y, x: written(y, lambda h: (h[:, 0].zero_(), h[:, 1].fill_(0.5))),
        "a buffer filled by rows": fill_rows,
        "relu_, clamp_": lambda y, x: F.relu((y * x).clamp_(-1, 1), inplace=True) * y,
        "masked_fill_ of a view": lambda y, m: written(y, lambda h: h[:, 1:].masked_fill_(m[:, 1:], 0.25)),
        "an input": Case(
            lambda y, x: x.mul_(1) * y,
            refused="mul_",
            because="it changes an input of the energy; write `x = x * 2`",
        ),
    },
    "Order of entries": {
        "sort": lambda y, x: y.sort(-1).values * x.sort(-1, descending=True).values,
        "sort of the first axis": lambda y, x: y.sort(dim=1, stable=True).values * x,
        "argsort": lambda y, x: y.argsort(-1) * y + x.argsort(1, descending=True) * y,
        "msort": lambda y, x: torch.msort(y.transpose(0, 1)).transpose(0, 1) * x,
        "topk": lambda y, x: y.topk(3, -1).values.square() * x[..., :3],
        "topk, smallest": lambda y, x: y.topk(2, 1, largest=False).values.square(),
        "ranks": lambda y, x: y * x.argsort(-1).argsort(-1),
        "searchsorted": lambda y, x: torch.searchsorted(torch.linspace(-2, 2, 7), x.contiguous()) * y,
        "searchsorted, right, of the state": lambda y, x: (
            torch.searchsorted(torch.linspace(-2, 2, 7), y.detach().contiguous(), right=True) * y
        ),
        "bucketize": lambda y, x: torch.bucketize(x, torch.linspace(-2, 2, 7)) * y,
        "unique": Case(
            lambda y, x: torch.unique(x.round()).sum() * 0 + y,
            refused="unique",
            because="its size depends on the values",
        ),
    },
    "Complex numbers and Fourier": {
        "rotary embedding": rotary,
        "complex product": lambda y, x: torch.view_as_real(
            torch.view_as_complex(y.reshape(-1, 12, 2)) * torch.view_as_complex(x.reshape(-1, 12, 2))
        ).sin(),
        "complex quotient": lambda y, x: torch.view_as_real(
            torch.view_as_complex(x.reshape(-1, 12, 2)) / (torch.view_as_complex(y.reshape(-1, 12, 2)) + (3 + 1j))
        ).sin(),
        "complex parts": lambda y, x: torch.complex(y, x).conj().imag * y + torch.complex(y, x).real.sin(),
        "complex magnitude": lambda y, x: torch.complex(y, x).abs().sin(),
        "complex angle": lambda y, x: torch.complex(y, x).angle().sin(),
        "complex exponential": lambda y, x: torch.exp(1j * y).real * x + torch.exp(torch.complex(0.3 * x, y)).imag,
        "complex matrices": lambda y, x: (torch.complex(y, x) @ torch.complex(x, y).mT).abs().square(),
        "polar of the state": lambda y, x: torch.view_as_real(torch.polar(y.abs() + 0.1, x)).sin(),
        "rfft": lambda y, x: torch.fft.rfft(y).abs().square() * 0.1,
        "rfft, irfft": lambda y, x: torch.fft.irfft(torch.fft.rfft(y) * torch.fft.rfft(x), n=6).sin(),
        "irfft of an odd length": Case(
            lambda y, x: torch.fft.irfft(torch.fft.rfft(y) * torch.fft.rfft(x), n=7).sin(), (3, 7)
        ),
        "fft": lambda y, x: torch.fft.fft(y, dim=1).real.sin() + torch.fft.fft(x).imag * y,
        "fft, ifft, orthonormal": lambda y, x: torch.fft.ifft(
            torch.fft.fft(y, norm="ortho") * torch.fft.fft(x, norm="ortho"), norm="ortho"
        ).real.sin(),
        "fft2": spectrum,
        "rfft2, irfft2": lambda y, x: torch.fft.irfft2(torch.fft.rfft2(y) * torch.fft.rfft2(x), s=(4, 6)).sin(),
        "fftshift, fftfreq": lambda y, x: torch.fft.fftshift(y, -1) * torch.fft.fftfreq(6),
        "stft": Case(
            lambda y: torch.stft(y, 8, 4, window=torch.hann_window(8), return_complex=True).abs().square(), (24,)
        ),
    },
    "Linear algebra": {
        "det 2×2": lambda y, x: torch.linalg.det(regular(y, 2)),
        "det 3×3": lambda y, x: torch.linalg.det(regular(y, 3)),
        "det 4×4": lambda y, x: torch.linalg.det(regular(y, 4)),
        "slogdet": lambda y, x: torch.linalg.slogdet(regular(y, 4))[1],
        "logdet": lambda y, x: torch.logdet(positive(y, x)),
        "inverse 2×2": lambda y, x: torch.linalg.inv(regular(y, 2)).sin(),
        "inverse 3×3": lambda y, x: torch.linalg.inv(regular(y, 3)).sin(),
        "inverse 4×4": lambda y, x: torch.inverse(regular(y, 4)).sin(),
        "solve": lambda y, x: torch.linalg.solve(regular(y, 4), x).sin(),
        "solve of a vector": lambda y, x: torch.linalg.solve(regular(y, 3), x[:, 0, :3]).sin(),
        "solve by constants": lambda y, x: torch.linalg.solve(torch.eye(4) + 0.1 * torch.ones(4, 4), y * x).sin(),
        "solve_triangular": lambda y, x: torch.linalg.solve_triangular(regular(y, 4).tril(), x, upper=False).sin(),
        "cholesky": lambda y, x: torch.linalg.cholesky(positive(y, x)).sin(),
        "cholesky_solve": lambda y, x: torch.cholesky_solve(x[:, :3, :2], torch.linalg.cholesky(positive(y, x))).sin(),
        "matrix_power": lambda y, x: torch.linalg.matrix_power(regular(y, 4), 3).sin(),
        "pinv of constants": lambda y, x: y @ torch.linalg.pinv(torch.linspace(-1, 1, 12).reshape(2, 6).sin()),
        "matrix_exp": Case(
            lambda y: torch.linalg.matrix_exp(regular(y, 4)),
            refused="linalg_matrix_exp",
            because="how many terms its series takes depends on the values",
        ),
        "eigh": Case(
            lambda y, x: torch.linalg.eigh(positive(y, x))[0], refused="_linalg_eigh", because="ONNX has no eigenvalues"
        ),
        "svd": Case(
            lambda y: torch.linalg.svdvals(y),  # noqa: PLW0108  # a builtin has no signature
            refused="_linalg_svd",
            because="ONNX has no singular values",
        ),
        "qr": Case(
            lambda y: torch.linalg.qr(regular(y, 4))[1], refused="linalg_qr", because="ONNX has no decompositions"
        ),
    },
    "Gradients inside the energy": {
        "score of an inner energy": inner_gradient,
        "torch.func.grad": functional_gradient,
        "torch.func.vmap": lambda y, x: torch.func.vmap(lambda a, b: (a @ b.mT).logsumexp(-1))(y, x),  # noqa: PLW0108
        "jacobian by vmap": lambda y, x: torch.func.vmap(torch.func.jacrev(lambda a: a.sin().prod(-1)))(
            y[..., :3]
        ).sin(),
        "hessian-vector product": lambda y, x: torch.func.jvp(
            torch.func.grad(lambda z: z.cos().prod(-1).sum()), (y,), (x,)
        )[1].sin(),
        "inner descent": inner_step,
        "detach of a weight": lambda y, x: y * (x * y).detach(),
        "no_grad inside": lambda y, x: y * stopped(y, x),
        "custom autograd function": lambda y, x: StraightThrough.apply(y) * x,
        "divergence": lambda y, x: torch.func.vmap(
            lambda a: torch.func.jacrev(lambda z: z.sin() * z.sum())(a).diagonal().sum()
        )(y[:, 0]),
    },
}


CASES: dict[str, Case] = {
    f"{subject}: {name}": term if isinstance(term, Case) else Case(term)
    for subject, group in (GROUPS | LAYERS).items()
    for name, term in group.items()
}

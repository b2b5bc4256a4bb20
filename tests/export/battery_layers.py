"""The operator cases that need a layer, or a shape of their own."""

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
    INDEX,
    Case,
    Term,
    spline,
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


def weighted_group_norm() -> nn.Module:
    norm = nn.GroupNorm(2, 6)
    norm.weight, norm.bias = nn.Parameter(torch.randn(6)), nn.Parameter(torch.randn(6))
    return norm


def sampled(y: Tensor, x: Tensor) -> Tensor:
    grid = x[:, :1].permute(0, 2, 3, 1).expand(-1, -1, -1, 2).tanh() * torch.tensor([1.1, 0.8])
    return F.grid_sample(y, grid, align_corners=False).sin()


def moved(y: Tensor, x: Tensor) -> Tensor:
    """A grid that depends on the state, as in registration."""
    base = torch.stack(torch.meshgrid(torch.linspace(-0.9, 0.9, 6), torch.linspace(-0.9, 0.9, 4), indexing="xy"), -1)
    grid = base + 0.3 * y.unsqueeze(-1).tanh()
    return F.grid_sample(x.unsqueeze(1), grid, align_corners=True, padding_mode="border").sin()


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
        "group norm of images, weighted": layer((6, 4, 5), weighted_group_norm),
        "group norm of images, without weights": layer((6, 4, 5), lambda: nn.GroupNorm(3, 6, affine=False)),
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
        "bilinear": layer((4, 6), lambda: _Twice(nn.Bilinear(6, 6, 4)), lambda out: out / (1 + out.square())),
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
            because="its recursion is inside one PyTorch operator",
        ),
    },
}

"""Everyday energies over problems of any size: sequences, images and sets, written as people write them."""

# ruff: noqa: E501, FBT003, PLC3002, PLW0108  # a line for each pattern

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from groundstate_export import Descent, GradientDescent, export

Energy = Callable[..., Any]
D = 8


@dataclass(frozen=True)
class Kind:
    """How examples look.

    Attributes:
        axes: The names of the inputs' axes.
        sample: Inputs and state at some sizes, and a batch.
        seen: The sizes of the examples.
        unseen: Sizes that no example has.
    """

    axes: dict[str, tuple[str | None, ...]]
    sample: Callable[..., tuple[dict[str, Tensor], Tensor]]
    seen: tuple[tuple[int, ...], ...]
    unseen: tuple[tuple[int, ...], ...]


def _randn(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


SEQUENCE = Kind(
    {"x": ("n", None)}, lambda n, batch=3: ({"x": _randn(batch, n, D)}, _randn(batch, n, D)), ((7,), (12,), (9,)),
    ((4,), (16,), (31,)),
)  # fmt: skip
SIGNAL = Kind(
    {"x": ("n",)}, lambda n, batch=3: ({"x": _randn(batch, n)}, _randn(batch, n)), ((7,), (12,), (9,)), ((5,), (16,), (31,))
)  # fmt: skip
EVEN = Kind(SIGNAL.axes, SIGNAL.sample, ((8,), (12,), (16,)), ((20,), (28,)))
IMAGE = Kind(
    {"x": (None, "h", "w")}, lambda h, w, batch=2: ({"x": _randn(batch, 3, h, w)}, _randn(batch, 3, h, w)),
    ((8, 12), (16, 8), (12, 20)), ((24, 12), (4, 32), (20, 20)),
)  # fmt: skip
ODD = Kind(IMAGE.axes, IMAGE.sample, ((9, 12), (14, 11), (10, 13)), ((15, 8), (17, 21), (8, 9)))
CLOUD = Kind(
    {"x": ("n", None)}, lambda n, batch=3: ({"x": _randn(batch, n, 3)}, _randn(batch, n, 3)), ((6,), (11,), (8,)),
    ((3,), (14,), (25,)),
)  # fmt: skip
GRAPH = Kind(
    {"edge": ("edges", None), "x": ("nodes", None)},
    lambda nodes, edges, batch=3: (
        {
            "edge": torch.randint(nodes, (batch, edges, 2), generator=torch.Generator().manual_seed(edges)),
            "x": _randn(batch, nodes, D),
        },
        _randn(batch, nodes, D),
    ),
    ((5, 9), (8, 6), (7, 12)), ((3, 20), (14, 4)),
)  # fmt: skip


def pull(y: Tensor, x: Tensor) -> Tensor:
    """A bowl, which keeps every energy confined."""
    return 0.5 * (y - x).square().flatten(1).sum(1)


def energy_of(read: Callable[[Tensor, Tensor], Tensor]) -> Energy:
    """An energy of a function that returns any tensor with the batch first."""
    return lambda y, x: pull(y, x) + 0.1 * read(y, x).square().flatten(1).mean(1)


class Net(nn.Module):
    """A module as an energy."""

    def __init__(self, *layers: nn.Module, channel: bool = False, mean: bool = True) -> None:
        super().__init__()
        self.layers, self.channel, self.mean = nn.Sequential(*layers), channel, mean

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        found = self.layers(state.unsqueeze(1) if self.channel else state).square().flatten(1)
        return pull(state, x) + 0.1 * (found.mean(1) if self.mean else found.sum(1))


class Transformer(nn.Module):
    """Attention over tokens with a choice of positions and masks."""

    def __init__(self, positions: str = "", mask: str = "", token: bool = False) -> None:
        super().__init__()
        self.positions, self.mask = positions, mask
        self.table = nn.Parameter(0.3 * torch.randn(1, 64, D))
        self.embedding = nn.Embedding(64, D)
        self.token = nn.Parameter(torch.randn(1, 1, D)) if token else None
        self.norm, self.mix = nn.LayerNorm(D), nn.Linear(D, 3 * D)
        self.out = nn.Sequential(nn.LayerNorm(D), nn.Linear(D, 2 * D), nn.GELU(), nn.Linear(2 * D, D))

    def placed(self, h: Tensor) -> Tensor:
        n = h.shape[1]
        if self.positions == "learned":
            return h + self.table[:, :n]
        if self.positions == "embedding":
            return h + self.embedding(torch.arange(n))
        if self.positions == "sinusoidal":
            turn = torch.arange(n).unsqueeze(1) * torch.exp(torch.arange(0, D, 2) * (-math.log(10000.0) / D))
            return h + torch.stack([turn.sin(), turn.cos()], -1).flatten(1)
        if self.positions == "sinusoidal buffer":
            table = torch.zeros(n, D)
            turn = torch.arange(n, dtype=torch.float).unsqueeze(1) / 10 ** (torch.arange(0, D, 2) / D)
            table[:, 0::2], table[:, 1::2] = turn.sin(), turn.cos()
            return h + table
        return h

    def turned(self, q: Tensor) -> Tensor:
        if self.positions != "rotary":
            return q
        n, d = q.shape[-2:]
        turn = torch.outer(torch.arange(n, dtype=torch.float), 1.0 / 100 ** (torch.arange(0, d, 2) / d))
        one, two = q[..., : d // 2], q[..., d // 2 :]
        return torch.cat([one * turn.cos() - two * turn.sin(), one * turn.sin() + two * turn.cos()], -1)

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        h = self.placed(state + x)
        if self.token is not None:
            h = torch.cat([self.token.expand(h.shape[0], -1, -1), h], 1)
        q, k, v = (t.unflatten(2, (2, -1)).transpose(1, 2) for t in self.mix(self.norm(h)).chunk(3, 2))
        q, k, n = self.turned(q), self.turned(k), h.shape[1]
        if self.mask == "is_causal":
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            scores = q @ k.mT / math.sqrt(q.shape[-1])
            if self.mask == "triu":
                scores = scores + torch.triu(torch.full((n, n), -math.inf), 1)
            elif self.mask == "tril":
                scores = scores.masked_fill(~torch.ones(n, n, dtype=torch.bool).tril(), -1e9)
            elif self.mask == "transformer":
                scores = scores + nn.Transformer.generate_square_subsequent_mask(n)
            elif self.mask == "alibi":
                place = torch.arange(n)
                scores = scores - 0.3 * (place[:, None] - place[None, :]).abs()
            elif self.mask == "window":
                place = torch.arange(n)
                scores = scores.masked_fill((place[:, None] - place[None, :]).abs() > 2, -math.inf)
            elif self.mask == "diagonal":
                scores = scores.masked_fill(torch.eye(n, dtype=torch.bool), -1e9)
            elif self.mask == "bias":
                place = torch.arange(n)
                scores = scores + self.embedding((place[:, None] - place[None, :]).clamp(-8, 8) + 8)[..., 0]
            mixed = scores.softmax(-1) @ v
        h = h + mixed.transpose(1, 2).flatten(2)
        h = h + self.out(h)
        read = h[:, 0] if self.token is not None else h.mean(1)
        return pull(state, x) + 0.1 * read.square().sum(1) + 0.02 * h.square().mean((1, 2))


class UNet(nn.Module):
    """Two levels with skip connections."""

    def __init__(self, down: str = "stride", up: str = "nearest") -> None:
        super().__init__()
        c = 8
        self.first, self.middle, self.last = (
            nn.Conv2d(3, c, 3, padding=1),
            nn.Conv2d(c, c, 3, padding=1),
            nn.Conv2d(2 * c, 3, 3, padding=1),
        )
        self.norm = nn.GroupNorm(2, c)
        self.down: nn.Module = {
            "stride": nn.Conv2d(c, c, 3, stride=2, padding=1), "valid": nn.Conv2d(c, c, 2, stride=2),
            "max": nn.MaxPool2d(2), "average": nn.AvgPool2d(2),
        }[down]  # fmt: skip
        self.up: nn.Module = {
            "nearest": nn.Upsample(scale_factor=2), "bilinear": nn.Upsample(scale_factor=2, mode="bilinear"),
            "aligned": nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
            "transposed": nn.ConvTranspose2d(c, c, 2, stride=2), "size": nn.Identity(),
        }[up]  # fmt: skip
        self.resized = up == "size"

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        one = F.silu(self.norm(self.first(state)))
        two = self.down(one)
        three = F.silu(self.middle(self.down(two))) + 0.0
        up = self.up(three)
        if self.resized:
            two = F.interpolate(up, size=two.shape[-2:]) + two
            up = F.interpolate(two, size=one.shape[-2:])
        else:
            up = self.up(up + two)
        return pull(state, x) + 0.1 * self.last(torch.cat([up, one], 1)).square().mean((1, 2, 3))


def recurrent() -> Energy:
    lstm = nn.LSTM(D, D, batch_first=True)
    return energy_of(lambda y, x: lstm(y)[0])


def local(y: Tensor, x: Tensor) -> Tensor:
    """The state's own size."""
    return (y - x[:, None]).square().sum(1) + y.diff(dim=1).square().sum(1)


def messages(y: Tensor, edge: Tensor, x: Tensor) -> Tensor:
    one, two = (y.gather(1, edge[..., k : k + 1].expand(-1, -1, y.shape[2])) for k in (0, 1))
    total = torch.zeros_like(y).scatter_add(1, edge[..., :1].expand(-1, -1, y.shape[2]), (one - two).tanh())
    return pull(y, x) + 0.1 * total.square().sum((1, 2)) + (one - two).square().mean((1, 2))


def pairs(y: Tensor, x: Tensor) -> Tensor:
    n = y.shape[1]
    apart = (y[:, :, None] - y[:, None]).square().sum(-1) + torch.eye(n)
    return pull(y, x) + 0.1 * ((1 / apart) * (1 - torch.eye(n))).sum((1, 2)) / (n * (n - 1))


def triangles(y: Tensor, x: Tensor) -> Tensor:
    one, two = torch.triu_indices(y.shape[1], y.shape[1], 1)
    return pull(y, x) + 0.1 * (y[:, one] - y[:, two]).square().sum(2).add(1e-3).sqrt().mean(1)


def spectrum(y: Tensor, x: Tensor) -> Tensor:
    return pull(y, x) + 0.1 * torch.fft.rfft(y).abs().square().mean(1)


def chain(y: Tensor, x: Tensor) -> Tensor:
    """Squared curvature."""
    return pull(y, x) + (y[:, 2:] - 2 * y[:, 1:-1] + y[:, :-2]).square().sum((1, 2))


def sinkhorn(y: Tensor, x: Tensor) -> Tensor:
    scores = y @ x.mT
    for _ in range(3):
        scores = scores - scores.logsumexp(2, keepdim=True)
        scores = scores - scores.logsumexp(1, keepdim=True)
    return pull(y, x) - 0.1 * (scores.exp() * scores).sum((1, 2)) / y.shape[1]


def tv(y: Tensor, x: Tensor) -> Tensor:
    across, down = y[..., 1:] - y[..., :-1], y[..., 1:, :] - y[..., :-1, :]
    return (
        pull(y, x)
        + 0.1 * (across.square() + 1e-3).sqrt().sum((1, 2, 3))
        + 0.1 * (down.square() + 1e-3).sqrt().sum((1, 2, 3))
    )


def conv(*args: Any, **options: Any) -> nn.Module:
    return nn.Conv2d(3, 4, *args, **options)


NOTED: dict[str, tuple[Kind, Callable[[], Energy]]] = {
    "transformer": (SEQUENCE, Transformer),
    "padding mask": (SEQUENCE, lambda: lambda y, x: pull(y, x) + ((y @ y.mT).masked_fill((x[..., 0] > 1)[:, None], -1e9).softmax(2) @ y).square().mean((1, 2))),
    "cumsum": (SIGNAL, lambda: energy_of(lambda y, x: y.cumsum(1))),
    "sort": (SIGNAL, lambda: energy_of(lambda y, x: y.sort(1).values - x.sort(1).values)),
    "topk": (SIGNAL, lambda: energy_of(lambda y, x: y.topk(3, 1).values)),
    "cdist": (CLOUD, lambda: energy_of(lambda y, x: torch.cdist(y, x))),
    "flip": (SIGNAL, lambda: energy_of(lambda y, x: y - y.flip(1))),
    "mean": (SIGNAL, lambda: energy_of(lambda y, x: y - y.mean(1, keepdim=True))),
    "same convolution": (IMAGE, lambda: Net(conv(3, padding=1), nn.SiLU(), nn.Conv2d(4, 3, 3, padding="same"))),
    "group norm": (IMAGE, lambda: Net(conv(3, padding=1), nn.GroupNorm(2, 4), nn.SiLU())),
    "global pooling": (IMAGE, lambda: Net(conv(3, padding=1), nn.AdaptiveAvgPool2d(1))),
    "attention module": (SEQUENCE, lambda: (lambda mix: energy_of(lambda y, x: mix(y, x, x, need_weights=False)[0]))(nn.MultiheadAttention(D, 2, batch_first=True))),
    "attention over pixels": (IMAGE, lambda: energy_of(lambda y, x: (y.flatten(2).mT @ y.flatten(2)).softmax(2) @ y.flatten(2).mT)),
    "padding same 1d": (SIGNAL, lambda: Net(nn.Conv1d(1, 4, 3, padding=1), nn.SiLU(), channel=True)),
    "outer product": (SIGNAL, lambda: energy_of(lambda y, x: y[:, :, None] * x[:, None])),
    "arange": (SIGNAL, lambda: lambda y, x: (y - torch.arange(y.shape[1]) * x / y.shape[1]).square().sum(1)),
    "learned positions": (SEQUENCE, lambda: Transformer("learned")),
    "embedded positions": (SEQUENCE, lambda: Transformer("embedding")),
    "sinusoidal positions": (SEQUENCE, lambda: Transformer("sinusoidal")),
    "rotary positions": (SEQUENCE, lambda: Transformer("rotary")),
    "causal triu": (SEQUENCE, lambda: Transformer(mask="triu")),
    "causal tril": (SEQUENCE, lambda: Transformer(mask="tril")),
    "is_causal": (SEQUENCE, lambda: Transformer(mask="is_causal")),
    "eye": (CLOUD, lambda: pairs),
    "first element": (SIGNAL, lambda: lambda y, x: pull(y, x) + y[:, 0].square()),
    "all but the first": (SIGNAL, lambda: energy_of(lambda y, x: y[:, 1:])),
    "last element": (SIGNAL, lambda: lambda y, x: pull(y, x) + y[:, -1].square()),
    "class token": (SEQUENCE, lambda: Transformer(token=True)),
    "total variation": (IMAGE, lambda: tv),
    "std": (SIGNAL, lambda: lambda y, x: pull(y, x) + y.std(1)),
    "n - 1": (SIGNAL, lambda: lambda y, x: pull(y, x) / (y.shape[1] - 1)),
    "LSTM": (SEQUENCE, recurrent),
    "FFT": (SIGNAL, lambda: spectrum),
    "strided convolution": (ODD, lambda: Net(conv(3, stride=2, padding=1), nn.SiLU(), nn.Conv2d(4, 4, 3, stride=2))),
    "valid convolution": (ODD, lambda: Net(conv(3), nn.SiLU(), nn.Conv2d(4, 4, 5))),
    "max pool": (ODD, lambda: Net(conv(3, padding=1), nn.MaxPool2d(2))),
    "average pool": (ODD, lambda: Net(conv(3, padding=1), nn.AvgPool2d(2))),
    "up-sampling": (ODD, lambda: Net(conv(3, padding=1), nn.Upsample(scale_factor=2), nn.Conv2d(4, 4, 3))),
    "bilinear up-sampling": (ODD, lambda: Net(nn.Upsample(scale_factor=2, mode="bilinear"), conv(3))),
    "zero padding": (ODD, lambda: energy_of(lambda y, x: F.pad(y, (1, 2, 3, 0)) * 2)),
    "reflected padding": (ODD, lambda: Net(conv(3, padding=1, padding_mode="reflect"))),
    "replicated padding": (ODD, lambda: Net(conv(3, padding=1, padding_mode="replicate"))),
    "circular padding": (ODD, lambda: Net(conv(3, padding=1, padding_mode="circular"))),
    "U-Net, strided, nearest": (IMAGE, UNet),
    "U-Net, max pool, bilinear": (IMAGE, lambda: UNet("max", "bilinear")),
    "U-Net, valid, transposed": (IMAGE, lambda: UNet("valid", "transposed")),
    "differences": (SIGNAL, lambda: energy_of(lambda y, x: y.diff(dim=1))),
}  # fmt: skip
"""The patterns of the trials."""

MORE: dict[str, tuple[Kind, Callable[[], Energy]]] = {
    "U-Net, average pool, resized to a size": (ODD, lambda: UNet("average", "size")),
    "U-Net, aligned corners": (IMAGE, lambda: UNet("average", "aligned")),
    "sinusoidal table written in place": (SEQUENCE, lambda: Transformer("sinusoidal buffer")),
    "mask of nn.Transformer": (SEQUENCE, lambda: Transformer(mask="transformer")),
    "ALiBi": (SEQUENCE, lambda: Transformer(mask="alibi")),
    "window attention": (SEQUENCE, lambda: Transformer(mask="window")),
    "no self-attention": (SEQUENCE, lambda: Transformer(mask="diagonal")),
    "relative bias": (SEQUENCE, lambda: Transformer(mask="bias")),
    "rotary, causal, class token": (SEQUENCE, lambda: Transformer("rotary", "is_causal", token=True)),
    "encoder layer": (SEQUENCE, lambda: (lambda layer: energy_of(lambda y, x: layer(y)))(nn.TransformerEncoderLayer(D, 2, 16, 0.0, batch_first=True).eval())),
    "roll": (SIGNAL, lambda: energy_of(lambda y, x: y - y.roll(1, 1))),
    "roll of an image": (IMAGE, lambda: energy_of(lambda y, x: y - y.roll((2, -1), (2, 3)))),
    "curvature": (CLOUD, lambda: chain),
    "every second": (SIGNAL, lambda: energy_of(lambda y, x: y[:, ::2])),
    "the middle": (SIGNAL, lambda: energy_of(lambda y, x: y[:, y.shape[1] // 2].unsqueeze(1))),
    "two halves": (EVEN, lambda: energy_of(lambda y, x: y[:, : y.shape[1] // 2] - y[:, y.shape[1] // 2 :])),
    "linspace": (SIGNAL, lambda: energy_of(lambda y, x: y * torch.linspace(-1, 1, y.shape[1]))),
    "coordinates": (IMAGE, lambda: energy_of(lambda y, x: y * torch.stack(torch.meshgrid(torch.arange(y.shape[2]), torch.arange(y.shape[3]), indexing="ij")).sum(0) / y.shape[3])),
    "pairs by triu_indices": (CLOUD, lambda: triangles),
    "set mean and variance": (SEQUENCE, lambda: energy_of(lambda y, x: (y - y.mean(1, True)) / (y.var(1, keepdim=True) + 1).sqrt())),
    "root of n": (SEQUENCE, lambda: energy_of(lambda y, x: (y @ x.mT) / math.sqrt(y.shape[1]))),
    "layer norm over the whole image": (IMAGE, lambda: energy_of(lambda y, x: F.layer_norm(y, y.shape[1:]) - x)),
    "instance norm": (IMAGE, lambda: Net(conv(3, padding=1), nn.InstanceNorm2d(4), nn.SiLU())),
    "batch norm in evaluation": (IMAGE, lambda: Net(conv(3, padding=1), nn.BatchNorm2d(4), nn.ReLU()).eval()),
    "pixel shuffle": (IMAGE, lambda: Net(nn.Conv2d(3, 8, 3, padding=1), nn.PixelShuffle(2))),
    "pixel unshuffle": (IMAGE, lambda: Net(nn.PixelUnshuffle(2), nn.Conv2d(12, 4, 3, padding=1))),
    "patches by unfold": (IMAGE, lambda: energy_of(lambda y, x: F.unfold(y, 3))),
    "patches by a view": (IMAGE, lambda: energy_of(lambda y, x: y.unfold(2, 4, 4).unfold(3, 4, 4).mean((-1, -2)))),
    "dilated and depthwise": (ODD, lambda: Net(nn.Conv2d(3, 6, 3, padding=2, dilation=2, groups=3), nn.SiLU())),
    "adaptive pooling to 2 x 2": (ODD, lambda: Net(conv(3, padding=1), nn.AdaptiveAvgPool2d(2))),
    "overlapping average pool": (ODD, lambda: Net(nn.AvgPool2d(3, stride=2, padding=1), conv(1))),
    "overlapping max pool": (ODD, lambda: Net(nn.MaxPool2d(3, stride=2, padding=1), conv(1))),
    "strided 1d with transposed": (EVEN, lambda: Net(nn.Conv1d(1, 4, 4, 2, 1), nn.SiLU(), nn.ConvTranspose1d(4, 1, 4, 2, 1), channel=True)),
    "graph": (GRAPH, lambda: messages),
    "optimal transport": (SEQUENCE, lambda: sinkhorn),
    "logsumexp over pairs": (CLOUD, lambda: energy_of(lambda y, x: torch.logsumexp(-(y[:, :, None] - x[:, None]).square().sum(-1), 2))),
    "one-hot places": (SIGNAL, lambda: energy_of(lambda y, x: (torch.arange(y.shape[1])[None] == y.argmax(1, keepdim=True)) * y)),
    "concatenation with an input": (SEQUENCE, lambda: energy_of(lambda y, x: torch.cat([y, x, y[:, :1]], 1).cumsum(1))),
    "stack and flatten": (SEQUENCE, lambda: energy_of(lambda y, x: torch.stack([y, x], 2).flatten(1, 2).diff(dim=1))),
    "repeat": (SIGNAL, lambda: energy_of(lambda y, x: y.repeat(1, 2) - torch.cat([x, x], 1))),
    "cumulative maximum": (SIGNAL, lambda: energy_of(lambda y, x: y.cummax(1).values)),
    "quantile by sort": (SIGNAL, lambda: energy_of(lambda y, x: y.sort(1).values[:, y.shape[1] // 4].unsqueeze(1))),
    "diagonal": (CLOUD, lambda: energy_of(lambda y, x: (y @ x.mT).diagonal(dim1=1, dim2=2))),
    "einsum": (SEQUENCE, lambda: energy_of(lambda y, x: torch.einsum("bnd,bmd,bme->bne", y, x, y) / y.shape[1] ** 2)),
}  # fmt: skip
"""Further patterns."""

PATTERNS = NOTED | MORE


def compare(name: str) -> float:
    """Export a pattern, and return its file's largest relative error against PyTorch at sizes that no example had."""
    kind, make = PATTERNS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        energy = make()
    rule = GradientDescent(0.05)
    (inputs, state), *resized = (kind.sample(*sizes) for sizes in kind.seen)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pattern.onnx"
        export(
            energy, inputs=inputs, state=state, rule=rule, unroll=2, path=path, axes=kind.axes, resized=resized,
            batches=(1, 2), seeds=(0,),
        )  # fmt: skip
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        session = ort.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    return max(_error(session, energy, rule, *kind.sample(*sizes, batch=3)) for sizes in kind.unseen)


def _error(
    session: ort.InferenceSession, energy: Energy, rule: GradientDescent, inputs: dict[str, Tensor], state: Tensor
) -> float:
    descent = Descent(energy, rule, inputs)
    now = descent.start(state)
    feeds = {n: t.numpy() for n, t in inputs.items()} | {f"state.{n}": t.numpy() for n, t in now.items()}
    found = dict(
        zip(
            [o.name for o in session.get_outputs()],
            session.run(None, feeds | {"step_scale": np.ones(len(state), np.float32)}),
            strict=True,
        )
    )
    with torch.no_grad():
        for _ in range(2):
            now, _ = descent.step(now, None)
        reading = descent.read(now)
    worst = 0.0
    for output, wanted in (("next.y", now["y"]), ("energy", reading.energy)):
        error = np.abs(found[output] - wanted.detach().numpy()).max() / (float(wanted.abs().max()) + 1e-3)
        worst = max(worst, float(error))
    return worst

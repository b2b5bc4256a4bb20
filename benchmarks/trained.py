"""Six energies of the kinds and sizes that people train, with random weights: what `networks` exports and times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from benchmarks.landscapes import Landscape
from torch import Tensor, nn
from torch.nn import functional

from groundstate_export import GradientDescent


@dataclass(frozen=True)
class Network:
    """An energy to be timed.

    Attributes:
        landscape: The energy with its examples.
        steps: Steps in a segment.
        whole: Whether PyTorch's compiler gets all steps as one graph, which is faster for small networks; else one step.
        axes: Names of the inputs' axes, if the file takes problems of any size.
        resized: Makes inputs and state of another size, for the export.
    """

    landscape: Landscape
    steps: int
    whole: bool = False
    axes: dict[str, tuple[str | None, ...]] | None = None
    resized: Callable[[int], tuple[dict[str, Tensor], Tensor]] | None = None


class _Residual(nn.Module):
    """Normalise, SiLU, convolve, twice, around a shortcut."""

    def __init__(self, inside: int, out: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.GroupNorm(8, inside), nn.SiLU(), nn.Conv2d(inside, out, 3, padding=1))
        self.second = nn.Sequential(nn.GroupNorm(8, out), nn.SiLU(), nn.Conv2d(out, out, 3, padding=1))
        self.shortcut = nn.Conv2d(inside, out, 1) if inside != out else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.shortcut(x) + self.second(self.first(x))
        return found


class _Pixels(nn.Module):
    """Self-attention over the pixels of a small picture."""

    def __init__(self, width: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm, self.mix, self.out = nn.GroupNorm(8, width), nn.Conv2d(width, 3 * width, 1), nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        split = self.mix(self.norm(x)).flatten(2).unflatten(1, (3, self.heads, -1)).transpose(-1, -2)
        mixed = functional.scaled_dot_product_attention(*split.unbind(1))
        found: Tensor = x + self.out(mixed.transpose(-1, -2).flatten(1, 2).unflatten(2, x.shape[2:]))
        return found


class UNet(nn.Module):
    """A diffusion model's U-Net, 3.4 million weights, as the energy ``f(x) · x`` of a 32×32 picture."""

    def __init__(self, widths: tuple[int, int, int] = (48, 96, 256)) -> None:
        super().__init__()
        w, v, u = widths
        self.enter = nn.Conv2d(3, w, 3, padding=1)
        self.down = nn.ModuleList([_Residual(w, w), _Residual(w, v), _Residual(v, u)])
        self.shrink = nn.ModuleList([nn.Conv2d(w, w, 3, 2, 1), nn.Conv2d(v, v, 3, 2, 1)])
        self.middle = nn.Sequential(_Pixels(u), _Residual(u, u))
        self.up = nn.ModuleList([_Residual(2 * u, v), _Residual(2 * v, w), _Residual(2 * w, w)])
        self.widen = nn.ModuleList([nn.Conv2d(v, v, 3, padding=1), nn.Conv2d(w, w, 3, padding=1)])
        self.leave = nn.Sequential(nn.GroupNorm(8, w), nn.SiLU(), nn.Conv2d(w, 3, 3, padding=1))

    def forward(self, state: Tensor, known: Tensor, mask: Tensor) -> Tensor:
        x = self.enter(state)
        skips = []
        for level, block in enumerate(self.down):
            x = block(x)
            skips.append(x)
            if level < len(self.shrink):
                x = self.shrink[level](x)
        x = self.middle(x)
        for level, block in enumerate(self.up):
            x = block(torch.cat([x, skips.pop()], 1))
            if level < len(self.widen):
                x = self.widen[level](functional.interpolate(x, scale_factor=2.0, mode="nearest"))
        fit = (mask * (state - known).square()).sum((1, 2, 3))
        return (self.leave(x) * state).sum((1, 2, 3)) + fit


class _Plain(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(width, width, 3, padding=1, bias=False) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = x + self.second(functional.elu(self.first(x)))
        return found


class DRUNet(nn.Module):
    """The gradient-step denoiser: ``½ ‖x − D(x, σ)‖²`` of a DRUNet of 1 million weights, and a data term, for 32×32 pixels."""

    def __init__(self, widths: tuple[int, ...] = (16, 32, 64, 128), blocks: int = 2) -> None:
        super().__init__()
        pairs = list(zip(widths, widths[1:], strict=False))
        self.head = nn.Conv2d(4, widths[0], 3, padding=1, bias=False)
        self.down = nn.ModuleList([
            nn.Sequential(*(_Plain(a) for _ in range(blocks)), nn.Conv2d(a, b, 2, 2, bias=False)) for a, b in pairs
        ])  # fmt: skip
        self.body = nn.Sequential(*(_Plain(widths[-1]) for _ in range(blocks)))
        self.up = nn.ModuleList([
            nn.Sequential(nn.ConvTranspose2d(b, a, 2, 2, bias=False), *(_Plain(a) for _ in range(blocks)))
            for a, b in reversed(pairs)
        ])  # fmt: skip
        self.tail = nn.Conv2d(widths[0], 3, 3, padding=1, bias=False)

    def denoised(self, state: Tensor, sigma: Tensor) -> Tensor:
        noise = sigma[:, None, None, None].expand(-1, 1, *state.shape[2:])
        x = self.head(torch.cat([state, noise], 1))
        skips = [x]
        for block in self.down:
            x = block(x)
            skips.append(x)
        x = self.body(x)
        for block in self.up:
            x = block(x + skips.pop())
        found: Tensor = self.tail(x + skips.pop())
        return found

    def forward(self, state: Tensor, sigma: Tensor, known: Tensor, mask: Tensor) -> dict[str, Tensor]:
        apart = state - self.denoised(state, sigma)
        fit = (mask * (state - known).square()).sum((1, 2, 3))
        return {"prior": 0.5 * apart.square().sum((1, 2, 3)), "data": 0.5 * fit}


class _Block(nn.Module):
    def __init__(self, width: int, heads: int, wide: int) -> None:
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, wide), nn.Linear(wide, width)

    def forward(self, x: Tensor) -> Tensor:
        split = self.mix(self.first(x)).unflatten(-1, (3, self.heads, -1)).transpose(1, 3)
        x = x + self.out(functional.scaled_dot_product_attention(*split.unbind(2)).transpose(1, 2).flatten(2))
        found: Tensor = x + self.narrow(functional.gelu(self.wide(self.second(x))))
        return found


class Transformer(nn.Module):
    """Twelve blocks of width 256, 9.5 million weights; sixteen logits of each of 32 tokens are the state."""

    def __init__(self, width: int = 256, depth: int = 12, classes: int = 16, tokens: int = 32) -> None:
        super().__init__()
        self.embed, self.given = nn.Linear(classes, width), nn.Linear(classes, width)
        self.place = nn.Parameter(0.1 * torch.randn(tokens, width))
        self.blocks = nn.Sequential(*(_Block(width, 8, 4 * width) for _ in range(depth)))
        self.norm, self.read = nn.LayerNorm(width), nn.Linear(width, 1)

    def forward(self, state: Tensor, clues: Tensor) -> Tensor:
        hidden = self.embed(state.softmax(-1)) + self.given(clues) + self.place
        found: Tensor = self.read(self.norm(self.blocks(hidden))).sum((1, 2)) + 0.05 * state.square().sum((1, 2))
        return found


class Messages(nn.Module):
    """Three rounds of messages along the edges that the input names, over nodes whose places are the state; any size."""

    def __init__(self, features: int = 8, width: int = 48, rounds: int = 3) -> None:
        super().__init__()
        self.embed = nn.Linear(features, width)

        def mlp(inside: int) -> nn.Sequential:
            return nn.Sequential(nn.Linear(inside, width), nn.SiLU(), nn.Linear(width, width))

        self.send = nn.ModuleList([mlp(2 * width + 1) for _ in range(rounds)])
        self.take = nn.ModuleList([mlp(2 * width) for _ in range(rounds)])
        self.read = nn.Linear(width, 1)

    def forward(self, state: Tensor, nodes: Tensor, edges: Tensor) -> Tensor:
        hidden = self.embed(nodes)
        here, there = edges[..., 0], edges[..., 1]
        apart = _at(state, here) - _at(state, there)
        far = apart.square().sum(-1, keepdim=True)
        for send, take in zip(self.send, self.take, strict=True):
            sent = send(torch.cat([_at(hidden, here), _at(hidden, there), far], -1))
            arrived = torch.zeros_like(hidden).scatter_add(1, here[..., None].expand_as(sent), sent)
            hidden = hidden + take(torch.cat([hidden, arrived], -1))
        return self.read(hidden).sum((1, 2)) + 0.05 * state.square().sum((1, 2))


def _at(rows: Tensor, index: Tensor) -> Tensor:
    return rows.gather(1, index[..., None].expand(-1, -1, rows.shape[-1]))


class Sets(nn.Module):
    """Two blocks of attention over the points of a set of any size."""

    def __init__(self, width: int = 64, size: int = 4) -> None:
        super().__init__()
        self.embed, self.given = nn.Linear(size, width), nn.Linear(size, width)
        self.blocks = nn.Sequential(*(_Block(width, 4, 2 * width) for _ in range(2)))
        self.read = nn.Linear(width, 1)

    def forward(self, state: Tensor, points: Tensor) -> Tensor:
        hidden = self.blocks(self.embed(state) + self.given(points))
        found: Tensor = self.read(hidden).sum((1, 2)) + 0.05 * (state - points).square().sum((1, 2))
        return found


class Decoder(nn.Module):
    """A latent vector, decoded to a 32×32 picture and compared with what is known of one; 0.9 million weights."""

    def __init__(self, latent: int = 64, width: int = 112, narrow: int = 64) -> None:
        super().__init__()
        self.width = width
        self.enter = nn.Linear(latent, 4 * 4 * width)
        self.layers = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.SiLU(),
            nn.ConvTranspose2d(width, width, 4, 2, 1), nn.SiLU(), nn.Conv2d(width, width, 3, padding=1), nn.SiLU(),
            nn.ConvTranspose2d(width, width, 4, 2, 1), nn.SiLU(), nn.Conv2d(width, narrow, 3, padding=1), nn.SiLU(),
            nn.ConvTranspose2d(narrow, narrow, 4, 2, 1), nn.SiLU(), nn.Conv2d(narrow, 3, 3, padding=1),
        )  # fmt: skip

    def forward(self, state: Tensor, known: Tensor, mask: Tensor) -> dict[str, Tensor]:
        picture = self.layers(functional.silu(self.enter(state)).unflatten(1, (self.width, 4, 4)))
        fit = (mask * (picture - known).square()).sum((1, 2, 3))
        return {"fit": 10.0 * fit, "prior": 0.5 * state.square().sum(1)}


def _picture(batch: int, channels: int = 3) -> Tensor:
    return torch.randn(batch, channels, 32, 32)


def _known(batch: int) -> dict[str, Tensor]:
    return {"known": _picture(batch), "mask": (torch.rand(batch, 1, 32, 32) < 0.3).float()}


def _graph(batch: int, nodes: int = 24, edges: int = 96) -> dict[str, Tensor]:
    return {"nodes": torch.randn(batch, nodes, 8), "edges": torch.randint(0, nodes, (batch, edges, 2))}


def _plain(energy: nn.Module, inputs: Callable[[int], dict[str, Tensor]], state: Callable[[int], Tensor]) -> Landscape:
    return Landscape(energy, GradientDescent(0.01), inputs, state)


NETWORKS: dict[str, Callable[[], Network]] = {
    "unet": lambda: Network(_plain(UNet(), _known, _picture), 4),
    "drunet": lambda: Network(
        _plain(DRUNet(), lambda b: {"sigma": torch.rand(b), **_known(b)}, _picture), 4
    ),
    "transformer": lambda: Network(
        _plain(Transformer(), lambda b: {"clues": torch.randn(b, 32, 16)}, lambda b: torch.randn(b, 32, 16)), 8
    ),
    "gnn": lambda: Network(
        _plain(Messages(), _graph, lambda b: torch.randn(b, 24, 3)), 8, whole=True,
        axes={"nodes": ("nodes", None), "edges": ("edges", None)},
        resized=lambda b: (_graph(b, 15, 40), torch.randn(b, 15, 3)),
    ),
    "sets": lambda: Network(
        _plain(Sets(), lambda b: {"points": torch.randn(b, 48, 4)}, lambda b: torch.randn(b, 48, 4)), 8, whole=True,
        axes={"points": ("points", None)},
        resized=lambda b: ({"points": torch.randn(b, 20, 4)}, torch.randn(b, 20, 4)),
    ),
    "decoder": lambda: Network(_plain(Decoder(), _known, lambda b: torch.randn(b, 64)), 8),
}  # fmt: skip


def network(name: str) -> Network:
    """A network by name, with reproducible weights."""
    torch.manual_seed(0)
    made = NETWORKS[name]()
    energy: Any = made.landscape.energy
    energy.eval().requires_grad_(requires_grad=False)
    torch.manual_seed(1)
    return made

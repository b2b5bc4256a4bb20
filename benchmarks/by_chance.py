"""Exports of ill-conditioned energies with random weights: how many are refused by chance.

    python -m benchmarks.by_chance [--count 1000] [--seed 0] [name ...]

The energies are right, and right to export: ties of max-pooling, angles near 0 and π, differences of large numbers, roots near 0,
exponentials. Each is exported again and again with other weights, states and inputs, alternately as a module and as a closure. A
refusal is chance, because the same energy is exported with other weights. Exits with 1 if there is one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from groundstate_export import ExportError, GradientDescent, export


class Pooled(nn.Module):
    """Max-pooling of convolutions: near-ties between neighbours."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.out = nn.Linear(16, 1)

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        hidden = functional.max_pool2d(functional.silu(self.first((y + x).reshape(-1, 1, 8, 8))), 2)
        hidden = functional.max_pool2d(functional.relu(self.second(hidden)), 2)
        return self.out(hidden.flatten(1)).squeeze(1) + 0.05 * y.square().sum(1)


class Angles(nn.Module):
    """Angles between directions that are nearly parallel: `acos` near 1, `atan2` near its cut."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = nn.Linear(16, 16, bias=False)
        nn.init.normal_(self.turn.weight, std=1e-3)

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        one, two = x.unflatten(1, (8, 2)), (x + self.turn(y)).unflatten(1, (8, 2))
        cosine = (
            (functional.normalize(one, dim=-1) * functional.normalize(two, dim=-1)).sum(-1).clamp(-0.999999, 0.999999)
        )
        across = one[..., 0] * two[..., 1] - one[..., 1] * two[..., 0]
        turned = torch.atan2(across, (one * two).sum(-1))
        return torch.acos(cosine).sum(1) + turned.square().sum(1) + 0.5 * y.square().sum(1)


class Cancelling(nn.Module):
    """Differences of large numbers: a variance as the mean square less the squared mean."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(16, 16)
        self.offset = nn.Parameter(30 * torch.randn(16))

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        hidden = self.layer(y + x) + self.offset
        return hidden.square().mean(1) - hidden.mean(1).square() + 0.1 * y.square().sum(1)


class Rooted(nn.Module):
    """Distances between points that nearly coincide, and their inverses."""

    def __init__(self) -> None:
        super().__init__()
        self.spread = nn.Parameter(1e-2 * torch.rand(8, 2))

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        points = 1e-2 * (y + x).unflatten(1, (8, 2)) + self.spread
        apart = (points.unsqueeze(1) - points.unsqueeze(2)).square().sum(-1) + torch.eye(8)
        return (apart.sqrt() + 1e-3 / (apart + 1e-5)).sum((1, 2)) * 0.01 + 0.1 * y.square().sum(1)


class Sharp(nn.Module):
    """Attention at a low temperature: large logits, probabilities near 0 and 1."""

    def __init__(self) -> None:
        super().__init__()
        self.keys = nn.Parameter(3 * torch.randn(12, 16))

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        logits = 20 * (y + 0.1 * x) @ self.keys.T
        return -logits.logsumexp(1) / 20 + 0.5 * y.square().sum(1)


class Sorted(nn.Module):
    """Sorted values that are nearly equal, and their largest three."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(16, 16)
        nn.init.normal_(self.mix.weight, std=0.02)

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        hidden = self.mix(y) + 1e-3 * x
        ordered = hidden.sort(1).values
        weights = torch.linspace(-1, 1, 16)
        return (ordered * weights).sum(1) + hidden.topk(3, 1).values.sum(1) + 0.1 * y.square().sum(1)


class Inverse(nn.Module):
    """A determinant and a solution of nearly singular systems."""

    def __init__(self) -> None:
        super().__init__()
        self.base = nn.Parameter(torch.randn(4, 1) @ torch.randn(1, 4) + 0.05 * torch.eye(4))

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        matrix = self.base + 0.05 * y.unflatten(1, (4, 4))
        gram = matrix @ matrix.mT + 1e-3 * torch.eye(4)
        found = torch.linalg.solve(gram, x[:, :4])
        return 1e-4 * found.square().sum(1) + 0.1 * torch.logdet(gram) + 0.5 * y.square().sum(1)


class Kinked(nn.Module):
    """A deep net of absolute values and maxima: kinks everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(16, 16) for _ in range(4))

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        hidden = y + x
        for layer in self.layers:
            hidden = torch.maximum(layer(hidden), -0.5 * hidden).abs()
        return hidden.amax(1) + 0.1 * y.square().sum(1)


class Steep(nn.Module):
    """Products and powers over many orders of magnitude."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.logspace(-5, 1, 16) * (1 + 0.1 * torch.rand(16)))

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        hidden = self.scale * (y - x)
        return torch.log1p(hidden.square()).sum(1) + hidden.clamp(-9, 9).exp().mean(1) * 1e-3 + 0.01 * y.square().sum(1)


class Waves(nn.Module):
    """Sines of large arguments, where float32 has few digits left."""

    def __init__(self) -> None:
        super().__init__()
        self.frequency = nn.Parameter(40 * torch.randn(16))

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        return (self.frequency * (y + x)).sin().mean(1) + 0.5 * y.square().sum(1)


ENERGIES: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "pooled": (Pooled, 64), "angles": (Angles, 16), "cancelling": (Cancelling, 16), "rooted": (Rooted, 16),
    "sharp": (Sharp, 16), "sorted": (Sorted, 16), "inverse": (Inverse, 16), "kinked": (Kinked, 16), "steep": (Steep, 16),
    "waves": (Waves, 16),
}  # fmt: skip
"""Each energy, and the elements of its state and its input."""


def attempt(name: str, seed: int, path: Path) -> None:
    """Export an energy with the weights, state and input of a seed; with odd seeds as a closure over the module."""
    make, elements = ENERGIES[name]
    torch.manual_seed(seed)
    module = make()

    def closure(y: Tensor, x: Tensor) -> Tensor:
        found: Tensor = module(y, x)
        return found

    export(
        closure if seed % 2 else module, inputs={"x": torch.randn(4, elements)}, state=torch.randn(4, elements),
        rule=GradientDescent(0.05), unroll=2, path=path, batches=(1, 5), seeds=(0,),
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="exports in all, of all energies in turn")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("names", nargs="*", default=list(ENERGIES))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    begin, refused, tried = time.perf_counter(), Counter[str](), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        for place in range(arguments.count):
            name, seed = arguments.names[place % len(arguments.names)], arguments.seed + place // len(arguments.names)
            tried[name] += 1
            try:
                attempt(name, seed, Path(folder) / "energy.onnx")
            except ExportError as error:
                refused[name] += 1
                print(f"{name}, seed {seed}: {type(error).__name__}: {error}", flush=True)
    print("| energy | exports | refused |\n|---|---|---|")
    for name, count in tried.items():
        print(f"| {name} | {count} | {refused[name]} |")
    seconds = time.perf_counter() - begin
    print(f"{refused.total()} of {tried.total()} refused, {seconds / tried.total():.2f} s each")
    sys.exit(bool(refused.total()))


if __name__ == "__main__":
    main()

"""Energies of every kind that the exporter promises to take, and a host that runs a file as the format's page says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from groundstate_export import GradientDescent, HeavyBall, Rule

Array = npt.NDArray[Any]
Example = tuple[Callable[..., Any], dict[str, Tensor], Tensor | dict[str, Tensor], Rule]


class Host:
    """A file, run by nothing but ONNX Runtime."""

    def __init__(self, path: Path) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
        self.inputs = {i.name: i for i in self.session.get_inputs()}
        self.outputs = [o.name for o in self.session.get_outputs()]
        self.header: dict[str, Any] = json.loads(self.session.get_modelmeta().custom_metadata_map["groundstate"])

    def random_feeds(self, batch: int, seed: int = 0) -> dict[str, Array]:
        """Every graph input at random; step scale 1; slots at their constant or in the middle of their range."""
        rng = np.random.default_rng(seed)
        feeds: dict[str, Array] = {}
        for name, entry in self.inputs.items():
            shape = [batch if isinstance(d, str) else d for d in entry.shape]
            state = self.header["state"].get(name.removeprefix("state."), {"minimised": True, "initial": {}})
            if name == "step_scale":
                feeds[name] = np.ones(shape, np.float32)
            elif not state["minimised"]:
                feeds[name] = np.full(shape, np.mean(next(iter(state["initial"].values()))), np.float32)
            elif "int" in entry.type:
                feeds[name] = rng.integers(0, 3, shape).astype(np.int64)
            else:
                feeds[name] = rng.standard_normal(shape).astype(np.float32)
        return feeds

    def run(self, feeds: dict[str, Array]) -> dict[str, Array]:
        """One segment."""
        return dict(zip(self.outputs, self.session.run(None, feeds), strict=True))


class Quadratic(nn.Module):
    def forward(self, state: Tensor, target: Tensor) -> Tensor:
        return 0.5 * (state - target).square().sum(-1)


class Mlp(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(9, 24), nn.SiLU(), nn.Linear(24, 24), nn.SiLU(), nn.Linear(24, 1))

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        height: Tensor = self.layers(torch.cat([state, x], dim=-1))
        return height.squeeze(-1) + 0.5 * state.square().sum(-1)


class Conv(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 6, 3, padding=1)
        self.norm = nn.GroupNorm(2, 6)
        self.second = nn.Conv2d(6, 4, 3, stride=2)

    def forward(self, state: Tensor, image: Tensor) -> Tensor:
        hidden = F.relu(self.norm(self.first(torch.stack([state, image], dim=1))))
        return F.softplus(self.second(hidden)).mean((1, 2, 3)) + 0.1 * state.square().sum((1, 2))


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(8)
        self.mix = nn.MultiheadAttention(8, 2, batch_first=True)
        self.out = nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8))

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        tokens = self.norm(state + x)
        mixed, _ = self.mix(tokens, tokens, tokens, need_weights=False)
        hidden = state + mixed
        pull: Tensor = self.out(hidden) * hidden
        return pull.sum((1, 2)) * 0.1 + 0.5 * state.square().sum((1, 2))


class CrossEntropy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.read = nn.Linear(6, 4)

    def forward(self, state: Tensor, label: Tensor) -> dict[str, Tensor]:
        logits = self.read(state)
        each = F.cross_entropy(logits.flatten(0, 1), label.flatten(), reduction="none")
        return {"fit": each.reshape(label.shape).sum(1), "size": 0.5 * state.square().flatten(1).sum(1)}


class SeveralStates(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(5, 3))

    def forward(self, state: dict[str, Tensor], x: Tensor) -> dict[str, Tensor]:
        solution, latent = state["solution"], state["latent"]
        return {
            "explain": 0.5 * (solution @ self.weight - latent - x).square().sum(-1),
            "latent": torch.log(torch.cosh(latent)).sum(-1),
            "solution": 0.5 * solution.square().sum(-1),
        }


def _examples() -> dict[str, Callable[[], Example]]:
    per_dimension = torch.linspace(0.02, 0.1, 4)
    return {
        "quadratic": lambda: (Quadratic(), {"target": torch.randn(3, 5)}, torch.zeros(3, 5), GradientDescent(0.3)),
        "mlp": lambda: (
            Mlp(), {"x": torch.randn(3, 5)}, torch.randn(3, 4),
            HeavyBall(per_dimension, torch.full((4,), 0.8), noise=0.1, noise_every=1, temperature=(0.0, 2.0), learn=True),
        ),
        "conv": lambda: (Conv(), {"image": torch.randn(3, 9, 8)}, torch.randn(3, 9, 8), GradientDescent(0.1)),
        "attention": lambda: (Attention(), {"x": torch.randn(3, 7, 8)}, torch.randn(3, 7, 8), GradientDescent(0.1)),
        "cross_entropy": lambda: (
            CrossEntropy(), {"label": torch.randint(0, 4, (3, 5))}, torch.randn(3, 5, 6), GradientDescent(0.2)
        ),
        "several": lambda: (
            SeveralStates(), {"x": torch.randn(3, 3)}, {"solution": torch.randn(3, 5), "latent": torch.randn(3, 3)},
            HeavyBall({"solution": 0.05, "latent": 0.1}, 0.5),
        ),
        "no_inputs": lambda: (lambda state: (1 - state.square()).square().sum(-1), {}, torch.randn(3, 4), GradientDescent(0.02)),
    }  # fmt: skip


@dataclass(frozen=True)
class Cases:
    """Examples by name, built with the same weights each time."""

    makers: dict[str, Callable[[], Example]]

    def __call__(self, name: str) -> Example:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return self.makers[name]()


@pytest.fixture(scope="session")
def example() -> Cases:
    return Cases(_examples())


@pytest.fixture(scope="session")
def host() -> Callable[[Path], Host]:
    return Host


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that must still be empty when the test is over."""
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)

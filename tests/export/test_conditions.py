"""Conditions on sizes: the header describes those under which a file was captured, and a host refuses other sizes in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils._sympy.functions import FloorDiv, Mod

import groundstate as gs
from groundstate_export import BadEnergy, GradientDescent, export
from groundstate_export._examine.sizes import Sizes
from groundstate_export._ir.lengths import size
from groundstate_export._ir.program import Condition
from groundstate_export._write.conditions import described_conditions


def skipping(y: Tensor, x: Tensor) -> Tensor:
    """A net that halves a signal twice, restores it, and adds it to itself."""
    small = F.conv1d(
        F.conv1d(y.unsqueeze(1), torch.full((1, 1, 2), 0.5), stride=2), torch.full((1, 1, 2), 0.5), stride=2
    )
    large = F.interpolate(small, scale_factor=4, mode="nearest").squeeze(1)
    return (y - x).square().sum(1) + 0.1 * (large - y).square().sum(1)


TABLE = torch.linspace(0, 1, 20).unsqueeze(0)

LIMITS: dict[str, tuple[Callable[..., Tensor], tuple[int, ...], int, int, str]] = {
    "a skip connection": (skipping, (8, 12, 16), 20, 30, "n must be a multiple of 4"),
    "a table of positions": (
        lambda y, x: (y - x - TABLE[:, : y.shape[1]]).square().sum(1), (7, 12, 9), 20, 21, "n must be at most 20"
    ),
    "the first five": (
        lambda y, x: (y - x).square().sum(1) + y[:, :5].mean(1), (7, 12, 9), 5, 4, "n must be at least 5"
    ),
    "the fifth": (lambda y, x: (y - x).square().sum(1) + y[:, 4], (7, 12, 9), 5, 4, "n must be at least 5"),
    "a reflected edge": (
        lambda y, x: (y - x).square().sum(1) + F.pad(y.unsqueeze(1), (2, 2), mode="reflect").square().sum((1, 2)),
        (7, 12, 9), 3, 2, "n must be at least 3",
    ),
    "the largest three": (
        lambda y, x: (y - x).square().sum(1) + y.topk(3, 1).values.sum(1), (7, 12, 9), 3, 2, "n must be at least 3"
    ),
}  # fmt: skip


def exported(energy: Callable[..., Tensor], lengths: tuple[int, ...], path: Path, **options: Any) -> gs.Solver:
    (inputs, state), *resized = [({"x": torch.randn(3, n)}, torch.randn(3, n)) for n in lengths]
    export(
        energy, inputs=inputs, state=state, rule=GradientDescent(0.05), unroll=1, path=path, axes={"x": ("n",)},
        resized=resized, batches=(1, 2), seeds=(0,), **options,
    )  # fmt: skip
    return gs.load(path)


@pytest.mark.parametrize("name", LIMITS)
def test_a_size_that_breaks_a_condition_is_refused_in_words(name: str, tmp_path: Path) -> None:
    energy, lengths, right, wrong, words = LIMITS[name]
    solver = exported(energy, lengths, tmp_path / "a.onnx")
    found = solver.minimise({"x": np.zeros((2, right), np.float32)})
    assert np.isfinite(found["energy"]).all()
    with pytest.raises(gs.RequestError, match=rf"x: The size ({words}); it is {wrong}\."):
        solver.minimise({"x": np.zeros((2, wrong), np.float32)})
    with pytest.raises(gs.RequestError, match=rf"; it is {wrong}\."):
        solver.solve({"x": [0.0] * wrong})


def test_a_file_without_conditions_takes_every_size(tmp_path: Path) -> None:
    solver = exported(lambda y, x: (y - x).square().mean(1), (7, 12), tmp_path / "a.onnx")
    assert solver.header.conditions == ()
    for n in (1, 2, 40):
        assert np.isfinite(solver.minimise({"x": np.ones((1, n), np.float32)})["energy"]).all()


def test_a_condition_that_an_example_breaks_is_refused_at_the_export(tmp_path: Path) -> None:
    with pytest.raises(BadEnergy, match=r"test_conditions\.py:\d+"):
        exported(skipping, (8, 12, 14), tmp_path / "a.onnx")


# The description


def described(*expressions: Any, lengths: dict[str, tuple[int, ...]] | None = None) -> list[dict[str, Any]]:
    sizes = Sizes(lengths or {"h": (16, 24), "w": (12, 36)}, {})
    return described_conditions([Condition(one, "") for one in expressions], sizes)


H, W = size("h"), size("w")


@pytest.mark.parametrize(
    ("expressions", "wanted"),
    [
        ([], []),
        ([sympy.Eq(4 * FloorDiv(H, 4), H)], [{"size": "h", "multiple": 4, "remainder": 0}]),
        ([sympy.Eq(4 * FloorDiv(H - 1, 4) + 4, H)], [{"size": "h", "multiple": 4, "remainder": 0}]),
        ([sympy.Eq(Mod(H, 3), 1)], [{"size": "h", "multiple": 3, "remainder": 1}]),
        ([sympy.Eq(Mod(H, 4), 0), sympy.Ge(H, 9)], [{"size": "h", "multiple": 4, "remainder": 0, "least": 12}]),
        ([sympy.Gt(H, 6), sympy.Le(W, 64)], [{"size": "h", "least": 7}, {"size": "w", "most": 64}]),
        ([sympy.Eq(sympy.Max(1, FloorDiv(H, 2)) * W, FloorDiv(H, 2) * W)], [{"size": "h", "least": 2}]),
        ([sympy.Eq(Mod(H * W, 4), 0)], []),
        ([sympy.Ge(H, W)], []),
        ([sympy.Ne(H, 7)], []),
    ],
)
def test_conditions_are_described_exactly_or_not_at_all(expressions: list[Any], wanted: list[dict[str, Any]]) -> None:
    assert described(*expressions) == wanted

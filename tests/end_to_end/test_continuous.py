"""A continuous model from PyTorch to the question: a tolerance, two stages, mirror minima and an objective."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import groundstate as gs
from groundstate import _meaning
from groundstate_export import Adam, Card, Check, Decoded, GradientDescent, Normal, Stage, Until, export

REQUEST = {"lengths": [1.0, 0.8], "side": 0.0}
"""The triangle's sides AC and BC, where AB is 1 long; side 1 or −1 asks for C on the left or the right of AB, 0 for either."""


def gaps(c: Tensor, lengths: Tensor, side: Tensor) -> Tensor:
    """By how much AC and BC are off, and by how much C is on the wrong side: (batch, 3)."""
    places = torch.stack([c, c - torch.tensor([1.0, 0.0], dtype=c.dtype)], 1)
    off = places.square().sum(2).add(1e-12).sqrt() - lengths.to(c.dtype)
    return torch.cat([off, torch.relu(-c[:, 1] * side.to(c.dtype)).unsqueeze(1)], 1)


def energy(c: Tensor, lengths: Tensor, side: Tensor) -> Tensor:
    return gaps(c, lengths, side).square().sum(1)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("own") / "triangle.onnx"
    draw = torch.Generator().manual_seed(0)
    export(
        energy,
        stages=[
            Stage(
                energy=energy,
                state=torch.randn(4, 2, generator=draw),
                initial=Normal(0.0, 1.0),
                rule=Adam(0.05),
                unroll=16,
                decode=lambda c, lengths, side: {"c": c},
                until=Until(residual=1e-2, max_steps=256),
            )
        ],
        inputs={"lengths": 0.6 + torch.rand(4, 2, generator=draw), "side": torch.tensor([1.0, 0.0, -1.0, 0.0])},
        state=torch.randn(4, 2, generator=draw).double(),
        initial=Decoded("c"),
        rule=GradientDescent(0.2),
        unroll=32,
        path=target,
        decode=lambda c, lengths, side: {"c": c},
        checks=lambda answer, lengths, side: {"lengths": gaps(answer["c"], lengths, side).abs()},
        card=Card(checks={"lengths": Check("Both sides have their lengths.", tolerance=1e-4, unit="m")}),
    )
    return target


class Corner(gs.Reading, gs.Asks):
    """C, on the left or on the right of AB."""

    def variables(self, answer: dict[str, Any]) -> dict[str, Any]:
        return {"side": "left" if answer["c"][1] > 0 else "right"}

    def choices(self, variable: str) -> Sequence[str]:
        return ("left", "right")

    def fix(self, variable: str, value: Any) -> gs.Patch:
        return ({"op": "replace", "path": "/side", "value": 1.0 if value == "left" else -1.0},)

    def ask(self, variable: str) -> str:
        return "On which side of AB does C lie?"


class Highest(Corner, gs.Optimises):
    """The higher C, the better."""

    def cost(self, answer: dict[str, Any]) -> float:
        costs.append(-answer["c"][1])
        return costs[-1]


costs: list[float] = []


def loaded(monkeypatch: pytest.MonkeyPatch, path: Path, reading: type[gs.Reading]) -> gs.Solver:
    """The file with a task of these readings, as if an installed package had registered it."""
    monkeypatch.setattr(_meaning, "find", type("TriangleTask", (gs.Task,), {"reading": reading}))
    return gs.load(path)


def off(c: list[float]) -> float:
    """By how much the sides are off, in float64 and by another formula."""
    return max(abs(math.hypot(*c) - 1.0), abs(math.hypot(c[0] - 1.0, c[1]) - 0.8))


def test_the_answer_is_polished_beyond_its_tolerance(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    solution = loaded(monkeypatch, path, gs.Reading).solve(REQUEST)
    assert solution.status == "solved"
    assert off(solution.answer["c"]) <= 1e-6


def test_the_two_mirror_images_are_asked_about_once(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    solver = loaded(monkeypatch, path, Corner)
    solution = solver.solve(REQUEST, alternatives=4, restarts=32)
    assert solution.status == "ambiguous"
    assert len(solution.alternatives) == 1
    question = solution.question
    assert question is not None
    assert question.text == "On which side of AB does C lie?"
    assert [option.id for option in question.options] == ["left", "right"]
    chosen = solver.solve(REQUEST, alternatives=4, restarts=32, replies={question.id: "right"})
    assert chosen.status == "solved"
    assert chosen.question is None
    assert chosen.answer["c"][1] < 0
    assert off(chosen.answer["c"]) <= 1e-6


def test_an_objective_chooses_and_does_not_improve_for_ever(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    costs.clear()
    solution = loaded(monkeypatch, path, Highest).solve(REQUEST, restarts=16, max_steps=4096)
    assert solution.status == "solved"
    assert solution.answer["c"][1] > 0
    assert solution.steps <= 1024
    assert len(costs) < 1000


def test_a_triangle_that_cannot_be_is_unsolved_with_the_amount_of_the_excess(
    monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    solution = loaded(monkeypatch, path, gs.Reading).solve(
        {"lengths": [0.2, 0.3], "side": 0.0}, restarts=4, max_steps=1024
    )
    assert solution.status == "unsolved"
    assert solution.answer is None
    violation = solution.violations[0]
    assert violation.check == "lengths"
    assert violation.unit == "m"
    assert violation.amount == pytest.approx(0.25 - 1e-4, abs=1e-3)

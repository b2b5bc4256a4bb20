"""Every kind of constraint: its rows vanish where its own check holds, and only there."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from groundstate_models.geometry.energy import GeometryEnergy, angle_of
from groundstate_models.geometry.expressions import Sum, angle, length
from groundstate_models.geometry.families import FAMILIES
from groundstate_models.geometry.kinds import KINDS
from groundstate_models.geometry.problem import Problem
from groundstate_models.geometry.request import read
from groundstate_models.geometry.tensors import needed, tensors
from tests.models.geometry.solved import solutions

POINTS = list("ABCDEFGH")

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "equation": (Sum.of(length("A", "B")) * 2 - Sum.of(angle("C", "D", "E")) * Sum.of(("radius", "k")),),
    "at least": (Sum.of(length("A", "B")) - Sum.of(("area", "C", "D", "E")),),
    "more than": (Sum.of(("distance", "A", "B", "C")) - Sum.of(("x", "D")) - Sum.of(1),),
    "unequal": (Sum.of(length("A", "B")) - Sum.of(length("C", "D")),),
    "line angle": ("A", "B", "C", "D", 40.0),
    "directed angle": ("A", "B", "C", 250.0),
    "tangent circles": ("k", "m", "outside"),
    "on arc": ("A", "a"),
    "coplanar": ("H", "A", "B", "C", "D"),
}


def alone(kind: str) -> Problem:
    """A problem of one constraint."""
    problem = Problem(points=[*POINTS, "O", "P"], circles={"k": "O", "m": "P", "ring": "P"}, distinct=False)
    problem.solid = kind == "coplanar"
    problem.arcs["a"] = ("ring", "G", "H")
    given = ARGUMENTS.get(kind)
    if given is None:
        marks = KINDS[kind].arguments.replace("p*", "pppp")
        names = iter(POINTS)
        given = tuple("k" if mark == "c" else next(names) for mark in marks)
    problem.add(kind, *given, source=0)
    for end in ("G", "H"):
        problem.add("on circle", end, "ring")
    return problem


@pytest.mark.parametrize("kind", KINDS)
def test_where_the_rows_vanish_the_check_of_its_own_formulas_holds(kind: str) -> None:
    problem = alone(kind)
    found = 0
    for y in solutions(problem, chains=12):
        found += 1
        if np.abs(problem.tables.residual(y[None])).max() < 1e-9:
            assert KINDS[kind].excess(problem.figure(y), *problem.constraints[0].arguments) < 1e-7
    assert found >= 3


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not KINDS[kind].strict])
def test_where_an_equation_is_off_its_check_and_its_rows_say_so(kind: str) -> None:
    problem = alone(kind)
    mine = problem.tables.source == 0
    y = np.random.default_rng(1).standard_normal((20, problem.tables.unknowns))
    for row in y:
        amount = KINDS[kind].excess(problem.figure(row), *problem.constraints[0].arguments)
        off = np.abs(problem.tables.residual(row[None])[0][mine]).max()
        assert (amount > 1e-6) == (off > 1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_phrase_that_names_what_it_is_about(kind: str) -> None:
    names = [str(a) for a in alone(kind).constraints[0].arguments]
    said = KINDS[kind].phrase.replace("{*}", ", ".join(names)).format(*names)
    assert "{" not in said
    assert names[0] in said


def test_coincident_points_of_a_line_make_a_check_fail_whatever_the_rows_say() -> None:
    problem = alone("parallel")
    y = np.zeros(problem.tables.unknowns)
    amounts = [amount for one, amount in problem.amounts(problem.figure(y)) if one.kind == "parallel"]
    assert amounts == [math.inf]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_energy_in_pytorch_and_the_system_in_numpy_are_the_same(family: str) -> None:
    draw = np.random.default_rng(3)
    problem = read(FAMILIES[family](draw).request).problem
    tables, reduced = problem.tables, problem.reduction
    inputs = {name: torch.as_tensor(v)[None].repeat(5, *(1,) * v.ndim) for name, v in tensors(tables, reduced).items()}
    z = draw.standard_normal((5, inputs["open"].shape[1]))
    r, jacobian = GeometryEnergy().linearised(torch.as_tensor(z), **inputs)
    wanted, slopes = tables.linearised(reduced.expand(z[:, : reduced.size]))
    into = (reduced.alias[:, None] == np.arange(reduced.size)) * reduced.factor[:, None]
    n, k = reduced.size, int(reduced.rows.sum())
    np.testing.assert_allclose(r[:, :k], wanted[:, reduced.rows], atol=1e-11)
    np.testing.assert_allclose(jacobian[:, :k, :n], (slopes @ into)[:, reduced.rows], atol=1e-9)
    assert np.abs(wanted[:, ~reduced.rows]).max(initial=0.0) < 1e-9
    assert not r[:, k:].any()
    assert not jacobian[:, :, n:].any()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_jacobian_is_the_gradient_of_the_residuals(family: str) -> None:
    draw = np.random.default_rng(4)
    problem = read(FAMILIES[family](draw).request).problem
    inputs = {n: torch.as_tensor(v)[None] for n, v in tensors(problem.tables, problem.reduction).items()}
    energy = GeometryEnergy()
    y = torch.as_tensor(draw.standard_normal((1, inputs["open"].shape[1])))
    found = torch.func.jacrev(lambda one: energy.residuals(one[None], **inputs)[0])(y[0])
    torch.testing.assert_close(energy.linearised(y, **inputs)[1][0], found, atol=1e-9, rtol=1e-9)


def test_the_series_of_the_angle_is_exact_to_the_last_digits() -> None:
    turn = torch.linspace(0.0, math.pi, 10_001, dtype=torch.float64)
    assert (angle_of(turn.sin().abs(), turn.cos()) - turn).abs().max() < 1e-14


def test_tensors_of_larger_sizes_mean_the_same() -> None:
    problem = read({"constraints": ["AB = 5", "angle ABC = 60", "AC perpendicular BC"]}).problem
    tables, reduced = problem.tables, problem.reduction
    least = needed(tables, reduced)
    energy = GeometryEnergy()
    found = []
    for more in (0, 7):
        sizes = tuple(s + more for s in least)
        inputs = {n: torch.as_tensor(v)[None] for n, v in tensors(tables, reduced, sizes).items()}  # type: ignore[arg-type]
        y = torch.zeros(1, least[0] + more, dtype=torch.float64)
        y[:, : reduced.size] = torch.linspace(-1, 1, reduced.size, dtype=torch.float64)
        found.append(sum(energy(y, **inputs).values()))
    torch.testing.assert_close(found[0], found[1])

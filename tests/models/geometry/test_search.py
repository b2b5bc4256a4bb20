"""Interval search: it proves small systems to be impossible, and never one that has a figure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import groundstate as gs
from groundstate_models.geometry import proofs
from groundstate_models.geometry.enclosure import Enclosure
from groundstate_models.geometry.families import FAMILIES, Made, henneberg, sketch
from groundstate_models.geometry.intervals import Interval, over, squared, times
from groundstate_models.geometry.problem import Problem
from groundstate_models.geometry.request import read
from groundstate_models.geometry.search import Prover, Search
from groundstate_models.geometry.slopes import slopes
from tests.models.geometry.solved import asked, solutions

NUMBERS = st.floats(-1e6, 1e6)

QUADRILATERAL = ["AB = 5", "BC = 6", "AC = 7", "AD = 4", "BD = 3"]

IMPOSSIBLE = [
    [*QUADRILATERAL, "CD = 9"],
    [*QUADRILATERAL, "CD = 3"],
    ["AB = 4", "BC = 3", "CD = 4", "DA = 3", "AC = 5", "BD = 4.5"],
    ["AB = 6", "AC = 5", "BC = 5", "AD = 3", "BD = 4", "angle CAD = 91"],
    ["A = (0, 0)", "B = (4, 0)", "C = (4, 3)", "radius of k = 2", "k tangent to AB", "k tangent to BC", "AO = 3.5"],
]


def made(family: str, seed: int) -> Made:
    draw = np.random.default_rng(seed)
    return sketch(draw, (5, 9)) if family == "sketch" else FAMILIES[family](draw)


def searched(problem: Problem, steps: int) -> Search:
    search = Search(problem)
    search.go(steps)
    return search


@given(st.tuples(NUMBERS, NUMBERS), st.tuples(NUMBERS, NUMBERS), st.floats(0, 1), st.floats(0, 1))
def test_arithmetic_contains_the_values_of_all_values(
    one: tuple[float, float], two: tuple[float, float], here: float, there: float
) -> None:
    a, b = (Interval(np.array([min(pair)]), np.array([max(pair)])) for pair in (one, two))
    x = min(max(min(one) + here * (max(one) - min(one)), min(one)), max(one))
    y = min(max(min(two) + there * (max(two) - min(two)), min(two)), max(two))
    cases = [(times(a, b), x * y), (squared(a), x * x)] + ([(over(a, b), x / y)] if y else [])
    for found, value in cases:
        assert found.low[0] <= value <= found.high[0]


@settings(deadline=None, max_examples=15)
@given(st.sampled_from(sorted(FAMILIES)), st.integers(0, 10**6))
def test_nothing_is_proven_of_a_figure_that_exists(family: str, seed: int) -> None:
    assert not searched(read(made(family, seed).request).problem, 8).proven


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6))
def test_a_box_around_a_figure_is_never_dropped(seed: int) -> None:
    draw = np.random.default_rng(seed)
    problem = read(made(("sketch", "henneberg")[seed % 2], seed).request).problem
    enclosure = Enclosure(problem.stated)
    n = enclosure.tables.unknowns
    for y in solutions(problem, chains=4, steps=60)[:2]:
        root = enclosure.root()
        root.low[0, :n] = y - draw.uniform(1e-9, 2.0) * draw.uniform(0, 1, n) - 1e-9
        root.high[0, :n] = y + draw.uniform(1e-9, 2.0) * draw.uniform(0, 1, n) + 1e-9
        box, alive = enclosure.contracted(root)
        new, still = enclosure.together(box, enclosure.tables.least == 0)
        assert alive.all()
        assert still.all()
        for found in (Interval(box.low[:, :n], box.high[:, :n]), new):
            assert (found.low[0] <= y + 1e-9).all()
            assert (y <= found.high[0] + 1e-9).all()


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(sorted(FAMILIES)), st.integers(0, 10**6))
def test_slopes_contain_the_derivatives_at_every_place_of_the_box(family: str, seed: int) -> None:
    draw = np.random.default_rng(seed)
    tables = read(made(family, seed).request).problem.stated
    middle, half = draw.standard_normal(tables.unknowns), 10.0 ** draw.uniform(-3, 0) * draw.uniform(0, 1)
    box = Interval((middle - half)[None], (middle + half)[None])
    found = slopes(tables, box, np.ones(len(tables.constant), bool))
    places = np.clip(middle + half * draw.uniform(-1, 1, (16, tables.unknowns)), box.low[0], box.high[0])
    slope = tables.linearised(places, hinges=False)[1]
    off = 1e-9 * (1 + np.abs(slope))
    unknown = np.isnan(found.low) | np.isnan(found.high)
    assert ((found.low - off <= slope) | unknown).all()
    assert ((slope <= found.high + off) | unknown).all()


@pytest.mark.parametrize("constraints", IMPOSSIBLE)
def test_small_systems_that_nothing_else_proves_are_proven_and_each_statement_is_needed(constraints: list[Any]) -> None:
    circles = {"circles": {"k": {"center": "O"}}} if any("k" in text for text in constraints) else {}
    problem = asked(*constraints, "PQ = 7", "R midpoint of PQ", **circles).problem
    assert proofs.contradiction(problem) == []
    found = Prover(problem).go(60)
    assert {problem.statements[k][0] for k in found} == set(constraints)


def test_the_outcome_does_not_depend_on_how_the_budget_is_divided() -> None:
    problem = asked(*QUADRILATERAL, "CD = 3", "CE = 4", "DE = 5").problem
    whole, parts = Search(problem), Search(problem)
    whole.go(40)
    for _ in range(40):
        parts.go(1)
    assert (whole.proven, whole.steps) == (parts.proven, parts.steps)
    assert whole.proven


def test_a_descent_without_an_answer_is_completed_by_a_proof() -> None:
    solution = gs.load("geometry").solve({"constraints": [*QUADRILATERAL, "CD = 3"]}, ask=False, restarts=8)
    assert solution.status == "infeasible"
    assert len(solution.violations[0].places) == 6


def test_systems_without_a_size_and_in_space_are_left_alone() -> None:
    draw = np.random.default_rng(0)
    assert Search(read(FAMILIES["constructions"](draw).request).problem).over
    assert Search(asked("AB = 3", "BC = 4", space=True).problem).over
    assert not Search(read(henneberg(draw).request).problem).over

"""What is eliminated before the descent, and figures that are built step by step."""

from __future__ import annotations

import numpy as np
import pytest

import groundstate as gs
from groundstate_models.geometry import landscape
from groundstate_models.geometry.analysis import redundant
from groundstate_models.geometry.families import henneberg, sketch
from groundstate_models.geometry.request import read
from groundstate_models.geometry.starts import Builder
from tests.models.geometry.solved import asked


def test_places_and_directions_of_the_axes_leave_nothing_to_descend() -> None:
    problem = asked("A = (1, 2)", "AB horizontal", "BC vertical", "C = (5, 7)", "D coincident with C").problem
    assert problem.reduction.size == 0
    y = problem.reduction.expand(np.zeros(0))
    assert problem.figure(y).points["B"] == pytest.approx((5, 2))
    assert np.abs(problem.tables.residual(y[None])[0][problem.tables.least == 0]).max() < 1e-12


def test_expanding_what_was_reduced_gives_the_same_figure() -> None:
    problem = read(sketch(np.random.default_rng(3), (8, 12)).request).problem
    z = np.random.default_rng(0).standard_normal((4, problem.reduction.size))
    y = problem.reduction.expand(z)
    np.testing.assert_allclose(problem.reduction.reduce(y), z, atol=1e-12)
    held = ~problem.reduction.rows
    assert held.any()
    assert np.abs(problem.tables.residual(y)[:, held]).max() < 1e-9


def test_an_equation_that_contradicts_the_others_stays() -> None:
    problem = asked("A = (0, 0)", "B = (1, 0)", "AB vertical", distinct=False).problem
    y = problem.reduction.expand(np.zeros(problem.reduction.size))
    assert np.abs(problem.tables.residual(y[None])[0][problem.reduction.rows]).max() > 0.1


@pytest.mark.parametrize("seed", range(3))
def test_large_sketches_are_built_without_a_descent(seed: int) -> None:
    problem = read(sketch(np.random.default_rng(seed), (30, 30)).request).problem
    z = Builder(problem).figures(np.random.default_rng(0), 8)
    assert z is not None
    residuals = np.abs(problem.tables.residual(problem.reduction.expand(z))).max(1)
    assert (residuals < 1e-8).sum() >= 4


def test_built_figures_are_on_different_branches_and_the_same_for_the_same_generator() -> None:
    problem = read(henneberg(np.random.default_rng(1), (6, 6)).request).problem
    one, two = (Builder(problem).figures(np.random.default_rng(7), 16) for _ in range(2))
    assert one is not None
    np.testing.assert_array_equal(one, two)
    figures = [problem.figure(landscape.placed(problem, y)) for y in problem.reduction.expand(one)]
    assert max(landscape.apart(figures[0], other) for other in figures) > landscape.SAME


def test_a_figure_lies_on_one_line_only_if_it_must() -> None:
    with gs.load("geometry") as solver:
        flat = {"points": {"A": [0, 0], "B": [4, 0], "C": [1, 0], "D": [3, 0]}}
        bisected = {"constraints": ["AC = 1", "AB = 4", "BD = 1", "AD parallel CB"]}
        score = solver.score(bisected, flat)
        assert score.valid is False
        assert score.violations[0].message == "All points lie on one line, which the statements do not demand."
        assert solver.score({"constraints": ["C on segment AB", "D on segment AB", "AC = 1"]}, flat).valid


def test_statements_that_follow_about_one_line_add_no_equation_and_are_named() -> None:
    problem = asked("B on line AC", "C on line BD", "B on line AD", "C on segment AD", "AD = 5").problem
    tables = problem.tables
    on_line = [k for k in range(4) if ((tables.source == k) & (tables.least == 0)).any()]
    assert on_line == [0, 1]
    at = {"A": (0.0, 0.0), "B": (6.0, 0.0), "C": (3.0, 0.0), "D": (5.0, 0.0)}
    assert redundant(problem, problem.place(problem.drawn(at, {}, {}))) == [2]


def test_a_circle_touches_a_line_where_a_point_of_both_lies() -> None:
    problem = asked(
        "T on segment AB", "T on circle k", "AB tangent to k", "AB = 5", circles={"k": {"center": "O", "radius": 2}}
    ).problem
    z = Builder(problem).figures(np.random.default_rng(0), 8)
    assert z is not None
    y = problem.reduction.expand(z)
    good = np.abs(problem.tables.residual(y)).max(1) < 1e-9
    assert good.any()
    figure = problem.figure(y[good][0])
    assert max(amount for _, amount in problem.amounts(figure)) < 1e-7

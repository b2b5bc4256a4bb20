"""What a figure's Jacobian says is true: freedom, redundant statements, certificates, contradictions, nearest values."""

from __future__ import annotations

import math

import numpy as np
import pytest

from groundstate_models.geometry import analysis, landscape, proofs
from groundstate_models.geometry.families import henneberg
from groundstate_models.geometry.nearest import nearest_values
from groundstate_models.geometry.request import read
from tests.models.geometry.solved import asked, solution, solutions

FREE = [
    (("AB = 5",), 0, ()),
    (("AB = 5", "BC = 4"), 1, ("C",)),
    (("AB = 5", "BC = 4", "CD = 3"), 2, ("C", "D")),
    (("ABC equilateral", "AB = 2"), 0, ()),
    (("A = (0, 0)", "AB = 3"), 1, ("B",)),
    (("ABCD rectangle", "AB = 3"), 1, ("C", "D")),
    (("AB = 5", "C on segment AB"), 1, ("C",)),
    (("angle ABC = 2x", "AB = 3", "BC = 3"), 1, ("C",)),
]


@pytest.mark.parametrize(("constraints", "degrees", "moving"), FREE)
def test_the_freedom_that_is_left_is_counted_and_named(
    constraints: tuple[str, ...], degrees: int, moving: tuple[str, ...]
) -> None:
    problem = asked(*constraints).problem
    found = analysis.freedom(problem, solution(problem))
    assert (found.degrees, found.moving) == (degrees, moving)


def test_a_statement_that_follows_is_named_and_no_other() -> None:
    found = asked(
        "AB = 5", "angle ABC = 60", "AC perpendicular BC", "C on circle k", "O midpoint of AB",
        circles={"k": {"center": "O", "through": "A"}},
    )  # fmt: skip
    redundant = analysis.redundant(found.problem, solution(found.problem))
    assert [found.problem.statements[k][0] for k in redundant] == ["C on circle k"]


def test_a_tangent_by_design_is_not_called_redundant() -> None:
    # B is where two circles only just touch: the Jacobian lacks rank there, and yet no statement follows from the others.
    problem = asked("A = (0, 0)", "C = (5, 0)", "AB = 3", "BC = 2").problem
    y = problem.place(problem.figure(np.array([0.0, 0.0, 1.0, 0.0, 0.6, 0.0])))
    assert analysis.redundant(problem, y) == []


def test_a_certificate_holds_where_the_exact_solution_is_known() -> None:
    problem = asked("A = (0, 0)", "B = (3, 0)", "AC = 4", "BC = 5", "C left of AB").problem
    y = solution(problem)
    radius = analysis.certificate(problem.tables, y)
    assert radius is not None
    assert radius < 1e-9
    figure = problem.figure(y)
    assert math.dist(figure.points["C"], (0, 4)) <= radius * problem.scale


def test_what_is_no_solution_gets_no_certificate() -> None:
    problem = asked("A = (0, 0)", "B = (3, 0)", "AC = 4", "BC = 5").problem
    y = solution(problem)
    assert analysis.certificate(problem.tables, y + 1e-3) is None


def test_certificates_are_given_to_generated_rigid_figures() -> None:
    draw = np.random.default_rng(0)
    given = 0
    for _ in range(10):
        problem = read(henneberg(draw).request).problem
        given += analysis.certificate(problem.tables, solution(problem)) is not None
    assert given == 10


IMPOSSIBLE = [
    ("AB = 5", "BC = 1", "AC = 2"),
    ("AB parallel CD", "AB perpendicular CD"),
    ("AB = 5", "AB = 6"),
    ("angle ABC = 100", "angle BCA = 90"),
    ("angle ABC = 60", "angle BCA = 60", "angle BAC = 70"),
    ("M midpoint of AB", "AB = 10", "AM = 4"),
    ("AB = 2x", "AB = 10", "BC = x", "BC = 4"),
    ("AB horizontal", "CD vertical", "AB parallel CD"),
    ("ABCD square", "AB = 3", "BC = 4"),
    ("AB > 5", "AB = 4"),
    ("AB = 5", "angle BAC = 60", "BC = 3"),
    ("A = (0, 0)", "A = (1, 0)"),
    ("AB horizontal", "AB vertical"),
    ("A.x = 1", "A.y = 2", "B = (4, 6)", "AB = 6"),
]


@pytest.mark.parametrize("constraints", IMPOSSIBLE)
def test_a_contradiction_is_proven_and_its_smallest_set_named_beside_others(constraints: tuple[str, ...]) -> None:
    problem = asked(*constraints, "PQ = 7", "R midpoint of PQ").problem
    assert {problem.statements[k][0] for k in proofs.contradiction(problem)} == set(constraints)


def test_points_that_coordinates_make_coincide_contradict_their_distance_even_where_points_may_coincide() -> None:
    texts = ("AB horizontal", "AB vertical", "AB = 5")
    problem = asked(*texts, "BC = 3", distinct=False).problem
    assert {problem.statements[k][0] for k in proofs.contradiction(problem)} == set(texts)


def test_nothing_is_proven_of_figures_that_exist() -> None:
    draw = np.random.default_rng(5)
    from groundstate_models.geometry.families import FAMILIES

    for _ in range(15):
        for make in FAMILIES.values():
            assert proofs.contradiction(read(make(draw).request).problem) == []


def test_the_nearest_value_that_works_is_the_analytic_one() -> None:
    problem = asked("AB = 3", "BC = 4", "AC perpendicular BC", "AC = 5").problem
    found = {text: value for _, text, value in nearest_values(problem, range(4), None)}
    assert found["AB = 3"] == pytest.approx(math.sqrt(41), rel=1e-4)
    assert "AC perpendicular BC" not in found


def test_all_figures_of_a_small_graph_are_found_and_told_apart() -> None:
    made = henneberg(np.random.default_rng(2), (5, 5))
    problem = read(made.request).problem
    found = []
    for y in solutions(problem, chains=256):
        figure = problem.figure(landscape.placed(problem, y))
        if all(landscape.apart(figure, other) > landscape.SAME for other in found):
            found.append(figure)
    assert len(found) == len(made.about["solutions"])


def test_a_figure_is_put_on_the_page_the_same_way_however_it_was_found() -> None:
    problem = asked("AB = 3", "BC = 4", "AC = 5").problem
    figures = [problem.figure(landscape.placed(problem, y)) for y in solutions(problem)]
    assert max(landscape.apart(figures[0], other) for other in figures) < 1e-9
    assert figures[0].points["A"] == pytest.approx((0, 0))
    assert figures[0].points["B"] == pytest.approx((3, 0))
    assert figures[0].points["C"][1] > 0

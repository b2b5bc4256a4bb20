"""Lines through many points: their order, angles named by other points, figures that this makes easy."""

from __future__ import annotations

import numpy as np
import pytest

from groundstate_models.geometry import proofs
from groundstate_models.geometry.expressions import Sum, angle
from groundstate_models.geometry.incidence import Incidence
from groundstate_models.geometry.starts import Builder
from tests.models.geometry.solved import asked, solution


def test_statements_that_share_two_points_are_about_one_line() -> None:
    found = Incidence(asked("C on line AB", "D on segment BC", "E on line AD", "P on line QR").problem)
    assert {frozenset(line.points) for line in found.lines} == {frozenset("ABCDE"), frozenset("PQR")}


def test_lines_that_share_one_point_stay_apart() -> None:
    found = Incidence(asked("P on line AB", "P on line CD").problem)
    assert {frozenset(line.points) for line in found.lines} == {frozenset("PAB"), frozenset("PCD")}


def test_the_order_on_a_line_follows_from_a_chain_of_betweens() -> None:
    (line,) = Incidence(asked("B between A and D", "C between B and D").problem).lines
    assert line.between("B", "A", "C") == -1
    assert line.between("A", "B", "C") == 1
    assert line.between("D", "A", "B") == 1


def test_an_angle_is_named_by_other_points_of_its_rays() -> None:
    found = Incidence(asked("D between A and B", "E between B and C", "F on line BC").problem)
    one, two = found.angle(angle("D", "B", "E")), found.angle(angle("A", "B", "C"))
    assert one.value == two.value
    beyond = Incidence(asked("B between A and D", "angle CBD = 30").problem).angle(angle("C", "B", "D"))
    assert beyond.value == Sum.of(180) - Sum.of(angle("A", "B", "C"))


ORDERS = [
    ("B between A and C", "A between B and C"),
    ("B between A and C", "C between B and D", "D between A and B"),
    ("angle KOM = q", "angle MOC = 43", "angle NOK = q", "O on segment MN", "C on ray OK"),
    ("D on segment AC", "F on segment AD", "angle CFD = 36"),
    ("AC = 20", "angle ACB = 22", "CF = 12", "D on segment AF", "F on segment CB", "FD perpendicular CF"),
    ("angle ABC = 40", "angle CBD = 50", "angle ABD = 80", "C on segment AD"),
    ("AB = AC", "angle ABC = 50", "angle ACB = 60"),
    ("A, B, C collinear", "C left of AB"),
    ("AB = 2", "BC = 3", "AC = 5", "A, B, C not collinear"),
]


@pytest.mark.parametrize("constraints", ORDERS)
def test_a_contradiction_in_orders_and_angles_is_proven_with_its_smallest_set(constraints: tuple[str, ...]) -> None:
    problem = asked(*constraints, "PQ = 7", "R midpoint of PQ").problem
    assert {problem.statements[k][0] for k in proofs.contradiction(problem)} == set(constraints)


def test_a_tangent_through_the_centre_is_a_contradiction() -> None:
    problem = asked("AO tangent to k", circles={"k": {"center": "O", "radius": 3}}).problem
    assert [problem.statements[k][0] for k in proofs.contradiction(problem)] == ["AO tangent to k"]


def test_two_independent_contradictions_are_both_named() -> None:
    problem = asked("AB = 5", "CD = 2", "AB = 6", "BC = 4", "CD parallel EF", "CD perpendicular EF").problem
    assert proofs.contradictions(problem) == [[4, 5], [0, 2]] or proofs.contradictions(problem) == [[0, 2], [4, 5]]


def test_two_wrong_values_of_one_dimension_are_both_named() -> None:
    problem = asked("AB = 5", "AB = 6", "AB = 7", "BC = 4").problem
    named = {k for one in proofs.contradictions(problem) for k in one}
    assert named == {0, 1, 2}


PARALLELS = (
    "angle DIC = q1", "angle LDA = q4", "angle DOF = q11", "angle FOE = q14", "I on segment DC", "O on segment DE",
    "D on segment CL", "D on segment EA", "O on segment AE", "F on segment IK", "F on segment OJ", "O on segment HF",
    "D on segment AO", "DO parallel IF", "q4 = 104", "q14 = 118",
)  # fmt: skip


def test_parallels_and_transversals_are_built_step_by_step() -> None:
    problem = asked(*PARALLELS).problem
    builder = Builder(problem)
    found = builder.figures(np.random.default_rng(0), 8)
    assert found is not None
    y = builder.reduction.expand(found)
    assert np.abs(problem.tables.residual(y)).max(1).min() < 1e-9


def test_two_names_for_one_middle_are_one_point() -> None:
    problem = asked("M midpoint of AB", "N midpoint of AB", "AB = 4").problem
    figure = problem.figure(solution(problem))
    assert figure.distance("M", "N") < 1e-9


def test_squares_turn_the_same_way_where_nothing_decides() -> None:
    problem = asked("ABCD square", "EBFG square", "AB = 3", "BF = 2").problem
    builder = Builder(problem)
    found = builder.figures(np.random.default_rng(0), 4)
    assert found is not None
    figure = problem.figure(builder.reduction.expand(found[0]))
    assert figure.area("ABCD") * figure.area("EBFG") > 0

"""Figures in space: rows and checks, what follows from them, and what is of the plane only."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

import groundstate as gs
from groundstate_models.geometry import analysis, proofs
from groundstate_models.geometry.energy import GeometryEnergy
from groundstate_models.geometry.request import Read, read
from groundstate_models.geometry.tensors import tensors
from tests.models.geometry.solved import solution

BOX = ["AB = 3", "AC = 4", "AD = 5", "AB perpendicular AC", "AB perpendicular AD", "AC perpendicular AD"]


def in_space(*constraints: Any, **rest: Any) -> Read:
    return read({"constraints": list(constraints), "space": True, **rest})


@pytest.fixture(scope="module")
def solver() -> Iterator[gs.Solver]:
    with gs.load("geometry") as one:
        yield one


SYSTEMS = [
    (*BOX, "E on plane BCD", "E on line AF", "AF parallel BC"),
    ("AB = 3", "angle BAC = 50", "distance from C to AB = 2", "area ABD = 4", "M midpoint of CD", "G centroid of ABC"),
    ("ABCD parallelogram", "AB not parallel AD", "C between A and E", "E.z = 2", "F not on line AB"),
]


@pytest.mark.parametrize("constraints", SYSTEMS)
def test_the_energy_and_the_system_are_the_same_and_their_slopes_are_right(constraints: tuple[str, ...]) -> None:
    try:
        problem = in_space(*constraints).problem
    except gs.RequestError as error:
        pytest.fail(str(error))
    tables, reduced = problem.tables, problem.reduction
    inputs = {name: torch.as_tensor(v)[None] for name, v in tensors(tables, reduced).items()}
    z = np.random.default_rng(0).standard_normal((1, inputs["open"].shape[1]))
    energy = GeometryEnergy()
    r, jacobian = energy.linearised(torch.as_tensor(z), **inputs)
    wanted, slopes = tables.linearised(reduced.expand(z[:, : reduced.size]))
    rows = int(reduced.rows.sum())
    np.testing.assert_allclose(r[:, :rows], wanted[:, reduced.rows], atol=1e-11)
    into = (reduced.alias[:, None] == np.arange(reduced.size)) * reduced.factor[:, None]
    np.testing.assert_allclose(jacobian[:, :rows, : reduced.size], (slopes @ into)[:, reduced.rows], atol=1e-9)
    by_autograd = torch.func.jacrev(lambda one: energy.residuals(one[None], **inputs)[0])(torch.as_tensor(z)[0])
    torch.testing.assert_close(jacobian[0], by_autograd, atol=1e-9, rtol=1e-9)


def test_a_corner_of_a_box_is_placed_measured_and_certified(solver: gs.Solver) -> None:
    found = solver.solve({"constraints": BOX, "space": True, "measure": ["CD", "area BCD", "angle BCD"]}, ask=False)
    assert found.status == "solved"
    assert found.answer is not None
    at = {name: found.answer["points"][name] for name in "ABCD"}
    assert at["B"] == pytest.approx([3, 0, 0], abs=1e-9)
    assert at["C"] == pytest.approx([0, 4, 0], abs=1e-9)
    assert at["D"] == pytest.approx([0, 0, 5], abs=1e-9)
    measures = found.answer["measures"]
    assert measures["CD"] == {"value": pytest.approx(math.sqrt(41)), "determined": True}
    assert measures["area BCD"]["value"] == pytest.approx(math.sqrt(12**2 + 15**2 + 20**2) / 2)
    assert found.answer["freedom"]["degrees"] == 0
    assert found.answer["certified"] < 1e-9


def test_a_sphere_through_four_points_has_the_radius_of_the_box(solver: gs.Solver) -> None:
    request = {"constraints": BOX, "circles": {"s": {"through": ["A", "B", "C", "D"]}}, "space": True}
    found = solver.solve({**request, "measure": ["radius of s"]}, ask=False)
    assert found.answer is not None
    assert found.answer["measures"]["radius of s"]["value"] == pytest.approx(math.sqrt(50) / 2)


def test_a_foot_on_a_plane_is_where_the_height_of_a_tetrahedron_ends(solver: gs.Solver) -> None:
    edges = [f"{a}{b} = 4" for a, b in ("AB", "AC", "AD", "BC", "BD", "CD")]
    request = {"constraints": [*edges, "O on plane ABC", "DO perpendicular plane ABC"], "measure": ["OD"]}
    found = solver.solve({**request, "space": True}, ask=False)
    assert found.answer is not None
    assert found.answer["measures"]["OD"]["value"] == pytest.approx(4 * math.sqrt(2 / 3))


def test_two_hinges_of_a_rhombus_in_space_are_named() -> None:
    problem = in_space("AB = 3", "BC = 3", "CD = 3", "AD = 3").problem
    found = analysis.freedom(problem, solution(problem))
    assert found.degrees == 2
    assert "A" not in found.moving
    assert "B" not in found.moving


def test_what_contradicts_itself_in_the_plane_only_is_not_called_impossible_in_space() -> None:
    crossed = ("AB perpendicular AC", "AC perpendicular AD", "AB perpendicular AD")
    assert proofs.contradiction(read({"constraints": list(crossed)}).problem)
    assert not proofs.contradiction(in_space(*crossed).problem)
    assert proofs.contradiction(in_space("AB = 3", "BC = 1", "AC = 1").problem)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"constraints": ["A, B, C, D coplanar"]}, "space: true"),
        ({"constraints": ["A = (1, 2, 3)"]}, "space: true"),
        ({"constraints": ["C left of AB"], "space": True}, "in the plane only"),
        ({"constraints": ["area ABCD = 3"], "space": True}, "in the plane only"),
        ({"constraints": ["AB = 2"], "measure": ["area ABCD"], "space": True}, "in the plane only"),
        ({"points": {"A": [0, 1]}, "space": True}, "three finite numbers"),
        ({"constraints": ["A, B, C coplanar"], "space": True}, "four or more"),
    ],
)
def test_what_space_and_the_plane_do_not_share_is_refused_in_one_sentence(
    request_: dict[str, Any], message: str
) -> None:
    with pytest.raises(gs.RequestError, match=message):
        read(request_)


def test_a_figure_in_space_is_drawn_and_a_wrong_one_is_called_wrong(solver: gs.Solver) -> None:
    request = {"constraints": BOX, "space": True}
    answer = {"points": {"A": [0, 0, 0], "B": [3, 0, 0], "C": [0, 4, 0], "D": [0, 0, 5]}}
    assert solver.score(request, answer).valid
    picture = solver.svg(request, answer)
    assert picture is not None
    assert "NaN" not in picture
    wrong = {"points": {**answer["points"], "D": [0, 1, 5]}}
    assert solver.score(request, wrong).valid is False
    assert solver.score(request, {"points": {"A": [0, 0], "B": [3, 0], "C": [0, 4], "D": [1, 1]}}).valid is False

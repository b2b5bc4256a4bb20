"""States of rest through the file: found, checked, asked about, repaired, drawn."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import groundstate as gs
from groundstate_models.equilibrium import check
from groundstate_models.equilibrium.families import FAMILIES, bistable, cable_too_short
from groundstate_models.equilibrium.request import read

HANGING = {
    "statements": ["A fixed at (0, 0)", "B fixed at (6, 0)", "cable A-m length 5", "cable B-m length 5", "mass 1 at m"],
    "gravity": 10,
}


@pytest.fixture(scope="module")
def solver() -> Iterator[gs.Solver]:
    with gs.load("equilibrium") as one:
        yield one


def test_a_mass_hangs_between_two_cables(solver: gs.Solver) -> None:
    found = solver.solve(HANGING)
    assert found.status == "solved"
    assert found.answer is not None
    assert found.answer["positions"]["m"] == pytest.approx([3, -4], abs=1e-12)
    assert found.answer["forces"] == {"A-m": pytest.approx(6.25), "B-m": pytest.approx(6.25)}
    assert found.answer["reactions"]["A"] == pytest.approx([-3.75, 5])
    assert found.answer["residual"] < 1e-12
    assert found.answer["stability"] == {"stable": True, "stiffness": None, "free": []}


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_called_solved_balances_by_the_request_read_anew(solver: gs.Solver, family: str) -> None:
    draw = np.random.default_rng(5)
    for _ in range(3):
        request = FAMILIES[family](draw).request
        found = solver.solve(request, ask=False, deadline=20)
        assert found.status == "solved"
        assert found.answer is not None
        assert check.failed(read(request), found.answer) == []
        assert solver.score(request, found.answer).valid


def test_a_chain_hangs_as_a_chain_of_equal_links_does(solver: gs.Solver) -> None:
    request = {
        "preset": {"type": "chain", "from": [0, 0], "to": [4, 0], "length": 6, "links": 8, "mass": 8},
        "gravity": 1,
    }
    found = solver.solve(request)
    assert found.answer is not None
    forces = np.array(list(found.answer["forces"].values()))
    ends = np.array(list(found.answer["positions"].values()))
    along = np.diff(np.array([*ends]), axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    sides = forces * along[:, 0]
    np.testing.assert_allclose(sides, sides[0], rtol=1e-9)  # the horizontal force is the same in every link
    np.testing.assert_allclose(np.diff(forces * along[:, 1]), 1.0, rtol=1e-9)  # the vertical one grows by each weight


def test_a_truss_that_may_snap_through_is_asked_about_and_each_option_is_solved(solver: gs.Solver) -> None:
    made = bistable(np.random.default_rng(2))
    found = solver.solve(made.request, alternatives=2)
    assert found.status == "ambiguous"
    assert found.question is not None
    assert found.question.text == "There are several states of rest. Does C stay as drawn, or is it snapped through?"
    for option in found.question.options:
        chosen = solver.solve(made.request, alternatives=2, replies={found.question.id: option.id})
        assert chosen.status == "solved"
        assert chosen.answer is not None
        above = chosen.answer["positions"]["C"][1] > made.about["level"]
        assert above == ("as drawn" in option.label)


@pytest.mark.parametrize("part", [1e-8, 1e-6, 1e-4, 1e-2, 0.97])
def test_a_truss_under_a_small_load_has_two_states_as_one_near_snapping_has(solver: gs.Solver, part: float) -> None:
    made = bistable(np.random.default_rng(7))
    load = part * made.about["snap"]
    made.request["nodes"]["C"]["load"] = [0, -load]
    found = solver.solve(made.request, alternatives=2)
    answers = [one.answer for one in (found, *found.alternatives) if one.answer is not None]
    assert {one["positions"]["C"][1] > made.about["level"] for one in answers} == {True, False}
    assert found.question is not None
    warned = any("rounding limits" in line for line in answers[0].get("notices", ()))
    assert warned == (part < 1e-5)
    # What is left is below the load even where the load is a hundred-millionth of what the springs exert.
    assert max(one["residual"] for one in answers) < 1e-4 * load


def test_a_force_that_is_wrong_by_a_small_load_is_called_wrong() -> None:
    structure = read(bistable(np.random.default_rng(7)).request)
    places = {name: list(node.at)[:2] for name, node in structure.nodes.items() if node.at is not None}
    at_rest = {"positions": places, "forces": {"A-C": 0.0, "B-C": 0.0}}
    left = [one.amount for one in check.failed(structure, at_rest)]
    assert left == [pytest.approx(structure.loads)]


def test_an_unstable_state_is_no_answer(solver: gs.Solver) -> None:
    request = {
        "nodes": {"A": {"at": [-2, 0], "fixed": True}, "B": {"at": [2, 0], "fixed": True}, "C": {}},
        "members": [{"type": "spring", "between": [a, "C"], "stiffness": 10, "length": 2.5} for a in ("A", "B")],
    }
    score = solver.score(request, {"positions": {"A": [-2, 0], "B": [2, 0], "C": [0, 0]}})
    assert score.valid is False
    assert any("unstable" in one.message for one in score.violations)
    assert solver.score(request, {"positions": {"A": [-2, 0], "B": [2, 0], "C": [0, 1.5]}}).valid


def test_wrong_answers_are_called_wrong(solver: gs.Solver) -> None:
    right = solver.solve(HANGING).answer
    assert right is not None
    wrong: list[dict[str, Any]] = [
        {**right, "positions": {**right["positions"], "m": [3.001, -4]}},
        {**right, "forces": {"A-m": 6.25, "B-m": 6.3}},
        {**right, "forces": {"A-m": -6.25, "B-m": 6.25}},
        {**right, "positions": {**right["positions"], "A": [0.1, 0]}},
        {"positions": {"A": [0, 0], "B": [6, 0], "m": [1, -4]}},
    ]
    for answer in wrong:
        assert solver.score(HANGING, answer).valid is False


def test_cables_that_do_not_reach_are_proven_and_longer_ones_offered(solver: gs.Solver) -> None:
    draw = np.random.default_rng(3)
    for _ in range(3):
        made = cable_too_short(draw)
        found = solver.solve(made.request)
        assert found.status == "infeasible"
        assert "only" in found.violations[0].message
        assert found.question is not None
        longer = next(o for o in found.question.options if "could be" in o.label)
        assert solver.solve(made.request, replies={found.question.id: longer.id}).status in {"solved", "ambiguous"}


def test_a_stack_that_tips_is_proven_and_moved_back(solver: gs.Solver) -> None:
    request = {"blocks": {"a": {"size": [2, 1], "at": [0, 0.5]}, "b": {"size": [2, 1], "at": [1.05, 1.5]}}}
    found = solver.solve(request)
    assert found.status == "infeasible"
    assert found.violations[0].message == "b tips over the edge of a at (1, 1)."
    assert found.question is not None
    assert found.question.options[0].label.startswith("Move b ")
    assert solver.solve(request, replies={found.question.id: found.question.options[0].id}).status == "solved"


def test_a_part_that_nothing_holds_is_named(solver: gs.Solver) -> None:
    falls = solver.solve(
        {"statements": ["A fixed at (0, 0)", "cable A-m length 1", "mass 1 at m", "mass 2 at C"]}, ask=False
    )
    assert falls.status == "infeasible"
    assert falls.violations[0].message == "C falls: nothing holds it against the load."
    rolls = solver.solve(
        {"statements": ["ball d with radius 1", "d at (0, 3)", "mass 1 at d", "floor at 0"]}, ask=False
    )
    assert rolls.answer is not None
    assert rolls.answer["stability"]["free"] == ["d"]
    assert "Nothing holds d in place" in rolls.answer["notices"][0]


def test_balls_rest_on_floor_and_wall_without_overlap(solver: gs.Solver) -> None:
    request = {
        "statements": ["floor at 0", "wall at 0", "wall at 3.2 on the right", "mass 1 at a, b, c"]
        + [f"ball {n} with radius 1" for n in "abc"]
        + ["a at (1, 1)", "b at (2.1, 1.2)", "c at (1.6, 3)"],
    }
    found = solver.solve(request, ask=False)
    assert found.status == "solved"
    assert found.answer is not None
    places = [np.array(at) for at in found.answer["positions"].values()]
    assert min(math.dist(p, q) for k, p in enumerate(places) for q in places[k + 1 :]) > 2 - 1e-9
    assert sum(c["force"][1] for c in found.answer["contacts"] if c["from"] == "floor") == pytest.approx(3 * 9.81)


@pytest.mark.parametrize(
    ("atoms", "potential", "energy"), [(5, "lennard_jones", -9.103852), (6, "thomson", 9.985281374)]
)
def test_small_clusters_reach_their_lowest_energy(solver: gs.Solver, atoms: int, potential: str, energy: float) -> None:
    request = {"preset": {"type": "cluster", "atoms": atoms, "potential": potential}}
    found = solver.solve(request, ask=False)
    assert found.answer is not None
    assert found.answer["energy"] == pytest.approx(energy, abs=1e-6)


def test_an_arch_is_a_parabola_in_compression(solver: gs.Solver) -> None:
    found = solver.solve({"preset": {"type": "arch", "from": [0, 0], "to": [5, 0], "bars": 10, "rise": 2.5}})
    assert found.answer is not None
    for x, y in found.answer["positions"].values():
        assert y == pytest.approx(2.5 * (1 - ((x - 2.5) / 2.5) ** 2), abs=1e-9)
    assert max(found.answer["forces"].values()) < 0


def test_the_same_seed_gives_the_same_answer(solver: gs.Solver) -> None:
    assert solver.solve(HANGING, seed=3).answer == solver.solve(HANGING, seed=3).answer


@pytest.mark.parametrize(
    "request_",
    [
        HANGING,
        {"statements": ["block a 2 x 1 on floor", "block b 1 x 1 on a"]},
        {"preset": {"type": "net", "size": [3, 3]}},
        {"preset": {"type": "cluster", "atoms": 4}},
        {"preset": {"type": "cluster", "atoms": 4, "potential": "thomson"}},
    ],
)
def test_the_drawing_is_well_formed(solver: gs.Solver, request_: dict[str, Any]) -> None:
    found = solver.solve(request_, ask=False)
    picture = solver.svg(request_, found.answer)
    assert picture is not None
    root = ET.fromstring(picture)
    assert root.tag.endswith("svg")
    width, height = (float(v) for v in root.attrib["viewBox"].split()[2:])
    shapes = [one.attrib for one in root.iter() if "cx" in one.attrib or "x1" in one.attrib]
    for name, most in (("cx", width), ("x1", width), ("x2", width), ("cy", height), ("y1", height), ("y2", height)):
        assert all(0 <= float(one.get(name, 0)) <= most for one in shapes)
    assert {one.text for one in root.iter() if one.attrib.get("class") == "name"} == {
        *read(request_).nodes,
        *read(request_).blocks,
    }

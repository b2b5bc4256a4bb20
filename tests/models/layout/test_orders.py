"""Questions about turns and orders: asked where they split the answers, never about a shift."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import groundstate as gs
from groundstate_models.layout.orders import open_orders
from groundstate_models.layout.placed import Placed
from groundstate_models.layout.request import read


@pytest.fixture(scope="module")
def solver() -> Iterator[gs.Solver]:
    with gs.load("layout") as one:
        yield one


def options(solver: gs.Solver, request: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The question's options by label, each with the answer after choosing it."""
    found = solver.solve(request, alternatives=2)
    assert found.status == "ambiguous"
    assert found.question is not None
    answers = {}
    for option in found.question.options:
        chosen = solver.solve(request, alternatives=2, replies={found.question.id: option.id})
        assert chosen.answer is not None
        assert solver.score(request, chosen.answer).valid
        answers[option.label] = chosen.answer["items"]
    return answers


# Turned sideways, the desk and its clear zone are longer than the room is wide.
CORRIDOR: dict[str, Any] = {
    "area": [65, 140],
    "items": {"desk": {"size": [60, 40], "front": "south"}},
    "relations": ["50 clear in front of desk"],
}


def test_a_room_with_two_turns_is_asked_about_exactly_these(solver: gs.Solver) -> None:
    found = solver.solve(CORRIDOR, alternatives=2)
    assert found.question is not None
    assert found.question.text == "Which way should desk face?"
    answers = options(solver, CORRIDOR)
    assert {label: items["desk"]["turn"] % 360 for label, items in answers.items()} == {"north": 180, "south": 0}


@pytest.mark.parametrize("statement", ["desk facing north", "desk against north wall"])
def test_a_turn_that_is_stated_is_not_asked_about(solver: gs.Solver, statement: str) -> None:
    request = {**CORRIDOR, "relations": [*CORRIDOR["relations"], statement]}
    found = solver.solve(request, alternatives=3)
    assert (found.status, found.question) == ("solved", None)


def test_a_row_of_two_is_asked_about_its_order(solver: gs.Solver) -> None:
    request = {
        "area": [300, 100],
        "items": {"lamp": {"size": [40, 40], "turns": "none"}, "sofa": {"size": [200, 90], "turns": "none"}},
        "relations": ["lamp, sofa aligned bottom"],
    }
    found = solver.solve(request, alternatives=2)
    assert found.question is not None
    assert found.question.text == "Should lamp be left or right of sofa?"
    answers = options(solver, request)
    assert set(answers) == {"left", "right"}
    assert answers["left"]["lamp"]["x"] + 120 <= answers["left"]["sofa"]["x"] + 1e-3
    assert answers["right"]["lamp"]["x"] >= answers["right"]["sofa"]["x"] + 120 - 1e-3


def test_neighbours_are_asked_about_only_the_sides_where_there_is_room(solver: gs.Solver) -> None:
    request = {
        "area": [300, 100],
        "items": {"lamp": {"size": [40, 40], "turns": "none"}, "sofa": {"size": [200, 90], "turns": "none"}},
        "relations": ["lamp next to sofa"],
    }
    assert set(options(solver, request)) == {"left", "right"}
    found = solver.solve(request, alternatives=2)
    assert found.question is not None
    assert found.question.text == "On which side of sofa should lamp be?"


def test_mirrored_items_are_asked_which_is_left(solver: gs.Solver) -> None:
    request = {
        "area": [400, 100],
        "items": {
            name: {"size": size, "turns": "none"}
            for name, size in (("a", [60, 60]), ("b", [50, 80]), ("tv", [150, 30]))
        },
        "relations": ["tv centred in the room", "a and b symmetric about tv"],
    }
    assert set(options(solver, request)) == {"left", "right"}


@pytest.mark.parametrize(
    "relations",
    [
        ["lamp left of sofa", "lamp, sofa aligned bottom"],
        ["lamp left of sofa", "lamp next to sofa"],
        ["lamp right of sofa, gap 5"],
        ["sofa against west wall"],
        [],
    ],
)
def test_a_shift_of_items_whose_order_is_stated_is_no_question(solver: gs.Solver, relations: list[str]) -> None:
    request = {"area": [400, 200], "items": {"lamp": [40, 40], "sofa": [200, 90]}, "relations": relations}
    found = solver.solve(request, alternatives=3)
    assert (found.status, found.question) == ("solved", None)


def test_nothing_is_asked_about_copies_and_given_places(solver: gs.Solver) -> None:
    copies = {
        "area": [300, 100],
        "items": {"chair": {"size": [40, 40], "count": 2}},
        "relations": ["chairs aligned top"],
    }
    given = {
        "area": [300, 100],
        "items": {"a": {"size": [40, 40], "at": [60, 50]}, "b": {"size": [40, 40], "at": [90, 50]}},
        "relations": ["a next to b"],
        "repair": True,
    }
    for request in (copies, given):
        found = solver.solve(request, alternatives=2)
        assert (found.status, found.question) == ("solved", None)


def test_an_open_wall_is_asked_about_before_turns_and_orders(solver: gs.Solver) -> None:
    request = {
        "area": [300, 300],
        "items": {
            "shelf": {"size": [280, 40], "turns": "none"},
            "desk": {"size": [60, 40], "front": "south"},
            "lamp": [20, 20],
        },
        "relations": ["shelf against any wall", "lamp next to desk"],
    }
    first = solver.solve(request, alternatives=2)
    assert first.question is not None
    assert first.question.text.startswith("Against which wall should shelf stand?")
    second = solver.solve(request, alternatives=2, replies={first.question.id: first.question.options[0].id})
    assert second.question is not None
    assert second.question.text in ("Which way should desk face?", "On which side of desk should lamp be?")


@given(x=st.floats(-100, 100), y=st.floats(-100, 100))
def test_a_pair_is_at_exactly_one_side_and_the_statement_of_that_side_holds(x: float, y: float) -> None:
    if abs(x) < 40 and abs(y) < 30:
        return
    plan = read({"area": [300, 300], "items": {"a": [40, 40], "b": [40, 20]}, "relations": ["a within 15 of b"]})
    (order,) = open_orders(plan).values()
    placed = Placed(plan, {"a": (150 + x, 150 + y, 0.0), "b": (150.0, 150.0, 0.0)})
    side = order.side(placed)
    assert order.amount(placed, side) <= 1e-9
    others = [order.amount(placed, other) for other in order.sides if other != side]
    assert min(others) > 1e-9 or min(abs(abs(x) - 40), abs(abs(y) - 30)) < 1e-6


def test_a_side_that_is_missed_by_a_little_is_a_shift() -> None:
    plan = read({"area": [300, 300], "items": {"a": [40, 40], "b": [40, 20]}, "relations": ["a within 15 of b"]})
    (order,) = open_orders(plan).values()
    above, corner, right = (
        Placed(plan, {"a": (x, y, 0.0), "b": (150.0, 150.0, 0.0)}) for x, y in ((186, 182), (191, 182), (192, 150))
    )
    assert (order.side(above), order.side(corner), order.side(right)) == ("above", "right", "right")
    assert order.shifted(above, corner)
    assert not order.shifted(Placed(plan, {"a": (110, 150, 0.0), "b": (150.0, 150.0, 0.0)}), right)

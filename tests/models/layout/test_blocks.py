"""Items with an area in place of a size: sides are chosen, links are short, and statements hold."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import groundstate as gs
from groundstate_models.layout.blocks import BlockSearch
from groundstate_models.layout.request import read


@pytest.fixture(scope="module")
def solver() -> Iterator[gs.Solver]:
    with gs.load("layout") as one:
        yield one


FLAT: dict[str, Any] = {
    "area": [10, 8],
    "items": {
        "living": {"area": 30, "aspect": 2},
        "kitchen": {"area": 14, "aspect": 2},
        "bath": {"area": 8, "aspect": 3},
        "bed": {"area": 18, "aspect": 2},
        "hall": {"area": 10, "aspect": [0.2, 5]},
    },
    "relations": ["living against south wall", "kitchen next to living", "bath right of living", "bed in the top half"],
    "prefer": [{"relation": "kitchen connected to hall", "weight": 2}, "bed connected to bath"],
}


def boxes(answer: dict[str, Any]) -> dict[str, tuple[float, float, float, float]]:
    return {n: (b[0], b[1], b[0] + b[2], b[1] + b[3]) for n, one in answer["items"].items() for b in [one["box"]]}


def test_a_floorplan_has_its_areas_and_its_statements(solver: gs.Solver) -> None:
    request = {**FLAT, "relations": ["living against south wall", "bath right of living", "kitchen next to living"]}
    found = solver.solve(request, ask=False, improve_for=1)
    assert found.status == "solved"
    assert found.answer is not None
    b = boxes(found.answer)
    for name, item in FLAT["items"].items():
        w, h = b[name][2] - b[name][0], b[name][3] - b[name][1]
        assert w * h >= item["area"] * (1 - 1e-5)
        most = item["aspect"] if isinstance(item["aspect"], int) else 5
        assert max(w / h, h / w) <= most * (1 + 1e-5)
    for one, other in combinations(b.values(), 2):
        assert max(other[0] - one[2], one[0] - other[2], other[1] - one[3], one[1] - other[3]) >= -1e-5
    assert b["living"][1] == pytest.approx(0, abs=1e-5)
    assert b["bath"][0] >= b["living"][2] - 1e-5
    assert solver.score(request, found.answer).valid


def test_chosen_sides_are_checked(solver: gs.Solver) -> None:
    request = {"area": [10, 8], "items": {"a": {"area": 40, "aspect": 2}, "b": {"area": 30, "aspect": 2}}}
    places = {"a": {"x": 2.5, "y": 4, "box": [0, 0, 5, 8]}, "b": {"x": 7.5, "y": 3, "box": [5, 0, 5, 6]}}
    assert solver.score(request, {"items": places}).valid
    short = {**places, "b": {"x": 7.5, "y": 2.9, "box": [5, 0, 5, 5.8]}}
    assert "b has an area of 29; it needs 30" in solver.score(request, {"items": short}).violations[0].message
    thin = {**places, "b": {"x": 6.75, "y": 4, "box": [5, 0, 3.75, 8]}}
    assert "its aspect must lie between 0.5 and 2" in solver.score(request, {"items": thin}).violations[0].message


def test_areas_that_are_too_large_are_proven_with_areas_that_fit(solver: gs.Solver) -> None:
    request = {"area": [10, 10], "items": {"a": {"area": 60}, "b": {"area": 60}}}
    found = solver.solve(request)
    assert found.status == "infeasible"
    assert found.violations[0].message == "The items need 120 together; the area has 100."
    assert found.question is not None
    assert "a could have an area of 40." in [option.label for option in found.question.options]


def test_a_room_that_is_too_narrow_is_proven(solver: gs.Solver) -> None:
    found = solver.solve({"area": [100, 1], "items": {"a": {"area": 60, "aspect": 4}}}, ask=False)
    assert found.status == "infeasible"


def test_six_squares_find_the_shortest_links(solver: gs.Solver) -> None:
    names = [f"s{k}" for k in range(6)]
    links = [f"{a} connected to {b}" for a, b in pairwise(names)]
    request = {"area": [3, 2], "items": {n: {"area": 1, "aspect": 1} for n in names}, "prefer": links}
    found = solver.solve(request, ask=False)
    assert found.answer is not None
    at = {n: (one["x"], one["y"]) for n, one in found.answer["items"].items()}
    assert sum(math.dist(at[a], at[b]) for a, b in pairwise(names)) == pytest.approx(5, abs=1e-4)


def test_links_pull_items_of_given_sizes_together(solver: gs.Solver) -> None:
    items = {n: {"size": [10, 10], "turns": "none"} for n in "abc"}
    request = {"area": [100, 100], "items": items, "prefer": ["a connected to b", "b connected to c"]}
    found = solver.solve(request, ask=False, restarts=16, max_steps=128)
    assert found.answer is not None
    at = {n: (one["x"], one["y"]) for n, one in found.answer["items"].items()}
    length = sum(abs(at[p][k] - at[q][k]) for p, q in ("ab", "bc") for k in (0, 1))
    assert length == pytest.approx(20, rel=0.03)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.5, 9.0), min_size=2, max_size=9), st.integers(0, 10**6))
def test_every_floorplan_fills_its_rectangle_with_the_areas(areas: list[float], seed: int) -> None:
    side = math.sqrt(sum(areas))
    plan = read({"area": [side, side], "items": {f"a{k}": {"area": v} for k, v in enumerate(areas)}})
    search = BlockSearch(plan, seed)
    some = search.random(4)
    for _ in range(3):
        some = search._moved(some)
    centre, size = search.rectangles(some)
    assert np.allclose(size.prod(2), areas)
    low, high = centre - size / 2, centre + size / 2
    assert low.min() >= -1e-9
    assert high.max() <= side + 1e-9
    for i, j in combinations(range(len(areas)), 2):
        apart = np.maximum(low[:, i] - high[:, j], low[:, j] - high[:, i]).max(1)
        assert apart.min() >= -1e-9

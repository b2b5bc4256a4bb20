"""Lines of sight: one item is visible from another if nothing stands between their centres."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import groundstate as gs
from groundstate_models.layout.placed import Placed
from groundstate_models.layout.relations import KINDS
from groundstate_models.layout.request import read


@pytest.fixture(scope="module")
def solver() -> Iterator[gs.Solver]:
    with gs.load("layout") as one:
        yield one


def off(request: dict[str, Any], **at: tuple[float, float]) -> float:
    """By how much the first statement is violated where items are at these places."""
    plan = read(request)
    placed = Placed(plan, {name: (*place, 0.0) for name, place in at.items()})
    return KINDS["visible"].amount(placed, plan.stated[0])


THREE: dict[str, Any] = {
    "area": [100, 100],
    "items": {"sofa": [20, 20], "tv": [20, 20], "shelf": [20, 20]},
    "relations": ["tv visible from sofa"],
}


def test_what_stands_between_hides_by_its_depth() -> None:
    assert off(THREE, sofa=(10, 50), tv=(90, 50), shelf=(50, 53)) == pytest.approx(7)
    assert off(THREE, sofa=(10, 50), tv=(90, 50), shelf=(50, 60)) == 0
    assert off(THREE, sofa=(10, 10), tv=(90, 90), shelf=(80, 30)) == 0


def test_a_rug_hides_nothing_and_a_pillar_does() -> None:
    rug = {**THREE, "items": {**THREE["items"], "shelf": {"size": [20, 20], "layer": "rug"}}}
    assert off(rug, sofa=(10, 50), tv=(90, 50), shelf=(50, 50)) == 0
    pillar = {**THREE, "area": {"width": 100, "height": 100, "pillars": [{"diameter": 10, "at": [50, 52]}]}}
    assert off(pillar, sofa=(10, 50), tv=(90, 50), shelf=(50, 90)) == pytest.approx(3)


def test_the_corner_of_a_room_hides_what_is_behind_it() -> None:
    corner = {**THREE, "area": {"polygon": [[0, 0], [100, 0], [100, 50], [50, 50], [50, 100], [0, 100]]}}
    assert off(corner, sofa=(20, 85), tv=(85, 20), shelf=(10, 10)) > 1
    assert off(corner, sofa=(20, 85), tv=(20, 20), shelf=(85, 20)) == 0


def test_a_layout_keeps_the_line_of_sight_free(solver: gs.Solver) -> None:
    request = {
        "area": [100, 60],
        "items": {
            "sofa": {"size": [10, 10], "turns": "none"},
            "tv": {"size": [10, 10], "turns": "none"},
            **{f"box {k}": {"size": [28, 28], "turns": "none"} for k in range(3)},
        },
        "relations": ["sofa against west wall", "tv against east wall", "tv visible from sofa"],
    }
    plan = read(request)
    found = solver.solve(request, ask=False)
    assert found.answer is not None
    spots = {name: (one["x"], one["y"], one["turn"]) for name, one in found.answer["items"].items()}
    ends = np.array([spots["sofa"][:2], spots["tv"][:2]])
    for k in range(3):
        x, y, _ = spots[f"box {k}"]
        way = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
        across = np.array([-way[1], way[0]])
        corners = np.array([[x + dx, y + dy] for dx in (-14, 14) for dy in (-14, 14)]) - ends[0]
        assert (corners @ across).min() >= -1e-4 or (corners @ across).max() <= 1e-4
    assert all(KINDS[s.kind].amount(Placed(plan, spots), s) < 1e-4 for s in plan.stated)


def test_a_violated_line_of_sight_is_named(solver: gs.Solver) -> None:
    answer = {"items": {"sofa": {"x": 10, "y": 50}, "tv": {"x": 90, "y": 50}, "shelf": {"x": 50, "y": 50}}}
    score = solver.score(THREE, answer)
    assert not score.valid
    assert "'tv visible from sofa' does not hold: it is off by 10" in score.violations[0].message

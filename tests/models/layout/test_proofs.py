"""What cannot be placed is proven with a minimal set, and what is proven cannot be placed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import groundstate as gs
from groundstate_models.layout.disjunctions import Network
from groundstate_models.layout.proofs import contradiction, sentence
from groundstate_models.layout.request import read


@pytest.fixture(scope="module")
def solver() -> Iterator[gs.Solver]:
    with gs.load("layout") as one:
        yield one


IMPOSSIBLE: list[tuple[str, dict[str, Any], set[str]]] = [
    ("an item too large", {"items": {"a": [320, 50], "b": [20, 50]}}, {"a"}),
    ("areas", {"items": {"a": [200, 150], "b": [200, 150], "c": [50, 50]}}, {"a", "b", "c"}),
    (
        "a chain",
        {
            "items": {n: {"size": [110, 50], "turns": "none"} for n in "abcd"},
            "relations": ["a left of b", "b left of c", "c above d"],
        },
        {"a", "b", "c"},
    ),
    (
        "a cycle",
        {"items": {n: [20, 20] for n in "abc"}, "relations": ["a left of b", "b left of c", "c left of a"]},
        {"a", "b", "c"},
    ),
    ("a pair that shares both axes", {"items": {n: {"size": [160, 110], "turns": "none"} for n in "ab"}}, {"a", "b"}),
    (
        "a clear zone",
        {"items": {"w": {"size": [100, 60], "turns": "none"}, "x": [10, 10]}, "relations": ["150 clear in front of w"]},
        {"w"},
    ),
    (
        "a distance that is too short and too long",
        {"items": {n: [20, 20] for n in "abc"}, "relations": ["a within 50 of b", "b at least 60 from a"]},
        {"a", "b"},
    ),
    (
        "a distance that the area is too small for",
        {"items": {n: {"size": [60, 60], "turns": "none"} for n in "abc"}, "relations": ["a at least 260 from b"]},
        {"a", "b"},
    ),
]


@pytest.mark.parametrize(("name", "request_", "items"), IMPOSSIBLE)
def test_a_contradiction_is_proven_with_its_set(name: str, request_: dict[str, Any], items: set[str]) -> None:
    plan = read({"area": [300, 200], **request_})
    found = contradiction(plan)
    assert found is not None, name
    assert set(found.items) == items
    assert sentence(plan, found).endswith(".")


@pytest.mark.parametrize(("name", "request_", "items"), IMPOSSIBLE[:5])
def test_the_set_is_minimal(name: str, request_: dict[str, Any], items: set[str]) -> None:
    plan = read({"area": [300, 200], **request_})
    found = contradiction(plan)
    assert found is not None
    if not found.spatial:
        for left in found.items:
            rest = [n for n in found.items if n != left]
            stated = [k for k in found.stated if left not in plan.stated[k].of]
            assert not rest or Network(plan, rest, stated).contradiction(2000) is False
        for left_out in found.stated:
            stated = [k for k in found.stated if k != left_out]
            assert Network(plan, found.items, stated).contradiction(2000) is False


def test_the_nearest_cure_is_offered_and_works(solver: gs.Solver) -> None:
    request = {
        "area": {"width": 300, "height": 200},
        "items": {
            "wardrobe": {"size": [208, 60], "turns": "none"},
            "shelf": {"size": [100, 60], "turns": "none"},
        },
        "relations": ["wardrobe left of shelf"],
        "unit": "cm",
    }
    found = solver.solve(request)
    assert found.status == "infeasible"
    assert found.question is not None
    labels = [option.label for option in found.question.options]
    assert "wardrobe could be 8 cm narrower." in labels
    assert "Leave out 'wardrobe left of shelf'." in labels
    for option in found.question.options:
        chosen = solver.solve(option.apply(request), ask=False)
        assert chosen.answer is not None


def fits(sizes: list[tuple[int, int]], width: int, height: int) -> bool:
    """Whether boxes that do not turn fit into a grid of whole numbers, by trying every place."""
    places = [list(product(range(width - w + 1), range(height - h + 1))) for w, h in sizes]

    def clear(at: list[tuple[int, int]]) -> bool:
        k = len(at) - 1
        return all(
            at[k][0] + sizes[k][0] <= at[i][0]
            or at[i][0] + sizes[i][0] <= at[k][0]
            or at[k][1] + sizes[k][1] <= at[i][1]
            or at[i][1] + sizes[i][1] <= at[k][1]
            for i in range(k)
        )

    def place(at: list[tuple[int, int]]) -> bool:
        if len(at) == len(sizes):
            return True
        return any(clear([*at, one]) and place([*at, one]) for one in places[len(at)])

    return place([])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=2, max_size=4),
    st.integers(3, 6),
    st.integers(3, 6),
)
def test_a_proof_agrees_with_trying_every_place(sizes: list[tuple[int, int]], width: int, height: int) -> None:
    items = {f"i{k}": {"size": list(size), "turns": "none"} for k, size in enumerate(sizes)}
    plan = read({"area": [width, height], "items": items})
    found = contradiction(plan, 20)
    assert (found is None) == fits(sizes, width, height)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=4, unique=True))
def test_distances_that_a_layout_has_are_never_called_impossible(cells: list[tuple[int, int]]) -> None:
    items = {f"i{k}": {"size": [10, 10], "turns": "none"} for k in range(len(cells))}
    relations = []
    for k, (x, y) in enumerate(cells):
        for j, (u, v) in enumerate(cells[:k]):
            apart = math.hypot(max(abs(x - u) * 20 - 10, 0), max(abs(y - v) * 20 - 10, 0))
            relations += [f"i{k} at least {apart:.9f} from i{j}", f"i{k} within {apart:.9f} of i{j}"]
    assert contradiction(read({"area": [110, 110], "items": items, "relations": relations}), 4) is None


@settings(max_examples=40, deadline=None)
@given(st.permutations(range(4)), st.lists(st.integers(10, 40), min_size=4, max_size=4))
def test_a_row_that_fits_is_never_called_impossible(order: list[int], widths: list[int]) -> None:
    items = {f"i{k}": {"size": [w, 20], "turns": "none"} for k, w in enumerate(widths)}
    relations = [f"i{a} left of i{b}" for a, b in pairwise(order)]
    whole = sum(widths)
    assert contradiction(read({"area": [whole, 30], "items": items, "relations": relations})) is None
    assert contradiction(read({"area": [whole - 1, 30], "items": items, "relations": relations})) is not None

"""Searches on conflicts between values: how problems are recognised, folds of symmetric graphs, and starts of chains."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import groundstate as gs
from groundstate_models.constraints.colouring import ConflictSearch
from groundstate_models.constraints.conflicts import Conflicts, Numbers
from groundstate_models.constraints.families import colouring, planted_colouring
from groundstate_models.constraints.families.graphs import Edge
from groundstate_models.constraints.problem import Problem
from groundstate_models.constraints.symmetries import Graph, automorphisms, folds
from groundstate_models.constraints.tabu import TabuSearch
from groundstate_models.constraints.tensors import Network


def queens(n: int) -> list[Edge]:
    """Squares of a board that a queen joins."""
    squares = [divmod(number, n) for number in range(n * n)]
    return [
        (i + 1, j + 1)
        for (i, (r, c)), (j, (s, d)) in combinations(enumerate(squares), 2)
        if r == s or c == d or abs(r - s) == abs(c - d)
    ]


def matrix(nodes: int, edges: list[Edge]) -> Graph:
    graph = np.zeros((nodes, nodes), np.bool_)
    for one, other in edges:
        graph[one - 1, other - 1] = graph[other - 1, one - 1] = True
    return graph


def conflicts_of(request: dict[str, Any], whole: tuple[int, ...] = ()) -> Conflicts | None:
    return Conflicts.of(Network(Problem.of(request).graph), whole)


def proper(graph: Graph, chosen: Numbers) -> bool:
    return not (graph & (chosen[:, None] == chosen)).any()


SQUARE = {"variables": dict.fromkeys("abcd", "1..3")}


@pytest.mark.parametrize(
    "constraints",
    [
        ["a != b", "b != c", "c != d", "d != a", "a != c"],
        ["all different: a, b, c", {"type": "all_different", "variables": ["a", "c", "d"]}],
        [
            {"type": "forbidden", "variables": list(pair), "tuples": [[1, 1], [2, 2], [3, 3]]}
            for pair in ("ab", "bc", "cd", "ad", "ac")
        ],
    ],
)
def test_edges_and_cliques_and_forbidden_pairs_are_the_same_graph(constraints: list[Any]) -> None:
    found = conflicts_of({**SQUARE, "constraints": constraints}, (0, 1))
    assert found is not None
    graph = found.neighbours()
    assert graph is not None
    assert (graph == matrix(4, [(1, 2), (2, 3), (3, 4), (1, 4), (1, 3)])).all()


@pytest.mark.parametrize(
    "constraints", [["a != b", "a + b <= c"], ["exactly 1 of a == 1, b == 1", "c != d"], ["a != b", "a == c"]]
)
def test_constraints_of_other_kinds_are_not_conflicts(constraints: list[Any]) -> None:
    assert conflicts_of({**SQUARE, "constraints": constraints}) is None


def test_preferences_are_not_conflicts() -> None:
    assert conflicts_of({**SQUARE, "constraints": ["a != b"], "preferences": [{"constraint": "a == 1"}]}) is None


def test_a_node_with_a_colour_takes_it_from_its_neighbours() -> None:
    found = conflicts_of(
        {"variables": {**SQUARE["variables"], "a": [1]}, "constraints": ["a != b", "b != c", "c != d"]}
    )
    assert found is not None
    assert found.open.sum(1).tolist() == [2, 3, 3]
    assert found.neighbours() is None


def test_a_latin_square_is_tight_and_a_loose_graph_is_not() -> None:
    square = {"variables": dict.fromkeys("abc", "1..3"), "constraints": ["all different: a, b, c"]}
    for values, tight in (("1..3", True), ("1..4", False)):
        square["variables"] = dict.fromkeys("abc", values)
        found = conflicts_of(square, (0,))
        assert found is not None
        assert found.tight is tight


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.integers(2, 5))
def test_a_search_on_lists_of_colours_finds_colourings_from_the_lists(seed: int, colours: int) -> None:
    draw = np.random.default_rng(seed)
    request = planted_colouring(24, colours, 1.2 * colours, draw).request
    hidden = draw.integers(colours, size=24)  # lists that leave out one colour of some nodes at most
    request["variables"] = {
        name: [value for value in range(1, colours + 2) if value != hidden[place] + 1]
        for place, name in enumerate(request["variables"])
    }
    found = conflicts_of(request, tuple(range(len(request["constraints"]))))
    if found is None:  # everything is decided by propagation
        return
    chosen = TabuSearch(found, draw).run(5_000)
    if chosen is not None:
        assert found.broken(chosen) == 0
        problem = Problem.of(request)
        assert problem.violations(Network(problem.graph).values(chosen)) == []


@pytest.mark.parametrize("seed", range(3))
def test_a_search_colours_planted_graphs(seed: int) -> None:
    request = planted_colouring(120, 4, 7.0, np.random.default_rng(seed)).request
    found = conflicts_of(request, tuple(range(len(request["constraints"]))))
    assert found is not None
    chosen = TabuSearch(found, np.random.default_rng(seed)).run(20_000)
    assert chosen is not None
    assert found.broken(chosen) == 0


def test_too_few_colours_are_never_enough() -> None:
    found = conflicts_of(colouring(25, queens(5), 4, cliques=False))
    assert found is not None
    search = TabuSearch(found, np.random.default_rng(0), patience=300)
    assert search.run(3_000) is None
    assert search.least > 0


@pytest.mark.parametrize(
    ("graph", "some"),
    [
        (matrix(36, queens(6)), True),
        (matrix(7, [(1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7), (1, 7)]), True),
        (matrix(7, [(1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (3, 7)]), False),  # arms of lengths 1, 2 and 3
    ],
)
def test_automorphisms_keep_neighbours(graph: Graph, some: bool) -> None:
    found = automorphisms(graph)
    assert bool(found) is some
    for image in found:
        assert sorted(image.tolist()) == list(range(len(graph)))
        assert (graph[image][:, image] == graph).all()


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 10**6))
def test_what_a_fold_allows_is_a_colouring_of_the_graph_and_nothing_else(seed: int) -> None:
    draw = np.random.default_rng(seed)
    graph = matrix(16, queens(4))
    for fold in folds(graph, 6):
        open_ = fold.conflicts.open
        chosen = np.array([draw.choice(np.flatnonzero(row)) for row in open_])
        assert (fold.conflicts.broken(chosen) == 0) == proper(graph, fold.unfolded(chosen))
        better = TabuSearch(fold.conflicts, draw).run(500)
        assert better is None or proper(graph, fold.unfolded(better))


def test_a_queens_graph_of_12_by_12_has_a_symmetric_colouring_with_12_colours() -> None:
    found = conflicts_of(colouring(144, queens(12), 12), tuple(range(1000)))
    assert found is not None
    search = ConflictSearch(found, 100_000)
    while not search.advance(np.random.default_rng(0), 64):
        pass
    assert search.found is not None
    assert proper(matrix(144, queens(12)), search.found)


def test_a_second_start_is_another_colouring() -> None:
    found = conflicts_of(colouring(36, queens(6), 7))
    assert found is not None
    search = ConflictSearch(found, 10_000)
    draw = np.random.default_rng(1)
    while not search.advance(draw, 16):
        pass
    assert search.found is not None
    other = search.varied(search.found, draw)
    assert found.broken(other) == 0
    assert (other != search.found).any()


@pytest.mark.parametrize("seed", range(3))
def test_a_chain_stays_at_the_colouring_where_it_starts(seed: int) -> None:
    request = planted_colouring(80, 4, 6.0, np.random.default_rng(seed)).request
    one, other = (gs.load("constraints").solve(request, seed=seed, ask=False) for _ in range(2))
    assert one.status == "solved"
    assert one.steps <= 64
    assert one.answer == other.answer


def test_several_colourings_are_found_where_several_are_wanted() -> None:
    request = colouring(36, queens(6), 7, cliques=False)
    solution = gs.load("constraints").solve(request, alternatives=3, ask=False)
    assert solution.status == "ambiguous"
    assert len(solution.alternatives) == 2

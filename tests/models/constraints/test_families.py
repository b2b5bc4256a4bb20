"""Generated problems: the known solution solves each, seeds decide them, and each is what its family promises."""

from __future__ import annotations

import json
from collections import Counter
from itertools import combinations
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundstate_models.constraints import families
from groundstate_models.constraints.backtracking import solutions
from groundstate_models.constraints.families.mixing import in_pairs
from groundstate_models.constraints.families.squares import balanced_holes
from groundstate_models.constraints.problem import Problem
from groundstate_models.constraints.schema import REQUEST
from groundstate_models.sudoku.board import Board

SCHEMA = jsonschema.Draft202012Validator(REQUEST)

seeds = st.integers(0, 2**32 - 1)
quickly = settings(max_examples=15, deadline=None)


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("family", families.FAMILIES)
@given(seed=seeds, difficulty=st.floats(0, 0.6))
@settings(max_examples=8, deadline=None)
def test_the_known_solution_solves_a_request_that_passes_the_schema(family: str, seed: int, difficulty: float) -> None:
    for example in families.mixed(seed, 2, difficulty, [family]):
        assert example.family.endswith(family.rsplit(maxsplit=1)[-1])
        assert set(example.solution) == set(example.request["variables"])
        assert Problem.of(example.request).violations(example.solution) == []
        assert json.loads(json.dumps(example.request)) == example.request
    assert SCHEMA.is_valid(example.request)


def test_a_seed_decides_the_mix_and_each_problem_has_its_own() -> None:
    first, again, other = (list(families.mixed(seed, 20, 0.4)) for seed in (3, 3, 4))
    assert first == again
    assert [json.dumps(example.request) for example in first] == [json.dumps(example.request) for example in again]
    assert all(one != two for one, two in zip(first, other, strict=True))
    assert first[:5] == list(families.mixed(3, 5, 0.4))
    assert first[0] != first[len(families.FAMILIES)]
    assert {example.family for example in families.mixed(0, len(families.FAMILIES), 0.2)} >= {
        "zebra",
        "sat",
        "job shop",
    }


@pytest.mark.parametrize("difficulty", [-0.1, 1.1])
def test_a_difficulty_beyond_the_scale_is_refused(difficulty: float) -> None:
    with pytest.raises(ValueError, match=f"^A difficulty of {difficulty} is not known; give one from 0 to 1.$"):
        next(families.mixed(0, 1, difficulty))


def test_an_unknown_family_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match=r"^There is no family 'zebras'; the families are colouring, .*, job shop\.$"):
        next(families.mixed(0, 1, 0.5, ["sat", "zebras"]))


def test_pairs_say_what_all_different_says() -> None:
    whole = {"type": "all_different", "variables": ["a", "b", "c"]}
    pairs = in_pairs(whole)
    assert [pair["variables"] for pair in pairs] == [["a", "b"], ["a", "c"], ["b", "c"]]
    assert in_pairs({**whole, "plus": [0, 1, 2]}) == [{**whole, "plus": [0, 1, 2]}]
    variables = {name: [1, 2, 3, 4] for name in "abc"}
    one, other = (Problem.of({"variables": variables, "constraints": said}) for said in ([whole], pairs))
    assert len(solutions(one, 99)) == len(solutions(other, 99)) == 24


@pytest.mark.parametrize("n", [1, *range(4, 30)])
def test_queens_are_placed_for_every_size(n: int) -> None:
    for example in (families.queens(n), families.queens(n, rng(n), placed=n // 3)):
        columns = [example.solution[f"row {r + 1}"] for r in range(n)]
        for (r, a), (s, b) in combinations(enumerate(columns), 2):
            assert a != b
            assert abs(int(a) - int(b)) != s - r
        assert Problem.of(example.request).violations(example.solution) == []
    assert sum(isinstance(domain, list) for domain in example.request["variables"].values()) == n // 3


@pytest.mark.parametrize("n", [0, 2, 3])
def test_queens_that_cannot_be_placed_are_refused(n: int) -> None:
    with pytest.raises(ValueError, match=f"^There is no way to place {n} queens"):
        families.queens(n)


@given(seeds, st.integers(1, 9))
@quickly
def test_latin_squares_have_every_number_once_in_each_row_and_column(seed: int, n: int) -> None:
    square = families.latin_square(n, rng(seed))
    for line in (*square, *square.T):
        assert sorted(line) == list(range(1, n + 1))


def test_latin_squares_of_order_4_are_drawn_evenly_from_both_classes() -> None:
    # Of the 576, 144 are like the group Z₂×Z₂, with 12 subsquares of order 2, and 432 like Z₄, with 4.
    def subsquares(square: np.ndarray) -> int:
        pairs = list(combinations(range(4), 2))
        return sum(square[i, k] == square[j, m] and square[i, m] == square[j, k] for i, j in pairs for k, m in pairs)

    generator = rng(7)
    counts = Counter(subsquares(families.latin_square(4, generator)) for _ in range(600))
    assert set(counts) == {4, 12}
    assert abs(counts[12] - 150) < 4 * np.sqrt(600 * 0.25 * 0.75)


@given(seeds, st.integers(2, 9), st.floats(0, 1))
@quickly
def test_holes_are_balanced_over_rows_and_columns(seed: int, n: int, share: float) -> None:
    holes = round(share * n * n)
    pattern = balanced_holes(n, holes, rng(seed))
    assert pattern.sum() == holes
    for axis in (0, 1):
        assert set(pattern.sum(axis=axis)) <= {holes // n, -(-holes // n)}
    request = families.quasigroup(n, holes, rng(seed)).request
    assert sum(len(domain) > 1 for domain in request["variables"].values()) == holes


@pytest.mark.parametrize("n", [4, 6, 9, 16])
def test_boards_are_full_and_differ_from_seed_to_seed(n: int) -> None:
    one, other = (families.sudoku_board(n, rng(seed)) for seed in (1, 2))
    assert (one != other).any()
    for unit in Board.of(n).units:
        assert sorted(one.ravel()[list(unit)]) == list(range(1, n + 1))


@given(seeds)
@quickly
def test_cages_cover_the_board_once_and_say_their_sums(seed: int) -> None:
    example = families.random_sudoku(6, 5, rng(seed), caged=True)
    sums = [constraint for constraint in example.request["constraints"] if constraint["type"] == "linear"]
    covered = Counter(term["variable"] for constraint in sums for term in constraint["terms"])
    assert covered == Counter(list(example.request["variables"]))
    assert max(len(constraint["terms"]) for constraint in sums) <= 4


@given(seeds, st.integers(1, 4), st.integers(1, 4))
@quickly
def test_zebras_have_one_solution_and_no_clue_to_spare(seed: int, houses: int, categories: int) -> None:
    example = families.zebra(houses, categories, rng(seed))
    request = example.request
    assert solutions(Problem.of(request), 2) == [example.solution]
    clues = [constraint for constraint in request["constraints"] if "name" in constraint]
    for clue in clues:
        fewer = [constraint for constraint in request["constraints"] if constraint is not clue]
        assert len(solutions(Problem.of({**request, "constraints": fewer}), 2)) == 2


def test_a_zebra_beyond_the_known_things_numbers_the_others() -> None:
    names = list(families.zebra(9, 1, rng(0)).request["variables"])
    assert names[7:] == ["Italian", "nationality 9"]


def edges(request: dict[str, Any]) -> set[tuple[str, str]]:
    return {pair for constraint in request["constraints"] for pair in combinations(sorted(constraint["variables"]), 2)}


@given(
    st.integers(2, 12).flatmap(
        lambda n: st.tuples(st.just(n), st.sets(st.sampled_from(list(combinations(range(1, n + 1), 2)))))
    )
)
@settings(max_examples=60, deadline=None)
def test_cliques_cover_exactly_the_edges(graph: tuple[int, set[tuple[int, int]]]) -> None:
    nodes, joined = graph
    cover = families.clique_cover(nodes, joined)
    assert {pair for clique in cover for pair in combinations(clique, 2)} == joined
    assert edges(families.colouring(nodes, joined, 3)) == edges(families.colouring(nodes, joined, 3, cliques=False))
    colour = families.dsatur(nodes, joined)
    assert all(colour[one] != colour[other] for one, other in joined)


def test_a_complete_graph_is_one_clique_and_anchored_it_is_coloured() -> None:
    complete = list(combinations(range(1, 6), 2))
    assert families.clique_cover(5, complete) == [(1, 2, 3, 4, 5)]
    anchored = families.colouring(6, complete, 5, anchored=True)
    assert sorted(map(str, anchored["variables"].values())) == [
        *(f"[{c}]" for c in range(1, 6)),
        "{'from': 1, 'to': 5}",
    ]
    assert len(solutions(Problem.of(anchored), 99)) == 5


@pytest.mark.parametrize("edge", [(1, 1), (0, 1), (1, 4)])
def test_an_edge_that_joins_no_two_nodes_is_refused(edge: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=f"^The edge {edge[0]} to {edge[1]} cannot be coloured"):
        families.colouring(3, [edge], 2)


@given(seeds)
@quickly
def test_flat_graphs_give_every_node_as_many_neighbours_in_each_other_colour(seed: int) -> None:
    example = families.flat_colouring(20, 4, 7.5, rng(seed))
    joined = edges(example.request)
    assert len(joined) == 75
    seen = Counter(
        (node, example.solution[other]) for one, other_ in joined for node, other in ((one, other_), (other_, one))
    )
    counts = [
        seen[node, c] for node in example.request["variables"] for c in range(1, 5) if c != example.solution[node]
    ]
    assert max(counts) - min(counts) <= 2


@given(seeds)
@quickly
def test_planted_graphs_have_the_degree_that_was_asked_for(seed: int) -> None:
    assert len(edges(families.planted_colouring(20, 4, 7.5, rng(seed)).request)) == 75


@given(seeds, st.integers(4, 25))
@quickly
def test_random_formulas_have_as_many_clauses_of_three_as_asked_and_walksat_satisfies_them(seed: int, n: int) -> None:
    example = families.sat(n, 4.0, rng(seed))
    assert len(example.request["constraints"]) == 4 * n
    for clause in example.request["constraints"]:
        assert len({literal["variable"] for literal in [*clause["if"], *clause["then"]]}) == 3
    planted = families.sat(n, 4.0, rng(seed), tries=0)
    assert Problem.of(planted.request).violations(planted.solution) == []


def test_walksat_gives_up_on_a_contradiction() -> None:
    assert families.walksat(1, [(1,), (-1,)], rng(0), flips=50) is None


@given(seeds, st.booleans(), st.integers(2, 3))
@quickly
def test_random_networks_have_the_density_and_tightness_that_was_asked_for(
    seed: int, allowed: bool, arity: int
) -> None:
    request = families.random_csp(6, 4, 0.6, 0.25, rng(seed), arity=arity, allowed=allowed).request
    assert len(request["constraints"]) == {2: 9, 3: 12}[arity]
    for constraint in request["constraints"]:
        assert constraint["type"] == ("allowed" if allowed else "forbidden")
        assert len(set(map(tuple, constraint["tuples"]))) == 4**arity * (3 if allowed else 1) // 4


@pytest.mark.parametrize("n", [3, 4, 5, 7, 8])
def test_magic_squares_are_magic(n: int) -> None:
    example = families.magic_square(n, n, rng(n))
    assert sorted(map(int, example.solution.values())) == list(range(1, n * n + 1))
    assert Problem.of(example.request).violations(example.solution) == []
    assert sum(isinstance(domain, list) for domain in example.request["variables"].values()) == n


def test_a_magic_square_of_order_6_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"^No magic square of order 6 is known here; give an odd order or a multiple of 4\.$"
    ):
        families.magic_square(6, 0, rng(0))


def test_a_timetable_with_more_lessons_than_places_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^21 lessons need more than 10 slots with 2 rooms; 20 fit\.$"):
        families.timetable(21, 10, 2, rng(0))
    full = families.timetable(20, 10, 2, rng(0), preferences=3)
    assert Problem.of(full.request).violations(full.solution) == []
    assert set(Counter(full.solution.values()).values()) == {2}
    assert len(full.request["preferences"]) == 3


def test_without_slack_every_start_is_fixed() -> None:
    request = families.one_machine(6, 0.0, rng(0), precedences=2).request
    assert all(window["from"] == window["to"] for window in request["variables"].values())

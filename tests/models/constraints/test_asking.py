"""What problems of typed constraints ask back, held against all their solutions."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

import groundstate as gs

SMALL = {"restarts": 16, "max_steps": 512}


@pytest.fixture(scope="module")
def solver() -> gs.Solver:
    return gs.load("constraints")


def colouring(nodes: str, edges: list[str], colours: list[str]) -> dict[str, Any]:
    return {
        "variables": {node: list(colours) for node in nodes},
        "constraints": [{"type": "not_equal", "variables": list(edge), "name": edge} for edge in edges],
    }


def solutions(request: dict[str, Any]) -> list[dict[str, Any]]:
    names = list(request["variables"])
    every = (dict(zip(names, values, strict=True)) for values in itertools.product(*request["variables"].values()))
    pairs = [constraint["variables"] for constraint in request["constraints"]]
    return [one for one in every if all(one[a] != one[b] for a, b in pairs)]


def test_following_questions_leads_to_each_of_all_solutions(solver: gs.Solver) -> None:
    request = colouring("abcd", ["ab", "bc", "cd", "da"], ["r", "g", "b"])
    for meant in solutions(request)[::4]:
        current = request
        while (solution := solver.solve(current, alternatives=2, **SMALL)).question is not None:
            question = solution.question
            assert question.text == f"Which value is {question.about} to have?"
            for option in question.options:
                assert solutions(option.apply(current))
            current = question.option(meant[question.about]).apply(current)
        assert solution.status is gs.Status.SOLVED
        assert solution.answer == {"values": meant}


def test_what_propagation_settles_is_the_only_answer(solver: gs.Solver) -> None:
    request = colouring("ab", ["ab"], ["r", "g"]) | {"variables": {"a": ["r"], "b": ["r", "g"]}}
    solution = solver.solve(request, alternatives=2, **SMALL)
    assert (solution.status, solution.unique, solution.question) == (gs.Status.SOLVED, True, None)


def test_too_few_colours_ask_which_constraint_may_go(solver: gs.Solver) -> None:
    request = colouring("abc", ["ab", "bc", "ca"], ["r", "g"])
    question = solver.solve(request, **SMALL).question
    assert question is not None
    assert {option.id for option in question.options} == {"without ab", "without bc", "without ca"}
    for option in question.options:
        assert len(option.apply(request)["constraints"]) == 2
        assert solver.solve(option.apply(request), **SMALL).solved


def test_a_proven_contradiction_offers_what_proves_it_and_nothing_else(solver: gs.Solver) -> None:
    request = {
        "variables": {"x": [1, 2, 3], "y": [1, 2, 3], "z": [1, 2, 3]},
        "constraints": [
            {"type": "linear", "terms": [{"variable": "x"}, {"variable": "y"}], "at_least": 6, "name": "large"},
            {"type": "linear", "terms": [{"variable": "x"}, {"variable": "y"}], "at_most": 3, "name": "small"},
            {"type": "not_equal", "variables": ["y", "z"], "name": "apart"},
        ],
    }
    solution = solver.solve(request, **SMALL)
    assert solution.status is gs.Status.INFEASIBLE
    assert solution.question is not None
    assert {option.id for option in solution.question.options} == {
        "loosen large",
        "loosen small",
        "without large",
        "without small",
    }


def test_two_contradictions_are_offered_in_pairs_whose_patches_keep_their_places(solver: gs.Solver) -> None:
    request = colouring("abc", ["ab", "bc", "ca"], ["r", "g"])
    other = colouring("def", ["de", "ef", "fd"], ["r", "g"])
    both = {part: {**request[part], **other[part]} for part in ("variables",)}
    both["constraints"] = [*request["constraints"], *other["constraints"]]
    question = solver.solve(both, **SMALL).question
    assert question is not None
    for option in question.options:
        left = [constraint["name"] for constraint in option.apply(both)["constraints"]]
        assert len(left) == 4
        gone = option.id.replace("without ", "").split()
        assert sorted([*left, *gone]) == ["ab", "bc", "ca", "de", "ef", "fd"]


def test_constraints_of_one_name_are_told_apart_by_their_places(solver: gs.Solver) -> None:
    request = colouring("abc", ["ab", "bc", "ca"], ["r", "g"])
    for constraint in request["constraints"]:
        constraint["name"] = "apart"
    question = solver.solve(request, **SMALL).question
    assert question is not None
    assert {option.id for option in question.options} == {f"without constraints[{index}]" for index in range(3)}


def test_answers_that_cost_more_are_no_options(solver: gs.Solver) -> None:
    request = colouring("ab", ["ab"], ["r", "g", "b"])
    liked = {"type": "count", "of": [{"variable": "a", "value": "r"}], "exactly": 1}
    request["preferences"] = [{"constraint": liked, "weight": 3}]
    solution = solver.solve(request, alternatives=2, **SMALL)
    assert solution.answer["values"]["a"] == "r"
    assert solution.question is not None
    assert (solution.question.about, [option.id for option in solution.question.options]) == ("b", ["g", "b"])


def test_numbers_and_texts_that_look_alike_are_told_apart(solver: gs.Solver) -> None:
    request = {"variables": {"x": [1, "1"]}, "constraints": []}
    question = solver.solve(request, alternatives=2, **SMALL).question
    assert question is not None
    assert [option.id for option in question.options] == ["1", '"1"']
    assert [option.apply(request)["variables"]["x"] for option in question.options] == [[1], ["1"]]


def test_names_with_slashes_and_tildes_are_patched(solver: gs.Solver) -> None:
    request = {"variables": {"a/b~c": [1, 2]}}
    question = solver.solve(request, alternatives=2, **SMALL).question
    assert question is not None
    assert question.options[1].apply(request) == {"variables": {"a/b~c": [2]}}


def test_the_explanation_counts_what_was_asked(solver: gs.Solver) -> None:
    request = colouring("abc", ["ab", "bc"], ["r", "g"])
    assert "Asked: 3 variables under 2 constraints." in solver.solve(request, **SMALL).explanation


SHOP = {
    "variables": dict.fromkeys(("A1", "A2", "B1", "B2", "C1", "C2"), "0..20"),
    "constraints": [
        *("A1 3 before A2", "B1 4 before B2", "C1 2 before C2"),
        *("no overlap: A1 for 3, B1 for 4, C1 for 2", "no overlap: A2 for 4, B2 for 2, C2 for 5"),
        *("A2 + 4 <= 9", "B2 + 2 <= 13", "C2 + 5 <= 9"),
    ],
}
"""Three jobs on two machines; the deadlines of A and C cannot both be kept."""


def test_an_impossible_deadline_is_answered_with_the_least_later_one_that_is_possible() -> None:
    solver = gs.load("constraints", threads=1)
    solution = solver.solve(SHOP)
    assert solution.status is gs.Status.INFEASIBLE
    assert solution.question is not None
    later = {option.label: option for option in solution.question.options if option.id.startswith("loosen")}
    assert later
    first = solution.question.options[0]
    assert first.id.startswith("loosen"), "the least change comes first"
    for option in later.values():
        request = option.apply(solution.request)
        assert solver.solve(request).status is gs.Status.SOLVED
        index = next(n for n, one in enumerate(request["constraints"]) if one != SHOP["constraints"][n])
        left, bound = request["constraints"][index].split("<=")
        constraints = [*request["constraints"]]
        constraints[index] = f"{left}<= {int(bound) - 1}"
        sooner = solver.solve({**request, "constraints": constraints}, ask=False)
        assert sooner.status is gs.Status.INFEASIBLE, "the change is the least one"


def test_a_bound_that_is_given_as_a_number_is_loosened_too() -> None:
    count = {"type": "count", "of": [{"variable": name, "value": 1} for name in "abc"], "at_most": 1}
    request = {"variables": dict.fromkeys("abc", "0..1"), "constraints": ["a == 1", "b == 1", "c == 1", count]}
    solution = gs.load("constraints", threads=1).solve(request)
    assert solution.question is not None
    option = next(one for one in solution.question.options if one.id == "loosen constraint 4")
    assert option.label == "constraint 4 with at most 3 instead of 1."

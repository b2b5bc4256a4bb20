"""Proofs by exhaustion: there is no answer, or only one; held against all assignments."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import event, given, settings

import groundstate as gs
from groundstate_models.constraints.complete import Search, contradiction, pigeonholes
from groundstate_models.constraints.problem import Problem
from groundstate_models.constraints.reading import Read
from groundstate_models.constraints.tensors import Network
from tests.models.constraints.small import assignments, requests


@pytest.fixture(scope="module")
def solver() -> gs.Solver:
    return gs.load("constraints")


def pairs(names: list[str]) -> list[str]:
    return [f"{one} != {other}" for place, one in enumerate(names) for other in names[:place]]


def pigeons(many: int, holes: int) -> dict[str, Any]:
    names = [f"p{number}" for number in range(many)]
    return {"variables": dict.fromkeys(names, f"1..{holes}"), "constraints": pairs(names)}


def clauses(variables: int, many: int, seed: int) -> dict[str, Any]:
    draw = random.Random(seed)
    return {
        "variables": {f"x{number}": [0, 1] for number in range(variables)},
        "constraints": [
            " or ".join(f"x{number} == {draw.randint(0, 1)}" for number in draw.sample(range(variables), 3))
            for _ in range(many)
        ],
    }


@settings(max_examples=300, deadline=None)
@given(requests(most=5))
def test_a_search_finds_no_answer_where_there_is_none_and_one_where_there_is_one(request: dict[str, Any]) -> None:
    problem = Problem.of(request)
    right = [one for one in assignments(request["variables"]) if not problem.violations(one)]
    network = Network(problem.graph)
    event(f"{min(len(right), 2)} answers")
    if network.proof() is not None:
        assert not right
        return
    search = Search(problem, network.open)
    assert search.advance(10**9) == (len(right) < 2)
    assert len(search.found) == min(len(right), 2)
    assert all(one in right for one in search.found)
    if not right:
        named = contradiction(search)
        assert not any(
            all(problem.constraints[source].holds(one) for source in named) for one in assignments(request["variables"])
        )
    crowded = pigeonholes(problem, network.open)
    if crowded is not None:
        event("pigeonholes")
        assert not any(
            all(problem.constraints[source].holds(one) for source in crowded)
            for one in assignments(request["variables"])
        )


@settings(max_examples=200, deadline=None)
@given(requests(most=2))
def test_the_least_cost_is_proven_to_be_that_and_no_other_cost_is(request: dict[str, Any]) -> None:
    read = Read(request)
    costs = [read.problem.cost(one) for one in assignments(request["variables"]) if not read.problem.violations(one)]
    if not costs or read.network.proof() is not None:
        return
    least, quantum = min(costs), read.network.quantum
    assert read.network.least <= round(least * quantum)
    assert read.bound(round(least * quantum) - 1, effort=10**6)
    assert not read.bound(round(least * quantum), effort=10**6)
    event("nothing is free" if least else "all may be kept")


def test_an_answer_that_nothing_can_beat_is_called_so_and_ends_the_search(solver: gs.Solver) -> None:
    request = {
        "variables": dict.fromkeys("abcdef", "0..9"),
        "constraints": ["all different: a, b, c, d, e, f", "a + b >= 9"],
        "preferences": [{"constraint": f"{name} <= {most}", "weight": most + 1} for most, name in enumerate("abcdef")],
    }
    solution = solver.solve(request, deadline=30.0)
    assert solution.answer is not None
    assert (solution.answer["cost"], solution.optimal, solution.bound) == (1.0, True, 1.0)
    assert "No answer costs less, which is proven." in solution.explanation
    assert solution.seconds < 20


@settings(max_examples=50, deadline=None)
@given(requests(most=4))
def test_a_search_that_is_stopped_goes_on_where_it_was(request: dict[str, Any]) -> None:
    problem = Problem.of(request)
    whole, piecewise = Search(problem), Search(problem)
    whole.advance(10**9)
    for _ in range(100_000):
        if piecewise.advance(1) or len(piecewise.found) == 2:
            break
    assert (piecewise.found, piecewise.exhausted) == (whole.found, whole.exhausted)


@pytest.mark.parametrize("many", range(3, 10))
def test_pigeonholes_are_proven_at_once(solver: gs.Solver, many: int) -> None:
    solution = solver.solve(pigeons(many, many - 1), ask=False)
    assert (solution.status, solution.chains) == (gs.Status.INFEASIBLE, 0)
    assert len(solution.violations[0].places) == many * (many - 1) // 2
    assert Search(Problem.of(pigeons(many, many))).advance(200) is False


def test_pigeonholes_beside_other_constraints_are_named_alone(solver: gs.Solver) -> None:
    request = pigeons(5, 4)
    request["variables"] |= {"a": [1, 2, 3], "b": [1, 2, 3]}
    request["constraints"] = ["a != b", *request["constraints"], "a + b == 4"]
    places = solver.solve(request, ask=False).violations[0].places
    assert places == tuple(f"constraints[{number}]" for number in range(1, 11))


def test_contradictions_that_have_nothing_to_do_with_each_other_are_all_named(solver: gs.Solver) -> None:
    request = pigeons(3, 2)
    request["variables"] |= {"a": "1..3", "b": "1..3", "c": "1..3"}
    request["constraints"] += ["a == b", "a != b", "a + c == 9", "c != b"]
    places = [violation.places for violation in solver.solve(request, ask=False).violations]
    assert sorted(places) == [
        ("constraints[0]", "constraints[1]", "constraints[2]"),
        ("constraints[3]", "constraints[4]"),
        ("constraints[5]",),
    ]


def test_equal_beside_different_is_proven_and_only_those_two_are_named(solver: gs.Solver) -> None:
    request = {
        "variables": dict.fromkeys("abc", "1..3"),
        "constraints": [
            "a != c",
            {"type": "equal", "variables": ["a", "b"]},
            {"type": "not_equal", "variables": ["b", "a"]},
        ],
    }
    solution = solver.solve(request)
    assert solution.status is gs.Status.INFEASIBLE
    assert solution.violations[0].places == ("constraints[1]", "constraints[2]")
    assert solution.question is not None


def test_a_contradiction_that_takes_a_while_is_proven_beside_the_descent(solver: gs.Solver) -> None:
    request = clauses(30, 170, seed=3)
    solution = solver.solve(request, ask=False)
    assert solution.status is gs.Status.INFEASIBLE
    assert solution.chains > 0
    assert "A complete search, beside the descent, proved that there is no answer." in solution.explanation
    named = [request["constraints"][int(place[12:-1])] for place in solution.violations[0].places]
    again = Search(Problem.of({"variables": request["variables"], "constraints": named}))
    assert again.advance(10**9)
    assert not again.found


def test_what_can_be_answered_is_not_disproved(solver: gs.Solver) -> None:
    for seed in range(5):
        request = clauses(30, 110, seed)
        solution = solver.solve(request, ask=False)
        search = Search(Problem.of(request))
        search.advance(10**9)
        assert (solution.status is gs.Status.INFEASIBLE) == (not search.found)


def test_the_only_answer_is_called_so(solver: gs.Solver) -> None:
    request = {
        "variables": dict.fromkeys("abcd", "1..9"),
        "constraints": ["all different: a, b, c, d", "a + b == 17", "a > b", "c * d == 2", "c < d"],
    }
    solution = solver.solve(request, alternatives=2)
    assert (solution.status, solution.unique) == (gs.Status.SOLVED, True)
    assert solution.answer == {"values": {"a": 9, "b": 8, "c": 1, "d": 2}}


def test_a_problem_too_large_to_search_is_left_to_the_descent(solver: gs.Solver) -> None:
    names = [f"v{number}" for number in range(40)]
    wide = {
        "variables": dict.fromkeys(names, "0..200"),
        "constraints": [f"all different: {', '.join(names)}"],
    }
    solution = solver.solve(wide, alternatives=2, ask=False)
    assert solution.answer is not None
    assert not solution.unique
    assert np.isfinite(solution.energy)

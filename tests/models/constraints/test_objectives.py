"""Objectives: what is minimised or maximised, with a proven bound; and constraints of the newer types against brute force."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from benchmarks.problems import fuzz

import groundstate as gs
from groundstate.tools import SolveTool
from groundstate_models.constraints.problem import Problem

VARIABLES = {"a": "0..6", "b": "0..6", "c": ["red", "blue"]}


@pytest.fixture(scope="module")
def solver() -> gs.Solver:
    return gs.load("constraints")


def best(request: dict[str, Any]) -> int:
    """The best value of an objective, by trying every assignment."""
    problem = Problem.of(request)
    wanted = problem.objective
    assert wanted is not None
    values = [
        wanted.value(given)
        for row in product(*problem.domains.values())
        if all(one.holds(given := dict(zip(problem.domains, row, strict=True))) for one in problem.constraints)
    ]
    return max(values) if wanted.maximise else min(values)


@pytest.mark.parametrize(
    "objective",
    [
        "maximise 3*a + 2*b + 4*(c == red)",
        "minimize a - 2*b",
        "minimise the latest end of a for 3, b for 4",
        "minimise max(a + 3, b + 4)",
        "maximise min(a, b - 1)",
        "minimise abs(a - b) * 2",
        {"maximise": [{"variable": "c", "value": "red", "times": 4}, {"variable": "a"}], "weight": 2},
        {"minimise": {"latest": [{"variable": "a", "plus": 1}, {"variable": "b"}]}},
        {"maximise": "a*b"},
    ],
)
def test_the_best_value_is_found_and_proven(solver: gs.Solver, objective: Any) -> None:
    constraints = ["no overlap: a for 2, b for 3", "if c == red then a <= 2", "a + b >= 2"]
    request = {"variables": VARIABLES, "constraints": constraints, "objective": objective}
    solution = solver.solve(request)
    assert solution.answer is not None
    assert solution.answer["objective"] == best(request)
    assert solution.optimal
    assert "nothing better is possible, which is proven" in solution.explanation
    assert solution.to_json()["optimal"] is True
    assert solution.to_json()["bound"] == solution.bound


def test_an_unproven_optimum_comes_with_a_bound_and_the_gap(solver: gs.Solver) -> None:
    items = {f"x{n}": "0..1" for n in range(40)}
    weights = [11 + 7 * n % 13 for n in range(40)]
    total = " + ".join(f"{weight}*x{n}" for n, weight in enumerate(weights))
    worth = " + ".join(f"{weight + n % 3}*x{n}" for n, weight in enumerate(weights))
    request = {"variables": items, "constraints": [f"{total} <= 301"], "objective": f"maximise {worth}"}
    solution = solver.solve(request, improve_for=0.3)
    assert solution.answer is not None
    assert solution.bound is not None
    assert -solution.bound >= solution.answer["objective"]
    if not solution.optimal:
        assert "no more than" in solution.explanation
        assert "gap" in solution.explanation


def test_preferences_and_an_objective_cost_together(solver: gs.Solver) -> None:
    request = {
        "variables": VARIABLES,
        "constraints": ["a != b"],
        "preferences": [{"constraint": "a + b >= 5", "weight": 2}, {"constraint": "c == red", "weight": 1}],
        "objective": "minimise the latest end of a for 1, b for 1",
    }
    solution = solver.solve(request)
    problem = Problem.of(request)
    costs = [
        problem.total(given)
        for row in product(*problem.domains.values())
        if (given := dict(zip(problem.domains, row, strict=True)))["a"] != given["b"]
    ]
    assert solution.answer is not None
    assert problem.total(solution.answer["values"]) == min(costs)


@pytest.mark.parametrize(
    ("objective", "words"),
    [
        ("maximise z", "there is no variable or value 'z'"),
        ("minimise c", "sums need numbers, and 'c' may be 'red'"),
        ("a + b", "begins with minimise or maximise"),
        ("maximise max(a, b)", "the greatest can be minimised"),
        ({"minimise": "a", "weight": 1e300}, "a number above 0 and at most 1000000"),
        ({"minimise": [{"variable": "q"}]}, "There is no variable 'q'"),
        ({"minimise": [{"variable": "c", "value": "green"}]}, "'green' is none of the values of 'c'"),
        ({"minimise": [{"variable": "c"}]}, "weight its values: 3*(c == red)"),
        ({}, "This is not an objective"),
    ],
)
def test_an_objective_without_meaning_is_refused(solver: gs.Solver, objective: Any, words: str) -> None:
    with pytest.raises(gs.RequestError) as caught:
        solver.solve({"variables": VARIABLES, "objective": objective})
    assert words in str(caught.value)
    assert caught.value.faults[0].place.startswith("objective")


@pytest.mark.parametrize(
    ("constraint", "words"),
    [
        ({"type": "run", "variables": ["a", "b"], "value": 1, "at_least": 3, "at_most": 2}, "at least 3 and at most 2"),
        ({"type": "run", "variables": ["a", "b"], "value": "red"}, "a value of none of the variables"),
        ({"type": "element", "index": "a", "equals": "b"}, "either variables or values"),
        ({"type": "element", "index": "c", "equals": "b", "values": [1]}, "element needs numbers"),
        ({"type": "max", "variables": ["a", "c"], "equals": "b"}, "max needs numbers"),
        ({"type": "lexicographic", "first": ["a"], "then": ["a", "b"]}, "1 variables in first and 2 in then"),
        ({"type": "counts", "variables": ["a"], "bounds": [{"value": 9, "exactly": 1}]}, "9 is a value of none"),
        ({"type": "intervals", "of": [{"start": "a", "duration": 0}]}, "the shortest is 1"),
        (
            {"type": "regular", "variables": ["a"], "moves": [["p", 1, "q"]], "start": "p", "accept": ["r"]},
            "'r' is accepted",
        ),
        ({"type": "allowed", "variables": ["c"], "tuples": [["redd"]]}, "'redd' is none of the values of 'c'"),
    ],
)
def test_a_constraint_without_meaning_is_refused(constraint: Any, words: str) -> None:
    with pytest.raises(gs.RequestError, match=words):
        Problem.of({"variables": VARIABLES, "constraints": [constraint]})


def test_small_requests_of_every_type_agree_with_brute_force(solver: gs.Solver) -> None:
    words = {seed: word for word, seed, _ in fuzz.outcomes(solver, 40_000, 40)}
    odd = {seed: word for seed, word in words.items() if word not in ("best", "infeasible")}
    assert len(odd) <= 1
    assert set(odd.values()) <= {"not the best"}


def test_a_tool_reports_whether_the_optimum_is_proven(solver: gs.Solver) -> None:
    request = {"variables": VARIABLES, "objective": "maximise a + b"}
    record = json.loads(SolveTool(solver).call(request).text)
    assert record["answer"]["objective"] == 12
    assert record["optimal"] is True

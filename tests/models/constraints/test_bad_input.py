"""Requests that mean nothing, that contradict themselves or that are too large: told quickly, in one sentence, with the place."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest

import groundstate as gs

VARIABLES: dict[str, Any] = {"red": ["mon", "tue"], "blue": ["mon", "tue"], "n": {"from": 1, "to": 3}}
SECONDS = 10.0
"""Of computing: far above what any of these takes, and far below what a person would call a hang."""


@pytest.fixture(scope="module")
def solver() -> gs.Solver:
    return gs.load("constraints")


def one(**constraint: Any) -> dict[str, Any]:
    """A request with one constraint."""
    return {"variables": VARIABLES, "constraints": [constraint]}


def preferred(weight: Any) -> dict[str, Any]:
    wanted = {"type": "equal", "variables": ["red", "blue"]}
    return {"variables": VARIABLES, "preferences": [{"constraint": wanted, "weight": weight}]}


def refused(solver: gs.Solver, request: Any) -> list[tuple[str, str]]:
    begun = time.process_time()
    with pytest.raises(gs.RequestError) as error:
        solver.solve(request)
    assert time.process_time() - begun < SECONDS
    found = [(fault.place, fault.message) for fault in error.value.faults]
    assert all(len(message) < 400 and message.endswith((".", "?")) for _, message in found), found
    return found


@pytest.mark.parametrize(
    ("request_", "place", "why"),
    [
        ({}, "", "The property 'variables' is missing."),
        ([], "", "of type list; it must be an object with the properties 'variables'"),
        ({"variables": ["red"]}, "variables", "an array of 1 is not allowed here; an object is."),
        ({"variables": {}}, "variables", "There are 0 properties; there must be 1 to 20000."),
        ({"variables": {"red": None}}, "variables.red", "None is not allowed here; an array or an object or a string is."),
        ({"variables": {"red": "one to two"}}, "variables.red", "is not a range of whole numbers; write"),
        ({"variables": {"red": []}}, "variables.red", "There are 0 entries; there must be 1 to 1000."),
        ({"variables": {"red": {}}}, "variables.red", "The property 'from', 'to' is missing."),
        ({"variables": {"red": [1, 2, 1]}}, "variables.red", "1 is listed twice"),
        ({"variables": {"red": [1.5]}}, "variables.red[0]", "1.5 is not allowed here; a whole number or a string is."),
        ({"variables": {"red": [True]}}, "variables.red[0]", "True is not allowed here"),
        ({"variables": {"red": [math.nan]}}, "variables.red[0]", "nan is not allowed here"),
        ({"variables": {"red": {"from": 3, "to": 1}}}, "variables.red", "From 3 to 1 there is no number."),
        ({"variables": {"red": {"from": 0, "to": 10**6}}}, "variables.red", "there are 1000001 numbers; 10000 are allowed"),
        ({"variables": {"red": {"from": 0, "to": 10**15}}}, "variables.red.to", "a whole number from -1000000 to 1000000"),
        ({"variables": VARIABLES, "constraints": {"type": "equal"}}, "constraints", "an array is."),
        ({"variables": VARIABLES, "constraints": ["red != bleu"]}, "constraints[0]", "At character 8: there is no variable"),
        ({"variables": VARIABLES, "constraints": [5]}, "constraints[0]", "5 is not allowed here; a string or an object is."),
        (one(type="any", of=[]), "constraints[0].of", "There are 0 entries; there must be 1 or more."),
        (one(type="any", of=["red == mon", 7]), "constraints[0].of[1]", "7 is not allowed here; a text such as"),
        (one(type="not", constraint={"type": "equal"}), "constraints[0].constraint", "The property 'variables' is missing."),
        (one(type="allowed", variables=["red"], tuples=[["tues"]]), "constraints[0]", "Did you mean 'tue'?"),
        (one(type="forbidden", variables=["n"], tuples=[[9]]), "constraints[0]", "9 is none of the values of 'n'."),
        (one(variables=["red", "blue"]), "constraints[0]", "The property 'type' is missing."),
        (one(type="alldifferent", variables=["red", "blue"]), "constraints[0].type", "Did you mean 'all_different'?"),
        (one(type=["equal"], variables=["red", "blue"]), "constraints[0].type", "an array of 1 is not allowed here"),
        (one(type="equal"), "constraints[0]", "The property 'variables' is missing."),
        (one(type="equal", variables=["red", "bleu"]), "constraints[0]", "no variable 'bleu'. Did you mean 'blue'?"),
        (one(type="equal", variables=["red"]), "constraints[0].variables", "There are 1 entries; there must be 2 or more."),
        (
            one(type="count", of=[{"variable": "red", "value": "tues"}], exactly=1),
            "constraints[0]",
            "'tues' is none of the values of 'red'. Did you mean 'tue'?",
        ),
        (one(type="count", of=[{"variable": "red", "value": "tue"}]), "constraints[0]", "has to say how many"),
        (one(type="linear", terms=[{"variable": "n"}], equal=1), "constraints[0]", "did you mean 'equals'?"),
        (one(type="linear", terms=[{"variable": "red"}], equals=1), "constraints[0]", "needs numbers, and 'red' may be 'mon'"),
        (one(type="linear", terms=[{"variable": "n", "times": math.nan}], equals=1), "constraints[0].terms[0].times", "nan"),
        (one(type="allowed", variables=["red", "n"], tuples=[["mon"]]), "constraints[0]", "has 1 values for 2 variables"),
        (one(type="no_overlap", starts=["n", "red"], durations=[1]), "constraints[0]", "needs numbers"),
        (preferred(-1), "preferences[0].weight", "-1 is not allowed here; a number above 0 and at most 1000000 is."),
        (preferred(0), "preferences[0].weight", "a number above 0"),
        (preferred(math.inf), "preferences[0].weight", "inf is not allowed here"),
        (preferred(-math.inf), "preferences[0].weight", "-inf is not allowed here"),
        (preferred(math.nan), "preferences[0].weight", "nan is not allowed here"),
        (preferred("2"), "preferences[0].weight", "'2' is not allowed here"),
    ],
)  # fmt: skip
def test_what_means_nothing_is_refused_with_its_place(solver: gs.Solver, request_: Any, place: str, why: str) -> None:
    found = refused(solver, request_)
    assert any(where == place and why in message for where, message in found), found


def test_more_variables_than_are_allowed_are_counted_and_not_listed(solver: gs.Solver) -> None:
    (fault,) = refused(solver, {"variables": {f"v{n}": [0, 1] for n in range(20_001)}})
    assert fault == ("variables", "There are 20001 properties; there must be 1 to 20000.")


@pytest.mark.parametrize(
    "constraints",
    [
        [{"type": "no_overlap", "starts": [f"v{n}" for n in range(60)], "durations": [500] * 60}],
        [{"type": "precedence", "before": f"v{n}", "after": f"v{n + 1}"} for n in range(59)],
        [{"type": "not_equal", "variables": [f"v{n}" for n in range(60)]}] * 40,
    ],
    ids=lambda constraints: constraints[0]["type"],
)
def test_problems_that_are_too_large_are_refused_before_they_are_built(
    solver: gs.Solver, constraints: list[dict[str, Any]]
) -> None:
    domains = {f"v{n}": {"from": 0, "to": 999} for n in range(60)}
    ((place, why),) = refused(solver, {"variables": domains, "constraints": constraints})
    assert place == ""
    assert "more than 2000000 places where a value enters a constraint" in why


def test_a_request_without_constraints_has_any_values(solver: gs.Solver) -> None:
    for request in ({"variables": VARIABLES}, {"variables": VARIABLES, "constraints": [], "preferences": []}):
        solution = solver.solve(request)
        assert solution.status is gs.Status.SOLVED
        assert solution.answer is not None
        assert solution.answer["values"].keys() == VARIABLES.keys()


LETTERS = {name: {"from": 0, "to": 9} for name in "abcd"}
CIRCLE = [{"type": "precedence", "before": one, "after": other, "gap": 1} for one, other in ("ab", "bc", "ca")]
ASIDE = {"type": "linear", "terms": [{"variable": "d"}, {"variable": "a"}], "at_least": 3}
"""What holds wherever the others do, and proves nothing."""


@pytest.mark.parametrize(
    ("variables", "constraints", "proof"),
    [
        (LETTERS, [ASIDE, *CIRCLE], [1, 2, 3]),
        (LETTERS, [ASIDE, {"type": "precedence", "before": "a", "after": "a", "gap": 1}], [1]),
        (LETTERS, [{"type": "linear", "terms": [{"variable": "a"}], "at_least": 10}, ASIDE], [0]),
        ({name: ["x", "y"] for name in "abc"}, [{"type": "all_different", "variables": ["a", "b", "c"]}], [0]),
        ({"a": ["x"], "b": ["y"]}, [{"type": "equal", "variables": ["a", "b"]}], [0]),
        (
            {"a": ["x", "y"], "b": ["x", "y"]},
            [
                {"type": "implies", "if": [{"variable": "a", "value": "x"}], "then": []},
                {"type": "forbidden", "variables": ["a", "b"], "tuples": [["x", "y"]]},
                {"type": "count", "of": [{"variable": "a", "value": "x"}], "exactly": 1},
            ],
            [0, 2],
        ),
        (
            {"a": ["x"], "b": ["x", "y"]},
            [{"type": "count", "of": [{"variable": "a", "value": "x"}], "at_least": 3, "at_most": 1}],
            [0],
        ),
    ],
)
def test_contradictions_are_proven_with_those_constraints_that_prove_them(
    solver: gs.Solver, variables: dict[str, Any], constraints: list[dict[str, Any]], proof: list[int]
) -> None:
    solution = solver.solve({"variables": variables, "constraints": constraints})
    assert solution.status is gs.Status.INFEASIBLE
    assert solution.answer is None
    (said,) = solution.violations
    assert list(said.places) == [f"constraints[{number}]" for number in proof]
    assert said.message.startswith("These cannot all hold: ")

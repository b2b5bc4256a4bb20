"""CP-SAT beside an energy: right on every small problem, and of one mind about constraints and their factors."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from groundstate_models.constraints.problem import Problem
from tests.models.constraints.small import assignments, requests

exact = pytest.importorskip(
    "benchmarks.problems.exact", reason="ortools is missing; the extra 'bench' brings it", exc_type=ImportError
)


@given(requests())
@settings(max_examples=100, deadline=None)
def test_constraints_and_factors_have_the_same_least_cost_which_is_that_of_all_assignments(
    request: dict[str, Any],
) -> None:
    problem = Problem.of(request)
    costs = [problem.cost(each) for each in assignments(request["variables"]) if not problem.violations(each)]
    for solve in (exact.solve, exact.from_factors):
        outcome = solve(problem, limit=10.0)
        if not costs:
            assert (outcome.status, outcome.values) == ("INFEASIBLE", None)
            continue
        assert outcome.status == "OPTIMAL"
        assert problem.violations(outcome.values) == []
        assert problem.cost(outcome.values) == min(costs)


def test_without_time_there_is_no_answer() -> None:
    names = [f"pigeon {i}" for i in range(30)]
    holes = {"variables": {name: {"from": 1, "to": 29} for name in names}}
    pairs = [{"type": "not_equal", "variables": [a, b]} for a in names for b in names if a < b]
    outcome = exact.solve(Problem.of({**holes, "constraints": pairs}), limit=0.0)
    assert (outcome.status, outcome.values) == ("UNKNOWN", None)

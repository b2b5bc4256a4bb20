"""The exhaustive search finds all solutions, and no others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundstate_models.constraints.backtracking import solutions
from groundstate_models.constraints.families import completion, queens
from groundstate_models.constraints.problem import Problem
from tests.models.constraints.small import assignments, requests


def in_order(found: list[dict[str, Any]]) -> list[str]:
    return sorted(repr(sorted(values.items())) for values in found)


@given(requests(), st.booleans())
@settings(max_examples=100, deadline=None)
def test_all_solutions_are_found_and_each_once(request: dict[str, Any], shuffled: bool) -> None:
    problem = Problem.of(request)
    right = [each for each in assignments(request["variables"]) if not problem.violations(each)]
    found = solutions(problem, len(right) + 2, np.random.default_rng(0) if shuffled else None)
    assert in_order(found) == in_order(right)
    assert len(solutions(problem, 1)) == min(len(right), 1)


@pytest.mark.parametrize(("n", "count"), [(4, 2), (5, 10), (6, 4), (7, 40)])
def test_there_are_as_many_ways_to_place_queens_as_is_known(n: int, count: int) -> None:
    assert len(solutions(Problem.of(queens(n).request), 1000)) == count


def test_there_are_576_latin_squares_of_order_4() -> None:
    empty = [[0] * 4 for _ in range(4)]
    assert len(solutions(Problem.of(completion(empty)), 1000)) == 576


def test_random_values_lead_to_other_solutions_first() -> None:
    problem = Problem.of(queens(8).request)
    firsts = {repr(solutions(problem, 1, np.random.default_rng(seed))) for seed in range(6)}
    assert len(firsts) > 2

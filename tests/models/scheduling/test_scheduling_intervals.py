"""Constraints on intervals: what they mean, and the factors that they become."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import groundstate as gs
from groundstate_models.constraints import schema
from groundstate_models.constraints.problem import Problem

IS_PROBLEM = Draft202012Validator(schema.REQUEST)

SPAN = st.tuples(st.integers(0, 8), st.integers(1, 5)).map(lambda span: [span[0], sum(span)])


@st.composite
def intervals(draw: st.DrawFn) -> tuple[dict[str, list[str]], list[dict[str, Any]]]:
    """Two or three variables of up to four values, most of which take up time."""
    domains, tasks = {}, []
    for name in "abc"[: draw(st.integers(2, 3))]:
        domains[name] = [f"{name}{k}" for k in range(draw(st.integers(1, 4)))]
        spans = [[value, *draw(SPAN)] for value in domains[name] if draw(st.integers(0, 4))]
        tasks.append({"variable": name, "spans": spans})
    return domains, tasks


def factors_agree_with_the_meaning(domains: dict[str, list[str]], constraint: dict[str, Any]) -> None:
    request = {"variables": domains, "constraints": [constraint]}
    IS_PROBLEM.validate(request)
    problem = Problem.of(request)
    for values in product(*domains.values()):
        chosen = dict(zip(domains, values, strict=True))
        holds = np.zeros(problem.graph.count, bool)
        holds[[problem.graph.literal(name, value) for name, value in chosen.items()]] = True
        broken = any(factor.broken_by(holds) for factor in problem.graph.factors)
        assert broken == (not problem.constraints[0].holds(chosen))
        assert broken == bool(problem.violations(chosen))


@settings(max_examples=30, deadline=None)
@given(intervals(), st.integers(1, 3), st.data())
def test_a_resource_is_never_used_beyond_its_capacity(
    given_intervals: tuple[dict[str, list[str]], list[dict[str, Any]]], capacity: int, data: st.DataObject
) -> None:
    domains, tasks = given_intervals
    uses = [{**task, "uses": data.draw(st.integers(1, 2))} for task in tasks]
    constraint = {"type": "cumulative", "tasks": uses, "capacity": capacity}
    factors_agree_with_the_meaning(domains, constraint)
    problem = Problem.of({"variables": domains, "constraints": [constraint]})
    spans = {value: range(*span) for task in tasks for value, *span in task["spans"]}
    for values in product(*domains.values()):
        most = max(
            sum(task["uses"] for task, value in zip(uses, values, strict=True) if t in spans.get(value, ()))
            for t in range(14)
        )
        assert problem.constraints[0].holds(dict(zip(domains, values, strict=True))) == (most <= capacity)


@settings(max_examples=30, deadline=None)
@given(intervals(), st.integers(-2, 3))
def test_one_is_over_before_the_other_starts(
    given_intervals: tuple[dict[str, list[str]], list[dict[str, Any]]], gap: int
) -> None:
    domains, (first, then, *_) = given_intervals
    factors_agree_with_the_meaning(domains, {"type": "before", "first": first, "then": then, "gap": gap})


def test_order_takes_few_edges() -> None:
    values = list(range(256))
    spans = [[value, value, value + 1] for value in values]
    first, then = ({"variable": name, "spans": spans} for name in "ab")
    request = {
        "variables": {"a": values, "b": values},
        "constraints": [{"type": "before", "first": first, "then": then}],
    }
    edges = sum(len(factor.literals) for factor in Problem.of(request).graph.factors)
    assert edges <= 2 * 256 + 2 * 256 * 9, "n log n, where a factor for every moment has n² / 2"


@pytest.mark.parametrize(
    ("constraint", "why"),
    [
        ({"type": "cumulative", "tasks": [{"variable": "a", "spans": [["x", 3, 3]]}]}, "ends at 3, and starts at 3"),
        ({"type": "cumulative", "tasks": [{"variable": "a", "spans": [["z", 3, 4]]}]}, "'z' is none of the values"),
        ({"type": "cumulative", "tasks": [{"variable": "a", "spans": []}] * 2}, "one task"),
        (
            {"type": "before", "first": {"variable": "c", "spans": []}, "then": {"variable": "a", "spans": []}},
            "no variable 'c'",
        ),
    ],
)
def test_intervals_that_mean_nothing_are_refused(constraint: dict[str, Any], why: str) -> None:
    with pytest.raises(gs.RequestError, match=why) as refused:
        Problem.of({"variables": {"a": ["x", "y"]}, "constraints": [constraint]})
    assert refused.value.faults[0].place == "constraints[0]"

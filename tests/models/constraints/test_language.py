"""The language of constraints: what each type means, the factors it becomes, and requests that mean nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import product
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from groundstate import RequestError
from groundstate_models.constraints.factors import Factor, Graph
from groundstate_models.constraints.problem import Problem
from groundstate_models.constraints.schema import MOST_NUMBERS, REQUEST
from tests.models.constraints.small import assignments, requests

SCHEMA = jsonschema.Draft202012Validator(REQUEST)

MOST_AUXILIARY = 8


def literals(problem: Problem, given: dict[str, Any]) -> np.ndarray:
    """The assignment as literals of variables, auxiliary ones false."""
    holds = np.zeros(problem.graph.count, bool)
    for name, value in given.items():
        number = problem.graph.literal(name, value)
        assert number is not None
        holds[number] = True
    return holds


def whatever_the_auxiliaries(problem: Problem, given: dict[str, Any]) -> tuple[set[int], float]:
    """Sources of factors that no auxiliary literals satisfy together, and the least that any of them cost, by trying all.

    The cost is that of choices which satisfy everything that the preferences became.
    """
    own = sum(map(len, problem.domains.values()))
    auxiliary = problem.graph.count - own
    assume(auxiliary <= MOST_AUXILIARY)
    holds = np.tile(literals(problem, given), (2**auxiliary, 1))
    holds[:, own:] = list(product([False, True], repeat=auxiliary))
    kept: dict[int, np.ndarray] = {}
    for factor in problem.graph.factors:
        total = holds[:, list(factor.literals)] @ np.array(factor.coefficients, int)
        within = (factor.low <= total) & (total <= factor.high)
        kept[factor.source] = kept.get(factor.source, np.ones(len(holds), bool)) & within
    cost = sum((holds[:, literal] * price for literal, price in problem.graph.costs.items()), np.zeros(len(holds)))
    soft = [rows for source, rows in kept.items() if source >= len(problem.constraints)]
    payable = np.logical_and.reduce(soft) if soft else np.ones(len(holds), bool)
    return {source for source, rows in kept.items() if not rows.any()}, float(cost[payable].min(initial=np.inf))


@given(requests())
@settings(max_examples=200, deadline=None)
def test_an_assignment_keeps_a_constraint_where_some_auxiliary_literals_satisfy_its_factors(
    request: dict[str, Any],
) -> None:
    problem = Problem.of(request)
    for given_values in assignments(request["variables"]):
        broken, cost = whatever_the_auxiliaries(problem, given_values)
        wanted = {f"constraints[{source}]" for source in broken}
        assert {place for violation in problem.violations(given_values) for place in violation.places} == wanted
        assert cost == pytest.approx(problem.cost(given_values))


@given(requests())
@settings(max_examples=100, deadline=None)
def test_constraints_that_are_broken_and_no_others_have_an_energy(request: dict[str, Any]) -> None:
    problem = Problem.of(request)
    for given_values in assignments(request["variables"]):
        energies = problem.energies(given_values)
        broken = {
            name for name, one in zip(problem.names, problem.constraints, strict=True) if not one.holds(given_values)
        }
        assert set(energies) == broken
        assert all(energy > 0 for energy in energies.values())


@given(requests())
@settings(max_examples=50, deadline=None)
def test_what_is_drawn_here_passes_the_schema_and_every_constraint_says_what_it_asks(request: dict[str, Any]) -> None:
    assert SCHEMA.is_valid(request)
    for constraint in Problem.of(request).constraints:
        assert constraint.in_words()
        assert set(constraint.variables) <= set(request["variables"])
        assert len(set(constraint.variables)) == len(constraint.variables)


MEANINGS: list[tuple[dict[str, Any], str, str]] = [
    ({"type": "all_different", "variables": ["a", "b", "c"]}, "123 321 230", "112 333"),
    ({"type": "all_different", "variables": ["a", "b", "c"], "plus": [0, 1, 2]}, "111 222 031", "321 103"),
    ({"type": "equal", "variables": ["a", "b", "c"]}, "111 000", "112 121 211"),
    ({"type": "not_equal", "variables": ["a", "b"]}, "120 011", "110 223"),
    ({"type": "count", "of": [{"variable": v, "value": 1} for v in "abc"], "exactly": 2}, "110 101 311", "111 100 222"),
    ({"type": "count", "of": [{"variable": v, "value": 1} for v in "abc"], "at_least": 2}, "110 111", "100 023"),
    ({"type": "count", "of": [{"variable": v, "value": 1} for v in "abc"], "at_most": 1}, "100 023", "110 111"),
    (
        {"type": "implies", "if": [{"variable": "a", "value": 1}, {"variable": "b", "value": 1}], "then": []},
        "100 011 222",
        "110 113",
    ),
    (
        {"type": "implies", "if": [{"variable": "a", "value": 1}], "then": [{"variable": v, "value": 2} for v in "bc"]},
        "120 132 000",
        "100 111",
    ),
    ({"type": "allowed", "variables": ["c", "a"], "tuples": [[1, 2], [0, 0]]}, "201 030", "102 111"),
    ({"type": "forbidden", "variables": ["c", "a"], "tuples": [[1, 2], [0, 0]]}, "102 111", "201 030"),
    (
        {"type": "linear", "terms": [{"variable": "a", "times": 2}, {"variable": "c", "times": -1}], "equals": 3},
        "201 303",
        "202 233",
    ),
    (
        {"type": "linear", "terms": [{"variable": v} for v in "abc"], "at_least": 2, "at_most": 4},
        "011 103 112",
        "001 230",
    ),
    ({"type": "precedence", "before": "a", "after": "b", "gap": 2}, "020 130 030", "010 200 110"),
    ({"type": "precedence", "before": "a", "after": "b"}, "000 120", "100 320"),
    ({"type": "no_overlap", "starts": ["a", "b"], "durations": [2, 1]}, "020 100 130", "110 010 120"),
]
"""A constraint over a, b and c of 0 to 3, assignments that keep it, and assignments that break it."""


@pytest.mark.parametrize(("constraint", "kept", "broken"), MEANINGS)
def test_each_type_keeps_and_breaks_what_its_name_says(constraint: dict[str, Any], kept: str, broken: str) -> None:
    request = {"variables": {name: {"from": 0, "to": 3} for name in "abc"}, "constraints": [constraint]}
    assert SCHEMA.is_valid(request)
    problem = Problem.of(request)
    for digits in kept.split():
        assert problem.violations(dict(zip("abc", map(int, digits), strict=True))) == []
    for digits in broken.split():
        [violation] = problem.violations(dict(zip("abc", map(int, digits), strict=True)))
        assert violation.places == ("constraints[0]",)
        assert violation.message.startswith(f"{constraint['type']} 1 is broken: ")


def test_values_that_are_missing_or_of_no_domain_are_the_violations() -> None:
    problem = Problem.of({"variables": {"a": [1, 2], "b": ["x", "1"]}})
    assert [(v.check, v.message, v.places) for v in problem.violations({"b": 1})] == [
        ("domains", "a has no value.", ("values.a",)),
        ("domains", "b is 1, which is none of its values.", ("values.b",)),
    ]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"type": "equal", "variables": ["monday", "tusday"]}, "There is no variable 'tusday'. Did you mean 'tuesday'?"),
    ({"type": "not_equal", "variables": ["monday", "zz"]}, "There is no variable 'zz'."),
    (
        {"type": "precedence", "before": "monday", "after": "Tuesday"},
        "There is no variable 'Tuesday'. Did you mean 'tuesday'?",
    ),
    (
        {"type": "count", "of": [{"variable": "monday", "value": "10"}], "exactly": 1},
        "'10' is none of the values of 'monday'. Did you mean 10?",
    ),
    (
        {"type": "implies", "if": [{"variable": "who", "value": "anne"}], "then": []},
        "'anne' is none of the values of 'who'. Did you mean 'anna'?",
    ),
    (
        {"type": "linear", "terms": [{"variable": "who"}], "equals": 1},
        "linear needs numbers, and 'who' may be 'anna'; give it whole numbers as values.",
    ),
    (
        {"type": "all_different", "variables": ["who", "monday"], "plus": [0, 1]},
        "all_different with plus needs numbers, and 'who' may be 'anna'; give it whole numbers as values.",
    ),
    (
        {"type": "all_different", "variables": ["monday", "tuesday"], "plus": [1]},
        "There are 2 variables and 1 numbers in plus; give one a variable.",
    ),
    ({"type": "no_overlap", "starts": ["monday", "tuesday"], "durations": [1]}, "There are 2 starts and 1 durations."),
    (
        {"type": "allowed", "variables": ["monday", "who"], "tuples": [[10, "anna"], [11]]},
        "The tuple [11] has 1 values for 2 variables.",
    ),
    (
        {"type": "linear", "terms": [{"variable": "monday"}]},
        "One of equals, at_least and at_most has to say how many.",
    ),
    (
        {"type": "count", "of": [{"variable": "monday", "value": 10}], "exactly": 1, "at_most": 1},
        "exactly says it all; leave out at_least and at_most.",
    ),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG)
def test_a_constraint_that_means_nothing_is_refused_with_its_place_and_a_way_out(
    wrong: dict[str, Any], message: str
) -> None:
    variables = {"monday": [10, 11], "tuesday": {"from": 10, "to": 12}, "who": ["anna", "berta"]}
    right = {"type": "not_equal", "variables": ["monday", "tuesday"]}
    request = {"variables": variables, "constraints": [right, wrong], "preferences": [{"constraint": wrong}]}
    assert SCHEMA.is_valid(request)
    with pytest.raises(RequestError) as refused:
        Problem.of(request)
    assert [(fault.place, fault.message) for fault in refused.value.faults] == [
        ("constraints[1]", message),
        ("preferences[0].constraint", message),
    ]


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        ({"from": 3, "to": 2}, "From 3 to 2 there is no number."),
        (
            {"from": 1, "to": MOST_NUMBERS + 1},
            f"From 1 to {MOST_NUMBERS + 1} there are {MOST_NUMBERS + 1} numbers; {MOST_NUMBERS} are allowed.",
        ),
    ],
)
def test_a_range_with_no_number_or_too_many_is_refused(domain: dict[str, int], message: str) -> None:
    with pytest.raises(RequestError) as refused:
        Problem.of({"variables": {"hour": domain}})
    assert [(fault.place, fault.message) for fault in refused.value.faults] == [("variables.hour", message)]


def test_a_whole_number_may_be_written_with_a_point() -> None:
    request = {
        "variables": {"a": {"from": 1.0, "to": 3.0}, "b": [1.0, 2]},
        "constraints": [{"type": "precedence", "before": "a", "after": "b", "gap": 1.0}],
        "preferences": [{"constraint": {"type": "linear", "terms": [{"variable": "b", "times": 2.0}], "equals": 4}}],
    }
    assert SCHEMA.is_valid(request)
    problem = Problem.of(request)
    assert problem.domains == {"a": (1, 2, 3), "b": (1, 2)}
    assert all(type(a) is int for factor in problem.graph.factors for a in factor.coefficients)
    assert problem.violations({"a": 1, "b": 2}) == []


def test_durations_beyond_all_starts_cost_no_more_factors() -> None:
    def factors(duration: int) -> int:
        one = {"type": "no_overlap", "starts": ["a", "b"], "durations": [duration, duration]}
        return len(
            Problem.of({"variables": {n: {"from": 0, "to": 9} for n in "ab"}, "constraints": [one]}).graph.factors
        )

    assert factors(10**6) <= factors(10) <= factors(2)


def test_factors_do_not_depend_on_the_order_in_which_python_keeps_names() -> None:
    program = """
from groundstate_models.constraints.problem import Problem
names, values = list("abcd"), ["x", "y", "1", 1]
rows = [[one, other] for one in values for other in values]
kinds = [{"type": kind, "variables": names} for kind in ("all_different", "equal", "not_equal")]
kinds += [{"type": kind, "variables": names[:2], "tuples": rows} for kind in ("allowed", "forbidden")]
print(Problem.of({"variables": dict.fromkeys(names, values), "constraints": kinds}).graph.factors)
"""
    first, second = (
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    )
    assert first == second != b""


factors = st.dictionaries(st.integers(0, 5), st.integers(-4, 4).filter(bool), max_size=6).flatmap(
    lambda terms: st.builds(
        Factor,
        st.just(tuple(terms)),
        st.just(tuple(terms.values())),
        st.integers(-6, 6),
        st.integers(-6, 6),
        st.just(0),
    )
)


@given(factors, st.lists(st.booleans(), min_size=6, max_size=6))
def test_a_factor_is_broken_where_its_sum_leaves_the_bounds(factor: Factor, holds: list[bool]) -> None:
    total = sum(a for literal, a in zip(factor.literals, factor.coefficients, strict=True) if holds[literal])
    least, most = factor.reach
    assert least <= total <= most
    assert factor.broken_by(np.array(holds)) == (total < factor.low or total > factor.high)


def test_a_bound_that_always_holds_is_no_factor_and_literals_are_summed() -> None:
    graph = Graph({"a": (1, 2), "b": (1,)})
    graph.factors.clear()
    graph.bound([(0, 1), (1, 1)], 0, 2, 7)
    graph.bound([(0, 1), (0, -1), (None, 5)], 0, 0, 7)
    assert graph.factors == []
    graph.bound([(0, 1), (2, 3), (0, 1), (None, 5)], 0, 4, 7)
    assert graph.factors == [Factor((0, 2), (2, 3), 0, 4, 7)]

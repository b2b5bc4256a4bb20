"""Factor graphs as tensors: what propagation rules out, proofs, sizes, and the way back to values."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from groundstate_models.constraints.cliques import joined
from groundstate_models.constraints.problem import Problem
from groundstate_models.constraints.propagate import propagate
from groundstate_models.constraints.tensors import FAR, Network, rounded
from tests.models.constraints.small import assignments, broken, requests

IMPOSSIBLE = {
    "variables": {name: [1, 2] for name in "abcd"},
    "constraints": [
        {"type": "equal", "variables": ["a", "d"]},
        {"type": "not_equal", "variables": ["a", "b"], "name": "apart"},
        {"type": "allowed", "variables": ["a"], "tuples": [[1]]},
        {"type": "count", "of": [{"variable": "b", "value": 1}], "exactly": 1, "name": "one"},
    ],
}


def answers(problem: Problem, request: dict[str, Any]) -> list[dict[str, Any]]:
    return [values for values in assignments(request["variables"]) if not problem.violations(values)]


@given(requests())
@settings(max_examples=150, deadline=None)
def test_propagation_rules_out_no_value_of_an_answer_and_proves_only_what_is_so(request: dict[str, Any]) -> None:
    problem = Problem.of(request)
    network, right = Network(problem.graph), answers(problem, request)
    for values in right:
        literals = [problem.graph.literal(name, value) for name, value in values.items()]
        assert all(network.open[literal] for literal in literals if literal is not None)
    if network.proof() is not None:
        assert not right


@given(requests())
@settings(max_examples=100, deadline=None)
def test_every_constraint_of_a_proof_is_needed_for_it(request: dict[str, Any]) -> None:
    problem = Problem.of(request)
    network = Network(problem.graph)
    named = network.proof()
    if named is None:
        return
    table, everything = network.table, np.ones(problem.graph.count, bool)
    assert not propagate(table, everything, ~np.isin(table.source, named))[1]
    for one in named:
        assert propagate(table, everything, ~np.isin(table.source, [s for s in named if s != one]))[1]


def test_a_proof_names_what_contradicts_and_nothing_else() -> None:
    assert Network(Problem.of(IMPOSSIBLE).graph).proof() == [1, 2, 3]


@given(requests())
@settings(max_examples=100, deadline=None)
def test_an_assignment_comes_back_as_it_went_and_breaks_factors_where_it_breaks_constraints(
    request: dict[str, Any],
) -> None:
    problem = Problem.of(request)
    network = Network(problem.graph)
    if network.proof() is not None or problem.graph.count > sum(map(len, problem.domains.values())):
        return  # choices besides the variables are not told by an assignment
    tensors = network.tensors()
    for values in assignments(request["variables"]):
        chosen = network.chosen(values)
        literals = [problem.graph.literal(name, value) for name, value in values.items()]
        if all(literal is not None and network.open[literal] for literal in literals):
            assert network.values(chosen) == values
            assert (broken(tensors, chosen) == 0) == (not problem.violations(values))


@pytest.mark.parametrize("size", [1, 2, 7, 9, 100, 4097])
def test_sizes_are_rounded_up_by_a_fifth_at_most_and_classes_stay(size: int) -> None:
    assert size <= rounded(size) <= max(1.2 * size, size + 1)
    assert rounded(rounded(size)) == rounded(size)


def test_what_pads_a_problem_breaks_nothing_and_costs_nothing() -> None:
    request = {"variables": {name: [1, 2, 3] for name in "abcdefghi"}, "constraints": []}
    request["constraints"] = [
        {"type": "not_equal", "variables": [a, b]} for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    network = Network(Problem.of(request).graph)
    exact, padded = network.tensors(exact=True), network.tensors()
    assert padded["domain"].shape[0] > exact["domain"].shape[0]
    assert (padded["domain"].sum(1)[len(exact["domain"]) :] == 1).all()
    assert (padded["coefficient"][len(exact["coefficient"]) :] == 0).all()
    assert (padded["high"][len(exact["high"]) :] == FAR).all()


def test_a_bound_on_the_cost_keeps_every_shape_and_changes_only_the_first_factor() -> None:
    request = {
        "variables": {name: [1, 2, 3] for name in "abc"},
        "constraints": [{"type": "all_different", "variables": ["a", "b", "c"]}],
        "preferences": [
            {"constraint": {"type": "allowed", "variables": [name], "tuples": [[1]]}, "weight": 0.5} for name in "abc"
        ],
    }
    network = Network(Problem.of(request).graph)
    free, bound = network.tensors(), network.tensors(2)
    assert network.quantum == 10
    assert free["high"][0] == FAR
    assert bound["high"][0] < FAR
    assert all(np.array_equal(free[name], bound[name]) for name in free if name != "high")
    assert np.array_equal(free["high"][1:], bound["high"][1:])


def test_pairs_that_exclude_each_other_are_joined_to_cliques() -> None:
    request = {
        "variables": {name: [1, 2, 3, 4] for name in "abcd"},
        "constraints": [{"type": "not_equal", "variables": list(pair)} for pair in ("ab", "ac", "bc", "cd")],
    }
    graph = Problem.of(request).graph
    found = joined(graph.factors)
    assert sorted(len(f.literals) for f in found if f.source >= 0) == [2] * 4 + [3] * 4


@given(requests())
@settings(max_examples=100, deadline=None)
def test_joined_factors_say_what_those_they_stand_for_say(request: dict[str, Any]) -> None:
    graph = Problem.of(request).graph
    holds = np.array(list(product([False, True], repeat=min(graph.count, 12))))
    holds = np.pad(holds, ((0, 0), (0, graph.count - holds.shape[1])))

    def kept(factors: Any) -> np.ndarray:
        sums = [(holds[:, list(f.literals)] @ np.array(f.coefficients, int), f) for f in factors]
        return np.logical_and.reduce([(f.low <= total) & (total <= f.high) for total, f in sums])

    assert np.array_equal(kept(graph.factors), kept(joined(graph.factors)))

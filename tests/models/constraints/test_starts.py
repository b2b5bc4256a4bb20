"""Starts of chains: one pass that decides the variables one after another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import groundstate as gs
from groundstate_models.constraints.neighbourhood import Neighbourhoods
from groundstate_models.constraints.problem import Problem
from groundstate_models.constraints.starts import Passes
from groundstate_models.constraints.tensors import Network
from tests.models.constraints.small import broken


def network(request: dict[str, Any]) -> Network:
    return Network(Problem.of(request).graph)


@pytest.mark.parametrize("seed", range(5))
def test_a_pass_over_loose_meetings_breaks_nothing(seed: int) -> None:
    draw = np.random.default_rng(seed)
    names = [f"m{number}" for number in range(30)]
    groups = [sorted(draw.choice(names, 8, replace=False).tolist()) for _ in range(10)]
    problem = network(
        {
            "variables": dict.fromkeys(names, "0..39"),
            "constraints": [{"type": "no_overlap", "starts": group, "durations": [2] * 8} for group in groups],
        }
    )
    tensors = problem.tensors()
    assert broken(tensors, Passes(tensors).chosen(np.random.default_rng(seed))) == 0


def test_a_pass_takes_the_cheapest_values_where_nothing_forbids_them() -> None:
    problem = network(
        {
            "variables": {"a": [1, 2, 3], "b": [1, 2, 3], "c": [1, 2, 3]},
            "constraints": ["a != b"],
            "preferences": [{"constraint": f"{name} == 2"} for name in "abc"],
        }
    )
    tensors = problem.tensors()
    for seed in range(20):
        values = problem.values(Passes(tensors).chosen(np.random.default_rng(seed)))
        assert values["c"] == 2
        assert sorted([values["a"], values["b"]]).count(2) == 1


def test_every_second_chain_starts_decided_and_the_generator_decides_everything() -> None:
    tensors = network(
        {"variables": dict.fromkeys("abcd", "1..6"), "constraints": ["all different: a, b, c, d"]}
    ).tensors()
    one, other = (Passes(tensors).starts(np.random.default_rng(3), 4, 0.4) for _ in range(2))
    assert all((one[name] == other[name]).all() for name in one)
    weights = one["chain.weights"][:, 0, 0]
    assert (weights[[0, 2]] > 1).all()
    assert (weights[[1, 3]] == 1).all()
    assert one["y"].shape == (4, *tensors["domain"].shape)


@pytest.mark.parametrize("seed", range(5))
def test_neighbourhoods_of_an_assignment_reach_one_that_costs_nothing(seed: int) -> None:
    """Five tasks of two minutes in ten: the preferred order is one of 120."""
    names = [f"t{number}" for number in range(5)]
    problem = network(
        {
            "variables": dict.fromkeys(names, "0..8"),
            "constraints": [{"type": "no_overlap", "starts": names, "durations": [2] * 5}],
            "preferences": [{"constraint": f"{name} <= {2 * number}"} for number, name in enumerate(names)],
        }
    )
    tensors, draw = problem.tensors(), np.random.default_rng(seed)
    passes = Passes(tensors, problem.choices(1))
    values, near = passes.chosen(draw), Neighbourhoods(passes)
    before = near.energy(values)
    for _ in range(20):
        values = near.improved(values, draw)
        assert near.energy(values) <= before + 1e-6
        before = near.energy(values)
    assert tensors["domain"][np.arange(len(values)), values].all()
    assert broken(tensors, values) == 0
    found = problem.values(values)
    assert [found[name] for name in names] == list(range(0, 10, 2))


def test_forty_meetings_are_placed_within_a_few_segments() -> None:
    draw = np.random.default_rng(7)
    people = [f"P{number}" for number in range(12)]
    request = {
        "days": "mon-fri",
        "people": people,
        "rooms": {"Red": {}, "Blue": {}, "Green": {}},
        "activities": [
            {
                "name": f"M{number}",
                "duration": int(draw.choice([30, 60, 90])),
                "who": draw.choice(people, 3, replace=False).tolist(),
                "room": "any",
            }
            for number in range(40)
        ],
    }
    solution = gs.load("scheduling").solve(request, restarts=4, max_steps=64)
    assert solution.status is gs.Status.SOLVED


def test_a_paid_preference_weighs_as_much_as_its_variables_can_exceed_it() -> None:
    problem = Problem.of(
        {
            "variables": dict.fromkeys("ab", "1..20"),
            "constraints": [],
            "preferences": [
                {
                    "constraint": {
                        "type": "count",
                        "of": [{"variable": name, "value": value} for name in "ab" for value in range(1, 11)],
                        "at_most": 1,
                    }
                }
            ],
        }
    )
    (factor,) = [factor for factor in problem.graph.factors if factor.source == 0 and len(factor.literals) > 2]
    # Two variables exceed a bound of 1 by 1, however many of their values are counted.
    assert sorted(set(factor.coefficients)) == [-1, 1]


def test_near_an_assignment_that_is_the_only_one_left_is_the_assignment() -> None:
    tensors = network({"variables": {"a": [1, 2], "b": [1, 2]}, "constraints": ["a != b"]}).tensors()
    tensors["domain"][:, 1:] = 0.0
    passes = Passes(tensors)
    given = passes.chosen(np.random.default_rng(0))
    assert np.array_equal(Neighbourhoods(passes).improved(given, np.random.default_rng(0)), given)

"""Starts of chains: one pass that decides the variables one after another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import groundstate as gs
from groundstate_models.constraints.aim import Aim
from groundstate_models.constraints.neighbourhood import Neighbourhoods
from groundstate_models.constraints.problem import Problem
from groundstate_models.constraints.starts import CARRIED, PREFERENCE, Passes
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
    costs = []
    for _ in range(20):
        found = near.improved(values, draw)
        values = found[0][0]
        costs += [float(passes.cost[np.arange(len(one)), one].sum()) for one, right in found if right]
        assert all(broken(tensors, one) == 0 for one, right in found if right)
    assert min(costs) == 0
    right = [one for one, kept in near.improved(values, draw) if kept]
    assert tensors["domain"][np.arange(len(values)), right[0]].all()
    told = problem.values(right[0])
    assert [told[name] for name in names] == list(range(0, 10, 2))


def test_an_improvement_lowers_the_bound_on_the_cost_until_nothing_costs_less() -> None:
    problem = network(
        {
            "variables": dict.fromkeys("abcdef", "1..4"),
            "constraints": ["all different: a, b, c", "all different: d, e, f"],
            "preferences": [{"constraint": f"{name} >= 3"} for name in "abcdef"],
        }
    )
    passes = Passes(problem.tensors(), problem.choices(2))
    near, draw = Neighbourhoods(passes), np.random.default_rng(0)
    found = near.improved(passes.chosen(draw), draw)
    costs = [float(passes.cost[np.arange(len(one)), one].sum()) for one, right in found if right]
    assert costs == sorted(costs), "the best one comes first"
    assert passes.high[0] <= costs[0] / PREFERENCE, "what comes next must cost less"


def test_a_chain_from_an_assignment_that_violates_nothing_has_velocities_that_carry_it() -> None:
    passes = Passes(network({"variables": {"a": [1, 2], "b": [1, 2]}, "constraints": ["a != b"]}).tensors())
    draw = np.random.default_rng(0)
    right = passes.chosen(draw)
    starts = [passes.starts(np.random.default_rng(seed), 2, 0.4, lambda _: [(right, True)]) for seed in range(8)]
    velocity = starts[0]["y.velocity"]
    assert (velocity[0, np.arange(len(right)), right] == CARRIED).all()
    assert velocity.sum() == CARRIED * len(right)
    assert all((one["chain.weights"] == 1).all() for one in starts)


def test_an_assignment_that_violates_nothing_is_an_answer_after_one_segment() -> None:
    """The starts of a roster know an answer after the first restart; the descent and its checks confirm it at once."""
    request = {
        "days": "2025-03-03/2025-03-16",
        "people": ["Ada", "Bob", "Cem", "Dora", "Eve", "Fay", "Gus", "Hal"],
        "activities": [
            {"name": "Early", "at": "6:00-14:00", "repeat": "daily", "who": "2 of anyone"},
            {"name": "Late", "at": "14:00-22:00", "repeat": "daily", "who": "any 2"},
            {"name": "Night", "at": "22:00-6:00", "repeat": "daily", "who": "anyone"},
        ],
        "rules": [{"type": "rest", "time": "11h"}, {"type": "work", "at_most": 5, "per": "week"}],
        "preferences": [{"type": "work", "at_least": 8}],
    }
    solution = gs.load("scheduling", threads=1).solve(request, alternatives=2, improve_for=60)
    assert solution.optimal
    assert solution.answer is not None
    assert solution.answer["cost"] == 0


@given(st.integers(0, 50), st.lists(st.integers(1, 20), min_size=1, max_size=12))
def test_every_second_bound_for_a_cost_is_just_below_it(least: int, gains: list[int]) -> None:
    """Only such a bound is possible for certain if a better answer exists."""
    aim, cost = Aim(), least + sum(gains)
    for gain in gains:
        bounds = [aim.below(float(cost), least, cost - 1) for _ in range(4)]
        assert all(least <= bound < cost for bound in bounds)
        assert cost - 1 in bounds[:2]
        assert bounds[1] == bounds[3] == cost - 1
        cost -= gain


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
    known = passes.chosen(np.random.default_rng(0))
    ((found, right),) = Neighbourhoods(passes).improved(known, np.random.default_rng(0))
    assert not right, "it breaks the constraint"
    assert np.array_equal(found, known)

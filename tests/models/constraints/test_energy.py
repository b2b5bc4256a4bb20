"""The energy of factor graphs: symmetric, below at answers, and learned numbers that every row has of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from groundstate_export import Descent
from groundstate_models.constraints import train
from groundstate_models.constraints.energy import HAND, ConstraintsEnergy, checks
from groundstate_models.constraints.families import mixed, queens
from groundstate_models.constraints.incidence import Edges, edges_of, tables
from groundstate_models.constraints.learned import NOISE_PERIOD, RULE, Settings
from groundstate_models.constraints.problem import Problem
from groundstate_models.constraints.tensors import Network

SHAPED = Settings(
    HAND | {"openness_by_shape": [0.1, -0.4, 0.2, 0.3, -0.2, 0.1], "weight_by_shape": [0.2, 0.1, -0.3, 0.1, 0.4, 0.2]}
)
MIXED = [example for example in mixed(3, 24, 0.6) if Network(Problem.of(example.request).graph).kept]


def tensors(request: dict[str, Any], *, exact: bool = True) -> dict[str, np.ndarray]:
    return Network(Problem.of(request).graph).tensors(exact=exact)


def batch(arrays: dict[str, np.ndarray], rows: int = 1) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array).expand(rows, *array.shape).clone() for name, array in arrays.items()}


def states(inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.randn(inputs["domain"].shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("example", MIXED[:8], ids=lambda example: example.family)
def test_the_order_of_variables_factors_and_edges_does_not_matter(example: Any) -> None:
    given, energy = tensors(example.request), ConstraintsEnergy(SHAPED.energy)
    draw = np.random.default_rng(0)
    variables, values = given["domain"].shape
    rows, factors = draw.permutation(variables), draw.permutation(len(given["low"]))
    edges = edges_of(given, costs=False)
    order = draw.permutation(len(edges.literal))
    place, number = np.argsort(rows), np.argsort(factors)
    if priced := bool((given["more"] == 1).any()):  # the sum of the costs is the first factor
        factors = np.append(0, 1 + draw.permutation(len(factors) - 1))
        number = np.argsort(factors)
    moved = place[edges.literal // values] * values + edges.literal % values
    mixed_up = Edges(moved[order], number[edges.factor][order], edges.coefficient[order])
    other = {name: given[name][rows] for name in ("domain", "cost")}
    other |= {name: given[name][factors] for name in ("low", "high", "slack")}
    other |= tables(mixed_up, len(factors), variables, values, costs=priced, size=int)
    here, there = batch(given, 4), batch(other, 4)
    state = states(here)
    one, two = energy(state, **here), energy(state[:, torch.from_numpy(rows)], **there)
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("example", MIXED[:8], ids=lambda example: example.family)
def test_padding_changes_the_energy_by_nothing_that_the_state_can_reach(example: Any) -> None:
    exact, padded = tensors(example.request), tensors(example.request, exact=False)
    here, there = batch(exact, 3), batch(padded, 3)
    state = states(here)
    wide = torch.zeros(there["domain"].shape)
    wide[:, : state.shape[1], : state.shape[2]] = state
    of_exact, of_padded = edges_of(exact), edges_of(padded)
    variable, value = np.divmod(of_exact.literal, exact["domain"].shape[1])
    assert set(zip(variable * padded["domain"].shape[1] + value, of_exact.factor, strict=True)) == set(
        zip(of_padded.literal, of_padded.factor, strict=True)
    )
    slopes = []
    for at, inputs in ((state, here), (wide, there)):
        leaf = at.clone().requires_grad_()
        sum(ConstraintsEnergy(SHAPED.energy)(leaf, **inputs).values()).sum().backward()  # type: ignore[union-attr]
        slopes.append(leaf.grad)
    inside = slopes[1][:, : state.shape[1], : state.shape[2]] * here["domain"]
    torch.testing.assert_close(slopes[0] * here["domain"], inside, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("example", MIXED, ids=lambda example: example.family)
def test_a_solution_breaks_no_factor_and_lies_below_itself_with_one_value_changed(example: Any) -> None:
    network = Network(Problem.of(example.request).graph)
    if len(network.graph.groups) > len(network.graph.domains) or network.graph.costs:
        pytest.skip("an assignment does not say which of the choices beside the variables hold")
    inputs, energy = batch(network.tensors()), ConstraintsEnergy()
    chosen = torch.from_numpy(network.chosen(example.solution)).unsqueeze(0)
    assert int(checks({"value": chosen}, **inputs)["constraints"]) == 0

    def constraints(value: torch.Tensor) -> float:
        with torch.no_grad():
            return float(energy(energy.encode_answer({"value": value}, **inputs), **inputs)["constraints"])

    right = constraints(chosen)
    for row, literals in enumerate(network.kept):
        other = chosen.clone()
        other[0, row] = (other[0, row] + 1) % len(literals)
        broken = int(checks({"value": other}, **inputs)["constraints"])
        assert broken == 0 or constraints(other) > right


@torch.no_grad()
@pytest.mark.parametrize("example", MIXED[:6], ids=lambda example: example.family)
def test_rows_with_numbers_of_their_own_descend_as_the_rule_with_those_numbers_does(example: Any) -> None:
    """On random states, with noise, and with the weights of violations already raised."""
    both = [Settings(SHAPED.energy, RULE | {"step_size": 0.5}), Settings(rule=RULE | {"momentum": 0.6, "raises": 0.1})]
    inputs = {n: t.double() if t.is_floating_point() else t for n, t in batch(tensors(example.request), 2).items()}
    numbers = torch.tensor([settings.numbers for settings in both], dtype=torch.double)
    draw = torch.Generator().manual_seed(1)
    y, noise = torch.randn(2, *inputs["domain"].shape, dtype=torch.double, generator=draw)
    arguments = train.row_arguments()
    rows = Descent(arguments["energy"].double(), arguments["rule"], {**inputs, "numbers": numbers})
    together = rows.start(y, draw)
    together["chain.weights"] = 1.0 + torch.rand(together["chain.weights"].shape, dtype=torch.double, generator=draw)
    before = dict(together)
    for step in range(3):
        together, _ = rows.step(together, {"y": noise} if step == 0 else None)
    for row, settings in enumerate(both):
        energy, one = ConstraintsEnergy(settings.energy).double(), {n: t[row : row + 1] for n, t in inputs.items()}
        descent = Descent(energy, settings.descent(energy).double(), one)
        state = {name: tensor[row : row + 1] for name, tensor in before.items()}
        for step in range(3):
            state, _ = descent.step(state, {"y": noise[row : row + 1]} if step == 0 else None)
        for name, tensor in state.items():
            torch.testing.assert_close(together[name][row : row + 1], tensor, rtol=1e-5, atol=1e-6)


def test_stacked_problems_keep_their_energy() -> None:
    problems = [tensors(example.request) for example in MIXED[:5]]
    stack = {name: torch.from_numpy(tensor) for name, tensor in train.stacked(problems).items()}
    energy = ConstraintsEnergy(SHAPED.energy)
    state = torch.randn(stack["domain"].shape, generator=torch.Generator().manual_seed(0))
    together = energy(state, **stack)
    for row, problem in enumerate(problems):
        one = batch(problem)
        variables, values = one["domain"].shape[1:]
        alone = energy(state[row : row + 1, :variables, :values], **one)
        for name, term in alone.items():
            # Variables that pad have one value each, whose logits are confined too.
            rest = state[row, variables:, 0].square().sum() if name == "confinement" else torch.zeros(())
            padding = 0.5 * energy.log_confinement.exp() * rest
            torch.testing.assert_close(together[name][row : row + 1], term + padding, rtol=1e-4, atol=1e-4)


def test_queens_are_found_by_the_energy_written_by_hand() -> None:
    found = train.Trials(1).answers([Settings()], [tensors(queens(8).request)], 8, 0)
    assert found.shape == (1, 1, 8)
    assert (found > 0).mean() >= 0.5
    assert (found % NOISE_PERIOD == 0).all()


@pytest.mark.parametrize("example", MIXED, ids=lambda example: example.family)
def test_the_penalty_has_the_gradient_of_the_weighted_squares(example: Any) -> None:
    inputs = {n: t.double() if t.is_floating_point() else t for n, t in batch(tensors(example.request), 2).items()}
    energy, state = ConstraintsEnergy(SHAPED.energy).double(), states(inputs).double().requires_grad_()
    violations = energy.violations(state, **inputs)
    weights = 1.0 + torch.rand(violations.shape, generator=torch.Generator().manual_seed(2)).double()
    squares, penalty = (weights * violations.square()).flatten(1).sum(1), energy.penalty(state, weights, **inputs)
    torch.testing.assert_close(penalty, squares)
    by_scatter, by_gather = (torch.autograd.grad(one.sum(), state, retain_graph=True)[0] for one in (squares, penalty))
    torch.testing.assert_close(by_gather, by_scatter)

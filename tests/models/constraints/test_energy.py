"""The energy of factor graphs: symmetric, below at answers, and the same in compiled code as in PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from groundstate_export import Descent
from groundstate_models.constraints.compiled import Flat, descend
from groundstate_models.constraints.energy import HAND, ConstraintsEnergy, rules
from groundstate_models.constraints.families import mixed, queens
from groundstate_models.constraints.learned import NOISE_EVERY, RULE, TEMPERATURE, Settings
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
    edges = draw.permutation(len(given["literal"]))
    place, number = np.argsort(rows), np.argsort(factors)
    other = {name: given[name][rows] for name in ("domain", "cost")}
    other |= {name: given[name][factors] for name in ("low", "high", "slack")}
    moved = place[given["literal"] // values] * values + given["literal"] % values
    other |= {
        "literal": moved[edges],
        "factor": number[given["factor"]][edges],
        "coefficient": given["coefficient"][edges],
    }
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
    literal = (
        exact["literal"] // exact["domain"].shape[1] * padded["domain"].shape[1]
        + exact["literal"] % exact["domain"].shape[1]
    )
    assert np.array_equal(padded["literal"][: len(literal)], literal)
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
        return  # choices besides the variables are not told by an assignment
    inputs, energy = batch(network.tensors()), ConstraintsEnergy()
    chosen = torch.from_numpy(network.chosen(example.solution)).unsqueeze(0)
    assert int(rules({"value": chosen}, **inputs)["constraints"]) == 0

    def constraints(value: torch.Tensor) -> float:
        with torch.no_grad():
            return float(energy(energy.embed({"value": value}, **inputs), **inputs)["constraints"])

    right = constraints(chosen)
    for row, literals in enumerate(network.kept):
        other = chosen.clone()
        other[0, row] = (other[0, row] + 1) % len(literals)
        broken = int(rules({"value": other}, **inputs)["constraints"])
        assert broken == 0 or constraints(other) > right


@pytest.mark.parametrize("example", MIXED[:6], ids=lambda example: example.family)
def test_compiled_chains_find_answers_when_chains_in_pytorch_do(example: Any) -> None:
    """Without noise the two make the same updates, so they have an answer after the same segment."""
    settings = Settings(SHAPED.energy, RULE | {"noise": 0.0, "step_size": 0.5}, SHAPED.start)
    given = tensors(example.request)
    flat, inputs = Flat.of(given), batch(given, 6)
    found = descend(flat, settings, chains=6, steps=48, seed=3, noise_every=NOISE_EVERY, heat=TEMPERATURE)
    energy = ConstraintsEnergy(settings.energy).double()
    draw = np.random.default_rng(3)
    state = torch.zeros(inputs["domain"].shape, dtype=torch.float64)
    for chain in range(6):
        draw.integers(2**31)
        state[chain][inputs["domain"][0] > 0] = torch.from_numpy(draw.standard_normal(len(flat.cost)) * settings.start)
        draw.uniform(*TEMPERATURE)
    wide = {name: t.double() if t.is_floating_point() else t for name, t in inputs.items()}
    descent = Descent(energy, settings.descent(energy).double(), wide)
    with torch.no_grad():
        carried = descent.start(state, torch.Generator().manual_seed(0))
        seen = torch.zeros(6, dtype=torch.int64)
        for step in range(48):
            carried, _ = descent.step(carried, None)
            if step % 16 == 15:
                right = rules(energy.decode(carried["y"], wide["domain"]), **wide)["constraints"] == 0
                seen = torch.where((seen == 0) & right, step + 1, seen)
    assert seen.tolist() == found.tolist()


def test_the_learned_numbers_are_what_the_file_says_and_are_read_back(tmp_path: Any) -> None:
    SHAPED.keep(tmp_path / "settings.json")
    assert Settings.read(tmp_path / "settings.json") == SHAPED
    (tmp_path / "other.json").write_text('{"format": 1, "energy": {}, "rule": {}, "start": 1}')
    with pytest.raises(ValueError, match="is damaged"):
        Settings.read(tmp_path / "other.json")
    (tmp_path / "torn.json").write_text('{"format": 1, "ener')
    with pytest.raises(ValueError, match="cannot be read"):
        Settings.read(tmp_path / "torn.json")


def test_queens_are_found_by_the_energy_written_by_hand() -> None:
    flat = Flat.of(tensors(queens(8).request))
    found = descend(flat, Settings(), chains=8, steps=512, seed=0, noise_every=NOISE_EVERY, heat=TEMPERATURE)
    assert (found > 0).all()

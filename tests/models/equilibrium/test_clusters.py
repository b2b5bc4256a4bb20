"""The search of clusters over dense tables has the energy, the gradient and the steps of the lists of edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from groundstate_models.equilibrium.clusters import ClusterEnergy
from groundstate_models.equilibrium.energy import EquilibriumEnergy
from groundstate_models.equilibrium.request import read
from groundstate_models.equilibrium.tensors import pairs_alone, tensors


def inputs_of(request: dict[str, Any]) -> dict[str, Tensor]:
    return {name: torch.as_tensor(value)[None] for name, value in tensors(read(request).system).items()}


@pytest.mark.parametrize("potential", ["lennard_jones", "morse", "thomson"])
def test_the_dense_tables_of_a_cluster_have_the_energy_and_the_gradient_of_its_edges(potential: str) -> None:
    inputs = inputs_of({"preset": {"type": "cluster", "atoms": 9, "potential": potential}})
    draw = torch.Generator().manual_seed(3)
    state = torch.randn(1, inputs["centre"].shape[1], 3, generator=draw, dtype=torch.float64)
    found = []
    for energy in (EquilibriumEnergy(), ClusterEnergy()):
        y = state.clone().requires_grad_()
        total = sum(energy(y, **inputs).values())
        (slope,) = torch.autograd.grad(total.sum(), y)
        found.append((total.detach().numpy(), slope.numpy()))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-12)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-9, atol=1e-9 * np.abs(found[0][1]).max())


def test_a_cluster_with_a_spring_or_a_load_or_a_floor_keeps_its_lists() -> None:
    nodes: dict[str, Any] = {name: {} for name in "abc"}
    pair = {"type": "lennard_jones", "between": ["a", "b", "c"]}
    alone = {"nodes": nodes, "members": [pair], "gravity": 0, "dimensions": 3}
    assert pairs_alone(read(alone).system)
    spring = {"type": "spring", "between": ["a", "b"], "stiffness": 2.0, "length": 1.0}
    assert not pairs_alone(read({**alone, "members": [pair, spring]}).system)
    assert not pairs_alone(read({**alone, "nodes": {**nodes, "a": {"load": [0, 0, 1.0]}}}).system)
    held = inputs_of({**alone, "members": [pair, spring]})
    assert not held["pair_law"][:, [0, 1, 3]].any()
    assert held["pair_law"].shape[2] == 1

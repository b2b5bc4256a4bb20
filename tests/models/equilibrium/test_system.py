"""The formulas: numpy and PyTorch agree, gradients and Hessians are derivatives, and the file's products are positive."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from groundstate_models.equilibrium.energy import EquilibriumEnergy
from groundstate_models.equilibrium.finish import finished, softened
from groundstate_models.equilibrium.moves import Moves
from groundstate_models.equilibrium.request import read
from groundstate_models.equilibrium.structure import Structure
from groundstate_models.equilibrium.system import Floats
from groundstate_models.equilibrium.tensors import tensors

CASES: dict[str, dict[str, Any]] = {
    "springs": {
        "statements": [
            "A fixed at (0, 0)",
            "B fixed at (4, 0)",
            "C at (1, 1)",
            "spring A-C stiffness 20 length 1",
            "cable B-C length 2 stiffness 30",
            "strut A-D stiffness 10 length 2",
            "spring C-D stiffness 5 length 1",
            "mass 0.3 at D",
            "torsion at C between A and D stiffness 2 angle 120",
            "pressure 0.4 in A, B, C",
            "load (1, -2) at C",
        ]
    },
    "potentials": {
        "nodes": {n: {"charge": q} for n, q in (("a", 1), ("b", -1), ("c", 2), ("d", 1))} | {"e": {"at": [0, 0, 0]}},
        "members": [
            {"type": "coulomb", "between": ["a", "b", "c"]},
            {"type": "lennard_jones", "between": ["a", "c", "d"], "distance": 1.2},
            {"type": "morse", "between": ["b", "d"], "depth": 2},
        ],
    },
    "sphere": {"preset": {"type": "cluster", "atoms": 5, "potential": "thomson"}},
    "stack": {"statements": ["block a 2 x 1 on floor", "block b 1 x 1 on a at 0.4"]},
    "arch": {"preset": {"type": "arch", "from": [0, 0], "to": [4, 0], "bars": 5}},
}


POSITIVE, WHOLE = torch.tensor([False]), torch.tensor([True])
"""Whether products leave out negative curvature."""


def somewhere(structure: Structure, seed: int = 0) -> tuple[Floats, Floats]:
    """A random state and its places."""
    system = structure.system
    state = 0.6 * np.random.default_rng(seed).standard_normal(system.centre.shape)
    moved = system.spread * state
    size = np.linalg.norm(moved, axis=1, keepdims=True)
    round_ = (system.radius > 0)[:, None]
    x = system.centre + np.where(round_, system.radius[:, None] * moved / np.maximum(size, 1e-12), moved)
    return state, x


def graph(structure: Structure, state: Floats) -> tuple[EquilibriumEnergy, torch.Tensor, dict[str, torch.Tensor]]:
    inputs = {name: torch.as_tensor(value)[None] for name, value in tensors(structure.system).items()}
    whole = np.zeros(inputs["centre"].shape[1:])
    whole[: len(state)] = state
    return EquilibriumEnergy(), torch.as_tensor(whole)[None], inputs


@pytest.mark.parametrize("name", CASES)
def test_both_energies_agree_and_the_slope_is_their_gradient(name: str) -> None:
    structure = read(CASES[name])
    state, x = somewhere(structure)
    energy, y, inputs = graph(structure, state)
    assert float(sum(energy(y, **inputs).values())) == pytest.approx(structure.system.energy(x), rel=1e-12)
    slope = structure.system.gradient(x)
    found = energy.slope(energy.places(y, **inputs), **inputs)[0, : len(x)].numpy()
    np.testing.assert_allclose(found, slope, atol=1e-11 * max(1.0, float(np.abs(slope).max())))
    y.requires_grad_()
    (by_state,) = torch.autograd.grad(sum(energy(y, **inputs).values()).sum(), y)
    np.testing.assert_allclose(energy.local(y.detach(), POSITIVE, **inputs).slope, by_state, atol=1e-10)


@pytest.mark.parametrize("name", CASES)
def test_the_hessian_is_the_derivative_of_the_gradient(name: str) -> None:
    structure = read(CASES[name])
    _, x = somewhere(structure)
    hessian = structure.system.hessian(x)
    for k in range(x.size):
        step = np.zeros(x.size)
        step[k] = 1e-6
        ahead, back = (structure.system.gradient(x + s.reshape(x.shape)).ravel() for s in (step, -step))
        np.testing.assert_allclose(
            hessian[k], (ahead - back) / 2e-6, atol=2e-5 * max(1.0, float(np.abs(hessian).max()))
        )


@pytest.mark.parametrize("name", CASES)
def test_products_of_the_file_are_symmetric_and_positive(name: str) -> None:
    structure = read(CASES[name])
    state, _ = somewhere(structure)
    energy, y, inputs = graph(structure, state)
    at = energy.local(y, POSITIVE, **inputs)
    draw = torch.Generator().manual_seed(1)
    p, q = (torch.randn(y.shape, generator=draw, dtype=torch.float64) for _ in range(2))
    hp, hq = energy.product(at, p, **inputs), energy.product(at, q, **inputs)
    assert float((hp * q).sum()) == pytest.approx(float((hq * p).sum()), rel=1e-9)
    assert float((hp * p).sum()) >= -1e-12


def test_products_with_negative_curvature_are_derivatives_of_the_slope() -> None:
    structure = read(CASES["potentials"])
    state, _ = somewhere(structure)
    energy, y, inputs = graph(structure, state)
    p = torch.randn(y.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    ahead, back = (energy.local(y + s * p, WHOLE, **inputs).slope for s in (1e-6, -1e-6))
    want = ((ahead - back) / 2e-6).numpy()
    found = energy.product(energy.local(y, WHOLE, **inputs), p, **inputs).numpy()
    np.testing.assert_allclose(found, want, atol=1e-6 * max(1.0, float(np.abs(want).max())))


def test_a_hop_takes_the_loosest_atom_to_a_place_of_lower_energy() -> None:
    structure = read({"preset": {"type": "cluster", "atoms": 7}})
    top = math.sqrt(0.5)
    square = [[0.5, 0.5, 0], [-0.5, 0.5, 0], [-0.5, -0.5, 0], [0.5, -0.5, 0], [0, 0, top], [0, 0, -top]]
    places = np.array([*square, [0.0, 0.0, 2.5]])  # the octahedron of six, and one atom far away
    system = structure.system
    energy, y, inputs = graph(structure, (places - system.centre) / system.spread)
    noise = torch.randn(y.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    noise[:, :, 0] *= 1e-3  # no random part of the looseness
    noise[:, :, 1] -= noise[0, :7].sum() / 7  # a lot of 0: one atom moves
    moved = energy.places(Moves(energy)(y, noise, **inputs), **inputs)[0, :7].numpy()
    np.testing.assert_allclose(moved[:6], places[:6], atol=1e-12)
    assert structure.system.energy(moved) < structure.system.energy(places) - 1.0


def test_a_hop_leaves_structures_without_atoms_alone() -> None:
    structure = read(CASES["springs"])
    state, _ = somewhere(structure)
    energy, y, inputs = graph(structure, state)
    noise = torch.randn(y.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    assert torch.equal(Moves(energy)(y, noise, **inputs), y)


def test_padding_has_no_effect() -> None:
    structure = read(CASES["springs"])
    state, _ = somewhere(structure)
    energy, y, inputs = graph(structure, state)
    slope = energy.local(y, POSITIVE, **inputs).slope[0, len(state) :]
    assert float(slope.abs().max()) == 0.0


def test_a_loaded_cable_hangs_where_statics_puts_it() -> None:
    structure = read(
        {
            "statements": [
                "A fixed at (0, 0)",
                "B fixed at (6, 0)",
                "cable A-m length 5",
                "cable B-m length 5",
                "mass 1 at m",
                "gravity 10",
            ]
        }
    )
    rest = finished(structure.system, structure.system.centre + 0.01)
    m = structure.order["m"]
    np.testing.assert_allclose(rest.x[m] * structure.length, [3, -4, 0], atol=1e-12)
    assert rest.residual < 1e-13
    assert {round(force * structure.force, 12) for force in rest.edges.values()} == {6.25}


def test_the_state_of_the_file_beside_an_exact_one_is_balanced_there() -> None:
    structure = read({"preset": {"type": "chain", "from": [0, 0], "to": [4, 0], "length": 6, "links": 5}})
    x = structure.system.centre.copy()
    x[:, 1] -= 0.3 * np.sin(np.linspace(0, math.pi, len(x)))
    exact = finished(structure.system, x)
    assert exact.residual < 1e-12
    soft = softened(structure.system, exact.x)
    _, _, inputs = graph(structure, x)
    whole = np.zeros(inputs["centre"].shape[1:])
    whole[: len(x)] = soft
    answer = {"places": torch.as_tensor(whole)[None]}
    assert float(EquilibriumEnergy().checks(answer, **inputs)["balance"].max()) < 1e-9

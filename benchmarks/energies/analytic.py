"""Analytic energies: carnot's and FastFourierSAT's code run on PyTorch, and geometry as in Penrose."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from benchmarks.energies.catalogue import Example, entry
from benchmarks.energies.checkout import Checkout
from torch import Tensor, nn

from groundstate_export import GradientDescent


def _jax(checkout: Checkout, numpy: Any) -> None:
    same: Callable[[Any], Any] = lambda function: function  # noqa: E731
    checkout.provide("jax", Array=Tensor, jit=same, config=SimpleNamespace(update=lambda *_: None))
    checkout.provide("jax.numpy", **numpy)


TORCH: dict[str, Any] = {
    "abs": torch.abs, "float32": lambda x: torch.tensor(x, dtype=torch.float32), "array": torch.tensor,
    "maximum": lambda x, low: x.clamp(min=low), "prod": torch.prod, "sum": torch.sum,
}  # fmt: skip
"""The few functions of JAX that these two files call, by PyTorch, so that their own code is what runs."""


class _Board(nn.Module):
    """carnot's energy of one board, given the batch as a last dimension, which its elementwise code leaves alone."""

    def __init__(self, composed: Any) -> None:
        super().__init__()
        self.composed = composed

    def forward(self, state: Tensor) -> Tensor:
        energy: Tensor = self.composed.energy(state.T)
        return energy


@entry(
    30,
    "UniquenessConstraint of three rows and ClueConstraint of the rest",
    "Carnot-EBM/carnot-ebm",
    "a2b5d5c",
    note="its JAX code run by PyTorch's functions",
)
def carnot(checkout: Checkout) -> Example:
    _jax(checkout, TORCH)
    for package in ("carnot", "carnot.verify"):
        checkout.package(package, "python/" + package.replace(".", "/"))
    module = checkout.load("carnot.verify.sudoku", "python")
    composed = checkout.load("carnot.verify.constraint", "python").ComposedEnergy(81)
    for row in range(3):
        composed.add_constraint(module.UniquenessConstraint(f"row {row}", list(range(9 * row, 9 * row + 9))), 1.0)
    for cell in range(27, 81):
        composed.add_constraint(module.ClueConstraint(f"cell {cell}", cell, float(cell % 9 + 1)), 10.0)
    return Example(_Board(composed), 5 + 2 * torch.randn(2, 81), batches=(1, 3))


class _Clauses(nn.Module):
    """FastFourierSAT's value of cardinality constraints, of each row by `torch.vmap` where it uses `jax.vmap`."""

    def __init__(self, value: Callable[..., Tensor], constants: tuple[Any, ...]) -> None:
        super().__init__()
        self.value, self.constants = value, constants

    def forward(self, state: Tensor) -> Tensor:
        values: Tensor = torch.vmap(lambda x: self.value(x, *self.constants))(state)
        return values


@entry(
    33,
    "`fval` of cardinality constraints by a discrete Fourier transform",
    "seeder-research/FastFourierSAT",
    "16bb99f",
    note="its JAX code run by PyTorch's functions",
)
def fast_fourier_sat(checkout: Checkout) -> Example:
    _jax(checkout, vars(np))
    checkout.unused("jaxopt", "jaxopt.projection")
    checkout.provide("scipy", poly1d=np.poly1d)
    checkout.provide("scipy.special")
    module = checkout.load("Solver.FastFourierSAT.card")
    clauses = [[1, -2, 3, 4, 5], [-1, 2, 4, -5, 6], [2, 3, -4, 5, -6]]
    address, sign, weight, (forward, inverse) = module.preprocess_card(clauses)
    constants = [torch.tensor(sign), torch.tensor(weight, dtype=torch.float32)]
    constants += [torch.tensor(x, dtype=torch.complex64) for x in (forward, inverse)]
    module.jnp = SimpleNamespace(**TORCH)
    return Example(_Clauses(module.fval, (torch.tensor(address), *constants)), 0.9 * torch.rand(2, 6) - 0.45)


class _Spectrum(nn.Module):
    """The power of a signal away from a wanted spectrum, plus roughness, by `torch.fft`."""

    def forward(self, state: Tensor, wanted: Tensor) -> Tensor:
        spectrum = torch.fft.rfft(state, norm="ortho")
        smooth = torch.fft.irfft(spectrum * torch.linspace(1, 0, spectrum.shape[-1]), n=state.shape[-1], norm="ortho")
        return (spectrum.abs().square() - wanted).square().sum(1) + (state - smooth).square().sum(1)


@entry(
    33,
    "a spectrum to match, rfft and irfft",
    "ours",
    note="written for this table: no public PyTorch code of this family was found",
)
def spectrum(_: Checkout) -> Example:
    return Example(_Spectrum(), torch.randn(2, 16), {"wanted": torch.rand(2, 9)})


class _Drawing(nn.Module):
    """Circles apart, one inside another, tangent to a line, at an angle: squared hinges, as Penrose writes constraints."""

    def forward(self, state: dict[str, Tensor], present: Tensor) -> dict[str, Tensor]:
        centre, size = state["centre"], state["size"]
        apart = centre[:, :, None] - centre[:, None]
        distance = torch.hypot(apart[..., 0], apart[..., 1] + 1e-6)
        both = (present[:, :, None] & present[:, None]) & ~torch.eye(centre.shape[1], dtype=torch.bool)
        overlap = (size[:, :, None] + size[:, None] - distance).relu().square()
        inside = (distance[:, 0, 1] + size[:, 1] - size[:, 0]).relu().square()
        along = torch.tensor([0.6, 0.8])
        cross = centre[:, 2, 0] * along[1] - centre[:, 2, 1] * along[0]
        angle = torch.atan2(apart[:, 2, 3, 1], apart[:, 2, 3, 0])
        return {
            "disjoint": torch.where(both, overlap, torch.zeros(())).sum((1, 2)),
            "inside": inside,
            "tangent": (cross.abs() - size[:, 2]).square(),
            "angle": 1 - torch.cos(angle - 0.5),
            "size": (size - 1).square().sum(1) / (1e-3 + size.square().sum(1)),
        }


@entry(34, "a drawing of circles", "ours", note="restated from the mathematics: Penrose is written in TypeScript")
def penrose(_: Checkout) -> Example:
    state = {"centre": torch.randn(2, 5, 2), "size": 1 + 0.1 * torch.randn(2, 5)}
    return Example(_Drawing(), state, {"present": torch.rand(2, 5) < 0.8}, GradientDescent(0.01))

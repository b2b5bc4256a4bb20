"""Ill-conditioned energies are no reason to refuse: where float32 PyTorch rounds, float64 decides, for closures too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from benchmarks.by_chance import ENERGIES, attempt
from torch import Tensor, nn

from groundstate_export import GradientDescent, ParityError, export
from groundstate_export._arguments import Arguments
from groundstate_export._examine.examine import examine
from groundstate_export._examine.starts import case
from groundstate_export._lower.lowering import HANDLERS
from groundstate_export._verify.reference import descend


@pytest.mark.parametrize("name", ENERGIES)
def test_an_ill_conditioned_energy_is_exported_whatever_its_weights(name: str, tmp_path: Path) -> None:
    attempt(name, 3, tmp_path / "energy.onnx")


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(10, 20))
@pytest.mark.parametrize("name", ENERGIES)
def test_so_it_is_with_many_weights(name: str, seed: int, tmp_path: Path) -> None:
    attempt(name, seed, tmp_path / "energy.onnx")


class Held:
    def __init__(self) -> None:
        self.matrix = torch.linspace(-1, 1, 9).reshape(3, 3)


def _closures() -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    layer, held, table, rows = nn.Linear(3, 3), Held(), torch.eye(3), [torch.ones(3)] * 3
    return {
        "over a module": lambda y, x: (layer(y) - x).square().sum(1),
        "over an object with a tensor": lambda y, x: (y @ held.matrix - x).square().sum(1),
        "over a tensor": lambda y, x: (y @ table - x).square().sum(1),
        "that makes a tensor": lambda y, x: (y @ torch.linspace(0, 1, 9).reshape(3, 3) - x).square().sum(1),
        "that asks for float32": lambda y, x: (
            y.float() @ torch.ones(3, 3, dtype=torch.float32) - x.to(torch.float32)
        ).square().sum(1),
        "of a list of tensors": lambda y, x: (y @ torch.stack(rows) - x).square().sum(1),
    }  # fmt: skip


@pytest.mark.parametrize("name", _closures())
def test_a_closure_is_judged_in_float64(name: str) -> None:
    examined = examine(
        Arguments(
            energy=_closures()[name], inputs={"x": torch.randn(2, 3)}, state={"y": torch.randn(2, 3)}, bare=True,
            rule=GradientDescent(0.1), unroll=1, initial={}, batches=(1,), seeds=(0,),
        )
    )  # fmt: skip
    found = descend(examined, case(examined, 2, 0, 1.0), torch.float64)
    assert {t.dtype for t in found.found.values()} == {torch.float64}


def test_a_wrong_translation_is_refused_where_the_energy_is_ill_conditioned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(HANDLERS, "sin", HANDLERS["square"])
    with pytest.raises(ParityError):
        attempt("waves", 0, tmp_path / "energy.onnx")


def test_a_refusal_of_an_ill_conditioned_energy_states_that_and_accuses_no_operator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groundstate_export._verify.parity._ROUNDING", 0.01)

    def energy(y: Tensor, x: Tensor) -> Tensor:
        return (y + x).square().mean(1) - (y + x).mean(1).square()

    with pytest.raises(ParityError, match="ill-conditioned there") as refusal:
        export(
            energy, inputs={"x": 30 + torch.randn(3, 5)}, state=torch.randn(3, 5), rule=GradientDescent(0.1), unroll=1,
            path=tmp_path / "mine.onnx", batches=(1, 4), tolerance=1e-12,
        )  # fmt: skip
    assert "behaves differently" not in str(refusal.value)

"""The Sudoku energy: its gradient, its symmetries, its decoding."""

from __future__ import annotations

import pytest
import torch

from groundstate_models.sudoku.energy import SudokuEnergy, rules
from tests.support import EASY, EASY_SOLUTION, rows

GRID = torch.tensor([rows(EASY), rows(EASY_SOLUTION), [[0] * 9] * 9])


def energy(intersection: int = 6) -> SudokuEnergy:
    torch.manual_seed(0)
    return SudokuEnergy(width=4, hidden=8, group=5, intersection=intersection).double()


@pytest.mark.parametrize("intersection", [0, 6])
def test_the_written_out_gradient_is_that_of_the_energy(intersection: int) -> None:
    model = energy(intersection)
    state = torch.randn(3, 9, 9, 9, 4, dtype=torch.double, requires_grad=True)
    (gradient,) = torch.autograd.grad(sum(term.sum() for term in model(state, GRID).values()), state)
    assert torch.allclose(model.gradient(state, model.drive(GRID)), gradient, rtol=1e-6, atol=1e-7)


def total(model: SudokuEnergy, state: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    return sum(model(state, grid).values(), start=torch.zeros(()))


def symmetric_copy(name: str, state: torch.Tensor, grid: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    digits = torch.tensor([0, 3, 1, 2, 9, 5, 4, 8, 7, 6])
    order = {"rows in a band": [2, 0, 1, 3, 4, 5, 6, 7, 8], "bands": [3, 4, 5, 0, 1, 2, 6, 7, 8]}
    match name:
        case "transposed":
            return state.transpose(1, 2), grid.transpose(1, 2)
        case "digits renamed":
            moved = torch.empty_like(state)
            moved[:, :, :, digits[1:] - 1] = state
            return moved, digits[grid]
        case "columns in a stack":
            return state[:, :, order["rows in a band"]], grid[:, :, order["rows in a band"]]
        case _:
            return state[:, order[name]], grid[:, order[name]]


@pytest.mark.parametrize("name", ["transposed", "digits renamed", "rows in a band", "bands", "columns in a stack"])
def test_the_energy_does_not_change_under_a_symmetry_of_sudoku(name: str) -> None:
    model = energy()
    state = torch.randn(3, 9, 9, 9, 4, dtype=torch.double)
    assert torch.allclose(total(model, state, GRID), total(model, *symmetric_copy(name, state, GRID)), rtol=1e-6)


def test_the_energy_changes_where_the_copy_is_no_symmetry() -> None:
    model, state = energy(), torch.randn(3, 9, 9, 9, 4, dtype=torch.double)
    swapped = [3, 1, 2, 0, 4, 5, 6, 7, 8]
    assert not torch.allclose(total(model, state, GRID), total(model, state[:, swapped], GRID[:, swapped]), rtol=1e-6)


def test_decoding_keeps_the_givens() -> None:
    decoded = energy().decode(torch.randn(3, 9, 9, 9, 4, dtype=torch.double), GRID)["grid"]
    assert torch.equal(decoded[GRID > 0], GRID[GRID > 0])
    assert ((decoded >= 1) & (decoded <= 9)).all()


def test_the_rules_count_what_is_missing() -> None:
    right = torch.tensor([rows(EASY_SOLUTION)])
    swapped = right.clone()
    swapped[0, 0, 0], swapped[0, 0, 1] = right[0, 0, 1], right[0, 0, 0]
    assert {name: int(n) for name, n in rules({"grid": right}, GRID[:1]).items()} == dict.fromkeys(
        ["givens", "rows", "columns", "boxes"], 0
    )
    assert {name: int(n) for name, n in rules({"grid": swapped}, GRID[:1]).items()} == {
        "givens": 2,
        "rows": 0,
        "columns": 2,
        "boxes": 0,
    }

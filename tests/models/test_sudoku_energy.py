"""The Sudoku energy: its gradient, its symmetries on boards of every size, its decoding."""

from __future__ import annotations

import pytest
import torch

from groundstate_models.sudoku.board import Board
from groundstate_models.sudoku.energy import OPEN, SEEN, SudokuEnergy, indicators, rules
from tests.support import EASY, EASY_SOLUTION, rows

GRID = torch.tensor([rows(EASY), rows(EASY_SOLUTION), [[0] * 9] * 9])
SIZES = (4, 6, 9, 16)


def energy(intersection: int = 6) -> SudokuEnergy:
    torch.manual_seed(0)
    return SudokuEnergy(width=4, hidden=8, group=5, intersection=intersection).double()


def board(size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A state, and a grid with a third of its cells given: rules do not matter here."""
    torch.manual_seed(size)
    grid = torch.randint(1, size + 1, (2, size, size)) * (torch.rand(2, size, size) < 1 / 3)
    return torch.randn(2, size, size, size, 4, dtype=torch.double), grid


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("intersection", [0, 6])
def test_the_gradient_that_is_trained_through_is_that_of_the_energy(intersection: int, size: int) -> None:
    model, (state, grid) = energy(intersection), board(size)
    state.requires_grad_()
    (gradient,) = torch.autograd.grad(sum(term.sum() for term in model(state, grid).values()), state)
    assert torch.allclose(model.gradient(state, model.drive(grid)), gradient, rtol=1e-9, atol=1e-12)


def total(model: SudokuEnergy, state: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    return sum(model(state, grid).values(), start=torch.zeros(()))


def symmetric_copy(name: str, state: torch.Tensor, grid: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    size = grid.shape[-1]
    high, wide = Board.of(size).height, Board.of(size).width
    match name:
        case "transposed":
            return state.transpose(1, 2), grid.transpose(1, 2)
        case "digits renamed":
            digits = torch.cat([torch.zeros(1, dtype=torch.long), 1 + torch.randperm(size)])
            moved = torch.empty_like(state)
            moved[:, :, :, digits[1:] - 1] = state
            return moved, digits[grid]
        case "rows in a band":
            order = torch.arange(size).unflatten(0, (-1, high)).flip(1).flatten()
            return state[:, order], grid[:, order]
        case "bands":
            order = torch.arange(size).unflatten(0, (-1, high)).roll(1, 0).flatten()
            return state[:, order], grid[:, order]
        case _:
            order = torch.arange(size).unflatten(0, (-1, wide)).flip(1).flatten()
            return state[:, :, order], grid[:, :, order]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["transposed", "digits renamed", "rows in a band", "bands", "columns in a stack"])
def test_the_energy_does_not_change_under_a_symmetry_of_sudoku(name: str, size: int) -> None:
    if name == "transposed" and Board.of(size).height != Board.of(size).width:
        pytest.skip("boxes that are not square do not stay boxes")
    model, (state, grid) = energy(), board(size)
    assert torch.allclose(total(model, state, grid), total(model, *symmetric_copy(name, state, grid)), rtol=1e-9)


def test_the_energy_changes_where_the_copy_is_no_symmetry() -> None:
    model, state = energy(), torch.randn(3, 9, 9, 9, 4, dtype=torch.double)
    swapped = [3, 1, 2, 0, 4, 5, 6, 7, 8]
    assert not torch.allclose(total(model, state, GRID), total(model, state[:, swapped], GRID[:, swapped]), rtol=1e-6)


def test_an_open_candidate_is_seen_where_its_digit_is_given_in_its_row_column_or_box() -> None:
    grid = torch.zeros(1, 9, 9, dtype=torch.long)
    grid[0, 4, 4] = 7
    seen = indicators(grid)[0, :, :, :, SEEN]
    peers = {(4, c) for c in range(9)} | {(r, 4) for r in range(9)} | {(r, c) for r in (3, 4, 5) for c in (3, 4, 5)}
    assert {(int(r), int(c)) for r, c, _ in seen.nonzero()} == peers - {(4, 4)}
    assert set(seen.nonzero()[:, 2].tolist()) == {6}
    assert int(indicators(grid)[0, :, :, :, OPEN].sum()) == 80 * 9


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

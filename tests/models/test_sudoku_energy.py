"""The Sudoku energy: its gradient, its symmetries on boards of every size, its decoding; and learned numbers as inputs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from groundstate_export import Descent
from groundstate_models.sudoku import train
from groundstate_models.sudoku.board import BOARDS, Board
from groundstate_models.sudoku.energy import EXCLUDED, UNTRAINED, SudokuEnergy, checks
from groundstate_models.sudoku.learned import RULE, Settings
from tests.support import EASY, EASY_SOLUTION, rows

GRID = torch.tensor([rows(EASY), rows(EASY_SOLUTION), [[0] * 9] * 9])
SIZES = (4, 6, 9, 16)
SHAPED = (
    UNTRAINED
    | {name: value + 0.1 * (-1) ** place for place, (name, value) in enumerate(UNTRAINED.items())}
    | {"undecided_by_digits": 2.0}
)
"""No two kinds of rules weigh the same."""


def energy(size: int = 9) -> SudokuEnergy:
    return SudokuEnergy(Board.of(size), SHAPED).double()


def board(size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A state, and a grid with a third of its cells given: rules do not matter here."""
    draw = torch.Generator().manual_seed(size)
    grid = torch.randint(1, size + 1, (2, size, size), generator=draw) * (
        torch.rand(2, size, size, generator=draw) < 1 / 3
    )
    return torch.randn(2, size, size * size, dtype=torch.double, generator=draw), grid


def total(model: SudokuEnergy, y: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    return sum(model(y, grid).values(), start=torch.zeros(()))


@pytest.mark.parametrize("size", SIZES)
def test_the_gradient_is_the_slope_of_the_energy(size: int) -> None:
    model, (y, grid) = energy(size), board(size)
    y.requires_grad_()
    (gradient,) = torch.autograd.grad(total(model, y, grid).sum(), y)
    direction = torch.randn(y.shape, dtype=torch.double, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ahead, behind = (total(model, y + step * direction, grid) for step in (1e-5, -1e-5))
    torch.testing.assert_close((gradient * direction).flatten(1).sum(1), (ahead - behind) / 2e-5, rtol=1e-6, atol=1e-8)


@torch.no_grad()
def test_the_terms_are_what_their_names_say() -> None:
    """On an empty board of equal logits every digit is expected once everywhere, and every cell is as open as can be."""
    model, y = SudokuEnergy(BOARDS[4]), torch.zeros(1, 4, 16)
    terms = model(y, torch.zeros(1, 4, 4, dtype=torch.long))
    by_digits, by_four = np.log(4 / 3), 16.0 * (1 - 1 / 4) ** 2
    temperature = np.exp(UNTRAINED["log_temperature"] + UNTRAINED["temperature_by_digits"] * by_digits)
    undecided = np.exp(UNTRAINED["log_undecided"] + UNTRAINED["undecided_by_digits"] * by_digits)
    assert float(terms["rules"]) == pytest.approx(0.0, abs=1e-10)
    assert float(terms["decision"]) == pytest.approx(-16 * temperature * np.log(4), rel=1e-5)
    assert float(terms["undecided"]) == pytest.approx(by_four * undecided, rel=1e-5)
    assert float(terms["confinement"]) == 0.0
    y[0, 2, 5] = 3.0
    assert float(model(y, torch.zeros(1, 4, 4, dtype=torch.long))["confinement"]) == pytest.approx(
        4.5 * np.exp(UNTRAINED["log_confinement"]), rel=1e-5
    )


def symmetric_copy(name: str, y: torch.Tensor, grid: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    size = grid.shape[-1]
    high, wide = Board.of(size).height, Board.of(size).width
    y = y.unflatten(2, (size, size))
    match name:
        case "transposed":
            y, grid = y.transpose(2, 3), grid.transpose(1, 2)
        case "digits renamed":
            digits = torch.cat([torch.zeros(1, dtype=torch.long), 1 + torch.randperm(size)])
            moved = torch.empty_like(y)
            moved[:, digits[1:] - 1] = y
            y, grid = moved, digits[grid]
        case "rows in a band":
            order = torch.arange(size).unflatten(0, (-1, high)).flip(1).flatten()
            y, grid = y[:, :, order], grid[:, order]
        case "bands":
            order = torch.arange(size).unflatten(0, (-1, high)).roll(1, 0).flatten()
            y, grid = y[:, :, order], grid[:, order]
        case _:
            order = torch.arange(size).unflatten(0, (-1, wide)).flip(1).flatten()
            y, grid = y[:, :, :, order], grid[:, :, order]
    return y.flatten(2), grid


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["transposed", "digits renamed", "rows in a band", "bands", "columns in a stack"])
def test_the_energy_does_not_change_under_a_symmetry_of_sudoku(name: str, size: int) -> None:
    if name == "transposed" and Board.of(size).height != Board.of(size).width:
        pytest.skip("boxes that are not square do not stay boxes")
    model, (y, grid) = energy(size), board(size)
    assert torch.allclose(total(model, y, grid), total(model, *symmetric_copy(name, y, grid)), rtol=1e-9)


def test_the_energy_changes_where_the_copy_is_no_symmetry() -> None:
    model, y = energy(), torch.randn(3, 9, 9, 9, dtype=torch.double, generator=torch.Generator().manual_seed(0))
    swapped = [3, 1, 2, 0, 4, 5, 6, 7, 8]
    one, other = (total(model, at.flatten(2), grid) for at, grid in ((y, GRID), (y[:, :, swapped], GRID[:, swapped])))
    assert not torch.allclose(one, other, rtol=1e-6)


@torch.no_grad()
def test_a_given_excludes_the_digits_of_its_cell_and_holds_its_own_back_where_it_is_seen() -> None:
    grid = torch.zeros(1, 9, 9, dtype=torch.long)
    grid[0, 4, 4] = 7
    bias = SudokuEnergy(BOARDS[9]).shaped(grid).bias[0].unflatten(1, (9, 9))
    assert bias[:, 4, 4].tolist() == [0.0 if digit == 6 else -EXCLUDED for digit in range(9)]
    bias[:, 4, 4] = 0.0
    peers = {(4, c) for c in range(9)} | {(r, 4) for r in range(9)} | {(r, c) for r in (3, 4, 5) for c in (3, 4, 5)}
    assert {(int(r), int(c)) for _, r, c in bias.nonzero()} == peers - {(4, 4)}
    assert set(bias[bias != 0].tolist()) == {-UNTRAINED["held_back"]}
    assert set(bias.nonzero()[:, 0].tolist()) == {6}


@torch.no_grad()
def test_a_digit_that_several_givens_see_is_held_back_more() -> None:
    grid = torch.zeros(1, 9, 9, dtype=torch.long)
    grid[0, 0, 0] = grid[0, 4, 4] = 7
    bias = (
        SudokuEnergy(BOARDS[9], {"held_back": 0.5, "held_back_again": 0.25})
        .shaped(grid)
        .bias[0, 6]
        .unflatten(0, (9, 9))
    )
    assert bias[0, 4] == bias[4, 0] == -0.75
    assert bias[0, 8] == bias[1, 1] == bias[5, 5] == -0.5
    assert bias[8, 8] == 0.0


@torch.no_grad()
def test_a_digit_with_few_places_leans_forward_in_all_its_units() -> None:
    grid = torch.zeros(1, 9, 9, dtype=torch.long)
    grid[0, 0, 3] = grid[0, 3, 0] = 7
    plain, leaning = (
        SudokuEnergy(BOARDS[9], {"lean": lean}).shaped(grid).bias[0, 6].unflatten(0, (9, 9)) for lean in (0.0, 0.2)
    )
    # Left for the 7 are four cells of the first box, five of its third row and of its third column.
    assert (leaning - plain)[2, 2] == pytest.approx(-0.2 * (math.log(4 / 3) + 2 * math.log(5 / 3)), rel=1e-5)
    assert leaning[0, 1] == plain[0, 1]


@torch.no_grad()
def test_more_digits_than_were_learned_with_make_no_cell_more_urgent_to_decide() -> None:
    urgent = {
        n: SudokuEnergy(board, SHAPED).shaped(torch.zeros(1, n, n, dtype=torch.long)).undecided
        for n, board in BOARDS.items()
    }
    assert urgent[4][0, 0] < urgent[6][0, 0] < urgent[9][0, 0] == urgent[16][0, 0]


def test_decoding_keeps_the_givens() -> None:
    decoded = energy().decode(torch.randn(3, 9, 81, dtype=torch.double), GRID)["grid"]
    assert torch.equal(decoded[GRID > 0], GRID[GRID > 0])
    assert ((decoded >= 1) & (decoded <= 9)).all()


@torch.no_grad()
def test_the_right_board_lies_below_one_with_a_given_or_two_digits_changed() -> None:
    right = torch.tensor([rows(EASY_SOLUTION)] * 3)
    right[1, 0, 0], right[1, 0, 1] = right[1, 0, 1].clone(), right[1, 0, 0].clone()
    digits = torch.arange(10)
    digits[[5, 3]] = digits[[3, 5]]
    right[2] = digits[right[2]]
    model, grid = SudokuEnergy(BOARDS[9]), GRID[:1].expand(3, 9, 9)
    found = total(model, model.encode_answer({"grid": right}, grid), grid)
    assert found[0] < found[1:].min() - 1.0


def test_the_checks_count_what_is_missing() -> None:
    right = torch.tensor([rows(EASY_SOLUTION)])
    swapped = right.clone()
    swapped[0, 0, 0], swapped[0, 0, 1] = right[0, 0, 1], right[0, 0, 0]
    assert {name: int(n) for name, n in checks({"grid": right}, GRID[:1]).items()} == dict.fromkeys(
        ["givens", "rows", "columns", "boxes"], 0
    )
    assert {name: int(n) for name, n in checks({"grid": swapped}, GRID[:1]).items()} == {
        "givens": 2,
        "rows": 0,
        "columns": 2,
        "boxes": 0,
    }


def test_rows_with_numbers_of_their_own_have_the_energy_of_those_numbers() -> None:
    y, grid = board(6)
    both = [Settings(SHAPED), Settings(UNTRAINED)]
    numbers = torch.tensor([settings.numbers for settings in both], dtype=torch.double)
    together = SudokuEnergy(Board.of(6)).double()(y, grid, numbers)
    for row, settings in enumerate(both):
        alone = SudokuEnergy(Board.of(6), settings.energy).double()(y[row : row + 1], grid[row : row + 1])
        for name, term in alone.items():
            torch.testing.assert_close(together[name][row : row + 1], term, rtol=1e-6, atol=1e-8)


@torch.no_grad()
@pytest.mark.parametrize("size", [6, 9])
def test_rows_with_numbers_of_their_own_descend_as_the_rule_with_those_numbers_does(size: int) -> None:
    """On random states, with noise, and with the weights of violations already raised."""
    y, grid = board(size)
    both = [
        Settings(SHAPED, RULE | {"noise": 0.1, "raises": 0.2}),
        Settings(UNTRAINED, RULE | {"step_size": 0.4, "momentum": 0.7}),
    ]
    numbers = torch.tensor([settings.numbers for settings in both], dtype=torch.double)
    draw = torch.Generator().manual_seed(1)
    noise = torch.randn(y.shape, dtype=torch.double, generator=draw)
    arguments = train.row_arguments(Board.of(size))
    rows = Descent(arguments["energy"].double(), arguments["rule"], {"grid": grid, "numbers": numbers})
    together = rows.start(y, draw)
    together["chain.weights"] = 1.0 + torch.rand(together["chain.weights"].shape, dtype=torch.double, generator=draw)
    before = dict(together)
    for step in range(3):
        together, _ = rows.step(together, {"y": noise} if step == 0 else None)
    for row, settings in enumerate(both):
        model = SudokuEnergy(Board.of(size), settings.energy).double()
        descent = Descent(model, settings.descent(model).double(), {"grid": grid[row : row + 1]})
        state = {name: tensor[row : row + 1] for name, tensor in before.items()}
        for step in range(3):
            state, _ = descent.step(state, {"y": noise[row : row + 1]} if step == 0 else None)
        for name, tensor in state.items():
            torch.testing.assert_close(together[name][row : row + 1], tensor, rtol=1e-5, atol=1e-6)

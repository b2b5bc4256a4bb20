"""The boards: their boxes, units and names."""

from __future__ import annotations

import pytest

from groundstate_models.sudoku.board import BOARDS, Board


@pytest.mark.parametrize("size", BOARDS)
def test_every_cell_lies_in_one_row_one_column_and_one_box(size: int) -> None:
    board = Board.of(size)
    assert board.size == board.height * board.width == size
    for kind in range(3):
        units = board.units[kind * size : (kind + 1) * size]
        assert all(len(unit) == size for unit in units)
        assert sorted(cell for unit in units for cell in unit) == list(range(size**2))


def test_a_box_of_6x6_is_two_rows_of_three() -> None:
    assert Board.of(6).units[12:14] == ((0, 1, 2, 6, 7, 8), (3, 4, 5, 9, 10, 11))


@pytest.mark.parametrize(("size", "peers"), [(4, 7), (6, 12), (9, 20), (16, 39)])
def test_a_cell_has_every_other_cell_of_its_units_as_a_peer(size: int, peers: int) -> None:
    board = Board.of(size)
    assert {len(cells) for cells in board.peers} == {peers}
    assert all(cell in board.peers[peer] for cell, cells in enumerate(board.peers) for peer in cells)


@pytest.mark.parametrize("size", [0, 8, 25, -9])
def test_a_size_that_is_not_played_is_refused_with_those_that_are(size: int) -> None:
    with pytest.raises(
        ValueError,
        match=f"^Sudoku boards of {size}×{size} cells are not supported; those of 4×4, 6×6, 9×9 and 16×16 are.$",
    ):
        Board.of(size)
